/**
 * The admin API as processes serve it: over one Redis, over an embedded store that is killed, and as far as DNS.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startRedis, WITHOUT_REDIS } from '../setup/redis.ts';
import { killWrites } from './kill-writes.ts';
import { askUdp, BEARER, type Instance, startInstance, until } from './meridian-process.ts';
import { GOOD_ZONE, scratch } from './scratch.ts';

const WRITERS = 20;
const WRITES_EACH = 4;
const KILLS = 15;
const KILLS_WITH_REDIS = 6;
/** A second where nothing else runs; here other tests do. */
const SERVED_MS_MAX = 2000;

interface Reply {
	readonly status: number;
	readonly etag: string;
	// biome-ignore lint/suspicious/noExplicitAny: what a reply holds is for each test to say
	readonly body: any;
}

async function ask(admin: string, operation: string, headers: object = {}, body?: unknown): Promise<Reply> {
	const [method = '', path = ''] = operation.split(' ');
	const response = await fetch(`${admin}${path}`, {
		method,
		headers: { ...BEARER, ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
		...(body === undefined ? {} : { body: JSON.stringify(body) }),
	});
	return { status: response.status, etag: response.headers.get('etag') ?? '', body: await response.json() };
}

const NEW = { 'if-none-match': '*' };
const ZONE = { nameServers: ['ns1'], recordSets: [{ name: 'ns1', type: 'A', records: ['192.0.2.53'] }] };

function addressesOf(message: Awaited<ReturnType<typeof askUdp>>): readonly string[] {
	return message.answer.map(({ rdataText }) => rdataText).sort();
}

describe('two admin processes over one Redis', { skip: WITHOUT_REDIS }, () => {
	it('take every write of twenty writers once, and refuse none but the stale', async (t) => {
		const redis = await startRedis(t);
		const more = ['--redis-url', redis.url, '--log-level', 'warn'];
		const start = (command: string) => startInstance(t, { command, zonesDir: 'zones', stateDir: scratch(t), more });
		const [one, two, dns] = (await Promise.all(['admin', 'admin', 'serve'].map(start))) as [
			Instance,
			Instance,
			Instance,
		];
		assert.equal((await ask(one.admin, 'PUT /v1/zones/w.example', NEW, ZONE)).status, 201);
		const shared = '/v1/zones/w.example/records/shared/TXT';
		assert.equal((await ask(two.admin, `PUT ${shared}`, NEW, { records: ['"start"'] })).status, 201);

		const refused: { readonly given: string; readonly etag: string; readonly status: number }[] = [];
		const write = async (writer: number) => {
			const admin = writer % 2 === 0 ? one.admin : two.admin;
			const other = writer % 2 === 0 ? two.admin : one.admin;
			const own = `/v1/zones/w.example/records/own-${writer}/A`;
			assert.equal((await ask(admin, `PUT ${own}`, NEW, { records: [`192.0.2.${writer}`] })).status, 201);
			for (let i = 0; i < WRITES_EACH; i++) {
				for (;;) {
					// Read at one, written at the other.
					const { etag, body } = await ask(i % 2 === 0 ? admin : other, `GET ${shared}`);
					const records = [...body.records, `"${writer}-${i}"`];
					const reply = await ask(admin, `PUT ${shared}`, { 'if-match': etag }, { records });
					if (reply.status === 200) break;
					refused.push({ given: etag, etag: reply.etag, status: reply.status });
					assert.equal(reply.status, 412, JSON.stringify(reply.body));
				}
			}
		};
		await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));

		for (const { given, etag } of refused) assert.notEqual(given, etag);
		const expected = ['"start"'];
		for (let writer = 0; writer < WRITERS; writer++)
			for (let i = 0; i < WRITES_EACH; i++) expected.push(`"${writer}-${i}"`);
		const accepted = 2 + WRITERS + WRITERS * WRITES_EACH;
		const generationsOf = async (admin: string): Promise<readonly number[]> =>
			(await ask(admin, 'GET /v1/generations?limit=1000')).body.items.map(
				({ generation }: { readonly generation: number }) => generation,
			);
		// The last write was at one of them; the other hears of it a moment later.
		for (const { admin } of [one, two]) {
			await until('the last write', 10_000, async () => (await generationsOf(admin))[0] === accepted);
			const { records } = (await ask(admin, `GET ${shared}`)).body;
			assert.deepEqual([...records].sort(), expected.sort());
		}
		const sets = (await ask(two.admin, 'GET /v1/zones/w.example/records?contains=own-')).body.items;
		assert.equal(sets.length, WRITERS);
		const numbers = await generationsOf(one.admin);
		assert.deepEqual(
			numbers,
			Array.from({ length: accepted }, (_, i) => accepted - i),
		);

		const put = await ask(two.admin, 'PUT /v1/zones/w.example/records/late/A', NEW, { records: ['192.0.2.99'] });
		assert.equal(put.status, 201);
		const question = { name: 'late.w.example.', type: 'A' };
		const isServed = async () => addressesOf(await askUdp(dns.port, question)).join() === '192.0.2.99';
		const ms = await until('the answer', 10_000, isServed);
		assert(ms < SERVED_MS_MAX, `${ms} ms`);
	});

	it('have the old or the new after kills, of Redis too, and never half', async (t) => {
		const { acknowledged } = await killWrites(t, 'redis', KILLS_WITH_REDIS);
		assert(acknowledged > KILLS_WITH_REDIS, `only ${acknowledged} changes were acknowledged`);
	});
});

describe('an instance with a store of its own', () => {
	it('has the old or the new after each of fifteen kills, and never half', async (t) => {
		const { acknowledged } = await killWrites(t, 'embedded', KILLS);
		assert(acknowledged > KILLS, `only ${acknowledged} changes were acknowledged`);
	});

	it('answers by DNS what was changed within a second', async (t) => {
		const instance = await startInstance(t, {
			zonesDir: scratch(t, { 'a.example.zone': GOOD_ZONE }),
			stateDir: scratch(t),
		});
		const path = '/v1/zones/a.example/records/new/A';
		assert.equal((await ask(instance.admin, `PUT ${path}`, NEW, { records: ['192.0.2.77'] })).status, 201);
		const ms = await until('the answer', 10_000, async () => {
			const answer = await askUdp(instance.port, { name: 'new.a.example.', type: 'A' });
			return addressesOf(answer).join() === '192.0.2.77';
		});
		assert(ms < SERVED_MS_MAX, `${ms} ms`);
	});
});
