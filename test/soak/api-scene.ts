/**
 * What stands between a load on the API and the DNS beside it: a server, alone or with an admin process over one Redis,
 * zones, and tokens to write to them.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ADMIN_TOKEN, askUdp, type Instance, startInstance, until } from '../roles/meridian-process.ts';
import { GOOD_ZONE, scratch } from '../roles/scratch.ts';
import { startRedis } from '../setup/redis.ts';
import { RECORD_SETS, type WritersResult } from './api-writers.ts';
import type { IdleResult } from './idle-connections.ts';

type After = Parameters<typeof startInstance>[0];

/** Each may write 100 times a second, and more than that is offered. */
const TOKENS = 4;
const START_MS_MAX = 20_000;
/** Nice value of the API's clients: they would be on other machines, and take no time from those who answer. */
const CLIENT_PRIORITY = 10;
const STEERING = `
pools:
  us: { endpoints: [{ name: a, addresses: [192.0.2.10] }] }
  eu: { endpoints: [{ name: b, addresses: [192.0.2.20] }] }
names: { steered: { policy: { kind: geo, rules: [{ match: { countries: [US] }, use: us }], default: eu } } }
`;
/** What is asked while the API is loaded. */
export const QUESTIONS = ['www.example.org A', 'steered.example.org A', 'none.example.org A NXDOMAIN', 'w0.example NS'];

export const STORES = ['embedded', 'redis'] as const;

export interface ApiScene {
	/** Of the server that answers. */
	readonly port: number;
	/** Offer so many writes a second; settles once they are under way. */
	write(rate: number, lengthMs: number): Promise<Load<WritersResult>>;
	/** Hold so many connections; settles once they are open. */
	idle(count: number, lengthMs: number): Promise<Load<IdleResult>>;
}

/** Under way; `result` settles when it has ended. */
export interface Load<T> {
	readonly result: Promise<T>;
}

export async function openApiScene(t: After, store: (typeof STORES)[number]): Promise<ApiScene> {
	const env = { MERIDIAN_ADMIN_RATE_LIMIT: '100' };
	const zonesDir = scratch(t, { 'example.org.zone': GOOD_ZONE, 'example.org.yaml': STEERING });
	const start = (command: string, more: readonly string[] = []) =>
		startInstance(t, { command, zonesDir, stateDir: scratch(t), more: [...more, '--log-level', 'warn'], env });
	let dns: Instance;
	let admin: Instance;
	if (store === 'embedded') dns = admin = await start('start');
	else {
		const redis = ['--redis-url', (await startRedis(t)).url];
		[dns, admin] = await Promise.all([start('serve', redis), start('admin', redis)]);
		await put(admin, '/v1/zones/example.org/unit', { zone: GOOD_ZONE, steeringText: STEERING });
	}
	const tokens: string[] = [];
	for (let i = 0; i < TOKENS; i++) {
		const sets = Array.from({ length: RECORD_SETS }, (_, k) => ({ name: `r${k}`, type: 'A', records: ['192.0.2.1'] }));
		const ns = { name: 'ns1', type: 'A', records: ['192.0.2.53'] };
		await put(admin, `/v1/zones/w${i}.example`, { nameServers: ['ns1'], recordSets: [ns, ...sets] });
		const made = await ask(admin, 'POST', '/v1/tokens', { name: `w${i}`, role: 'editor', zones: [`w${i}.example`] });
		tokens.push(((await made.json()) as { token: string }).token);
	}
	const isServed = async () =>
		(await Promise.all(QUESTIONS.map((question) => askUdp(dns.port, { name: question.split(' ')[0] ?? '' })))).every(
			({ rcode }) => rcode !== 'REFUSED',
		);
	await until('the zones', START_MS_MAX, isServed);
	return {
		port: dns.port,
		write: (rate, lengthMs) => load(t, './api-writers.ts', [admin.admin, rate, lengthMs, tokens.join()]),
		idle: (count, lengthMs) => load(t, './idle-connections.ts', [admin.admin, count, lengthMs]),
	};
}

async function put(admin: Instance, path: string, body: unknown): Promise<void> {
	await ask(admin, 'PUT', path, body, { 'if-none-match': '*' });
}

async function ask({ admin }: Instance, method: string, path: string, body: unknown, headers = {}): Promise<Response> {
	const given = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json', ...headers };
	const response = await fetch(`${admin}${path}`, { method, headers: given, body: JSON.stringify(body) });
	if (!response.ok) throw new Error(`Cannot ${method} ${path}: ${response.status} ${await response.text()}`);
	return response;
}

async function load<T>(t: After, script: string, words: readonly (string | number)[]): Promise<Load<T>> {
	const child = spawn(process.execPath, [fileURLToPath(new URL(script, import.meta.url)), ...words.map(String)], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	setPriority(child.pid ?? 0, CLIENT_PRIORITY);
	t.after(() => void child.kill('SIGKILL'));
	const ended = once(child, 'close');
	let output = '';
	child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
	await until('the load', START_MS_MAX, () => output.includes('\n'));
	const result = async () => {
		const [code] = await ended;
		if (code !== 0) throw new Error(`Cannot load the API: ${script} has failed`);
		return JSON.parse(output.split('\n').at(-2) ?? '') as T;
	};
	return { result: result() };
}
