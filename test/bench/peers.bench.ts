/**
 * Ours beside other servers: `node peers.bench.ts geo|static PAIRS WORKERS SECONDS [SERVER ...]`.
 *
 * A pair is ours and the other one in turn, one right after the other, and which goes first changes from pair to pair:
 * what else happens on the machine meets both. A figure is the median of all pairs, a ratio that of the pairs' ratios.
 */

import { availableParallelism } from 'node:os';
import type { Peer } from '../peers/servers.ts';
import { type Questions, questionsOf, Scene, type SceneName, SERVERS } from './contestants.ts';
import { coresFor, type Cores } from './cores.ts';
import { type Estimate, estimate } from './median.ts';
import { memoryOf, processorUs, processTree } from './process-use.ts';
import { runLoadOn } from './run-load.ts';

export interface PeerCost {
	readonly server: string;
	readonly question: string;
	/** Absent: it is not on this machine. */
	readonly figures?: {
		readonly usPerQuery: Estimate;
		readonly oursUsPerQuery: Estimate;
		/** Ours by theirs: below 1 ours is cheaper. */
		readonly cpuRatio: Estimate;
		readonly answersPerSec: Estimate;
		readonly oursAnswersPerSec: Estimate;
		/** Ours by theirs: above 1 ours answers more. */
		readonly rateRatio: Estimate;
		/** Of the whole server after the runs, in octets. */
		readonly memory: number;
		readonly oursMemory: number;
		/** Of all runs, theirs and ours. */
		readonly lost: number;
		readonly wrong: number;
	};
}

interface Run {
	readonly usPerQuery: number;
	readonly answersPerSec: number;
	readonly lost: number;
	readonly wrong: number;
}

/** Below what a default receive queue holds, so that nobody loses any; enough that no server ever waits. */
const LOAD = ['--threads', process.env['T'] ?? '3', '--sockets', process.env['S'] ?? '24', '--window', process.env['W'] ?? '3'];
const WARM_UP = ['--seconds', '3'];

async function measure(peer: Peer, cores: Cores, { options }: Questions, seconds: string): Promise<Run> {
	const pids = processTree(peer.pid);
	const before = processorUs(pids);
	const result = await runLoadOn(cores.load, peer.port, ...options, ...LOAD, '--seconds', seconds);
	const usPerQuery = (processorUs(pids) - before) / result.answered;
	return { usPerQuery, answersPerSec: result.answersPerSec, lost: result.lost, wrong: result.wrong };
}

async function compare(
	[ours, theirs]: readonly [Peer, Peer],
	[oursAsked, theirsAsked]: readonly [Questions, Questions],
	cores: Cores,
	{ pairs, seconds }: Plan,
): Promise<NonNullable<PeerCost['figures']>> {
	const own: Run[] = [];
	const other: Run[] = [];
	const runOurs = async () => own.push(await measure(ours, cores, oursAsked, seconds));
	const runTheirs = async () => other.push(await measure(theirs, cores, theirsAsked, seconds));
	await runLoadOn(cores.load, theirs.port, ...theirsAsked.options, ...LOAD, ...WARM_UP);
	for (let pair = 0; pair < pairs; pair++) {
		for (const run of pair % 2 === 0 ? [runOurs, runTheirs] : [runTheirs, runOurs]) await run();
	}
	const all = [...own, ...other];
	const of = (runs: readonly Run[], pick: (run: Run) => number) => estimate(runs.map(pick));
	const ratio = (pick: (run: Run) => number) => estimate(own.map((run, i) => pick(run) / pick(other[i] ?? run)));
	return {
		usPerQuery: of(other, (run) => run.usPerQuery),
		oursUsPerQuery: of(own, (run) => run.usPerQuery),
		cpuRatio: ratio((run) => run.usPerQuery),
		answersPerSec: of(other, (run) => run.answersPerSec),
		oursAnswersPerSec: of(own, (run) => run.answersPerSec),
		rateRatio: ratio((run) => run.answersPerSec),
		memory: memoryOf(processTree(theirs.pid)),
		oursMemory: memoryOf(processTree(ours.pid)),
		lost: all.reduce((sum, { lost }) => sum + lost, 0),
		wrong: all.reduce((sum, { wrong }) => sum + wrong, 0),
	};
}

interface Plan {
	readonly pairs: number;
	readonly seconds: string;
}

async function run(scene: SceneName, servers: readonly string[], workers: number, plan: Plan): Promise<PeerCost[]> {
	const cores = coresFor(workers, availableParallelism());
	const stage = new Scene(scene, { workers, cpus: cores.server });
	const costs: PeerCost[] = [];
	try {
		const ours = await stage.start('batch');
		if (ours === undefined) throw new Error('Cannot measure: ours does not start');
		const oursAsked = questionsOf(scene, 'batch');
		for (const { options } of oursAsked) await runLoadOn(cores.load, ours.port, ...options, ...LOAD, ...WARM_UP);
		for (const server of servers) {
			const theirs = await stage.start(server);
			for (const [i, theirsAsked] of questionsOf(scene, server).entries()) {
				const question = theirsAsked.name;
				const pair = [oursAsked[i] ?? theirsAsked, theirsAsked] as const;
				process.stderr.write(`${scene}: ${server}, ${question}${theirs === undefined ? ': not on this machine' : ''}\n`);
				if (theirs === undefined) costs.push({ server, question });
				else costs.push({ server, question, figures: await compare([ours, theirs], pair, cores, plan) });
			}
			await theirs?.stop();
		}
	} finally {
		await stage.close();
	}
	return costs;
}

const [scene = '', pairs, workers, seconds = '', ...chosen] = process.argv.slice(2);
if (scene !== 'geo' && scene !== 'static') throw new Error(`Cannot measure "${scene}": expected geo or static`);
const others = SERVERS[scene].filter((server) => server !== 'batch');
const servers = chosen.length === 0 ? others : chosen;
const costs = await run(scene, servers, Number(workers), { pairs: Number(pairs), seconds });
process.stdout.write(`${JSON.stringify(costs)}\n`);
