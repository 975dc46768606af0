/** A running instance whose geo databases are replaced by good ones and by broken ones. */

import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { writeMmdb } from '../mmdb-writer.ts';
import { askUdp, fetchJson, startInstance, until } from './meridian-process.ts';
import { GOOD_ZONE, scratch } from './scratch.ts';

const LIMIT_MS = 10_000;
/** Two looks at the files, and some patience. */
const LOOKS_MS = 25_000;

const YAML = [
	'pools:',
	'  us: { endpoints: [{ name: a, addresses: [192.0.2.1] }] }',
	'  eu: { endpoints: [{ name: b, addresses: [192.0.2.2] }] }',
	'policies: { p: { kind: geo, rules: [{ match: { countries: [US], asns: [7] }, use: us }], default: eu } }',
	'names: { x: { policy: p } }',
].join('\n');

const database = (country: string, metadata = {}) =>
	writeMmdb({ networks: { '8.0.0.0/8': { country_code: country } }, metadata });

async function setUp(t: TestContext) {
	const zonesDir = scratch(t, { 'a.example.zone': GOOD_ZONE, 'a.example.yaml': YAML });
	const path = join(scratch(t), 'geo.mmdb');
	writeFileSync(path, database('US'));
	const instance = await startInstance(t, { zonesDir, stateDir: scratch(t), more: [`--geodb=${path}`] });
	const answer = async () => {
		const { answer: records } = await askUdp(instance.port, { name: 'x.a.example', edns: { subnet: '8.8.8.0/24' } });
		return records[0]?.rdataText;
	};
	const body = async (at: string) => (await fetchJson(`${instance.admin}${at}`)).body;
	const metrics = async () => (await fetch(`${instance.admin}/metrics`)).text();
	return { instance, path, answer, body, metrics };
}

const US = '192.0.2.1';
const EU = '192.0.2.2';

describe('an instance whose geo database is replaced', { concurrency: 3 }, () => {
	it('takes the new one by itself', async (t) => {
		const { path, answer, instance, body } = await setUp(t);
		assert.equal(await answer(), US);
		writeFileSync(`${path}.new`, database('DE'));
		renameSync(`${path}.new`, path);
		await until('the new database', LOOKS_MS, async () => (await answer()) === EU);
		assert.match(instance.stderr, /"networkCount":1,"msg":"geo database in use"/);
		assert.partialDeepStrictEqual(await body('/readyz'), { degraded: [], generation: 2 });
	});

	it('takes it on SIGHUP at once, and what it is told of it is told', async (t) => {
		const { path, answer, instance, body, metrics } = await setUp(t);
		assert.match(instance.stderr, /"msg":"the geo database is \d+ days old"/);
		const nowSec = Math.floor(Date.now() / 1000);
		writeFileSync(path, database('DE', { build_epoch: nowSec - 5 * 86_400, database_type: 'Mine' }));
		instance.signal('SIGHUP');
		await until('the new database', LIMIT_MS, async () => (await answer()) === EU);
		assert.partialDeepStrictEqual(await body('/v1/geo'), {
			databases: [{ path, type: 'Mine', ageDays: 5, isOld: false, networks: 1, knows: ['country', 'continent'] }],
			lacks: ['subdivision', 'coordinates', 'asn'],
			suffering: [{ unit: 'a.example.', path: 'policies.p.rules[0].match.asns', needs: 'asn' }],
		});
		const page = await metrics();
		const labels = `\\{path="${path}",type="Mine"\\}`;
		assert.match(page, new RegExp(`^meridian_geodb_build_time_seconds${labels} ${nowSec - 5 * 86_400}$`, 'm'));
		assert.match(page, new RegExp(`^meridian_geodb_age_seconds${labels} 4320\\d\\d(\\.\\d+)?$`, 'm'));
		assert.match(page, new RegExp(`^meridian_geodb_networks${labels} 1$`, 'm'));
		assert.match(page, new RegExp(`^meridian_geodb_refused${labels} 0$`, 'm'));
	});

	const whole = database('DE');
	const broken: readonly { name: string; bytes: Uint8Array | undefined }[] = [
		{ name: 'nothing', bytes: new Uint8Array(0) },
		{ name: 'a text', bytes: Buffer.from('country,DE\n'.repeat(500)) },
		{ name: 'half of it', bytes: whole.subarray(0, whole.length / 2) },
		{ name: 'all but its end', bytes: whole.subarray(0, whole.length - 7) },
		{
			name: 'a tree with a cycle',
			bytes: writeMmdb({
				networks: {},
				edit: (tree) => {
					tree[0] = [0, 0];
				},
			}),
		},
		{
			name: 'records that point in a circle',
			bytes: writeMmdb({ networks: { '8.0.0.0/8': {} }, data: Buffer.from([0x20, 0x00]) }),
		},
		{
			name: 'lists of millions',
			bytes: writeMmdb({
				networks: { '8.0.0.0/8': {} },
				data: Buffer.alloc(500, Buffer.from([0x1f, 4, 255, 255, 255])),
			}),
		},
		{ name: 'a million nodes that are not there', bytes: database('DE', { node_count: 1e6 }) },
		{ name: 'no file', bytes: undefined },
	];
	it('answers with the old one whatever takes its place, and takes the next good one', async (t) => {
		const { path, answer, instance, body, metrics } = await setUp(t);
		for (const { name, bytes } of broken) {
			if (bytes === undefined) rmSync(path);
			else writeFileSync(path, bytes);
			const saidBefore = instance.stderr.length;
			instance.signal('SIGHUP');
			await until(name, LIMIT_MS, () =>
				/"msg":"the geo database was refused; what was used before goes on"[\s\S]*"msg":"zones loaded"/.test(
					instance.stderr.slice(saidBefore),
				),
			);
			assert.equal(await answer(), US, name);
			assert.match(JSON.stringify(await body('/readyz')), /"degraded":\["Cannot (use|read) the geo database/);
			assert.match(await metrics(), /^meridian_geodb_refused\{.*\} 1$/m);
		}
		writeFileSync(path, whole);
		instance.signal('SIGHUP');
		await until('the new database', LIMIT_MS, async () => (await answer()) === EU);
		assert.partialDeepStrictEqual(await body('/readyz'), { degraded: [] });
		assert.match(await metrics(), /^meridian_geodb_refused\{.*\} 0$/m);
	});
});
