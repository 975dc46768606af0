import assert from 'node:assert/strict';
import { renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ageWarning, geoReport } from '../../src/roles/geo-report.ts';
import { GeodbKeeper } from '../../src/roles/geodb.ts';
import { placeAt } from '../geo/oracle.ts';
import { addressOf, writeMmdb } from '../mmdb-writer.ts';
import { scratch } from './scratch.ts';

const database = (country: string) => writeMmdb({ networks: { '1.0.0.0/8': { country_code: country } } });

function setUp(t: TestContext) {
	const directory = scratch(t);
	const path = join(directory, 'a.mmdb');
	const other = join(directory, 'b.mmdb');
	writeFileSync(path, database('DE'));
	writeFileSync(other, writeMmdb({ networks: { '1.2.0.0/16': { asn: 'AS7' } } }));
	const told: string[] = [];
	const keeper = new GeodbKeeper([path, other], (where, reason) => told.push(`${where} ${reason}`));
	/** Look, take what is new, and tell where 1.2.3.4 is. */
	const look = (isSettled = true) => {
		const update = keeper.look({ isSettled });
		if (update !== undefined) keeper.accept(update);
		const { country, asn } = placeAt(keeper.data, addressOf('1.2.3.4'));
		return `${country} ${asn}`;
	};
	/** Other content of the same length and times is seen too. */
	const replace = (octets: Uint8Array, at = path) => {
		writeFileSync(`${at}.new`, octets);
		renameSync(`${at}.new`, at);
	};
	return { path, other, keeper, told, look, replace };
}

describe('GeodbKeeper', () => {
	it('has nothing new while nothing changes', (t) => {
		const { keeper } = setUp(t);
		for (let i = 0; i < 3; i++) assert.equal(keeper.look({ isSettled: true }), undefined);
	});

	it('takes a new file at the second look, one file of several', (t) => {
		const { look, replace, told } = setUp(t);
		replace(database('FR'));
		assert.deepEqual([look(), look(), look()], ['DE 7', 'FR 7', 'FR 7']);
		assert.deepEqual(told, []);
	});

	it('takes it at once when told so', (t) => {
		const { look, replace } = setUp(t);
		replace(database('FR'));
		assert.equal(look(false), 'FR 7');
	});

	it('waits while a file grows, and never takes a part of it', (t) => {
		const { look, path, told, keeper } = setUp(t);
		const whole = database('FR');
		for (let part = 0; part < 16; part++) {
			writeFileSync(path, whole.subarray(0, (whole.length * part) / 16));
			assert.equal(look(), 'DE 7');
		}
		assert.deepEqual(told, []);
		assert.equal(look(), 'DE 7');
		assert.match(told.join(), /not a whole one|a length that cannot be/);
		assert.equal(keeper.refused.size, 1);
		writeFileSync(path, whole);
		assert.deepEqual([look(), look()], ['DE 7', 'FR 7']);
		assert.equal(keeper.refused.size, 0);
	});

	for (const { name, damage } of [
		{ name: 'is empty', damage: (path: string) => writeFileSync(path, '') },
		{ name: 'is truncated', damage: (path: string) => truncateSync(path, 700) },
		{ name: 'is a text', damage: (path: string) => writeFileSync(path, 'country,DE\n') },
		{ name: 'is gone', damage: (path: string) => rmSync(path) },
		{
			name: 'has a cycle',
			damage: (path: string) =>
				writeFileSync(
					path,
					writeMmdb({
						networks: {},
						ipVersion: 4,
						edit: (tree) => {
							tree[0] = [0, 0];
						},
					}),
				),
		},
	]) {
		it(`keeps the old one when the new one ${name}, says so, and takes the next good one`, (t) => {
			const { look, path, told, keeper, replace } = setUp(t);
			damage(path);
			assert.deepEqual([look(), look(), look(), look()], ['DE 7', 'DE 7', 'DE 7', 'DE 7']);
			assert.equal(told.length, 1, told.join('\n'));
			assert.ok(told[0]?.startsWith(`${path} Cannot `));
			assert.equal(keeper.refused.get(path), told[0]?.slice(path.length + 1));
			assert.equal(look(false), 'DE 7');
			assert.equal(told.length, 2, 'who asks for a look is told each time');
			replace(database('FR'));
			assert.deepEqual([look(), look()], ['DE 7', 'FR 7']);
			assert.equal(keeper.refused.size, 0);
		});
	}

	it('takes a good file while another is refused', (t) => {
		const { look, path, other, replace, keeper } = setUp(t);
		writeFileSync(path, 'nothing');
		replace(writeMmdb({ networks: { '1.2.0.0/16': { asn: 'AS8' } } }), other);
		assert.deepEqual([look(), look()], ['DE 7', 'DE 8']);
		assert.deepEqual([...keeper.refused.keys()], [path]);
	});

	it('builds nothing anew for the same content, written again', (t) => {
		const { keeper, path } = setUp(t);
		writeFileSync(path, database('DE'));
		utimesSync(path, 1, 1);
		for (let i = 0; i < 3; i++) assert.equal(keeper.look({ isSettled: true }), undefined);
		assert.equal(keeper.refused.size, 0);
	});

	it('does not offer again what was refused by whoever asked, until it changes', (t) => {
		const { keeper, path, replace, told, look } = setUp(t);
		replace(database('FR'));
		const update = keeper.look({ isSettled: false }) ?? assert.fail();
		keeper.refuse(update, 'not with these zones');
		assert.deepEqual(told, [`${path} not with these zones`]);
		assert.equal(keeper.look({ isSettled: true }), undefined);
		assert.equal(keeper.refused.get(path), 'not with these zones');
		replace(database('SE'));
		assert.deepEqual([look(), look()], ['DE 7', 'SE 7']);
		assert.equal(keeper.refused.size, 0);
	});

	it('refuses to begin with a file that cannot be used', (t) => {
		const { path } = setUp(t);
		writeFileSync(path, 'nothing');
		assert.throws(() => new GeodbKeeper([path], () => {}), /^Error: Cannot use the geo database .*a\.mmdb: /);
	});
});

describe('geoReport()', () => {
	const DAY_MS = 86_400_000;
	const needs = [
		{ unit: 'common', path: ['policies', 'p', 'rules', 0, 'match', 'subdivisions'], needs: 'subdivision' },
		{ unit: 'a.example.', path: ['policies', 'near'], needs: 'coordinates' },
		{ unit: 'a.example.', path: ['policies', 'q'], needs: 'asn' },
		{ unit: 'a.example.', path: ['policies', 'r'], needs: 'country' },
	] as const;

	it('tells what there is, what it lacks, and who suffers', (t) => {
		const { keeper, path, other, replace, look } = setUp(t);
		replace(Buffer.from('nothing'));
		look(false);
		const builtAtMs = keeper.files[0].builtAt?.getTime() ?? 0;
		const report = geoReport(keeper, needs, builtAtMs + 61 * DAY_MS);
		const built = {
			builtAt: '2023-11-14T22:13:20.000Z',
			ageDays: 61,
			isOld: true,
			ipVersion: 6,
			networks: 1,
			type: 'Test',
		};
		assert.deepEqual(report, {
			databases: [
				{
					...built,
					path,
					knows: ['country', 'continent'],
					lacks: ['subdivision', 'coordinates', 'asn'],
					refused: keeper.refused.get(path),
				},
				{
					...built,
					path: other,
					knows: ['asn'],
					lacks: ['country', 'continent', 'subdivision', 'coordinates'],
					refused: undefined,
				},
			],
			lacks: ['subdivision', 'coordinates'],
			suffering: [
				{
					unit: 'common',
					path: 'policies.p.rules[0].match.subdivisions',
					needs: 'subdivision',
					effect: 'no client is known to be in a subdivision: these never match',
				},
				{
					unit: 'a.example.',
					path: 'policies.near',
					needs: 'coordinates',
					effect: 'every client counts as being where the people of its country are on average',
				},
			],
		});
	});

	for (const { days, says } of [
		{ days: 0, says: undefined },
		{ days: 60, says: undefined },
		{ days: 61, says: 'the geo database is 61 days old' },
	]) {
		it(`${says === undefined ? 'does not warn' : 'warns'} after ${days} days`, (t) => {
			const [file] = setUp(t).keeper.files;
			assert.equal(ageWarning(file, (file.builtAt?.getTime() ?? 0) + days * DAY_MS), says);
		});
	}

	it('does not warn of a file that does not say how old it is', (t) => {
		const [file] = setUp(t).keeper.files;
		assert.equal(ageWarning({ ...file, builtAt: undefined }, 1e15), undefined);
	});
});
