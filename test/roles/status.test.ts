import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openEmbeddedStore } from '../../src/store/embedded-store.ts';
import { commitTo, FLEET_KEY, memoryLog, openRedis, publication, put } from '../contract/store-parts.ts';
import { freePort } from '../setup/free-port.ts';
import { startRedis, WITHOUT_REDIS } from '../setup/redis.ts';
import { runToEnd, until } from './meridian-process.ts';
import { scratch } from './scratch.ts';

describe('meridian status', () => {
	it('tells what the store of the state directory holds', async (t) => {
		const stateDir = scratch(t);
		const store = await openEmbeddedStore(stateDir, memoryLog());
		await commitTo(store, [put('example.org.', ''), put('common', '')]);
		await store.close();
		const { code, stdout, stderr } = await runToEnd(t, [
			'status',
			'--state-dir',
			stateDir,
			'--admin-listen',
			'127.0.0.1:1',
		]);
		assert.deepEqual([code, stderr], [0, `No process answers at 127.0.0.1:1: this is the store of ${stateDir}\n`]);
		assert.match(
			stdout,
			/^store {4}ready\nhead {5}epoch 1, generation 1\nholds {4}2 units, 0 overrides, 0 trips, 0 tokens\n/,
		);
		assert.match(stdout, / {2}unit {3}example\.org\. \(owner store, etag [0-9a-f]{12}\)\ninstances 0\nprobers {2}0\n$/);
	});

	it('makes no store where there is none', async (t) => {
		const stateDir = join(scratch(t), 'nowhere');
		const { code, stdout, stderr } = await runToEnd(t, [
			'status',
			'--state-dir',
			stateDir,
			'--admin-listen',
			'127.0.0.1:1',
		]);
		assert.deepEqual([code, stdout, existsSync(stateDir)], [1, '', false]);
		assert.equal(stderr, `No process answers at 127.0.0.1:1, and there is no state directory ${stateDir}\n`);
	});

	it('tells of a store that holds nothing', async (t) => {
		const { code, stdout } = await runToEnd(t, ['status', '--state-dir', scratch(t), '--json']);
		assert.equal(code, 0);
		const { head, units, condition } = JSON.parse(stdout);
		assert.deepEqual([head, units, condition], [null, [], { kind: 'ready' }]);
	});

	it('tells which probers live', { skip: WITHOUT_REDIS }, async (t) => {
		const redis = await startRedis(t);
		const store = await openRedis(redis.url);
		t.after(() => store.close());
		await commitTo(store, [put('example.org.', '')]);
		const session = await store.join({ instance: 'eu-1', region: 'eu-west' });
		await session.publish(publication('down', 'a', 'b'));
		const args = ['status', '--redis-url', redis.url, '--state-dir', scratch(t), '--json'];
		const env = { MERIDIAN_FLEET_KEY: FLEET_KEY };
		const { code, stdout, stderr } = await runToEnd(t, args, { env });
		assert.equal(code, 0, stderr);
		const { head, probers } = JSON.parse(stdout);
		assert.equal(head.generation, 1);
		const [{ instance, region, isAlive, votes, down, ageMs }] = probers;
		assert.deepEqual([instance, region, isAlive, votes, down], ['eu-1', 'eu-west', true, 2, 2]);
		assert(ageMs >= 0 && ageMs < 20_000, `${ageMs} ms`);
		await redis.ask('SET', 'meridian:head', 'nonsense');
		await until('the loss', 5000, () => store.condition.kind === 'lost');
		const lost = await runToEnd(t, args.slice(0, -1), { env });
		assert.equal(lost.code, 1);
		assert.match(lost.stdout, /^store {4}lost: its head is refused\n[\s\S]*\nrefused {2}1 malformed\n$/);
	});

	it('says that nobody answers, and not what the password is', async (t) => {
		const url = `redis://:s3cret@127.0.0.1:${await freePort()}`;
		const { code, stdout, stderr } = await runToEnd(t, ['status', '--redis-url', url, '--state-dir', scratch(t)]);
		assert.equal(code, 1);
		assert.match(stdout, /^store {4}unreachable: .*ECONNREFUSED/);
		assert.doesNotMatch(stdout + stderr, /s3cret/);
	});

	it('says which file of authorities cannot be read', async (t) => {
		const args = [
			'status',
			'--redis-url',
			'rediss://127.0.0.1',
			'--redis-ca',
			'/nowhere.pem',
			'--state-dir',
			scratch(t),
		];
		const { code, stderr } = await runToEnd(t, args);
		assert.equal(code, 1);
		assert.match(stderr, /Cannot read the authorities of redis\.ca: .*\/nowhere\.pem/);
	});
});
