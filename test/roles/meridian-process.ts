/**
 * Meridian as users have it: a process, watched through what it prints and answers.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Message, readMessage } from '../../src/dns/message-text.ts';
import { makeQuery, type QuerySpec } from '../dns/make-query.ts';
import { freePort } from '../setup/free-port.ts';

export const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
/** Of the admin API of every process that tests run. */
export const ADMIN_TOKEN = 'a-token-for-tests-alone';
export const BEARER = { authorization: `Bearer ${ADMIN_TOKEN}` };
const START_MS_MAX = 20_000;
const ANSWER_MS_MAX = 2000;
const POLL_MS = 25;

export interface Meridian {
	readonly pid: number;
	readonly stdout: string;
	readonly stderr: string;
	/** Once it has ended. */
	readonly exit: Promise<{ readonly code: number | null; readonly signal: string | null }>;
	signal(name: NodeJS.Signals): void;
}

type After = Pick<TestContext, 'after'>;

/** MERIDIAN_DNS_TRANSPORT chooses for all tests of roles; without it they run on what the machine can do. */
export function wantedTransport(): 'auto' | 'batch' | 'dgram' {
	const wanted = process.env['MERIDIAN_DNS_TRANSPORT'] ?? 'auto';
	assert(wanted === 'auto' || wanted === 'batch' || wanted === 'dgram', wanted);
	return wanted;
}

/** Run it with the node of this test; it is killed when the test ends. */
export function runMeridian(t: After, args: readonly string[], { cwd = PROJECT, env = {} } = {}): Meridian {
	const child = spawn(process.execPath, [join(PROJECT, 'src/main.ts'), ...args], {
		cwd,
		env: {
			PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
			MERIDIAN_DNS_TRANSPORT: wantedTransport(),
			MERIDIAN_ADMIN_TOKEN: ADMIN_TOKEN,
			// Tests ask more often than people do.
			MERIDIAN_ADMIN_RATE_LIMIT: '0',
			...env,
		},
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	let stdout = '';
	let stderr = '';
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		stdout += text;
	});
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		stderr += text;
	});
	const exit = once(child, 'close').then(([code, signal]) => ({ code, signal }));
	t.after(async () => {
		child.kill('SIGKILL');
		await exit;
	});
	return {
		pid: child.pid ?? 0,
		get stdout() {
			return stdout;
		},
		get stderr() {
			return stderr;
		},
		exit,
		signal: (name) => child.kill(name),
	};
}

/** Run it to its end. */
export async function runToEnd(t: After, args: readonly string[], options = {}) {
	const meridian = runMeridian(t, args, options);
	const { code } = await meridian.exit;
	return { code, stdout: meridian.stdout, stderr: meridian.stderr };
}

export interface Instance extends Meridian {
	readonly port: number;
	readonly admin: string;
}

export interface InstanceOptions {
	readonly zonesDir: string;
	readonly stateDir: string;
	readonly command?: string;
	/** Without the port. */
	readonly listen?: readonly string[];
	readonly port?: number;
	readonly more?: readonly string[];
	readonly env?: Readonly<Record<string, string>>;
}

/** Run an instance, and wait until it answers. */
export async function startInstance(t: After, options: InstanceOptions): Promise<Instance> {
	const { listen = ['127.0.0.1'], port = await freePort(), env = {}, ...rest } = options;
	const meridian = runMeridian(t, [...instanceArgs({ ...rest, listen, port })], { env });
	let hasEnded = false;
	void meridian.exit.then(() => {
		hasEnded = true;
	});
	const hasStarted = () => /\/readyz /.test(meridian.stdout);
	await until('the start screen', START_MS_MAX, () => hasEnded || hasStarted()).catch((error: Error) => {
		throw new Error(`${error.message}:\n${meridian.stdout}${meridian.stderr}`, { cause: error });
	});
	assert(!hasEnded, `Meridian ended at its start:\n${meridian.stderr}`);
	const admin = /(http:\/\/\S+)\/readyz/.exec(meridian.stdout)?.[1] ?? '';
	return Object.defineProperties(
		{},
		{
			...Object.getOwnPropertyDescriptors(meridian),
			...Object.getOwnPropertyDescriptors({ port, admin }),
		},
	) as Instance;
}

export function instanceArgs(options: InstanceOptions & { readonly listen: readonly string[] }): readonly string[] {
	const { zonesDir, stateDir, command = 'start', listen, port, more = [] } = options;
	const addresses = listen.map((address) => `${address}:${port}`).join(',');
	const common = ['--zones-dir', zonesDir, '--state-dir', stateDir, '--admin-listen', '127.0.0.1:0'];
	const dns = command === 'admin' ? [] : ['--dns-listen', addresses, '--dns-workers', '2'];
	return [command, ...dns, ...common, ...more];
}

/** Wait for a condition. What it throws counts as not yet. */
export async function until(what: string, limitMs: number, isSo: () => boolean | Promise<boolean>): Promise<number> {
	const startMs = performance.now();
	let reason = '';
	for (;;) {
		try {
			if (await isSo()) return performance.now() - startMs;
		} catch (error) {
			reason = `: ${(error as Error).message}`;
		}
		if (performance.now() - startMs > limitMs) assert.fail(`Waited ${limitMs} ms in vain for ${what}${reason}`);
		await new Promise((resolve) => setTimeout(resolve, POLL_MS));
	}
}

/** Ask over UDP; the socket is connected, so that an answer from another address than the asked one is not taken. */
export async function askUdp(port: number, query: QuerySpec, address = '127.0.0.1'): Promise<Message> {
	const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
	try {
		socket.connect(port, address);
		await once(socket, 'connect');
		const signal = AbortSignal.timeout(ANSWER_MS_MAX);
		const answer = once(socket, 'message', { signal });
		socket.send(makeQuery(query));
		const [octets] = await answer;
		return good(octets);
	} finally {
		socket.close();
	}
}

export async function askTcp(port: number, query: QuerySpec, address = '127.0.0.1'): Promise<Message> {
	const socket = connect({ port, host: address });
	try {
		await once(socket, 'connect', { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
		return await askOn(socket, query);
	} finally {
		socket.destroy();
	}
}

/** Ask on a connection. */
export async function askOn(socket: ReturnType<typeof connect>, query: QuerySpec): Promise<Message> {
	const message = makeQuery(query);
	socket.write(Uint8Array.from([message.length >>> 8, message.length & 255, ...message]));
	const stop = new AbortController();
	const giveUp = setTimeout(() => stop.abort(), ANSWER_MS_MAX);
	const onEnd = () => stop.abort();
	socket.once('end', onEnd).once('close', onEnd);
	let held = Buffer.alloc(0);
	try {
		while (held.length < 2 || held.length < 2 + held.readUInt16BE(0)) {
			const [octets] = await once(socket, 'data', { signal: stop.signal });
			held = Buffer.concat([held, octets]);
		}
	} finally {
		clearTimeout(giveUp);
		socket.off('end', onEnd).off('close', onEnd);
	}
	return good(held.subarray(2, 2 + held.readUInt16BE(0)));
}

function good(octets: Uint8Array): Message {
	const message = readMessage(octets);
	assert(typeof message !== 'string', String(message));
	return message;
}

export async function fetchJson(url: string): Promise<{ readonly status: number; readonly body: unknown }> {
	const response = await fetch(url, { headers: BEARER });
	return { status: response.status, body: await response.json() };
}

export function isRunning(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}
