/**
 * Two servers under the same load in turn, pair by pair, one right after the other. Which goes first changes from pair
 * to pair: what else happens on the machine meets both.
 */

import type { Peer } from '../peers/servers.ts';
import type { Cores } from './cores.ts';
import { type Estimate, estimate } from './median.ts';
import { memoryOf, processorUs, processTree } from './process-use.ts';
import { runLoadOn } from './run-load.ts';

/** A server, and what it is asked: options of the load generator. */
export interface Side {
	readonly peer: Peer;
	readonly options: readonly string[];
}

export interface PairPlan {
	readonly pairs: number;
	/** Of each run. */
	readonly seconds: number;
	/** Queries a second; 0: as many as come back. */
	readonly rate: number;
	readonly cores: Cores;
}

/** One side's runs. */
interface SideFigures {
	readonly usPerQuery: Estimate;
	readonly answersPerSec: Estimate;
	readonly p50Us: Estimate;
	readonly p99Us: Estimate;
	/** Of the whole server after the runs, in octets. */
	readonly memory: number;
	readonly lost: number;
	readonly wrong: number;
}

export interface PairFigures {
	readonly ours: SideFigures;
	readonly theirs: SideFigures;
	/** Ours by theirs, pair by pair. */
	readonly ratio: {
		readonly usPerQuery: Estimate;
		readonly answersPerSec: Estimate;
		readonly p99Us: Estimate;
	};
}

interface Run {
	readonly usPerQuery: number;
	readonly answersPerSec: number;
	readonly p50Us: number;
	readonly p99Us: number;
	readonly lost: number;
	readonly wrong: number;
}

/** Below what a default receive queue holds, so that nobody loses any; enough that no server ever waits. */
const CLOSED = ['--threads', '2', '--sockets', '32', '--window', '3'];
const OPEN = ['--threads', '1', '--sockets', '32'];
const WARM_UP_SEC = 3;

export async function measurePairs(ours: Side, theirs: Side, plan: PairPlan): Promise<PairFigures> {
	const runs: { readonly ours: Run; readonly theirs: Run }[] = [];
	await measure(ours, { ...plan, seconds: WARM_UP_SEC });
	await measure(theirs, { ...plan, seconds: WARM_UP_SEC });
	for (let pair = 0; pair < plan.pairs; pair++) {
		const first = await measure(pair % 2 === 0 ? ours : theirs, plan);
		const second = await measure(pair % 2 === 0 ? theirs : ours, plan);
		runs.push(pair % 2 === 0 ? { ours: first, theirs: second } : { ours: second, theirs: first });
	}
	const ratio = (pick: (run: Run) => number) => estimate(runs.map((pair) => pick(pair.ours) / pick(pair.theirs)));
	return {
		ours: figuresOf(
			ours.peer,
			runs.map((pair) => pair.ours),
		),
		theirs: figuresOf(
			theirs.peer,
			runs.map((pair) => pair.theirs),
		),
		ratio: {
			usPerQuery: ratio((run) => run.usPerQuery),
			answersPerSec: ratio((run) => run.answersPerSec),
			p99Us: ratio((run) => run.p99Us),
		},
	};
}

async function measure({ peer, options }: Side, { seconds, rate, cores }: PairPlan): Promise<Run> {
	const load = rate === 0 ? CLOSED : [...OPEN, '--rate', String(rate)];
	const pids = processTree(peer.pid);
	const before = processorUs(pids);
	const result = await runLoadOn(cores.load, peer.port, ...options, ...load, '--seconds', String(seconds));
	const usPerQuery = (processorUs(pids) - before) / result.answered;
	const { answersPerSec, p50Us, p99Us, lost, wrong } = result;
	return { usPerQuery, answersPerSec, p50Us, p99Us, lost, wrong };
}

function figuresOf(peer: Peer, runs: readonly Run[]): SideFigures {
	const of = (pick: (run: Run) => number) => estimate(runs.map(pick));
	return {
		usPerQuery: of((run) => run.usPerQuery),
		answersPerSec: of((run) => run.answersPerSec),
		p50Us: of((run) => run.p50Us),
		p99Us: of((run) => run.p99Us),
		memory: memoryOf(processTree(peer.pid)),
		lost: runs.reduce((sum, { lost }) => sum + lost, 0),
		wrong: runs.reduce((sum, { wrong }) => sum + wrong, 0),
	};
}
