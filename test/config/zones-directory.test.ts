import assert from 'node:assert/strict';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadDirectory, printFileProblem, readCommon, readZone } from '../../src/config/zones-directory.ts';
import { GOOD_ZONE, scratch } from '../roles/scratch.ts';

describe('loadDirectory() takes', () => {
	for (const { name, files, units } of [
		{ name: 'a zone file for a zone', files: ['example.org.zone'], units: ['example.org.'] },
		{ name: 'a name in capitals for the same in small letters', files: ['Example.ORG.zone'], units: ['example.org.'] },
		{ name: '%XX for an octet', files: ['a%20b.example.zone'], units: ['a\\032b.example.'] },
		{ name: '%XX in either case', files: ['a%c3%BC.example.zone'], units: ['a\\195\\188.example.'] },
		{ name: '%2E for a dot within a label', files: ['a%2Eb.example.zone'], units: ['a\\.b.example.'] },
		{
			name: '%2F for the slash of a classless delegation',
			files: ['0%2F25.2.0.192.in-addr.arpa.zone'],
			units: ['0/25.2.0.192.in-addr.arpa.'],
		},
		{ name: 'a dot at the end', files: ['example.org..zone'], units: ['example.org.'] },
		{ name: 'a yaml file with its zone', files: ['a.example.zone', 'a.example.yaml'], units: ['a.example.+yaml'] },
		{ name: 'a yaml file in capitals', files: ['a.example.zone', 'A.example.yaml'], units: ['a.example.+yaml'] },
		{ name: 'common.yaml for all', files: ['common.yaml', 'a.example.zone'], units: ['common+yaml', 'a.example.'] },
		{ name: 'a zone by the name of common', files: ['common.zone', 'common.yaml'], units: ['common+yaml', 'common.'] },
		{ name: 'no dot files', files: ['.a.example.zone', '.b.yaml', '.c.swp'], units: [] },
		{ name: 'no other endings', files: ['a.example.zone~', 'README.md', 'b.zone.bak', 'c.yml'], units: [] },
	]) {
		it(name, (t) => {
			const { common, zones, problems } = loadDirectory(scratch(t, textsOf(files)));
			const found = [...(common.steering === undefined ? [] : [common]), ...zones];
			assert.deepEqual(problems.map(printFileProblem), []);
			assert.deepEqual(
				found.map(({ unit, steering }) => (steering === undefined ? unit : `${unit}+yaml`)),
				units,
			);
		});
	}
});

describe('loadDirectory() complains of', () => {
	for (const { name, files, says } of [
		{
			name: 'a yaml file without a zone',
			files: ['a.example.yaml', 'b.example.zone'],
			says: 'a.example.yaml:1:1: Cannot steer a zone without its zone file: expected a.example.zone beside it',
		},
		{
			name: 'two files for one zone',
			files: ['A.example.zone', 'a.example.zone'],
			says: 'a.example.zone:1:1: Cannot define the zone a.example. twice',
		},
		{
			name: 'the same zone with %XX and without',
			files: ['%61.example.zone', 'a.example.zone'],
			says: 'a.example.zone:1:1: Cannot define the zone a.example. twice',
		},
		{
			name: 'two yaml files for one zone',
			files: ['A.example.yaml', 'a.example.yaml', 'a.example.zone'],
			says: 'a.example.yaml:1:1: Cannot steer the zone a.example. twice',
		},
		{
			name: 'octets that must stand as %XX',
			files: ['a b.zone'],
			says: 'a b.zone:1:1: Cannot use the file name "a b": octets other than letters, digits, ".", "_" and "-" stand as %XX',
		},
		{ name: '% without two hex digits', files: ['a%2.zone'], says: /^a%2\.zone:1:1: Cannot use the file name "a%2"/ },
		{ name: 'a label that is too long', files: [`${'a'.repeat(64)}.zone`], says: /^a+\.zone:1:1: Cannot .*label/i },
		{ name: 'an empty label', files: ['a..example.zone'], says: /^a\.\.example\.zone:1:1: Cannot .*label/i },
	]) {
		it(name, (t) => {
			const directory = scratch(t, textsOf(files));
			const said = loadDirectory(directory).problems.map((one) => printFileProblem(one).replace(`${directory}/`, ''));
			assert.equal(said.length, 1, said.join('\n'));
			if (typeof says === 'string') assert.equal(said[0], says);
			else assert.match(said[0] ?? '', says);
		});
	}

	it('a directory where a file is expected, and goes on with the others', (t) => {
		const directory = scratch(t, textsOf(['b.example.zone']));
		mkdirSync(join(directory, 'a.example.zone'));
		const { zones, problems } = loadDirectory(directory);
		assert.match(problems.map(printFileProblem).join(), /a\.example\.zone:1:1: Cannot read the file: EISDIR/);
		assert.deepEqual(
			problems.map(({ unit }) => unit),
			['a.example.'],
		);
		assert(zones.some(({ unit, zone }) => unit === 'b.example.' && zone !== undefined));
	});

	it('a file that may not be read', { skip: process.getuid?.() === 0 ? 'root may read every file' : false }, (t) => {
		const directory = scratch(t, textsOf(['a.example.zone']));
		chmodSync(join(directory, 'a.example.zone'), 0);
		assert.match(loadDirectory(directory).problems.map(printFileProblem).join(), /Cannot read the file: EACCES/);
	});

	it('nothing when the directory is missing: that is thrown', () => {
		assert.throws(() => loadDirectory('/nowhere/zones'), /ENOENT/);
	});
});

describe('readZone()', () => {
	for (const { name, zone = GOOD_ZONE, yaml, says } of [
		{ name: 'is content with a good zone', says: [] },
		{ name: 'is content with an empty yaml file', yaml: '', says: [] },
		{
			name: 'places a mistake in the zone',
			zone: `${GOOD_ZONE}x IN A 192.0.2.256\n`,
			says: [/^a\.example\.zone:6:8: Cannot /],
		},
		{
			name: 'places a mistake in the syntax of the yaml',
			yaml: 'pools: [\n',
			says: [/^a\.example\.yaml:2:1: Cannot read YAML/],
		},
		{
			name: 'places an unknown key',
			yaml: 'pools: {}\npool: {}\n',
			says: [/^a\.example\.yaml:2:1: pool: Cannot .*pools/],
		},
		{
			name: 'places a bad value',
			yaml: 'pools:\n  eu:\n    endpoints:\n      - { name: a, addresses: [192.0.2.300] }\n',
			says: [/^a\.example\.yaml:4:32: pools\.eu\.endpoints\[0\]\.addresses\[0\]: /],
		},
		{
			name: 'tells of both files at once',
			zone: 'x IN A\n',
			yaml: 'pool: {}\n',
			says: [/^a\.example\.yaml:1:1/, /^a\.example\.zone:1:/],
		},
		{
			name: 'refuses __proto__ as an unknown key',
			yaml: '__proto__: {}\n',
			says: [/^a\.example\.yaml:1:1: .*__proto__/],
		},
		{ name: 'refuses a list as a document', yaml: '- a\n', says: [/^a\.example\.yaml:1:1: /] },
	] satisfies { name: string; zone?: string; yaml?: string; says: RegExp[] }[]) {
		it(name, (t) => {
			const files = { 'a.example.zone': zone, ...(yaml === undefined ? {} : { 'a.example.yaml': yaml }) };
			const directory = scratch(t, files);
			const [text] = loadDirectory(directory).zones;
			assert(text !== undefined);
			const read = readZone(text);
			const said = 'unit' in read ? [] : read.map((one) => printFileProblem(one).replaceAll(`${directory}/`, ''));
			assert.equal(said.length, says.length, said.join('\n'));
			for (const [i, expected] of says.entries()) assert.match(said[i] ?? '', expected);
		});
	}

	it('locates what a later check finds, in either file', (t) => {
		const yaml = 'pools:\n  eu:\n    endpoints: [{ name: a, addresses: [192.0.2.1] }]\n';
		const directory = scratch(t, { 'a.example.zone': GOOD_ZONE, 'a.example.yaml': yaml });
		const [text] = loadDirectory(directory).zones;
		assert(text !== undefined);
		const zone = readZone(text);
		assert('unit' in zone);
		assert.deepEqual(zone.locate({ line: 3 }), { file: join(directory, 'a.example.zone'), line: 3, column: 1 });
		assert.deepEqual(zone.locate({ path: ['pools', 'eu'] }), {
			file: join(directory, 'a.example.yaml'),
			line: 2,
			column: 3,
		});
	});

	it('has one digest for equal texts, and another for others', (t) => {
		const digest = (files: Readonly<Record<string, string>>) => {
			const [text] = loadDirectory(scratch(t, files)).zones;
			assert(text !== undefined);
			const zone = readZone(text);
			assert('unit' in zone);
			return zone.digest;
		};
		const good = digest({ 'a.example.zone': GOOD_ZONE });
		assert.equal(good, digest({ 'a.example.zone': GOOD_ZONE }));
		assert.notEqual(good, digest({ 'a.example.zone': `${GOOD_ZONE};\n` }));
		assert.notEqual(good, digest({ 'a.example.zone': GOOD_ZONE, 'a.example.yaml': '' }));
	});
});

describe('readCommon()', () => {
	it('is empty without a file', () => {
		const common = readCommon({ unit: 'common', zone: undefined, steering: undefined });
		assert('unit' in common);
		assert.equal(common.steering.pools.size, 0);
	});

	it('has no names of its own', (t) => {
		const directory = scratch(t, { 'common.yaml': 'names: { www: { policy: eu } }\n' });
		const common = readCommon(loadDirectory(directory).common);
		assert(!('unit' in common));
		assert.match(common.map(printFileProblem).join(), /common\.yaml:1:\d+: names/);
	});
});

function textsOf(files: readonly string[]): Readonly<Record<string, string>> {
	return Object.fromEntries(files.map((name) => [name, name.endsWith('.zone') ? GOOD_ZONE : '']));
}
