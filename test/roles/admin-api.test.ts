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
/** Until a change is answered: most of the time; and where other tests take the processor for a while. */
const SERVED_MS = { usual: 1000, most: 5000 } as const;
/** Without hints: a look at the head each second, and at everything each ten. */
const RESYNC_MS_MAX = 10_000;
const CHANGES = 7;

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

describe('two admin processes over one Redis', { skip: WITHOUT_REDIS }, () => {
	it('take every write of twenty writers once, and refuse none but the stale', async (t) => {
		const redis = await startRedis(t);
		const more = ['--redis-url', redis.url, '--log-level', 'warn'];
		const start = () => startInstance(t, { command: 'admin', zonesDir: 'zones', stateDir: scratch(t), more });
		const [one, two] = await Promise.all([start(), start()]);
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
	});

	it('have a change answered within a second by all who hear of it, and within a resync by who does not', async (t) => {
		const redis = await startRedis(t);
		// May do everything, but for hearing what is published.
		await redis.ask('ACL', 'SETUSER', 'deaf', 'on', '>secret', '~*', '+@all', 'resetchannels');
		const start = (command: string, url = redis.url) =>
			startInstance(t, { command, zonesDir: 'zones', stateDir: scratch(t), more: ['--redis-url', url] });
		const [one, two, ...instances] = (await Promise.all([
			...['admin', 'admin', 'serve', 'serve'].map((command) => start(command)),
			start('serve', redis.url.replace('//', '//deaf:secret@')),
		])) as [Instance, Instance, Instance, Instance, Instance];
		assert.equal((await ask(one.admin, 'PUT /v1/zones/w.example', NEW, ZONE)).status, 201);
		const hearing: number[] = [];
		const deaf: number[] = [];
		for (let number = 1; number <= CHANGES; number++) {
			const { admin } = number % 2 === 0 ? one : two;
			await until('the last change', 10_000, async () => (await ask(admin, 'GET /v1/zones/w.example')).status === 200);
			const [a = 0, b = 0, c = 0] = await changed(admin, instances, number);
			hearing.push(a, b);
			deaf.push(c);
		}
		assertServedSoon(hearing);
		t.diagnostic(`answered after ${hearing.map(Math.round)} ms, without hints after ${deaf.map(Math.round)} ms`);
		assert(Math.max(...deaf) < RESYNC_MS_MAX, deaf.join());
		assert(Math.max(...deaf) > 2 * Math.min(...hearing), 'the instance that should hear nothing has heard');
	});

	it('have the old or the new after kills, of Redis too, and never half', async (t) => {
		const { acknowledged } = await killWrites(t, 'redis', KILLS_WITH_REDIS);
		assert(acknowledged >= KILLS_WITH_REDIS / 3, `only ${acknowledged} changes were acknowledged`);
	});
});

describe('an instance with a store of its own', () => {
	it('has the old or the new after each of fifteen kills, and never half', async (t) => {
		const { acknowledged } = await killWrites(t, 'embedded', KILLS);
		assert(acknowledged >= KILLS / 3, `only ${acknowledged} changes were acknowledged`);
	});

	it('answers by DNS what was changed within a second', async (t) => {
		const zonesDir = scratch(t, { 'w.example.zone': GOOD_ZONE });
		const instance = await startInstance(t, { zonesDir, stateDir: scratch(t) });
		const tookMs: number[] = [];
		for (let number = 1; number <= CHANGES; number++)
			tookMs.push(...(await changed(instance.admin, [instance], number)));
		assertServedSoon(tookMs);
	});
});

/** Give an alias and its target a TTL in one change, and wait for the answers. @returns how long each instance took */
async function changed(admin: string, instances: readonly Instance[], number: number): Promise<readonly number[]> {
	const { body } = await ask(admin, 'GET /v1/zones/w.example');
	const put = (name: string, type: string, record: string) => ({
		op: 'put',
		resource: `/zones/w.example/records/${name}/${type}`,
		value: { ttl: number, records: [record] },
	});
	const changes = [put('alias', 'CNAME', 'target'), put('target', 'A', '192.0.2.99')];
	const reply = await ask(admin, 'POST /v1/changes', {}, { units: { 'w.example.': body.etag }, changes });
	assert.equal(reply.status, 200, JSON.stringify(reply.body));
	const isServed = async ({ port }: Instance) => {
		const { answer } = await askUdp(port, { name: 'alias.w.example.', type: 'A' });
		const ttls = answer.map(({ ttlSec }) => ttlSec);
		assert(ttls.length !== 1 && new Set(ttls).size < 2, `a mix of generations: ${ttls}`);
		return ttls[0] === number;
	};
	return Promise.all(instances.map((instance) => untilServed(() => isServed(instance))));
}

/** Unlike until(), which takes what is thrown for "not yet". */
async function untilServed(isServed: () => Promise<boolean>): Promise<number> {
	const startMs = performance.now();
	while (!(await isServed())) {
		assert(performance.now() - startMs < 3 * RESYNC_MS_MAX, 'the change is not answered');
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
	return performance.now() - startMs;
}

function assertServedSoon(tookMs: readonly number[]): void {
	const sorted = [...tookMs].sort((a, b) => a - b);
	const told = sorted.map((ms) => ms.toFixed(0)).join(', ');
	assert((sorted[Math.floor(sorted.length / 2)] ?? Number.NaN) < SERVED_MS.usual, told);
	assert((sorted.at(-1) ?? Number.NaN) < SERVED_MS.most, told);
}
