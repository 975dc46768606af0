import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { printPath } from '../../src/lib/result.ts';
import { readSteering } from '../../src/model/check-document.ts';
import type { SteeringDocument } from '../../src/model/steering.ts';
import { dataNeeds } from '../../src/steering/data-needs.ts';
import { failover, geo, latency, pool, weighted } from './steer.ts';

type Keys = Readonly<Record<string, unknown>>;

const rule = (match: object, use: unknown = 'a') => ({ match, use });

function documentOf(value: Keys, kind: 'common' | 'zone'): SteeringDocument {
	const result = readSteering(
		{ monitors: { m: { kind: 'tcp', port: 80 } }, pools: { [kind]: pool('x') }, ...value },
		kind,
	);
	return result.ok ? result.value : assert.fail(JSON.stringify(result.problems));
}

describe('dataNeeds()', () => {
	for (const { name, zone = {}, common = {}, needs } of [
		{ name: 'is empty without policies', needs: [] },
		{
			name: 'is empty for policies that look at nobody',
			zone: { policies: { p: failover('a', weighted(['b', 1])), q: latency('a') }, names: { www: { policy: 'p' } } },
			needs: [],
		},
		{ name: 'is empty for networks', zone: { policies: { p: geo([rule({ networks: ['n'] })], 'a') } }, needs: [] },
		{
			name: 'has each list of a match',
			zone: {
				policies: {
					p: geo(
						[rule({ countries: ['DE'], continents: ['EU'] }), rule({ subdivisions: ['US-CA'], asns: [64496] })],
						'a',
					),
				},
			},
			needs: [
				'example.org. policies.p.rules[0].match.countries country',
				'example.org. policies.p.rules[0].match.continents continent',
				'example.org. policies.p.rules[1].match.subdivisions subdivision',
				'example.org. policies.p.rules[1].match.asns asn',
			].sort(),
		},
		{
			name: 'looks into places, of the zone and of common',
			zone: { places: { own: { asns: [7] } }, policies: { p: geo([rule({ places: ['own', 'shared', 'none'] })]) } },
			common: { places: { shared: { countries: ['DE'], subdivisions: ['US-CA'] }, own: { countries: ['FR'] } } },
			needs: [
				'example.org. policies.p.rules[0].match.places[0] asn',
				'example.org. policies.p.rules[0].match.places[1] country',
				'example.org. policies.p.rules[0].match.places[1] subdivision',
			],
		},
		{
			name: 'looks into policies in place, wherever they stand',
			zone: {
				policies: {
					p: failover(
						'a',
						weighted([geo([rule({ asns: [7] }, geo([rule({ countries: ['DE'] })]))], geo([rule({ asns: [8] })])), 1]),
					),
				},
				names: { www: { policy: latency(geo([rule({ continents: ['EU'] })])) } },
			},
			needs: [
				'example.org. names.www.policy.members[0].rules[0].match.continents continent',
				'example.org. policies.p.members[1].members[0].use.default.rules[0].match.asns asn',
				'example.org. policies.p.members[1].members[0].use.rules[0].match.asns asn',
				'example.org. policies.p.members[1].members[0].use.rules[0].use.rules[0].match.countries country',
			],
		},
		{
			name: 'has the distance of a policy by proximity, and looks into its members',
			zone: {
				policies: {
					near: {
						kind: 'proximity',
						members: ['a', { use: geo([rule({ asns: [7] })]), region: 'r' }, geo([rule({ asns: [8] })])],
					},
				},
			},
			needs: [
				'example.org. policies.near coordinates',
				'example.org. policies.near.members[1].use.rules[0].match.asns asn',
				'example.org. policies.near.members[2].rules[0].match.asns asn',
			],
		},
		{
			name: 'has policies of common once, where they stand',
			zone: { names: { www: { policy: 'p' }, api: { policy: 'p' } } },
			common: { policies: { p: geo([rule({ asns: [7] })]) } },
			needs: ['common policies.p.rules[0].match.asns asn'],
		},
	] as readonly { name: string; zone?: Keys; common?: Keys; needs: readonly string[] }[]) {
		it(name, () => {
			const units = [
				{ unit: 'common', document: documentOf(common, 'common') },
				{ unit: 'example.org.', document: documentOf(zone, 'zone') },
			];
			const found = dataNeeds(units).map(({ unit, path, needs: field }) => `${unit} ${printPath(path)} ${field}`);
			assert.deepEqual(found.sort(), needs);
		});
	}
});
