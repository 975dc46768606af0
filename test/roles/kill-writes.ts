/**
 * Processes that are killed with SIGKILL in the midst of writes: what was acknowledged is there afterwards, and of a
 * change to two zones both halves or none.
 *
 * | store    | killed                                                                              |
 * |----------|-------------------------------------------------------------------------------------|
 * | embedded | `meridian start`                                                                    |
 * | redis    | `meridian admin`, and in every second round Redis too, which writes before it answers |
 */

import assert from 'node:assert/strict';
import { startRedis } from '../setup/redis.ts';
import { BEARER, type Instance, startInstance, until } from './meridian-process.ts';
import { GOOD_ZONE, scratch } from './scratch.ts';

type After = Parameters<typeof startInstance>[0];

/**
 * A kill comes so long after the writes have begun, or in two of four rounds after the first of them was acknowledged, a
 * little later in each round, and then again from the start.
 */
const WRITING_MS = { least: 20, step: 15, steps: 15 } as const;
const FIRST_MS_MAX = 10_000;
const ZONES = ['a', 'b'] as const;

export interface Killed {
	/** Changes that were acknowledged. */
	readonly acknowledged: number;
	/** Rounds in which the change that was under way is there, though nobody was told. */
	readonly untold: number;
}

interface Scene {
	start(): Promise<Instance>;
	kill(instance: Instance, round: number): Promise<void>;
}

export async function killWrites(t: After, store: 'embedded' | 'redis', rounds: number): Promise<Killed> {
	const scene = store === 'embedded' ? embedded(t) : await overRedis(t);
	let instance = await scene.start();
	const tally = { acknowledged: 0, untold: 0 };
	let standing = -1;
	let next = 0;
	for (let round = 0; round < rounds; round++) {
		const { admin } = instance;
		const before = tally.acknowledged;
		let isKilled = false;
		const writing = (async () => {
			while (!isKilled) {
				const number = next++;
				await write(admin, number);
				tally.acknowledged++;
				standing = number;
			}
		})().catch((error) => {
			if (!isKilled || error instanceof assert.AssertionError) throw error;
		});
		if (round % 4 > 1) await until('the first write', FIRST_MS_MAX, () => tally.acknowledged > before);
		const afterMs = WRITING_MS.least + WRITING_MS.step * (round % WRITING_MS.steps);
		await new Promise((resolve) => setTimeout(resolve, afterMs));
		isKilled = true;
		await Promise.all([scene.kill(instance, round), writing]);
		instance = await scene.start();
		const [a, b] = await Promise.all(ZONES.map((zone) => read(instance.admin, zone)));
		assert.equal(a, b, `half of a change is there in round ${round}`);
		const where = `round ${round}: ${a} is there, ${standing} was acknowledged`;
		assert(a !== undefined && (a === standing || a === next - 1), where);
		if (a !== standing) tally.untold++;
		standing = a;
	}
	return tally;
}

function embedded(t: After): Scene {
	const zonesDir = scratch(t, { 'a.example.zone': GOOD_ZONE, 'b.example.zone': GOOD_ZONE });
	const stateDir = scratch(t);
	return {
		start: () => startInstance(t, { zonesDir, stateDir }),
		kill: async (instance) => {
			instance.signal('SIGKILL');
			await instance.exit;
		},
	};
}

async function overRedis(t: After): Promise<Scene> {
	const redis = await startRedis(t, ['appendonly yes', 'appendfsync always']);
	const stateDir = scratch(t);
	const more = ['--redis-url', redis.url];
	let isNew = true;
	return {
		start: async () => {
			const admin = await startInstance(t, { command: 'admin', zonesDir: '/nowhere', stateDir, more });
			if (!isNew) return admin;
			isNew = false;
			for (const zone of ZONES) {
				const body = { nameServers: ['ns1'], recordSets: [{ name: 'ns1', type: 'A', records: ['192.0.2.53'] }] };
				const reply = await ask(admin.admin, `PUT /v1/zones/${zone}.example`, body, { 'if-none-match': '*' });
				assert.equal(reply.status, 201, JSON.stringify(reply.body));
			}
			return admin;
		},
		kill: async (instance, round) => {
			const killsRedis = round % 2 === 1;
			instance.signal('SIGKILL');
			if (killsRedis) await redis.kill();
			await instance.exit;
			if (killsRedis) await redis.start();
		},
	};
}

/** One change to both zones. */
async function write(admin: string, number: number): Promise<void> {
	const [a, b] = await Promise.all(ZONES.map((zone) => ask(admin, `GET /v1/zones/${zone}.example`)));
	const changes = ZONES.map((zone) => ({
		op: 'put',
		resource: `/zones/${zone}.example/records/n/TXT`,
		value: { records: [`"${number}"`] },
	}));
	const units = { 'a.example.': a?.body.etag, 'b.example.': b?.body.etag };
	const reply = await ask(admin, 'POST /v1/changes', { units, changes });
	assert.equal(reply.status, 200, JSON.stringify(reply.body));
}

/** @returns the number that a zone holds; -1 before the first */
async function read(admin: string, zone: string): Promise<number> {
	const { status, body } = await ask(admin, `GET /v1/zones/${zone}.example/records/n/TXT`);
	if (status === 404) return -1;
	assert.equal(status, 200, JSON.stringify(body));
	return Number(JSON.parse(body.records[0]));
}

async function ask(admin: string, operation: string, body?: unknown, headers: object = {}) {
	const [method = '', path = ''] = operation.split(' ');
	const response = await fetch(`${admin}${path}`, {
		method,
		headers: { ...BEARER, ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
		...(body === undefined ? {} : { body: JSON.stringify(body) }),
	});
	// biome-ignore lint/suspicious/noExplicitAny: what a reply holds is for each caller to say
	return { status: response.status, body: (await response.json()) as any };
}
