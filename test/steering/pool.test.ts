import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { pool, steer } from './steer.ts';

type Keys = Readonly<Record<string, unknown>>;

interface Case {
	readonly name: string;
	readonly endpoints: string;
	readonly keys?: Keys;
	readonly byName?: Readonly<Record<string, Keys>>;
	/** Endpoints that are down, in the words of World.set(). */
	readonly down?: string;
	readonly family?: 4 | 6;
	/** All answers that come, each sorted, told apart by `|`; a second pool `b`... stands behind as `next`. */
	readonly gives: string;
}

/** A failover to `next` shows the verdict: whoever answers, the pool was down or none. */
function answersOf({ endpoints, keys, byName, down = '', family = 4 }: Case, isAlone: boolean): string {
	const world = steer({
		zone: {
			pools: { p: pool(endpoints, keys, byName), next: pool('next') },
			names: { www: { policy: isAlone ? 'p' : { kind: 'failover', members: ['p', 'next'] } } },
		},
	});
	for (const endpoint of down.split(' ')) if (endpoint !== '') world.set(endpoint, 'down');
	const sorted = Object.keys(world.count('www', 200, { family })).map((answer) => answer.split(' ').sort().join(' '));
	return [...new Set(sorted)].sort().join('|');
}

function each(cases: readonly Case[], isAlone: boolean): void {
	for (const one of cases) it(one.name, () => assert.equal(answersOf(one, isAlone), one.gives));
}

describe('the verdict of a pool', () => {
	each(
		[
			{ name: 'is up while nothing is known', endpoints: 'a b', gives: 'a|b' },
			{ name: 'is up with one endpoint left', endpoints: 'a b', down: 'a', gives: 'b' },
			{ name: 'is down with none left', endpoints: 'a b', down: 'a b', gives: 'next' },
			{ name: 'is up for the family that is', endpoints: 'a', down: 'a/6', gives: 'a' },
			{ name: 'is down for the family that is', endpoints: 'a', down: 'a/6', family: 6, gives: 'next' },
			{ name: 'leaves out an endpoint without the family', endpoints: 'a:4 b:6', down: 'b', gives: 'a' },
			{ name: 'counts endpoints of the family alone', endpoints: 'a:4 b:6', down: 'a', gives: 'next' },
			{ name: 'is down below minHealthy', endpoints: 'a b c', keys: { minHealthy: 2 }, down: 'a b', gives: 'next' },
			{ name: 'is up at minHealthy', endpoints: 'a b c', keys: { minHealthy: 2 }, down: 'a', gives: 'b|c' },
			{ name: 'asks for no more than there are', endpoints: 'a b', keys: { minHealthy: 9 }, gives: 'a|b' },
			{
				name: 'asks for all, if minHealthy is above',
				endpoints: 'a b',
				keys: { minHealthy: 9 },
				down: 'a',
				gives: 'next',
			},
			{ name: 'rounds a share up', endpoints: 'a b c', keys: { minHealthy: '50%' }, down: 'a b', gives: 'next' },
			{ name: 'is up at its share', endpoints: 'a b c d', keys: { minHealthy: '50%' }, down: 'a b', gives: 'c|d' },
			{
				name: 'takes a share of the family',
				endpoints: 'a b c:6 d:6',
				keys: { minHealthy: '50%' },
				down: 'a',
				gives: 'b',
			},
			{ name: 'is down with both addresses of its endpoint', endpoints: 'a:44', down: 'a', gives: 'next' },
			{
				name: 'counts an endpoint with one address left',
				endpoints: 'a:44',
				keys: { minHealthy: 1 },
				down: 'a.0',
				gives: 'a.1',
			},
			{ name: 'has no probe to believe without a monitor', endpoints: 'a', keys: { monitor: undefined }, gives: 'a' },
		],
		false,
	);

	for (const { name, votes, gives } of [
		{ name: 'is up when all monitors say so', votes: { m: 'up', n: 'up' }, gives: 'a' },
		{ name: 'is down when the first says so', votes: { m: 'down', n: 'up' }, gives: 'next' },
		{ name: 'is down when the second says so', votes: { m: 'up', n: 'down' }, gives: 'next' },
		{ name: 'is up when one does not know', votes: { m: 'up', n: 'unknown' }, gives: 'a' },
	] as const) {
		it(`of two monitors ${name}`, () => {
			const world = steer({
				zone: {
					pools: { p: pool('a', { monitor: ['m', 'n'] }), next: pool('next') },
					names: { www: { policy: { kind: 'failover', members: ['p', 'next'] } } },
				},
			});
			world.set('a', votes.m, 'm').set('a', votes.n, 'n');
			assert.equal(world.ask('www'), gives);
		});
	}
});

describe('what operators say of a pool', () => {
	const states = (...pairs: readonly (readonly [string, string])[]) =>
		Object.fromEntries(pairs.map(([name, state]) => [name, { state }]));
	each(
		[
			{ name: 'takes a down endpoint out', endpoints: 'a b', byName: states(['a', 'down']), gives: 'b' },
			{ name: 'takes a drained endpoint out', endpoints: 'a b', byName: states(['a', 'drain']), gives: 'b' },
			{
				name: 'keeps an endpoint in that probes see down',
				endpoints: 'a b',
				byName: states(['a', 'up']),
				down: 'a b',
				gives: 'a',
			},
			{
				name: 'counts a down endpoint as failed',
				endpoints: 'a b',
				keys: { minHealthy: 2 },
				byName: states(['a', 'down']),
				gives: 'next',
			},
			{
				name: 'counts a drained endpoint as absent',
				endpoints: 'a b',
				keys: { minHealthy: 2 },
				byName: states(['a', 'drain']),
				gives: 'b',
			},
			{
				name: 'takes a share of those that are not drained',
				endpoints: 'a b c',
				keys: { minHealthy: '50%' },
				byName: states(['a', 'drain']),
				down: 'b',
				gives: 'c',
			},
			{
				name: 'takes a share of those that are down too',
				endpoints: 'a b c',
				keys: { minHealthy: '50%' },
				byName: states(['a', 'down']),
				down: 'b',
				gives: 'next',
			},
			{
				name: 'makes a pool none with all endpoints down',
				endpoints: 'a b',
				byName: states(['a', 'down'], ['b', 'down']),
				gives: 'next',
			},
			{
				name: 'makes a pool none with all endpoints drained',
				endpoints: 'a b',
				byName: states(['a', 'drain'], ['b', 'drain']),
				gives: 'next',
			},
			{ name: 'makes a pool none that is down', endpoints: 'a', keys: { state: 'down' }, gives: 'next' },
			{ name: 'makes a pool none that is drained', endpoints: 'a', keys: { state: 'drain' }, gives: 'next' },
			{ name: 'holds a pool up', endpoints: 'a', keys: { state: 'up' }, down: 'a', gives: 'a' },
			{
				name: 'beats an endpoint up by a pool down',
				endpoints: 'a',
				keys: { state: 'down' },
				byName: states(['a', 'up']),
				gives: 'next',
			},
			{
				name: 'beats a pool up by an endpoint drained',
				endpoints: 'a b',
				keys: { state: 'up' },
				byName: states(['a', 'drain']),
				gives: 'b',
			},
			{
				name: 'has a drained family none, not that of the other',
				endpoints: 'a:4 b:6',
				byName: states(['a', 'drain']),
				gives: 'next',
			},
		],
		false,
	);
	each(
		[
			{ name: 'is NODATA when all is switched off', endpoints: 'a', keys: { state: 'drain' }, gives: 'nodata' },
			{
				name: 'does not let `all` bring back what is switched off',
				endpoints: 'a b',
				byName: states(['a', 'down']),
				down: 'b',
				gives: 'b',
			},
		],
		true,
	);
});

describe('a pool without an address of the family', () => {
	each(
		[
			{ name: 'answers NODATA when it is chosen', endpoints: 'a:4', family: 6, gives: 'nodata' },
			{ name: 'has the verdict of the other family', endpoints: 'a:4', family: 6, down: 'a', gives: 'next' },
			{
				name: 'is stepped over when it may pass',
				endpoints: 'a:4',
				keys: { noAddress: 'pass' },
				family: 6,
				gives: 'next',
			},
			{ name: 'is not stepped over for the family it has', endpoints: 'a:4', keys: { noAddress: 'pass' }, gives: 'a' },
			{
				name: 'is none when operators have switched the other off',
				endpoints: 'a:4',
				keys: { state: 'drain' },
				family: 6,
				gives: 'next',
			},
		],
		false,
	);
	each(
		[
			{ name: 'answers NODATA as a last resort too', endpoints: 'a:4', family: 6, down: 'a', gives: 'nodata' },
			{
				name: 'never answers SERVFAIL',
				endpoints: 'a:4',
				keys: { onAllDown: 'servfail' },
				family: 6,
				down: 'a',
				gives: 'nodata',
			},
			{
				name: 'answers NODATA when it passes alone',
				endpoints: 'a:4',
				keys: { noAddress: 'pass' },
				family: 6,
				gives: 'nodata',
			},
		],
		true,
	);
});

describe('a pool that is down and alone', () => {
	each(
		[
			{ name: 'gives all', endpoints: 'a b', down: 'a b', gives: 'a|b' },
			{ name: 'gives NODATA', endpoints: 'a b', keys: { onAllDown: 'nodata' }, down: 'a b', gives: 'nodata' },
			{ name: 'gives SERVFAIL', endpoints: 'a b', keys: { onAllDown: 'servfail' }, down: 'a b', gives: 'servfail' },
			{
				name: 'gives the healthy ones it has',
				endpoints: 'a b c',
				keys: { minHealthy: 3, onAllDown: 'servfail' },
				down: 'a',
				gives: 'b|c',
			},
			{
				name: 'gives up to `answers` of all',
				endpoints: 'a b c',
				keys: { answers: 2 },
				down: 'a b c',
				gives: 'a b|a c|b c',
			},
			{
				name: 'gives both addresses of an endpoint',
				endpoints: 'a:44',
				keys: { answers: 8 },
				down: 'a',
				gives: 'a a.1',
			},
		],
		true,
	);
});

describe('the draw of addresses', () => {
	const weights = (byName: Readonly<Record<string, number>>) =>
		Object.fromEntries(Object.entries(byName).map(([name, weight]) => [name, { weight }]));
	each(
		[
			{ name: 'gives no address twice', endpoints: 'a b c', keys: { answers: 3 }, gives: 'a b c' },
			{ name: 'gives what there is when asked for more', endpoints: 'a b', keys: { answers: 8 }, gives: 'a b' },
			{ name: 'gives 8 at once', endpoints: 'a b c d e f g h', keys: { answers: 8 }, gives: 'a b c d e f g h' },
			{ name: 'gives only what is up', endpoints: 'a b c', keys: { answers: 3 }, down: 'b', gives: 'a c' },
			{ name: 'gives each address of an endpoint', endpoints: 'a:44', gives: 'a|a.1' },
			{ name: 'gives the address that is up', endpoints: 'a:44', keys: { answers: 2 }, down: 'a.1', gives: 'a' },
			{ name: 'leaves weight 0 out', endpoints: 'a b', byName: weights({ b: 0 }), gives: 'a' },
			{
				name: 'leaves weight 0 out of an answer of several',
				endpoints: 'a b c',
				keys: { answers: 3 },
				byName: weights({ b: 0 }),
				gives: 'a c',
			},
			{
				name: 'takes weight 0 when nothing else is up',
				endpoints: 'a b',
				byName: weights({ b: 0 }),
				down: 'a',
				gives: 'b',
			},
			{
				name: 'takes all of weight 0 then',
				endpoints: 'a b c',
				keys: { answers: 3 },
				byName: weights({ b: 0, c: 0 }),
				down: 'a',
				gives: 'b c',
			},
			{ name: 'draws evenly when all have weight 0', endpoints: 'a b', byName: weights({ a: 0, b: 0 }), gives: 'a|b' },
			{
				name: 'takes all of weight 0 when there is no other',
				endpoints: 'a b',
				keys: { answers: 2 },
				byName: weights({ a: 0, b: 0 }),
				gives: 'a b',
			},
			{
				name: 'leaves weight 0 out when all are down',
				endpoints: 'a b',
				keys: { answers: 2 },
				byName: weights({ b: 0 }),
				down: 'a b',
				gives: 'a',
			},
		],
		true,
	);

	it('follows the weights', () => {
		const zone = {
			pools: { p: pool('a b c', {}, weights({ a: 10, b: 30, c: 60 })) },
			names: { www: { policy: 'p' } },
		};
		const { a = 0, b = 0, c = 0 } = steer({ zone }).count('www', 20_000);
		for (const [count, share] of [
			[a, 0.1],
			[b, 0.3],
			[c, 0.6],
		] as const) {
			assert.ok(
				Math.abs(count - share * 20_000) < 5 * Math.sqrt(20_000 * share * (1 - share)),
				`${count} for ${share}`,
			);
		}
	});

	it('gives a second address its share by weight among those left', () => {
		const zone = { pools: { p: pool('a b c', { answers: 2 }, weights({ a: 2 })) }, names: { www: { policy: 'p' } } };
		const counts = steer({ zone }).count('www', 20_000);
		// First a with 1/2, then b or c evenly; first b or c with 1/4 each, then a with 2/3.
		const expected = { 'a b': 1 / 4, 'a c': 1 / 4, 'b a': 1 / 6, 'c a': 1 / 6, 'b c': 1 / 12, 'c b': 1 / 12 };
		for (const [answer, share] of Object.entries(expected)) {
			const sigma = Math.sqrt(20_000 * share * (1 - share));
			assert.ok(Math.abs((counts[answer] ?? 0) - 20_000 * share) < 5 * sigma, `${answer}: ${counts[answer]}`);
		}
	});

	it('picks different addresses, of endpoints that are up, and as many as it can', () => {
		const endpoint = fc.record({ weight: fc.integer({ min: 0, max: 3 }), isUp: fc.boolean() });
		fc.assert(
			fc.property(
				fc.array(endpoint, { minLength: 1, maxLength: 10 }),
				fc.integer({ min: 1, max: 8 }),
				(made, answers) => {
					const names = made.map((_, i) => `e${i}`);
					const byName = Object.fromEntries(made.map(({ weight }, i) => [`e${i}`, { weight }]));
					const zone = { pools: { p: pool(names.join(' '), { answers }, byName) }, names: { www: { policy: 'p' } } };
					const world = steer({ zone });
					for (const [i, { isUp }] of made.entries()) world.set(`e${i}`, isUp ? 'up' : 'down');
					const isAnyUp = made.some(({ isUp }) => isUp);
					const usable = names.filter((_, i) => !isAnyUp || made[i]?.isUp === true);
					const isWeighted = usable.some((name) => byName[name]?.weight !== 0);
					const eligible = usable.filter((name) => !isWeighted || byName[name]?.weight !== 0);
					for (let i = 0; i < 5; i++) {
						const picked = world.ask('www').split(' ');
						assert.equal(new Set(picked).size, picked.length);
						assert.ok(
							picked.every((name) => eligible.includes(name)),
							`${picked} of ${eligible}`,
						);
						assert.equal(picked.length, Math.min(answers, eligible.length));
					}
				},
			),
		);
	});
});

describe('a check elsewhere', () => {
	it('stands for both families of an endpoint', () => {
		const zone = {
			pools: {
				p: {
					monitor: 'm',
					endpoints: [
						{ name: 'a', addresses: ['198.51.100.1', '2001:db8::1'], check: { address: '10.0.0.1', port: 9 } },
					],
				},
			},
			names: { www: { policy: 'p' } },
		};
		const { compiled } = steer({ zone });
		assert.deepEqual(
			compiled.targets.map(({ address, port }) => `${address} ${port}`),
			['10.0.0.1 9'],
		);
	});
});
