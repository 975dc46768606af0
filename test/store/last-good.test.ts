import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import * as fc from 'fast-check';
import { LastGood, type UnitFiles } from '../../src/store/last-good.ts';
import { scratch } from '../roles/scratch.ts';

const common: UnitFiles = { unit: 'common', zone: undefined, steering: 'pools: {}\n' };
const example: UnitFiles = { unit: 'example.org.', zone: '@ SOA ...\n', steering: undefined };
const odd: UnitFiles = { unit: 'a\\.b\\000/../x.', zone: 'ü\xff\0', steering: '' };

describe('LastGood', () => {
	it('is empty at first', (t) => {
		assert.deepEqual(new LastGood(scratch(t)).load(), { units: [], damaged: [] });
	});

	it('gives back what was saved, to another process too', (t) => {
		const stateDir = scratch(t);
		new LastGood(stateDir).save([common, example, odd]);
		assert.deepEqual(loaded(new LastGood(stateDir)), [odd, common, example]);
	});

	it('gives back any text', (t) => {
		const text = fc.option(fc.string({ unit: 'binary' }), { nil: undefined });
		const stateDir = scratch(t);
		void fc.assert(
			fc.property(fc.string(), text, text, (unit, zone, steering) => {
				new LastGood(stateDir).save([{ unit, zone, steering }]);
				assert.deepEqual(loaded(new LastGood(stateDir)), [{ unit, zone, steering }]);
			}),
			{ numRuns: 50 },
		);
	});

	it('gives back a text that is written in parts, whatever stands where they meet', (t) => {
		const stateDir = scratch(t);
		const zone = `${'x'.repeat(65_535)}"\\${'\n'.repeat(70_000)}`;
		for (const lead of ['', 'y', 'yy']) {
			const large = { unit: 'example.org.', zone, steering: lead + '\u{1f600}'.repeat(70_000), includes: { a: zone } };
			new LastGood(stateDir).save([large]);
			assert.deepEqual(loaded(new LastGood(stateDir)), [large]);
		}
	});

	it('saves in steps, between which what is stored stays whole', (t) => {
		const stateDir = scratch(t);
		const large = { ...example, zone: 'x'.repeat(200_000) };
		new LastGood(stateDir).save([large]);
		const steps = new LastGood(stateDir).saving([{ ...large, zone: 'y'.repeat(200_000) }]);
		let count = 0;
		for (; steps.next().done === false; count++)
			assert.match(loaded(new LastGood(stateDir))[0]?.zone ?? '', /^(?:x{200000}|y{200000})$/);
		assert(count > 3);
	});

	it('holds exactly what was saved last', (t) => {
		const stateDir = scratch(t);
		const store = new LastGood(stateDir);
		store.save([common, example]);
		store.save([common]);
		assert.deepEqual(loaded(new LastGood(stateDir)), [common]);
		store.save([]);
		assert.deepEqual(names(stateDir), []);
	});

	it('removes a unit that another process saved', (t) => {
		const stateDir = scratch(t);
		new LastGood(stateDir).save([common, example]);
		const store = new LastGood(stateDir);
		store.load();
		store.save([example]);
		assert.deepEqual(loaded(new LastGood(stateDir)), [example]);
	});

	it('does not write again what is the same', (t) => {
		const stateDir = scratch(t);
		const store = new LastGood(stateDir);
		store.save([common, example]);
		for (const name of names(stateDir)) utimesSync(join(stateDir, 'last-good', name), 1, 1);
		store.save([common, { ...example, zone: 'changed' }]);
		const times = names(stateDir).map((name) => Math.round(statSync(join(stateDir, 'last-good', name)).mtimeMs));
		assert.equal(times.filter((ms) => ms === 1000).length, 1);
		const after = new LastGood(stateDir);
		assert.deepEqual(
			loaded(after).map(({ zone }) => zone),
			[undefined, 'changed'],
		);
	});

	for (const { name, damage } of [
		{ name: 'a file that was cut off', damage: (text: string) => text.slice(0, -10) },
		{ name: 'an empty file', damage: () => '' },
		{ name: 'a file of zeros', damage: (text: string) => '\0'.repeat(text.length) },
		{ name: 'a file with another text', damage: (text: string) => text.replace('SOA', 'SOB') },
		{ name: 'null', damage: () => 'null' },
	]) {
		it(`passes over ${name}, names it, and replaces it`, (t) => {
			const stateDir = scratch(t);
			new LastGood(stateDir).save([example]);
			const [file = ''] = names(stateDir);
			const path = join(stateDir, 'last-good', file);
			writeFileSync(path, damage(readFileSync(path, 'utf8')));
			const store = new LastGood(stateDir);
			assert.deepEqual(store.load(), { units: [], damaged: [path] });
			store.save([common]);
			assert.deepEqual(new LastGood(stateDir).load(), { units: [common], damaged: [] });
		});
	}

	it('clears away what a crash in the middle of writing left, and nothing else', (t) => {
		const stateDir = scratch(t);
		const store = new LastGood(stateDir);
		store.save([example]);
		const [file = ''] = names(stateDir);
		writeFileSync(join(stateDir, 'last-good', `${file}.new`), '{"unit"');
		writeFileSync(join(stateDir, 'last-good', 'notes.txt'), 'mine');
		const next = new LastGood(stateDir);
		assert.deepEqual(loaded(next), [example]);
		next.save([example]);
		assert.deepEqual(names(stateDir), [file, 'notes.txt'].sort());
	});

	it('says so when it cannot write, and can the next time', (t: TestContext) => {
		const stateDir = scratch(t);
		const store = new LastGood(stateDir);
		store.save([common]);
		// Root may write everywhere, but nobody can write a file where a directory is.
		const [file = ''] = names(stateDir);
		mkdirSync(join(stateDir, 'last-good', `${file}.new`));
		assert.throws(() => store.save([{ ...common, steering: 'changed' }]), /EISDIR/);
		assert.deepEqual(loaded(new LastGood(stateDir)), [common]);
	});

	it('says so when its directory cannot be made', (t) => {
		assert.throws(() => new LastGood(join(scratch(t, { file: '' }), 'file')), /ENOTDIR/);
	});
});

function loaded(store: LastGood): readonly UnitFiles[] {
	const { units, damaged } = store.load();
	assert.deepEqual(damaged, []);
	return [...units].sort((a, b) => (a.unit < b.unit ? -1 : 1));
}

function names(stateDir: string): readonly string[] {
	return readdirSync(join(stateDir, 'last-good')).sort();
}
