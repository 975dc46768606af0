/** Generations that a thread builds: the main thread asks, hands over, and outlives it. */

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { BroadcastChannel } from 'node:worker_threads';
import { StartRefused } from '../../src/roles/start-refused.ts';
import { generationsOf } from './generations-of.ts';
import { until } from './meridian-process.ts';
import { GOOD_ZONE, scratch, write } from './scratch.ts';

const LIMIT_MS = 20_000;
const BROKEN_ZONE = `${GOOD_ZONE}x IN A 192.0.2.256\n`;
const STEERING = [
	'monitors: { web: { kind: tcp, port: 80 } }',
	'pools: { eu: { monitor: web, endpoints: [{ name: a, addresses: [192.0.2.1] }] } }',
	'names: { x: { policy: eu } }',
].join('\n');

function setUp(t: TestContext, files: Readonly<Record<string, string>> = { 'a.example.zone': GOOD_ZONE }) {
	const zonesDir = scratch(t, files);
	return { ...generationsOf(t, zonesDir, 128), zonesDir };
}

function bringFault(t: TestContext, fault: 'throw' | 'hoard'): void {
	const channel = new BroadcastChannel('meridian-test-builder-faults');
	t.after(() => channel.close());
	channel.postMessage({ fault });
}

describe('Generations', { concurrency: false }, () => {
	it('builds aside what is served, one generation after the other, and the last word always', async (t) => {
		const { generations, zonesDir, swapped, start, has } = setUp(t);
		await start();
		assert(has('www.a.example.'));
		for (let i = 0; i < 20; i++) {
			write(zonesDir, { 'a.example.zone': `${GOOD_ZONE}n${i} A 192.0.2.1\n` });
			generations.reload(false);
		}
		await until('the last one', LIMIT_MS, () => has('n19.a.example.'));
		assert(swapped.length <= 4, `${swapped.length} generations`);
		assert.deepEqual(
			swapped.map(({ number }) => number),
			swapped.map((_, i) => i + 1),
		);
	});

	it('refuses a start with all problems', async (t) => {
		const { generations } = setUp(t, { 'a.example.zone': BROKEN_ZONE, 'b.example.zone': BROKEN_ZONE });
		await assert.rejects(generations.start(undefined, false), (error) => {
			assert(error instanceof StartRefused);
			return error.lines.length === 2 && /a\.example\.zone:6:8/.test(error.lines.join('\n'));
		});
	});

	it('gives targets slots in the memory that threads read, and tells their pools', async (t) => {
		const { generations, zonesDir, swapped, start, has } = setUp(t, {
			'a.example.zone': GOOD_ZONE,
			'a.example.yaml': STEERING,
		});
		await start();
		const { snapshot, slots, pools } = generations.served;
		assert.equal(snapshot.targets.length, 1);
		assert.deepEqual([...pools], [[snapshot.targets[0]?.key, ['a.example. eu']]]);
		// What has not changed is not sent again, and stays.
		write(zonesDir, { 'a.example.zone': `${GOOD_ZONE}new A 192.0.2.1\n` });
		generations.reload(false);
		await until('the next one', LIMIT_MS, () => has('new.a.example.'));
		assert.equal(generations.served.snapshot.targets, snapshot.targets);
		assert.equal(generations.served.pools, pools);
		assert.deepEqual(generations.served.slots, slots);
		assert.equal(swapped.length, 2);
	});

	it('validates units over what is served, and serves nothing of it', async (t) => {
		const { generations, start, has, swapped } = setUp(t, {
			'a.example.zone': GOOD_ZONE,
			'b.example.zone': GOOD_ZONE,
			'common.yaml': 'pools: { shared: { endpoints: [{ name: a, addresses: [192.0.2.1] }] } }\n',
			'b.example.yaml': 'names: { x: { policy: shared } }\n',
		});
		await start();
		const unit = (name: string, zone: string | undefined, steering?: string) => ({
			unit: name,
			source: {
				unit: name,
				zone,
				includes: undefined,
				steering: steering === undefined ? undefined : { kind: 'text' as const, text: steering },
			},
		});
		const gone = (name: string) => ({ unit: name, source: undefined });
		const problemsOf = async (...changes: Parameters<typeof generations.draft>[0][number][]) =>
			(await generations.draft(changes)).problems
				.filter(({ isWarning }) => !isWarning)
				.map(({ unit: of, at }) => `${of} ${'path' in at ? at.path.join('.') : at.line}`);
		assert.deepEqual(await problemsOf(unit('a.example.', `${GOOD_ZONE}new A 192.0.2.9\n`)), []);
		assert.deepEqual(await problemsOf(unit('new.example.', GOOD_ZONE, 'names: { x: { policy: shared } }')), []);
		assert.deepEqual(await problemsOf(unit('a.example.', BROKEN_ZONE)), ['a.example. 6']);
		const nowhere = unit('a.example.', GOOD_ZONE, 'names: { x: { policy: nowhere } }');
		assert.deepEqual(await problemsOf(nowhere), ['a.example. names.x.policy']);
		const shapeless = unit('a.example.', GOOD_ZONE, 'names: { x: { policy: shared, ttl: no } }');
		assert.deepEqual(await problemsOf(shapeless), ['a.example. names.x.ttl']);
		// What others need cannot go, and it is told of them.
		assert.deepEqual(await problemsOf(gone('common')), ['b.example. names.x.policy']);
		assert.deepEqual(await problemsOf(gone('common'), gone('b.example.')), []);
		assert(!has('new.a.example.') && swapped.length === 1);
	});

	it('explains with what is told of the targets that are asked about', async (t) => {
		const { generations, start } = setUp(t, { 'a.example.zone': GOOD_ZONE, 'a.example.yaml': STEERING });
		await start();
		const question = { name: 'x.a.example.', type: 'A', client: undefined, resolver: '127.0.0.1' };
		const explanation = await generations.explain(question, () => 'for 12 s');
		assert(typeof explanation !== 'string');
		assert.match(JSON.stringify(explanation), /"note":"for 12 s"/);
		assert.equal(typeof (await generations.explain({ ...question, type: 'NONE' }, () => undefined)), 'string');
	});

	for (const { fault, says } of [
		{ fault: 'throw', says: /the builder died.*a fault on demand/ },
		{ fault: 'hoard', says: /the builder died.*memory limit/ },
	] as const) {
		it(`outlives a builder that begins to ${fault}, says so, and builds with the next one`, async (t) => {
			const { generations, zonesDir, start, has, said } = setUp(t);
			await start();
			const kept = generations.served.snapshot.zones.bytes.buffer;
			bringFault(t, fault);
			await until('its end', LIMIT_MS, () => generations.fault !== undefined);
			assert.match(generations.fault ?? '', /the builder died/);
			assert(has('www.a.example.') && generations.served.snapshot.zones.bytes.buffer === kept);
			await until('the next one', LIMIT_MS, () => generations.fault === undefined);
			assert(
				said.some((line) => says.test(line)),
				said.join('\n'),
			);
			write(zonesDir, { 'a.example.zone': `${GOOD_ZONE}new A 192.0.2.1\n` });
			generations.reload(false);
			await until('the reload', LIMIT_MS, () => has('new.a.example.'));
			assert.equal(generations.refusal, undefined);
		});
	}

	it('ends in the middle of a build', async (t) => {
		const hosts = Array.from({ length: 300_000 }, (_, i) => `h${i} A 10.${i >>> 16}.${(i >>> 8) & 255}.${i & 255}\n`);
		const { generations, zonesDir, start } = setUp(t);
		await start();
		write(zonesDir, { 'a.example.zone': GOOD_ZONE + hosts.join('') });
		generations.reload(false);
		await new Promise((resolve) => setTimeout(resolve, 100));
		const startMs = performance.now();
		await generations.close();
		assert(performance.now() - startMs < 1000, `${performance.now() - startMs} ms`);
		assert.equal(generations.served.number, 1);
	});
});
