/**
 * Sticky choices: which clients move when members change, what one client is, and that every instance chooses
 * alike, whatever else it serves and in which order its documents list things.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createChance } from '../../src/lib/chance.ts';
import { compileZones, failover, geo, latency, pool, problemsOf, steer, sticky, World, weighted } from './steer.ts';

type Keys = Readonly<Record<string, unknown>>;

const CLIENTS = Array.from({ length: 20_000 }, (_, i) => `${4 + (i % 200)}.${(i >>> 8) & 255}.${(7 * i) & 255}.9`);
const choices = (world: World, owner = 'www') => CLIENTS.map((client) => world.ask(owner, { client }));

/** Weights by member name. */
type Weights = Readonly<Record<string, number>>;

const TWENTY: Weights = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`e${i}`, 1 + (i % 3)]));
const without = (name: string) => Object.fromEntries(Object.entries(TWENTY).filter(([key]) => key !== name));

const WAYS: Readonly<Record<string, (weights: Weights) => Keys>> = {
	'a policy': (weights) => ({
		pools: Object.fromEntries(Object.keys(weights).map((name) => [name, pool(name)])),
		names: { www: { policy: sticky(...Object.entries(weights)) } },
	}),
	'a policy of policies in place': (weights) => ({
		pools: { ...Object.fromEntries(Object.keys(weights).map((name) => [name, pool(name)])), x: pool('x') },
		names: {
			www: {
				policy: failover(
					sticky(...Object.entries(weights).map(([name, weight]) => [failover(name, 'x'), weight] as const)),
					'x',
				),
			},
		},
	}),
	'a pool': (weights) => ({
		pools: {
			p: pool(
				Object.keys(weights).join(' '),
				{ by: 'client' },
				Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, { weight }])),
			),
		},
		names: { www: { policy: 'p' } },
	}),
};

const total = (weights: Weights) => Object.values(weights).reduce((sum, weight) => sum + weight, 0);
const share = (weights: Weights, name: string) => (weights[name] ?? 0) / total(weights);

for (const [way, zoneOf] of Object.entries(WAYS)) {
	describe(`${way}, sticky, of 20 members`, () => {
		for (const { does, name, after } of [
			{ does: 'gains one', name: 'e20', after: { ...TWENTY, e20: 2 } },
			{ does: 'gains one in front', name: 'e20', after: { e20: 5, ...TWENTY } },
			{ does: 'gains one that takes half', name: 'e20', after: { ...TWENTY, e20: total(TWENTY) } },
			{ does: 'loses the first', name: 'e0', after: without('e0') },
			{ does: 'loses one in the middle', name: 'e9', after: without('e9') },
			{ does: 'loses the last', name: 'e19', after: without('e19') },
			{ does: 'gives one more weight', name: 'e5', after: { ...TWENTY, e5: 12 } },
			{ does: 'gives one less weight', name: 'e5', after: { ...TWENTY, e5: 1 } },
			{ does: 'gives one no weight', name: 'e5', after: { ...TWENTY, e5: 0 } },
		]) {
			it(`${does}, and moves those alone who come to it or leave it`, () => {
				const before = choices(steer({ zone: zoneOf(TWENTY) }));
				const now = choices(steer({ zone: zoneOf(after) }));
				const moved = CLIENTS.flatMap((_, i) => (before[i] === now[i] ? [] : [[before[i], now[i]]]));
				const grows = share(after, name) > share(TWENTY, name);
				for (const pair of moved) assert.equal(pair[grows ? 1 : 0], name, pair.join(' -> '));
				const expected = CLIENTS.length * Math.abs(share(after, name) - share(TWENTY, name));
				assert.ok(Math.abs(moved.length - expected) < 5 * Math.sqrt(expected), `${moved.length} for ${expected}`);
			});
		}

		it('moves those of a member that is down alone, and has them back', () => {
			const world = steer({ zone: zoneOf(TWENTY) });
			const before = choices(world);
			world.set('e7', 'down');
			const meanwhile = choices(world);
			for (const [i, name] of before.entries()) assert.equal(meanwhile[i] !== name, name === 'e7');
			world.set('e7', 'up');
			assert.deepEqual(choices(world), before);
		});
	});
}

describe('an endpoint of several addresses in a sticky pool', () => {
	const addresses = ['198.51.100.1', '198.51.100.2', '198.51.100.3'];
	const worldOf = (own: readonly string[]) =>
		steer({
			zone: {
				pools: { p: { by: 'client', endpoints: [{ name: 'e', addresses: own }] } },
				names: { www: { policy: 'p' } },
			},
		});
	/** The address that each client gets. */
	const pickedBy = (own: readonly string[]) => {
		const answers: Readonly<Record<string, string>> = { e: own[0] ?? '', 'e.1': own[1] ?? '', 'e.2': own[2] ?? '' };
		return choices(worldOf(own)).map((answer) => answers[answer]);
	};

	it('keeps clients where they are when an address goes', () => {
		const before = pickedBy(addresses);
		const now = pickedBy(addresses.slice(1));
		for (const [i, address] of before.entries())
			assert.equal(now[i] !== address, address === addresses[0], `${CLIENTS[i]}`);
	});

	it('does not care for their order', () => {
		assert.deepEqual(pickedBy([...addresses].reverse()), pickedBy(addresses));
	});
});

describe('one client', () => {
	const world = steer({
		zone: {
			pools: {
				p: pool('a b c d e f g h', { by: 'client' }),
				...Object.fromEntries([...'ijkl'].map((n) => [n, pool(n)])),
			},
			names: { pool: { policy: 'p' }, policy: { policy: sticky(['i', 1], ['j', 1], ['k', 1], ['l', 1]) } },
		},
	});
	const octet = fc.integer({ min: 0, max: 255 });
	const group = fc.integer({ min: 0, max: 0xffff }).map((number) => number.toString(16));
	const asks = (owner: string, client: string) => world.ask(owner, { client });

	for (const owner of ['pool', 'policy']) {
		it(`is a /24 of IPv4, for a ${owner}`, () => {
			fc.assert(
				fc.property(octet, octet, octet, octet, octet, (a, b, c, d, e) => {
					assert.equal(asks(owner, `${a}.${b}.${c}.${d}`), asks(owner, `${a}.${b}.${c}.${e}`));
				}),
			);
		});

		it(`is a /56 of IPv6, for a ${owner}`, () => {
			fc.assert(
				fc.property(group, group, octet, octet, octet, group, (b, c, d, e, f, rest) => {
					const of = (low: number) => `2a01:${b}:${c}:${(256 * d + low).toString(16)}::${rest}`;
					assert.equal(asks(owner, of(e)), asks(owner, of(f)));
				}),
			);
		});

		it(`is the same in whatever carries its IPv4 address, for a ${owner}`, () => {
			fc.assert(
				fc.property(octet, octet, octet, octet, (a, b, c, d) => {
					const hex = (...octets: number[]) => octets.map((one) => one.toString(16).padStart(2, '0')).join('');
					const plain = asks(owner, `${a}.${b}.${c}.${d}`);
					assert.equal(asks(owner, `::ffff:${a}.${b}.${c}.${d}`), plain);
					assert.equal(asks(owner, `64:ff9b::${hex(a, b)}:${hex(c, d)}`), plain);
					assert.equal(asks(owner, `2002:${hex(a, b)}:${hex(c, d)}:1::2`), plain);
					assert.equal(asks(owner, `2001:0:1:2:3:4:${hex(255 - a, 255 - b)}:${hex(255 - c, 255 - d)}`), plain);
				}),
			);
		});
	}

	it('is told apart from its neighbours', () => {
		const seen = new Set(Array.from({ length: 200 }, (_, i) => asks('pool', `9.9.${i}.1`)));
		assert.equal(seen.size, 8);
		const seen6 = new Set(Array.from({ length: 200 }, (_, i) => asks('pool', `2a01:0:0:${(i << 8).toString(16)}::1`)));
		assert.equal(seen6.size, 8);
	});

	it('gets the same for A and AAAA', () => {
		for (const client of CLIENTS.slice(0, 200))
			for (const owner of ['pool', 'policy'])
				assert.equal(world.ask(owner, { client, family: 6 }), world.ask(owner, { client, family: 4 }));
	});

	it('is decided by no draw and no other client', () => {
		const zone = { pools: { p: pool('a b c d', { by: 'client', answers: 2 }) }, names: { www: { policy: 'p' } } };
		const forwards = choices(steer({ zone, chance: createChance(1) }));
		const other = steer({ zone, chance: createChance(2) });
		const backwards = [...CLIENTS].reverse().map((client) => other.ask('www', { client }));
		assert.deepEqual(backwards.reverse(), forwards);
	});
});

describe('two instances choose alike', () => {
	const names = [...'abcdef'];
	const monitors = { m: { kind: 'tcp', port: 80 } };
	const networks = { low: ['0.0.0.0/2'], middle: ['64.0.0.0/2'] };
	const rule = (network: string, use: unknown) => ({ match: { networks: [network] }, use });
	/** The document of a zone, with lists and tables in the one order or in the other. */
	const zoneOf = (isReversed: boolean): Keys => {
		const turn = <T>(list: readonly T[]) => (isReversed ? [...list].reverse() : [...list]);
		const inPlace = [
			failover('a', 'b'),
			failover('b', 'a'),
			weighted(
				...turn([
					['c', 2],
					['d', 1],
				] as const),
			),
		];
		const rules = [
			rule(
				'low',
				sticky(
					...turn([
						['a', 1],
						['b', 2],
						['c', 3],
					] as const),
				),
			),
			rule(
				'middle',
				sticky(
					...turn([
						['d', 1],
						['e', 1],
					] as const),
				),
			),
		];
		return {
			monitors,
			networks,
			pools: Object.fromEntries([
				...turn(names).map((name) => [name, pool(name)]),
				['many', pool(turn(names).join(' '), { by: 'client', answers: 3 }, { c: { weight: 5 } })],
			]),
			policies: Object.fromEntries(turn([['named', sticky(...turn(names.map((name, i) => [name, i + 1] as const)))]])),
			names: Object.fromEntries(
				turn([
					['pool', { policy: 'many' }],
					['named', { policy: 'named' }],
					['own', { policy: sticky(...turn(names.map((name) => [name, 1] as const))) }],
					['geo', { policy: geo(turn(rules), 'named') }],
					['twins', { policy: sticky(...turn(inPlace.slice(0, 2).map((use) => [use, 1] as const))) }],
					[
						'deep',
						{
							policy: failover(
								sticky(
									[latency('e', 'f'), 1],
									...turn([
										['a', 1],
										['b', 1],
									] as const),
								),
								'd',
							),
						},
					],
				]),
			),
		};
	};
	const worldOf = (zones: readonly { unit: string; value: Keys }[], common: Keys, seed: number) => {
		const compiled = compileZones(zones, common);
		assert.deepEqual(problemsOf(compiled), []);
		return new World(compiled, createChance(seed));
	};
	const plain = worldOf([{ unit: 'example.org.', value: zoneOf(false) }], {}, 1);
	const others = (zone: string): Keys => ({
		monitors,
		pools: { many: pool('z y x', { by: 'client' }), named: pool('a') },
		names: { [`www-${zone}`]: { policy: sticky(['many', 1], ['named', 1]) } },
	});
	const turned = worldOf(
		[
			{ unit: 'example.net.', value: others('net') },
			{ unit: 'example.org.', value: zoneOf(true) },
			{ unit: 'example.com.', value: others('com') },
		],
		{ networks: { unused: ['10.0.0.0/8'] }, pools: { spare: pool('q', { monitor: undefined }) } },
		2,
	);

	for (const owner of ['pool', 'named', 'own', 'geo', 'twins', 'deep']) {
		it(`for ${owner}`, () => {
			const chosen = choices(plain, owner);
			assert.ok(new Set(chosen).size > 1);
			assert.deepEqual(choices(turned, owner), chosen);
		});
	}

	it('and so does a policy in common, whichever zone uses it', () => {
		const common = { pools: { a: pool('a'), b: pool('b') }, monitors, policies: { half: sticky(['a', 1], ['b', 1]) } };
		const world = worldOf(
			[
				{ unit: 'example.org.', value: { names: { www: { policy: 'half' } } } },
				{ unit: 'example.net.', value: { names: { api: { policy: 'half' } } } },
			],
			common,
			1,
		);
		assert.deepEqual(choices(world, 'www'), choices(world, 'api'));
	});
});
