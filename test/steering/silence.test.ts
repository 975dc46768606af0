import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SteeringTable } from '../../src/steering/nodes.ts';
import { silencedNames } from '../../src/steering/silence.ts';
import { responderOf } from '../serve/responder-of.ts';

const GEO = { '25.0.0.0/8': { country: 'SE' }, '26.0.0.0/8': { country: 'NO' }, '2600::/12': { country: 'US' } };
const pool = (...addresses: readonly string[]) => ({ endpoints: [{ name: 'a', addresses }] });
const POOLS = {
	four: pool('192.0.2.1'),
	six: pool('2001:db8::1'),
	both: pool('192.0.2.2', '2001:db8::2'),
	passing: { ...pool('192.0.2.3'), noAddress: 'pass' },
	off: { ...pool('192.0.2.4'), state: 'down' },
};

function tableOf(policy: unknown): SteeringTable {
	const steering = { pools: POOLS, names: { x: { policy } } };
	return responderOf({ zones: [{ apex: 'example.org.', text: '', steering }], geo: GEO }).snapshot.steering;
}

const geo = (rules: Readonly<Record<string, unknown>>, fallback?: unknown) => ({
	kind: 'geo',
	rules: Object.entries(rules).map(([country, use]) => ({ match: { countries: [country] }, use })),
	...(fallback === undefined ? {} : { default: fallback }),
});

describe('silencedNames()', () => {
	for (const { name, before, after, lost } of [
		{
			name: 'is empty for what stays',
			before: geo({ SE: 'both' }),
			after: geo({ SE: 'four' }, 'both'),
			lost: { 6: ['25.0.0.0/8'] },
		},
		{ name: 'names nobody when a pool takes the place of another', before: 'four', after: 'both', lost: {} },
		{ name: 'names everybody when nothing is left', before: 'both', after: 'off', lost: { 4: [], 6: [] } },
		{
			name: 'names those of a rule that went',
			before: geo({ SE: 'four', NO: 'four' }),
			after: geo({ NO: 'four' }),
			lost: { 4: ['25.0.0.0/8'] },
		},
		{ name: 'names nobody when the default has them', before: geo({ SE: 'four' }), after: geo({}, 'four'), lost: {} },
		{
			name: 'names those that a default went from',
			before: geo({ SE: 'four' }, 'four'),
			after: geo({ SE: 'four' }),
			lost: { 4: 'others' },
		},
		{
			name: 'looks through policies inside policies',
			before: { kind: 'failover', members: [geo({ SE: 'four' }), 'four'] },
			after: { kind: 'failover', members: [geo({ SE: 'four' }), 'off'] },
			lost: { 4: 'others' },
		},
		{
			name: 'sees that failover steps over what is none',
			before: 'four',
			after: { kind: 'failover', members: ['off', geo({ SE: 'off' }), 'four'] },
			lost: {},
		},
		{ name: 'sees the family that a pool has not', before: 'both', after: 'six', lost: { 4: [] } },
		{
			name: 'sees that a pool passes',
			before: 'both',
			after: { kind: 'failover', members: ['passing', 'six'] },
			lost: {},
		},
	] as const) {
		it(name, () => {
			const found = silencedNames(tableOf(before), tableOf(after), new Set(['example.org. x']));
			assert.deepEqual(
				found.map(({ family }) => String(family)),
				Object.keys(lost),
			);
			for (const { family, networks } of found) {
				const expected = (lost as Readonly<Record<number, string | readonly string[]>>)[family];
				if (expected === 'others') assert(networks.length > 0 && !networks.includes('25.0.0.0/8'), networks.join());
				else assert.deepEqual(networks, expected);
			}
		});
	}

	it('looks at no other names', () => {
		assert.deepEqual(silencedNames(tableOf('both'), tableOf('off'), new Set()), []);
	});
});
