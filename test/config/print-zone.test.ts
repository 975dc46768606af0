import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { recordLines } from '../../src/config/edit-records.ts';
import { printZone, recordsOf, relativeName } from '../../src/config/print-zone.ts';
import { UnitContent } from '../../src/config/unit-content.ts';
import { wireName } from '../dns/make-query.ts';
import { randomZone } from '../dns/random-zone.ts';

const ZONES = 60;

describe('printZone()', () => {
	it('prints what reads back as the same records, of every type', () => {
		for (let seed = 1; seed <= ZONES; seed++) {
			const { text, included } = randomZone(seed);
			const unit = (zone: string, includes?: Readonly<Record<string, string>>) =>
				new UnitContent({ unit: 'example.org.', zone, includes, steering: undefined });
			const before = unit(text, Object.fromEntries(included));
			assert.deepEqual(before.recordProblems, [], `zone ${seed}`);
			const after = unit(printZone(before.apex, recordsOf(before.records)));
			assert.deepEqual(after.recordProblems, [], `zone ${seed}`);
			assert.deepEqual(recordLines(after), recordLines(before), `zone ${seed}`);
		}
	});
});

describe('relativeName()', () => {
	for (const { name, apex, text } of [
		{ name: 'example.org.', apex: 'example.org.', text: '@' },
		{ name: 'a.b.example.org.', apex: 'example.org.', text: 'a.b' },
		{ name: 'WWW.Example.ORG.', apex: 'example.org.', text: 'WWW' },
		{ name: 'example.net.', apex: 'example.org.', text: 'example.net.' },
		{ name: 'notexample.org.', apex: 'example.org.', text: 'notexample.org.' },
		{ name: 'org.', apex: '.', text: 'org' },
		{ name: '.', apex: '.', text: '@' },
	]) {
		it(`is ${text} for ${name} in ${apex}`, () => {
			assert.equal(relativeName(wireName(name), wireName(apex)), text);
		});
	}
});
