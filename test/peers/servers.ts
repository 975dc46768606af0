/**
 * NSD, Knot and BIND as peers, and Meridian beside them: each started on a free port of loopback with the same zone
 * files, and stopped by its own id.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeQuery } from '../dns/make-query.ts';
import { ended } from '../setup/ended.ts';
import { freePort } from '../setup/free-port.ts';
import { findProgram } from '../setup/tools.ts';

/** Until a server answers. */
const START_MS_MAX = 20_000;
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface Peer {
	readonly name: string;
	readonly port: number;
	/** Of the process that was started; it may have children. */
	readonly pid: number;
	stop(): Promise<void>;
}

interface ZoneFile {
	/** With its dot. */
	readonly apex: string;
	readonly path: string;
}

export interface ServerOptions {
	/** Threads or processes that answer; 1 when absent. */
	readonly workers?: number;
	/** Cores that it may run on, as taskset lists them; all when absent. */
	readonly cpus?: string | undefined;
	/** Milliseconds until the first answer; 20,000 when absent. */
	readonly startMsMax?: number;
}

type Configure = (directory: string, port: number, zones: readonly ZoneFile[], workers: number) => readonly string[];

const KINDS: Readonly<Record<string, { readonly program: string; readonly configure: Configure }>> = {
	nsd: {
		program: 'nsd',
		configure: (directory, port, zones, workers) => {
			const config = join(directory, 'nsd.conf');
			const zoneLines = zones.map(({ apex, path }) => `zone:\n  name: "${apex}"\n  zonefile: "${path}"\n`);
			writeFileSync(
				config,
				`server:\n  ip-address: 127.0.0.1\n  port: ${port}\n  username: ""\n  zonesdir: ""\n  database: ""\n  pidfile: ""\n` +
					`  zonelistfile: "${directory}/zone.list"\n  xfrdfile: "${directory}/xfrd.state"\n  xfrdir: "${directory}"\n` +
					`  hide-version: yes\n  server-count: ${workers}\n  rrl-ratelimit: 0\nremote-control:\n  control-enable: no\n${zoneLines.join('')}`,
			);
			return ['-d', '-c', config];
		},
	},
	knot: {
		program: 'knotd',
		configure: (directory, port, zones, workers) => {
			const config = join(directory, 'knot.conf');
			const zoneLines = zones.map(({ apex, path }) => `  - domain: ${apex}\n    file: ${path}\n`);
			writeFileSync(
				config,
				`server:\n    rundir: ${directory}\n    listen: 127.0.0.1@${port}\n    udp-workers: ${workers}\n    tcp-workers: 1\n` +
					`    background-workers: 1\ndatabase:\n    storage: ${directory}\nlog:\n  - target: stderr\n    any: error\n` +
					`template:\n  - id: default\n    semantic-checks: off\n    zonefile-load: whole\n    journal-content: none\nzone:\n${zoneLines.join('')}`,
			);
			return ['-c', config];
		},
	},
	bind: {
		program: 'named',
		configure: (directory, port, zones, workers) => {
			const config = join(directory, 'named.conf');
			const zoneLines = zones.map(
				({ apex, path }) => `zone "${apex}" { type primary; file "${path}"; check-names ignore; };\n`,
			);
			writeFileSync(
				config,
				`options { directory "${directory}"; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; }; recursion no;\n` +
					`  pid-file none; session-keyfile none; check-names primary ignore; check-mx ignore; check-srv-cname ignore;\n` +
					`  check-integrity no; minimal-responses yes; empty-zones-enable no; notify no; };\ncontrols { };\n${zoneLines.join('')}`,
			);
			return ['-g', '-c', config, '-n', String(workers)];
		},
	},
};

/**
 * Start a peer.
 * @returns undefined when its program is not on this machine
 * @throws Error with what it printed, when it does not answer
 */
export async function startPeer(
	name: string,
	directory: string,
	zones: readonly ZoneFile[],
	options: ServerOptions = {},
): Promise<Peer | undefined> {
	const kind = KINDS[name];
	const program = kind === undefined ? undefined : findProgram(kind.program);
	if (kind === undefined || program === undefined) return undefined;
	const own = join(directory, name);
	mkdirSync(own);
	const port = await freePort();
	const args = kind.configure(own, port, zones, options.workers ?? 1);
	return startServer({ name, program, args, port, apex: zones.at(-1)?.apex ?? '.' }, options);
}

interface ServerStart {
	readonly name: string;
	readonly program: string;
	readonly args: readonly string[];
	/** Of loopback, where it is told to listen. */
	readonly port: number;
	/** Of a zone that it answers for once it is ready. */
	readonly apex: string;
}

/**
 * Start a server and wait until it answers.
 * @throws Error with what it printed, when it does not
 */
export async function startServer(
	{ name, program, args, port, apex }: ServerStart,
	{ cpus, startMsMax = START_MS_MAX }: ServerOptions = {},
): Promise<Peer> {
	const child = spawn(...pinned(cpus, program, args), { stdio: ['ignore', 'pipe', 'pipe'] });
	let printed = '';
	for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (printed += text));
	if (!(await answers(port, apex, child, startMsMax))) {
		await ended(child);
		throw new Error(`Cannot start ${name}: ${printed.slice(-2000)}`);
	}
	return { name, port, pid: child.pid ?? 0, stop: () => ended(child) };
}

/** The command that keeps a program to some cores. */
export function pinned(
	cpus: string | undefined,
	program: string,
	args: readonly string[],
): [program: string, args: readonly string[]] {
	const taskset = cpus === undefined ? undefined : findProgram('taskset');
	return taskset === undefined || cpus === undefined ? [program, args] : [taskset, ['-c', cpus, program, ...args]];
}

/** Meridian as a process of its own, on the zones in `zones` of a directory. */
export async function startMeridian(
	directory: string,
	port: number,
	{ workers = 1, cpus }: ServerOptions = {},
	more: Readonly<Record<string, string>> = {},
): Promise<ChildProcess> {
	const flags = {
		'zones-dir': join(directory, 'zones'),
		'state-dir': join(directory, 'state'),
		'dns-listen': `127.0.0.1:${port}`,
		'admin-listen': '127.0.0.1:0',
		'dns-workers': String(workers),
		'log-level': 'error',
		...more,
	};
	const words = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
	const command = pinned(cpus, process.execPath, [MAIN, 'serve', ...words]);
	const child = spawn(...command, { stdio: ['ignore', 'pipe', 'inherit'] });
	await new Promise<void>((resolve, reject) => {
		child.stdout.once('data', () => resolve());
		child.once('exit', () => reject(new Error('Meridian did not start')));
	});
	return child;
}

/** Ask for an SOA until it is answered with NOERROR. */
async function answers(port: number, apex: string, child: ChildProcess, msMax: number): Promise<boolean> {
	const query = makeQuery({ name: apex, type: 'SOA' });
	const endMs = performance.now() + msMax;
	while (performance.now() < endMs && child.exitCode === null) {
		const reply = await askOnce(port, query, 100);
		if (reply !== undefined && ((reply[3] ?? 0) & 15) === 0) return true;
		if (reply !== undefined) await new Promise((resolve) => setTimeout(resolve, 50));
	}
	return false;
}

/** One question over UDP; undefined when there is no answer in time. */
export function askOnce(port: number, query: Uint8Array, timeoutMs: number): Promise<Uint8Array | undefined> {
	return new Promise((resolve) => {
		const socket = createSocket('udp4');
		const finish = (reply: Uint8Array | undefined) => {
			clearTimeout(timer);
			socket.close();
			resolve(reply);
		};
		const timer = setTimeout(() => finish(undefined), timeoutMs);
		socket.once('message', finish);
		socket.once('error', () => undefined);
		socket.connect(port, '127.0.0.1', () => socket.send(query));
	});
}

/**
 * Ask many questions over UDP, and what came back truncated again over TCP, as resolvers do.
 * @returns the replies in the order of the questions
 */
export async function askAll(port: number, queries: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
	const replies = [...(await askAllUdp(port, queries))];
	const truncated = replies.flatMap((reply, i) => (((reply[2] ?? 0) & 2) === 0 ? [] : [i]));
	const whole = await askAllTcp(
		port,
		truncated.map((i) => queries[i] ?? new Uint8Array(0)),
	);
	for (const [n, i] of truncated.entries()) replies[i] = whole[n] ?? new Uint8Array(0);
	return replies;
}

/** One connection, one question at a time: not every peer answers in order. */
async function askAllTcp(port: number, queries: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
	if (queries.length === 0) return [];
	const socket = connect(port, '127.0.0.1');
	const replies: Uint8Array[] = [];
	let held = Buffer.alloc(0);
	const send = () => {
		const query = queries[replies.length];
		if (query === undefined) socket.end();
		else socket.write(Buffer.concat([Buffer.of(query.length >>> 8, query.length & 255), query]));
	};
	socket.on('connect', send);
	socket.on('data', (data) => {
		held = Buffer.concat([held, data]);
		while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
			const end = 2 + held.readUInt16BE(0);
			replies.push(Uint8Array.from(held.subarray(2, end)));
			held = held.subarray(end);
			send();
		}
	});
	await once(socket, 'close');
	return replies;
}

/** Ask over one UDP socket, a window of questions at a time; lost ones again. */
async function askAllUdp(port: number, queries: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
	const WINDOW = 64;
	const replies = new Array<Uint8Array | undefined>(queries.length);
	const socket = createSocket('udp4');
	await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve));
	// Nobody listens yet: the question counts as lost, and is asked again.
	socket.on('error', () => undefined);
	let onReply: (() => void) | undefined;
	socket.on('message', (reply) => {
		const index = ((reply[0] ?? 0) << 8) | (reply[1] ?? 0);
		replies[index] = Uint8Array.from(reply);
		onReply?.();
	});
	for (let from = 0; from < queries.length; from += WINDOW) {
		const due = Array.from({ length: Math.min(WINDOW, queries.length - from) }, (_, i) => from + i);
		for (let tries = 0; tries < 5 && due.some((i) => replies[i] === undefined); tries++) {
			for (const i of due) {
				if (replies[i] !== undefined) continue;
				const query = Uint8Array.from(queries[i] ?? []);
				query[0] = i >>> 8;
				query[1] = i & 255;
				socket.send(query);
			}
			await new Promise<void>((resolve) => {
				const timer = setTimeout(resolve, 1000);
				onReply = () => {
					if (due.some((i) => replies[i] === undefined)) return;
					clearTimeout(timer);
					resolve();
				};
			});
		}
	}
	socket.close();
	return replies.map((reply, i) => {
		if (reply === undefined) throw new Error(`Cannot compare: question ${i} has no answer on port ${port}`);
		return reply;
	});
}
