/**
 * What a geo policy remembers of its rankings never shows: a world that has answered before answers as a new one does.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { all, failover, geo, pool, type Question, steer, sticky, World, weighted } from './steer.ts';

/** The first of each draw, so that only what was remembered could make a difference. */
const chance = { below: () => 0 };

const POOLS = {
	a: pool('a b:46 c:4'),
	b: pool('d e:6', { minHealthy: 2 }),
	c: pool('f:4', { noAddress: 'pass' }),
	d: pool('g', { onAllDown: 'servfail' }),
	client: pool('a d g', { by: 'client' }),
};
const NETWORKS = { one: ['1.0.0.0/8'], two: ['2.2.0.0/16', '2a00::/16'], three: ['3.3.3.0/24'] };
const CLIENTS = [
	'1.2.3.4',
	'2.2.1.1',
	'2.3.1.1',
	'3.3.3.3',
	'4.4.4.4',
	'2a00::1',
	'2b00::1',
	'2002:102:304::',
	'10.0.0.1',
];

const name = fc.constantFrom(...Object.keys(POOLS));
const policy = fc.letrec<{ node: unknown; inner: unknown }>((tie) => ({
	inner: fc.oneof(name, name, tie('node')),
	node: fc.oneof(
		{ depthSize: 'small', maxDepth: 3 },
		fc.tuple(tie('inner'), tie('inner')).map((members) => failover(...members)),
		fc.tuple(tie('inner'), tie('inner')).map((members) => ({ ...failover(...members), trickle: '5%' })),
		fc.tuple(tie('inner'), tie('inner')).map(([one, two]) => weighted([one, 1], [two, 2])),
		fc.tuple(tie('inner'), tie('inner')).map(([one, two]) => sticky([one, 1], [two, 2])),
		fc.tuple(tie('inner'), tie('inner')).map((members) => all(...members)),
		fc.tuple(tie('inner'), tie('inner'), fc.option(tie('inner'))).map(([one, two, other]) => map(one, two, other)),
	),
})).inner;

function map(one: unknown, two: unknown, other: unknown): unknown {
	const rules = [
		{ match: { networks: ['one'] }, use: one },
		{ match: { networks: ['two'] }, use: two },
		{ match: { networks: ['three'] }, use: failover(two, one) },
	];
	return geo(rules, other ?? undefined);
}

const question = fc.record({
	client: fc.constantFrom(...CLIENTS),
	resolver: fc.constantFrom(...CLIENTS),
	family: fc.constantFrom(4 as const, 6 as const),
	owner: fc.constantFrom('www', 'beside'),
});
const step = fc.oneof(
	question.map((asked) => ({ asked })),
	fc.record({
		endpoint: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
		vote: fc.constantFrom('up' as const, 'down' as const, 'unknown' as const, 'waiting' as const),
	}),
);

function told(world: World, asked: Question & { readonly owner: string }): readonly unknown[] {
	const { owner } = asked;
	return [world.ask(owner, asked), world.ttlSec(owner, asked), world.scope(owner, asked), world.walk.hasSeenStale];
}

describe('a geo policy that has answered before', () => {
	it('answers as one that has not', () => {
		fc.assert(
			fc.property(
				policy,
				policy,
				fc.option(policy),
				fc.array(step, { minLength: 5, maxLength: 30 }),
				(one, two, other, steps) => {
					const names = { www: { policy: 'inner' }, beside: { policy: all(...Object.keys(POOLS), 'inner') } };
					const world = steer({
						zone: { pools: POOLS, networks: NETWORKS, policies: { inner: map(one, two, other) }, names },
						chance,
					});
					const { verdicts } = world.walk.health;
					for (const now of steps) {
						if ('asked' in now) {
							const fresh = new World(world.compiled, chance);
							fresh.walk.health.verdicts.set(verdicts);
							assert.deepEqual(told(world, now.asked), told(fresh, now.asked));
						} else {
							world.set(now.endpoint, now.vote);
						}
					}
				},
			),
		);
	});
});
