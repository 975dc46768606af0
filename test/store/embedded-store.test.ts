import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmdirSync,
	rmSync,
	truncateSync,
	writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it, type TestContext } from 'node:test';
import { openEmbeddedStore } from '../../src/store/embedded-store.ts';
import type { Store } from '../../src/store/ports.ts';
import { commitTo, memoryLog, put, zoneOf } from '../contract/store-parts.ts';
import { scratch } from '../roles/scratch.ts';

/** Small enough that a few commits compact it. */
const LOG_OCTETS_MIN = 2000;

async function opened(t: TestContext, stateDir: string, logOctetsMin?: number) {
	const log = memoryLog();
	const store = await openEmbeddedStore(stateDir, log, logOctetsMin);
	t.after(() => store.close());
	return { store, said: log.lines.map(({ message }) => message) };
}

/** Generations 1 to n, each with its number in both of its units. */
async function fill(store: Store, generations: number): Promise<void> {
	const from = (store.configuration.head?.generation ?? 0) + 1;
	for (let i = from; i <= generations; i++) await commitTo(store, [put('a.', String(i)), put('b.', String(i))]);
}

function filesOf(stateDir: string): readonly string[] {
	return readdirSync(join(stateDir, 'store')).sort();
}

/** Change one octet. */
function damage(path: string, at: number): void {
	const octets = readFileSync(path);
	octets[at] = (octets[at] ?? 0) ^ 1;
	writeFileSync(path, octets);
}

describe('openEmbeddedStore()', () => {
	it('writes nothing before the first commit', async (t) => {
		const stateDir = scratch(t);
		const { store } = await opened(t, stateDir);
		await store.close();
		assert.deepEqual(readdirSync(stateDir), []);
	});

	it('compacts the log, and keeps the pair of files before', async (t) => {
		const stateDir = scratch(t);
		const { store } = await opened(t, stateDir, LOG_OCTETS_MIN);
		await fill(store, 100);
		const history = await store.history(1000);
		await store.close();
		const names = filesOf(stateDir);
		assert(names.length === 4 || names.length === 3, names.join());
		const { store: again, said } = await opened(t, stateDir);
		assert.deepEqual(said, []);
		assert.deepEqual(again.configuration, store.configuration);
		assert.deepEqual(await again.history(1000), history);
		assert.equal(history.length, 100);
	});

	for (const { name, cut } of [
		{ name: 'an octet', cut: 1 },
		{ name: 'half of it', cut: 150 },
	]) {
		it(`cuts the last write of the log where ${name} is missing, and says so in a line`, async (t) => {
			const stateDir = scratch(t);
			const { store } = await opened(t, stateDir);
			await fill(store, 5);
			await store.close();
			const path = join(stateDir, 'store', '00000001.log');
			truncateSync(path, readFileSync(path).length - cut);
			const { store: again, said } = await opened(t, stateDir);
			assert.equal(said.length, 1);
			assert.match(said[0] ?? '', /is cut at octet \d+, where a write had not been finished$/);
			assert.equal(zoneOf(again, 'a.'), '4');
			assert.equal(again.configuration.head?.epoch, 1);
			await fill(again, 6);
			await again.close();
			const { store: third, said: nothing } = await opened(t, stateDir);
			assert.deepEqual([nothing, zoneOf(third, 'b.')], [[], '6']);
		});
	}

	it('takes what stands before a damaged middle, as a new epoch, and puts the log aside', async (t) => {
		const stateDir = scratch(t);
		const { store } = await opened(t, stateDir);
		await fill(store, 5);
		await store.close();
		const path = join(stateDir, 'store', '00000001.log');
		const third = readFileSync(path, 'latin1').split('\n').slice(0, 2).join('\n').length + 100;
		damage(path, third);
		const { store: again, said } = await opened(t, stateDir);
		assert.match(
			said.join(),
			/is put aside, and what stands before octet \d+ is taken: a frame does not match its check$/,
		);
		assert.equal(zoneOf(again, 'a.'), '2');
		assert.deepEqual([again.configuration.head?.epoch, again.configuration.head?.generation], [2, 3]);
		assert.match((await again.history(1))[0]?.reason ?? '', /is put aside/);
		assert(filesOf(stateDir).includes('00000001.log.damaged'));
		await fill(again, 6);
		await again.close();
		const { store: later, said: nothing } = await opened(t, stateDir);
		assert.deepEqual([nothing, zoneOf(later, 'a.')], [[], '6']);
	});

	it('loses nothing where the newest snapshot is damaged', async (t) => {
		const stateDir = scratch(t);
		const { store } = await opened(t, stateDir, LOG_OCTETS_MIN);
		await fill(store, 100);
		await store.close();
		const newest =
			filesOf(stateDir)
				.filter((name) => name.endsWith('.snapshot'))
				.at(-1) ?? '';
		damage(join(stateDir, 'store', newest), 300);
		const { store: again, said } = await opened(t, stateDir);
		assert.match(said.join('\n'), /^the snapshot .* is put aside: it does not match its check$/);
		assert.deepEqual(again.configuration, store.configuration);
		assert.equal((await again.history(1000)).length, 100);
		await fill(again, 101);
		await again.close();
		const { store: later, said: nothing } = await opened(t, stateDir);
		assert.deepEqual([nothing, zoneOf(later, 'a.')], [[], '101']);
	});

	it('refuses to begin with nothing where there was something', async (t) => {
		const stateDir = scratch(t);
		const { store } = await opened(t, stateDir, LOG_OCTETS_MIN);
		await fill(store, 200);
		await store.close();
		for (const name of filesOf(stateDir)) if (name.endsWith('.snapshot')) damage(join(stateDir, 'store', name), 300);
		for (let i = 0; i < 2; i++)
			await assert.rejects(
				openEmbeddedStore(stateDir, memoryLog()),
				/^Error: Cannot open the store in .*: the snapshot /,
			);
		for (const name of filesOf(stateDir)) if (name.endsWith('.snapshot')) rmSync(join(stateDir, 'store', name));
		await assert.rejects(openEmbeddedStore(stateDir, memoryLog()), /its snapshot is gone/);
	});

	it('refuses commits while it cannot write, and takes them when it can again', async (t) => {
		const stateDir = scratch(t);
		const { store: first } = await opened(t, stateDir);
		await fill(first, 3);
		await first.close();
		const { store } = await opened(t, stateDir);
		const before = store.configuration;
		const log = join(stateDir, 'store', '00000001.log');
		const snapshot = join(stateDir, 'store', '00000002.snapshot.new');
		renameSync(log, `${log}.away`);
		// A folder where a file should be stands for a disk that takes nothing, also for root.
		for (const path of [log, snapshot]) mkdirSync(path);
		const attempts = [1, 2, 3].map((zone) => commitTo(store, [put('a.', String(zone))]));
		const [one, ...others] = await Promise.allSettled(attempts);
		assert.equal(one?.status === 'rejected' && one.reason.code, 'STORE_REFUSED');
		assert(others.every(({ status }) => status === 'rejected'));
		await assert.rejects(commitTo(store, [put('a.', 'x')]), { code: 'STORE_REFUSED' });
		assert.equal(store.configuration, before);
		for (const path of [log, snapshot]) rmdirSync(path);
		renameSync(`${log}.away`, log);
		await fill(store, 5);
		await store.close();
		const { store: again, said } = await opened(t, stateDir);
		assert.deepEqual([said, zoneOf(again, 'a.')], [[], '5']);
	});

	it('never loses what it acknowledged, nor has half of a generation, wherever it is killed', {
		timeout: 120_000,
	}, async (t) => {
		const stateDir = scratch(t);
		let acknowledged = 0;
		for (let round = 1; round <= 25; round++) {
			const last = await killedWriter(stateDir, 5 + Math.floor(Math.random() * 60));
			acknowledged = Math.max(acknowledged, last);
			const { store } = await opened(t, stateDir);
			const { head, items } = store.configuration;
			const generation = head?.generation ?? 0;
			assert(generation >= acknowledged, `round ${round}: at ${generation}, acknowledged ${acknowledged}`);
			// Each generation writes three units at once.
			for (const name of ['a.', 'b.', 'c.'])
				if (generation > 0) assert.equal(zoneOf(store, name), String(generation), `round ${round}`);
			assert.equal(items.size, generation > 0 ? 3 : 0);
			assert.equal(head?.epoch ?? 1, 1);
			await store.close();
		}
		assert(acknowledged > 50, `only ${acknowledged} generations were written`);
	});
});

/** A process that commits, several at a time, until it is killed. @returns the last generation that it acknowledged */
async function killedWriter(stateDir: string, afterMs: number): Promise<number> {
	const store = new URL('../../src/store/embedded-store.ts', import.meta.url).href;
	const source = `
		import { openEmbeddedStore } from ${JSON.stringify(store)};
		const log = { info() {}, warn() {}, error() {} };
		const store = await openEmbeddedStore(process.argv[1], log, 3000);
		let { head } = store.configuration;
		process.stdout.write('open\\n');
		for (;;) {
			const zone = String((head?.generation ?? 0) + 1);
			const changes = ['a.', 'b.', 'c.'].map((name) => ({ kind: 'unit', name, content: { zone, owner: 'store' } }));
			const done = await store.commit({ expected: head, changes, author: 'child', reason: 'x'.repeat(Math.random() * 500) });
			({ head } = done);
			process.stdout.write(head.generation + '\\n');
		}
	`;
	const child = spawn(process.execPath, ['--input-type=module', '-e', source, stateDir], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	let last = 0;
	const lines = createInterface(child.stdout);
	const exit = once(child, 'exit');
	for await (const line of lines) {
		if (line === 'open') setTimeout(() => child.kill('SIGKILL'), afterMs);
		else last = Number(line);
	}
	await exit;
	return last;
}
