/** Where the texts of units come from: files, a store, or a store over files. */

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { printFileProblem, readCommon, readZone } from '../../src/config/zones-directory.ts';
import type { UnitItem } from '../../src/roles/stored-units.ts';
import {
	MergedSource,
	NO_TEXTS,
	type SourceRequest,
	type SourceTexts,
	StoreSource,
} from '../../src/roles/unit-source.ts';
import { makeItem, type Unit } from '../../src/store/item.ts';
import { GOOD_ZONE, scratch, write } from './scratch.ts';

const OTHER_ZONE = GOOD_ZONE.replace('192.0.2.80', '192.0.2.81');

function item(name: string, content: Partial<Unit> = {}): UnitItem {
	const whole: Unit = { zone: GOOD_ZONE, includes: undefined, steering: undefined, owner: 'store', ...content };
	const made = makeItem({ kind: 'unit', name, content: whole });
	assert(made?.item.kind === 'unit');
	return made.item;
}

function request(more: Partial<SourceRequest> = {}): SourceRequest {
	return { isFresh: true, isForced: false, served: NO_TEXTS, ...more };
}

const FILES = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [`${name}.example.zone`, GOOD_ZONE]));

function merged(t: TestContext, files: Readonly<Record<string, string>> = FILES) {
	const directory = scratch(t, files);
	return { directory, source: new MergedSource(directory) };
}

const zoneNames = ({ zones }: SourceTexts) =>
	zones
		.map(({ unit }) => unit)
		.sort()
		.join(' ');
const zoneText = ({ zones }: SourceTexts, unit: string) => zones.find((zone) => zone.unit === unit)?.zone?.text;

describe('a source that is a store', () => {
	it('is refused until something is known of it, and says why', () => {
		const source = new StoreSource();
		source.setUnknown('it is unreachable: nobody answers');
		assert.throws(() => source.load(), /Cannot load the zones of the store: it is unreachable: nobody answers/);
		source.update([], []);
		assert.deepEqual(source.load().zones, []);
	});

	it('gives units as files would, whoever owns them, and the same object while one stays', () => {
		const source = new StoreSource();
		const steering = { kind: 'document', document: { pools: {}, names: {} } } as const;
		source.update(
			[
				item('a.example.', { steering }),
				item('b.example.', { owner: 'directory' }),
				item('common', { zone: undefined, steering: { kind: 'text', text: 'pools: {}' } }),
			],
			[],
		);
		const first = source.load();
		assert.equal(zoneNames(first), 'a.example. b.example.');
		assert.equal(first.common.steering?.path, 'store:/common.yaml');
		assert('unit' in readCommon(first.common));
		for (const zone of first.zones) assert('unit' in readZone(zone));
		source.update([item('b.example.', { zone: OTHER_ZONE })], []);
		const second = source.load();
		assert.equal(second.zones[0], first.zones[0]);
		assert.equal(zoneText(second, 'b.example.'), OTHER_ZONE);
		source.update([], ['a.example.', 'common']);
		assert.equal(zoneNames(source.load()), 'b.example.');
		assert.equal(source.load().common.steering, undefined);
	});

	it('gives included files under the name of the store', () => {
		const source = new StoreSource();
		const zone = `${GOOD_ZONE}$INCLUDE more/hosts\n`;
		source.update([item('a.example.', { zone, includes: { 'more/hosts': 'x A 192.0.2.256\n' } })], []);
		const [text] = source.load().zones;
		const read = text === undefined ? [] : readZone(text);
		assert(!('unit' in read));
		assert.match(read.map(printFileProblem).join('\n'), /^store:\/more\/hosts:1:/);
	});

	for (const { name, unit, says } of [
		{
			name: 'a zone without its master file',
			unit: item('a.example.', { zone: undefined }),
			says: /without its master file/,
		},
		{ name: 'a name in upper case', unit: item('A.example.'), says: /Cannot use the unit name "A\.example\."/ },
		{ name: 'a name without its final dot', unit: item('a.example'), says: /Cannot use the unit name "a\.example"/ },
		{ name: 'a master file in common', unit: item('common'), says: /Cannot have a master file in common/ },
	]) {
		it(`complains of ${name}`, () => {
			const source = new StoreSource();
			source.update([unit], []);
			const { problems, zones } = source.load();
			assert.deepEqual(zones, []);
			assert.equal(problems.length, 1);
			assert.match(problems.map(printFileProblem).join(), says);
			assert.equal(problems[0]?.unit, unit.name);
		});
	}
});

describe('a store over the zones directory', () => {
	it('gives the units that the store owns, and all others from their files', (t) => {
		const { source } = merged(t);
		source.update(
			[
				item('b.example.', { zone: OTHER_ZONE }),
				item('c.example.', { zone: OTHER_ZONE, owner: 'directory' }),
				item('new.example.'),
			],
			[],
		);
		const texts = source.load(request());
		assert.equal(zoneNames(texts), 'a.example. b.example. c.example. d.example. e.example. new.example.');
		assert.equal(zoneText(texts, 'b.example.'), OTHER_ZONE);
		assert.equal(zoneText(texts, 'c.example.'), GOOD_ZONE);
	});

	it('names the units whose files differ from it, by what steering says rather than how', (t) => {
		const document = { pools: { p: { endpoints: [{ name: 'a', addresses: ['192.0.2.1'] }] } } };
		const { source } = merged(t, {
			...FILES,
			'a.example.yaml': 'pools:\n  p: { endpoints: [{ addresses: [192.0.2.1], name: a }] }\n',
			'b.example.yaml': 'pools:\n  p: { endpoints: [{ addresses: [192.0.2.2], name: a }] }\n',
		});
		const steering = { kind: 'document', document } as const;
		source.update(
			[
				item('a.example.', { steering }),
				item('b.example.', { steering }),
				item('c.example.', { zone: OTHER_ZONE }),
				item('d.example.'),
				item('new.example.'),
			],
			[],
		);
		assert.deepEqual(source.load(request()).differing, ['b.example.', 'c.example.']);
	});

	it('does not mind files of units that the store owns', (t) => {
		const { source } = merged(t, { ...FILES, 'x.example.yaml': 'names: {}\n' });
		source.update([item('x.example.')], []);
		assert.deepEqual(source.load(request()).problems, []);
	});

	it('looks at files only when it is told to, or when a unit is given back to them', (t) => {
		const { source, directory } = merged(t);
		source.update([item('b.example.', { zone: OTHER_ZONE })], []);
		source.load(request());
		write(directory, { 'a.example.zone': OTHER_ZONE });
		source.update([item('d.example.', { zone: OTHER_ZONE })], []);
		assert.equal(zoneText(source.load(request({ isFresh: false })), 'a.example.'), GOOD_ZONE);
		source.update([], ['b.example.']);
		const texts = source.load(request({ isFresh: false }));
		assert.equal(zoneText(texts, 'a.example.'), OTHER_ZONE);
		assert.equal(zoneText(texts, 'b.example.'), GOOD_ZONE);
	});

	it('is refused with a directory that has lost its zones, but takes what the store has changed', (t) => {
		const { source, directory } = merged(t);
		source.update([item('new.example.')], []);
		source.load(request());
		rmSync(directory, { recursive: true });
		assert.throws(() => source.load(request()), /Cannot take the zones directory .*ENOENT/);
		write(directory, { 'a.example.zone': GOOD_ZONE });
		assert.throws(() => source.load(request()), /it drops 4 of 5 zones; --force/);
		rmSync(join(directory, 'a.example.zone'));
		assert.throws(() => source.load(request()), /it holds no zone/);
		source.update([item('new.example.', { zone: OTHER_ZONE })], []);
		const texts = source.load(request({ isFresh: false }));
		assert.equal(zoneText(texts, 'new.example.'), OTHER_ZONE);
		assert.equal(texts.zones.length, 6);
		assert.equal(source.load(request({ isForced: true })).zones.length, 1);
	});

	it('needs no directory when the store has every zone', (t) => {
		const source = new MergedSource(join(scratch(t), 'zones'));
		assert.throws(() => source.load(request()), /ENOENT/);
		source.update([item('a.example.')], []);
		assert.equal(zoneNames(source.load(request())), 'a.example.');
	});
});
