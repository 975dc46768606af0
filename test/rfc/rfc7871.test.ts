/** RFC 7871, client subnet, by paragraph. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { replyText } from '../serve/reply-text.ts';
import { responderOf } from '../serve/responder-of.ts';

const pools = {
	eu: { endpoints: [{ name: 'a', addresses: ['203.0.113.10'] }] },
	us: { endpoints: [{ name: 'b', addresses: ['203.0.113.20'] }] },
};

const world = responderOf({
	zones: [
		{
			apex: 'example.org.',
			text: 'www A 192.0.2.1\nsub NS ns.invalid.',
			steering: {
				pools,
				policies: { world: { kind: 'geo', rules: [{ match: { continents: ['EU'] }, use: 'eu' }], default: 'us' } },
				names: { geo: { policy: 'world' } },
			},
		},
	],
	geo: { '85.0.0.0/8': { continent: 'EU' }, '85.64.0.0/10': { continent: 'NA' }, '2a00::/12': { continent: 'EU' } },
});
const subnetOf = (name: string, subnet: string, from = '192.0.2.53') => {
	const reply = world.ask({ name, edns: { subnet } }, { from });
	const { address, source, scope } = reply.opt?.subnet ?? assert.fail(replyText(reply));
	return `${reply.rcode} ${address}/${source}/${scope}`;
};
const rcodeOf = (...octets: readonly number[]) =>
	world.ask({ name: 'geo.example.org', edns: { options: [{ code: 8, octets }] } }).rcode;

describe('RFC 7871, the option in a query', () => {
	it('§6 a scope in a query is FORMERR', () => assert.equal(rcodeOf(0, 1, 24, 24, 85, 1, 2), 'FORMERR'));

	it('§6 octets are exactly those of the source', () => {
		for (let source = 0; source <= 32; source++) {
			const octets = Math.ceil(source / 8);
			for (let given = 0; given <= 5; given++) {
				const address = Array.from({ length: given }, () => 0);
				assert.equal(
					rcodeOf(0, 1, source, 0, ...address),
					given === octets ? 'NOERROR' : 'FORMERR',
					`${source} ${given}`,
				);
			}
		}
	});

	it('§6 bits behind the source are zero', () => {
		for (let source = 1; source <= 32; source++) {
			const octets = Math.ceil(source / 8);
			const address = Array.from({ length: octets }, () => 0);
			const last = source % 8 === 0 ? 1 : 1 << (8 - (source % 8));
			address[octets - 1] = last;
			assert.equal(rcodeOf(0, 1, source, 0, ...address), 'NOERROR', `${source}`);
			if (source % 8 === 0) continue;
			address[octets - 1] = last >>> 1;
			assert.equal(rcodeOf(0, 1, source, 0, ...address), 'FORMERR', `${source}`);
		}
	});

	it('§6 a source longer than the address is FORMERR', () => {
		assert.equal(rcodeOf(0, 1, 33, 0, 85, 1, 2, 3, 0), 'FORMERR');
		assert.equal(rcodeOf(0, 2, 129, 0, ...Array.from({ length: 17 }, () => 0)), 'FORMERR');
		assert.equal(rcodeOf(0, 2, 128, 0, ...Array.from({ length: 16 }, () => 0)), 'NOERROR');
	});

	it('§7.1.2 a family that is not known is FORMERR', () => {
		for (const family of [3, 4, 255, 256, 65535]) assert.equal(rcodeOf(family >>> 8, family & 255, 0, 0), 'FORMERR');
	});
});

describe('RFC 7871, the option in a response', () => {
	it('§7.1.2 a source of 0 is answered for the sender, with scope 0', () => {
		assert.equal(subnetOf('geo.example.org', '0.0.0.0/0', '85.1.2.3'), 'NOERROR 0.0.0.0/0/0');
		assert.equal(subnetOf('geo.example.org', '::/0', '85.1.2.3'), 'NOERROR ::/0/0');
	});

	it('§7.2.1 family, source and address come back as they were', () => {
		const ipv4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)).map((octets) => `${octets.join('.')}.0/24`);
		fc.assert(
			fc.property(ipv4, fc.constantFrom('geo', 'www', 'nothing', 'x.sub'), (subnet, owner) => {
				assert.ok(subnetOf(`${owner}.example.org`, subnet).includes(` ${subnet}/`));
			}),
		);
	});

	it('§7.2.1 the scope is what was looked at, longer than the source or shorter', () => {
		for (const [subnet, scope] of [
			['85.1.2.0/24', 10],
			['85.0.0.0/8', 10],
			['85.64.0.0/16', 10],
			['85.128.0.0/16', 9],
			['2a00:1::/56', 12],
		] as const) {
			assert.equal(subnetOf('geo.example.org', subnet), `NOERROR ${subnet}/${scope}`);
		}
	});

	it('§7.2.1 two answers with scopes that overlap do not differ', () => {
		const word = fc.oneof(
			fc.nat(0xffffff),
			fc.nat(0xffffff).map((low) => (85 << 16) | (low & 0xffff)),
		);
		const askFor = (address: number) => {
			const subnet = `${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}.0/24`;
			const reply = world.ask({ name: 'geo.example.org', edns: { subnet } });
			return { answer: reply.answer[0]?.rdataText, scope: reply.opt?.subnet?.scope ?? 0 };
		};
		fc.assert(
			fc.property(word, fc.nat(0xffffff), (address, noise) => {
				const one = askFor(address);
				// Another /24 in the scope of the first.
				const mask = one.scope >= 24 ? 0xffffff : ~(0xffffff >>> one.scope) & 0xffffff;
				assert.deepEqual(askFor((address & mask) | (noise & ~mask & 0xffffff)), one);
			}),
			{ numRuns: 2000 },
		);
	});

	it('§7.2.1 the same over TCP', () => {
		const query = { name: 'geo.example.org', edns: { subnet: '85.1.2.0/24' } };
		assert.equal(replyText(world.ask(query)), replyText(world.ask(query, { transport: 'tcp' })));
	});

	it('§7.2.2 no option in the query, none in the response', () => {
		assert.equal(world.ask({ name: 'geo.example.org', edns: {} }).opt?.subnet, undefined);
	});

	it('§7.4 negative answers and delegations hold for everybody', () => {
		assert.equal(subnetOf('nothing.example.org', '85.1.2.0/24'), 'NXDOMAIN 85.1.2.0/24/0');
		assert.equal(subnetOf('x.sub.example.org', '85.1.2.0/24'), 'NOERROR 85.1.2.0/24/0');
	});
});
