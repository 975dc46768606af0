/**
 * A flood at the sockets of a running server: what a steady client beside it feels, and what memory does.
 *
 * | window | what comes beside the steady client                        |
 * |--------|------------------------------------------------------------|
 * | quiet  | nothing                                                    |
 * | prefix | queries from one /24, far above its rate limit             |
 * | random | queries from all of loopback, hardly an address twice      |
 *
 * The windows take turns. One in which others left too little of the machine does not count.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Instance, startInstance } from '../roles/meridian-process.ts';
import { GOOD_ZONE, scratch } from '../roles/scratch.ts';
import { busyCores, cpuTimes } from './busy-cores.ts';
import { goFirst } from './go-first.ts';
import { type Answered, SteadyClient } from './steady-client.ts';
import { isEnough, lowerQuartile, quantile, takeTurns, WINDOWS_MIN, type Windows } from './windows.ts';

const SENDER = fileURLToPath(new URL('../bench/flood-sender.ts', import.meta.url));

/** A second: what leaves half of the two workers' time free, and is far more than a prefix may have. */
const FLOOD_RATE = 30_000;
/** Answers a second for one address; Knot's default. A /24 may have 32 times as many. */
const LIMIT_RATE = 50;
const PREFIX_RATE = LIMIT_RATE * 32;
/** A bucket that was left alone holds so many seconds of its rate. */
const BURST_SEC = 2.5;

/** So much of it is random that an hour of soak sees ten million sources. */
const TURN = ['quiet', 'prefix', 'random', 'random', 'random', 'random'] as const;
type Kind = (typeof TURN)[number];

const WINDOW_MS_MIN = 1000;
const WINDOW_MS_MAX = 5000;
/** Cores that a window may keep busy: the clients take 0.2, server and flood 1 more; the rest is other people's work. */
const BUSY_CORES_MAX: Readonly<Record<Kind, number>> = { quiet: 0.75, prefix: 1.75, random: 1.75 };
const WARM_UP_MS = 2000;
/** By which a flood outlasts the window within it. */
const MARGIN_MS = 200;

/** Workers share buckets without locks, so a few answers more may pass. */
const LIMIT_TOLERANCE = 1.1;
/** What still waited at the server when a flood from one prefix had ended is counted in the next window. */
const ASTRAY_SHARE_MAX = 0.01;
const P99_FACTOR_MAX = 2;
const SETTLE_MS_MAX = 60_000;
/** Ten octets kept for each of ten million sources would be more. */
const GROWTH_OCTETS_MAX = 64 * 1024 * 1024;
/** Below that the machine did not carry the flood, and the figures say nothing. */
const ARRIVED_SHARE_MIN = 0.99;

const RECEIVED = 'dns_queries_total{transport="udp",family="ipv4"}';

interface Server {
	readonly instance: Instance;
	readonly client: SteadyClient;
}

interface Figures {
	readonly p99Ms: Windows<Kind>;
	readonly sent: Record<Kind, number>;
	/** Over the limit: dropped or sent truncated. */
	readonly limited: Record<Kind, number>;
	/** Those that count or not. */
	readonly windows: Record<Kind, number>;
	crowded: number;
	received: number;
	asked: number;
	lost: number;
}

/** @returns the verdict in a line; throws when something did not hold */
export async function soakFlood(lengthMs: number): Promise<string> {
	const closers: (() => unknown)[] = [];
	const after = { after: (close: () => unknown) => void closers.unshift(close) };
	try {
		after.after(goFirst());
		const instance = await startInstance(after, {
			command: 'serve',
			zonesDir: scratch(after, { 'example.org.zone': GOOD_ZONE }),
			stateDir: scratch(after),
			more: ['--dns-rate-limit-rate', String(LIMIT_RATE)],
		});
		const client = await SteadyClient.open(instance.port);
		closers.unshift(() => client.close());
		return verdict(...(await measure({ instance, client }, lengthMs)));
	} finally {
		for (const close of closers) await close();
	}
}

async function measure(server: Server, lengthMs: number): Promise<[Figures, Memory]> {
	const { instance } = server;
	const figures: Figures = {
		p99Ms: { quiet: [], prefix: [], random: [] },
		sent: { quiet: 0, prefix: 0, random: 0 },
		limited: { quiet: 0, prefix: 0, random: 0 },
		windows: { quiet: 0, prefix: 0, random: 0 },
		crowded: 0,
		received: 0,
		asked: 0,
		lost: 0,
	};
	for (const kind of ['prefix', 'random'] as const) await beside(server, kind, WARM_UP_MS, { ...figures.sent });
	const receivedBefore = await metric(instance, RECEIVED);
	const memory = new Memory(instance.pid, Math.min(SETTLE_MS_MAX, lengthMs / 2));
	const windowMs = Math.max(WINDOW_MS_MIN, Math.min(WINDOW_MS_MAX, lengthMs / (WINDOWS_MIN * TURN.length)));
	await takeTurns(lengthMs, figures.p99Ms, async () => {
		for (const kind of TURN) {
			const limitedBefore = await limited(instance);
			const busyBefore = cpuTimes();
			const { latenciesMs, lost } = await beside(server, kind, windowMs, figures.sent);
			const isCrowded = busyCores(busyBefore, cpuTimes()) > BUSY_CORES_MAX[kind];
			figures.limited[kind] += (await limited(instance)) - limitedBefore;
			figures.windows[kind]++;
			if (isCrowded) figures.crowded++;
			else figures.p99Ms[kind].push(quantile(latenciesMs, 0.99));
			figures.asked += latenciesMs.length + lost;
			figures.lost += lost;
			memory.look();
		}
	});
	figures.received = (await metric(instance, RECEIVED)) - receivedBefore;
	return [figures, memory];
}

function verdict(figures: Figures, memory: Memory): string {
	const { p99Ms, sent, limited, windows, crowded, received, asked, lost } = figures;
	const quietMs = lowerQuartile(p99Ms.quiet);
	const factor = {
		prefix: lowerQuartile(p99Ms.prefix) / quietMs,
		random: lowerQuartile(p99Ms.random) / quietMs,
	};
	const arrived = (received - asked) / (sent.prefix + sent.random);
	const text = [
		`${FLOOD_RATE}/s, ${sent.prefix} queries from one /24 (${limited.prefix} limited)`,
		`${sent.random} from random sources (${limited.random} limited)`,
		`p99 ${quietMs.toFixed(2)} ms quiet, ${factor.prefix.toFixed(2)} and ${factor.random.toFixed(2)} times that in the floods`,
		`${lost} of ${asked} steady queries lost, ${crowded} windows not counted, ${mebi(memory.settledOctets)} MiB of memory grew by ${mebi(memory.grownOctets)}`,
	].join(', ');
	assert.ok(arrived >= ARRIVED_SHARE_MIN, `only ${arrived} of the flood arrived: ${text}`);
	assert.ok(isEnough(p99Ms), `the machine was too busy with other things to tell: ${text}`);
	assert.equal(lost, 0, text);
	const astray = (limited.quiet + limited.random) / sent.random;
	assert.ok(astray < ASTRAY_SHARE_MAX, `clients within their rate were limited: ${text}`);
	const allowed = PREFIX_RATE * (sent.prefix / FLOOD_RATE + BURST_SEC * windows.prefix);
	assert.ok(
		limited.prefix > sent.prefix - LIMIT_TOLERANCE * allowed,
		`the flood from one prefix was not limited: ${text}`,
	);
	assert.ok(Math.max(factor.prefix, factor.random) < P99_FACTOR_MAX, text);
	assert.ok(memory.grownOctets < GROWTH_OCTETS_MAX, text);
	return text;
}

/** The steady client's window, in a flood that has begun before and ends afterwards. */
async function beside(server: Server, kind: Kind, lengthMs: number, sent: Record<Kind, number>): Promise<Answered> {
	const { instance, client } = server;
	if (kind === 'quiet') return client.ask(lengthMs);
	const words = [SENDER, instance.port, kind, FLOOD_RATE, Math.ceil(lengthMs + MARGIN_MS), sent[kind]].map(String);
	const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
	const ended = once(child, 'close');
	let output = '';
	child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
	await Promise.race([once(child.stdout, 'data'), ended]);
	const answered = await client.ask(lengthMs);
	const [code] = await ended;
	if (code !== 0) throw new Error('Cannot send a flood');
	sent[kind] += (JSON.parse(output.split('\n').at(-2) ?? '') as { sent: number }).sent;
	return answered;
}

async function limited(instance: Instance): Promise<number> {
	return (await metric(instance, 'dns_rate_dropped_total')) + (await metric(instance, 'dns_rate_slipped_total'));
}

async function metric({ admin }: Instance, name: string): Promise<number> {
	const text = await (await fetch(`${admin}/metrics`)).text();
	const line = text.split('\n').find((one) => one.includes(name) && !one.startsWith('#'));
	if (line === undefined) throw new Error(`Cannot find ${name} among the metrics`);
	return Number(line.split(' ').at(-1));
}

function mebi(octets: number): string {
	return (octets / 1024 / 1024).toFixed(0);
}

/** Resident memory of a process. The heap breathes; what it reaches at first is what it may reach later. */
class Memory {
	readonly #pid: number;
	readonly #settledMs: number;
	settledOctets = 0;
	#highestOctets = 0;

	constructor(pid: number, settleMs: number) {
		this.#pid = pid;
		this.#settledMs = performance.now() + settleMs;
	}

	look(): void {
		const [, kilobytes] = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${this.#pid}/status`, 'latin1')) ?? [];
		const octets = Number(kilobytes) * 1024;
		this.#highestOctets = Math.max(this.#highestOctets, octets);
		if (performance.now() < this.#settledMs) this.settledOctets = this.#highestOctets;
	}

	get grownOctets(): number {
		return this.#highestOctets - this.settledOctets;
	}
}
