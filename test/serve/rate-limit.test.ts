import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Address, parseAddress } from '../../src/lib/address.ts';
import { createChance } from '../../src/lib/chance.ts';
import { parsePrefix } from '../../src/lib/prefix.ts';
import { createRateLimitTable, LIMIT, RateLimiter } from '../../src/serve/rate-limit.ts';

function address(text: string): Address {
	const parsed = parseAddress(text);
	assert(parsed !== undefined, text);
	return parsed;
}

function limiter({ rate = 10, slip = 1, exempt = [] as string[] } = {}): RateLimiter {
	const prefixes = exempt.map((text) => {
		const prefix = parsePrefix(text);
		assert(typeof prefix !== 'string');
		return prefix;
	});
	return new RateLimiter({ rate, slip, exempt: prefixes }, createRateLimitTable(), 12345);
}

/** How many of `count` answers pass, one each `everyMs`. */
function passed(under: RateLimiter, client: (i: number) => Address, count: number, everyMs = 0, fromMs = 0): number {
	let pass = 0;
	for (let i = 0; i < count; i++) if (under.take(client(i), fromMs + i * everyMs) === LIMIT.pass) pass++;
	return pass;
}

describe('RateLimiter', () => {
	const one = address('192.0.2.1');

	it('lets a burst of two and a half seconds through, and no more', () => {
		assert.equal(
			passed(limiter(), () => one, 100),
			25,
		);
	});

	it('refills at the rate', () => {
		const under = limiter();
		passed(under, () => one, 100);
		// 1,000 answers in ten seconds at ten a second.
		const later = passed(under, () => one, 1000, 10, 1);
		assert(later >= 95 && later <= 101, String(later));
	});

	for (const { name, firstMs, thenMs, passes } of [
		{ name: 'gives nothing for a time that another worker took just before', firstMs: 5000, thenMs: 4999, passes: 0 },
		{
			name: 'refills when the clock has gone round its 32 bits',
			firstMs: 2 ** 31 - 50,
			thenMs: 2 ** 31 + 50,
			passes: 1,
		},
		{ name: 'is full after a month', firstMs: 0, thenMs: 30 * 86_400_000, passes: 25 },
	]) {
		it(name, () => {
			const under = limiter();
			passed(under, () => one, 100, 0, firstMs);
			assert.equal(
				passed(under, () => one, 100, 0, thenMs),
				passes,
			);
		});
	}

	it('never limits a client below the rate', () => {
		assert.equal(
			passed(limiter(), () => one, 1000, 101),
			1000,
		);
	});

	it('limits a prefix as a whole, 32 times its share', () => {
		const clients = Array.from({ length: 256 }, (_, i) => address(`192.0.2.${i}`));
		assert.equal(
			passed(limiter(), (i) => clients[i & 255] ?? one, 100_000),
			25 * 32,
		);
	});

	it('leaves clients of other networks alone while one is over its limit', () => {
		const under = limiter();
		passed(under, () => one, 10_000);
		assert.equal(
			passed(under, () => address('198.51.100.1'), 25),
			25,
		);
	});

	it('limits IPv6 clients by /128, /64, /56, /48 and /32', () => {
		const under = limiter();
		assert.equal(
			passed(under, () => address('2001:db8::1'), 100),
			25,
		);
		// A flood from one /48 with a random /64 each time meets four times the share; 25 of it are spent.
		const chance = createChance(1);
		const flood = () => address(`2001:db8:0:${chance.below(65536).toString(16)}::1`);
		assert.equal(passed(under, flood, 10_000), 100 - 25);
	});

	it('slips every n-th answer over the limit and drops the others', () => {
		const under = limiter({ slip: 2 });
		passed(under, () => one, 25);
		const verdicts = Array.from({ length: 6 }, () => under.take(one, 0));
		assert.deepEqual(verdicts, [LIMIT.drop, LIMIT.slip, LIMIT.drop, LIMIT.slip, LIMIT.drop, LIMIT.slip]);
	});

	it('drops all with slip 0, limits nothing with rate 0, and never limits who is exempt', () => {
		const dropping = limiter({ slip: 0 });
		passed(dropping, () => one, 25);
		assert.equal(dropping.take(one, 0), LIMIT.drop);
		assert.equal(
			passed(limiter({ rate: 0 }), () => one, 1000),
			1000,
		);
		assert.equal(
			passed(limiter({ exempt: ['192.0.2.0/24'] }), () => one, 1000),
			1000,
		);
	});

	it('keeps a steady client within its rate while a million forged addresses push buckets out', () => {
		const under = limiter();
		const chance = createChance(2);
		const forged: Address = { family: 4, words: new Uint32Array(4) };
		let pass = 0;
		for (let i = 0; i < 1_000_000; i++) {
			forged.words[0] = chance.below(0x7fffffff) * 2;
			under.take(forged, Math.floor(i / 1000));
			if (i % 200_000 === 0 && under.take(one, Math.floor(i / 1000)) === LIMIT.pass) pass++;
		}
		assert.equal(pass, 5);
	});
});
