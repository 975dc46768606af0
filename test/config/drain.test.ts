import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { namesLeadingTo, remainingShare, type UnitDocument } from '../../src/config/drain.ts';
import { readYaml } from '../../src/config/yaml-document.ts';
import { readSteering } from '../../src/model/check-document.ts';

function unitOf(unit: string, text: string): UnitDocument {
	const read = readSteering(readYaml(text).value, unit === 'common' ? 'common' : 'zone');
	assert(read.ok, JSON.stringify(read));
	return { unit, document: read.value };
}

const pool = 'endpoints: [{ name: a, addresses: [192.0.2.1] }]';
const units = [
	unitOf('common', `pools: { shared: { ${pool} } }\npolicies: { all: { kind: all, members: [shared] } }\n`),
	unitOf(
		'a.',
		`
pools: { eu: { ${pool} }, us: { ${pool} } }
policies:
  geo: { kind: geo, rules: [{ match: { continents: [EU] }, use: eu }], default: { kind: failover, members: [us, all] } }
  near: { kind: proximity, members: [us, { use: geo, bias: 5 }] }
  loop: { kind: all, members: [loop, eu] }
names:
  www: { policy: geo }
  near: { policy: near, ttl: 60s }
  us: { policy: us }
  wide: { policy: { kind: weighted, members: [{ use: all }] } }
  loop: { policy: loop }
`,
	),
	unitOf('b.', `pools: { eu: { ${pool} } }\nnames: { www: { policy: eu }, all: { policy: shared } }\n`),
];

describe('namesLeadingTo()', () => {
	for (const { unit, pool: name, names } of [
		{ unit: 'a.', pool: 'eu', names: ['a. www', 'a. near', 'a. loop'] },
		{ unit: 'a.', pool: 'us', names: ['a. www', 'a. near', 'a. us'] },
		{ unit: 'b.', pool: 'eu', names: ['b. www'] },
		{ unit: 'common', pool: 'shared', names: ['a. www', 'a. near', 'a. wide', 'b. all'] },
		{ unit: 'a.', pool: 'nothing', names: [] },
	]) {
		it(`finds ${names.length} for ${name} of ${unit}`, () => {
			const found = namesLeadingTo(units, [{ unit, pool: name }]);
			assert.deepEqual(
				found.map((one) => `${one.unit} ${one.name}`),
				names,
			);
		});
	}
});

describe('remainingShare()', () => {
	for (const { ttls, elapsed, share } of [
		{ ttls: [], elapsed: 0, share: 0 },
		{ ttls: [30], elapsed: 0, share: 1 },
		{ ttls: [30], elapsed: 15, share: 0.5 },
		{ ttls: [30], elapsed: 31, share: 0 },
		{ ttls: [30, 60], elapsed: 30, share: 0.25 },
		{ ttls: [0], elapsed: 0, share: 0 },
		{ ttls: [30], elapsed: -5, share: 1 },
	])
		it(`is ${share} after ${elapsed} s of TTLs [${ttls}]`, () => assert.equal(remainingShare(ttls, elapsed), share));
});
