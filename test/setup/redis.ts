/**
 * A redis-server, or a Sentinel, of a test's own: on a free port of loopback, in a folder of its own, gone with the test.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { until } from '../roles/meridian-process.ts';
import { scratch } from '../roles/scratch.ts';
import { ended } from './ended.ts';
import { freePort } from './free-port.ts';
import { findProgram } from './tools.ts';

type After = Pick<TestContext, 'after'>;

const START_MS_MAX = 10_000;
const ANSWER_MS_MAX = 5000;

/** What tests that need Redis are given as `skip`. */
export const WITHOUT_REDIS = findProgram('redis-server') === undefined ? 'redis-server is not installed' : false;
export const WITHOUT_SENTINEL = findProgram('redis-sentinel') === undefined ? 'redis-sentinel is not installed' : false;

export interface RedisServer {
	readonly port: number;
	readonly url: string;
	readonly pid: number;
	/** Send a command; strings, numbers and lists come back as such. */
	ask(...command: readonly (string | Uint8Array)[]): Promise<unknown>;
	signal(name: NodeJS.Signals): void;
	/** End it at once. */
	kill(): Promise<void>;
	/** Start it again, on the same port; with what it has written, if it has. */
	start(): Promise<void>;
}

/** @param config  lines of a redis.conf */
export async function startRedis(t: After, config: readonly string[] = []): Promise<RedisServer> {
	const folder = scratch(t);
	const port = await freePort();
	const args = ['-', '--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
	let child = await run(t, 'redis-server', args, ['save ""', 'enable-debug-command yes', ...config], port);
	return {
		port,
		url: `redis://127.0.0.1:${port}`,
		get pid() {
			return child.pid ?? 0;
		},
		ask: (...command) => askRedis(port, command),
		signal: (name) => child.kill(name),
		kill: async () => {
			child.kill('SIGKILL');
			if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
		},
		start: async () => {
			child = await run(t, 'redis-server', args, ['save ""', 'enable-debug-command yes', ...config], port);
		},
	};
}

/** A Sentinel that watches one master, called `mymaster`. */
export async function startSentinel(t: After, masterPort: number, quorum: number): Promise<{ readonly port: number }> {
	const folder = scratch(t, {
		'sentinel.conf': [
			`sentinel monitor mymaster 127.0.0.1 ${masterPort} ${quorum}`,
			'sentinel down-after-milliseconds mymaster 1000',
			'sentinel failover-timeout mymaster 5000',
		].join('\n'),
	});
	const port = await freePort();
	const args = [join(folder, 'sentinel.conf'), '--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
	await run(t, 'redis-sentinel', args, undefined, port);
	return { port };
}

async function run(
	t: After,
	program: string,
	args: readonly string[],
	config: readonly string[] | undefined,
	port: number,
): Promise<ChildProcess> {
	const path = findProgram(program);
	if (path === undefined) throw new Error(`${program} is not installed`);
	const child = spawn(path, args, { stdio: ['pipe', 'ignore', 'ignore'] });
	t.after(() => {
		// One that was stopped hears nothing else.
		child.kill('SIGCONT');
		return ended(child);
	});
	child.stdin?.on('error', () => {});
	child.stdin?.end(config?.join('\n'));
	await until(`${program} on port ${port}`, START_MS_MAX, async () => {
		const said = await askRedis(port, ['PING']).catch((error: Error) => error.message);
		// Where the default user is off it answers that much.
		return said === 'PONG' || String(said).startsWith('NOAUTH');
	});
	return child;
}

/** One command over a connection of its own. @throws Error that Redis answers */
export async function askRedis(port: number, command: readonly (string | Uint8Array)[]): Promise<unknown> {
	const socket = connect({ port, host: '127.0.0.1' });
	const signal = AbortSignal.timeout(ANSWER_MS_MAX);
	try {
		await once(socket, 'connect', { signal });
		socket.write(`*${command.length}\r\n`);
		for (const part of command) {
			const octets = Buffer.from(part);
			socket.write(Buffer.concat([Buffer.from(`$${octets.length}\r\n`), octets, Buffer.from('\r\n')]));
		}
		let held = Buffer.alloc(0);
		for (;;) {
			const [octets] = await once(socket, 'data', { signal });
			held = Buffer.concat([held, octets]);
			const read = readReply(held, 0);
			if (read === undefined) continue;
			if (read.value instanceof Error) throw read.value;
			return read.value;
		}
	} finally {
		socket.destroy();
	}
}

function readReply(octets: Buffer, at: number): { readonly value: unknown; readonly next: number } | undefined {
	const end = octets.indexOf('\r\n', at);
	if (end < 0) return undefined;
	const line = octets.toString('latin1', at + 1, end);
	let next = end + 2;
	switch (String.fromCharCode(octets[at] ?? 0)) {
		case '+':
			return { value: line, next };
		case '-':
			return { value: new Error(line), next };
		case ':':
			return { value: Number(line), next };
		case '$': {
			const length = Number(line);
			if (length < 0) return { value: undefined, next };
			if (octets.length < next + length + 2) return undefined;
			return { value: octets.toString('latin1', next, next + length), next: next + length + 2 };
		}
		default: {
			const values: unknown[] = [];
			for (let i = 0; i < Number(line); i++) {
				const read = readReply(octets, next);
				if (read === undefined) return undefined;
				values.push(read.value);
				next = read.next;
			}
			return { value: values, next };
		}
	}
}
