/**
 * answer() where a dialogue does not reach: what it leaves in its one object from query to query, and with no zones at all.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { copyName, Name } from '../../src/dns/name.ts';
import { RCODE, TYPE } from '../../src/dns/protocol.ts';
import { Answer, Asker, answer, CHAIN_MAX } from '../../src/snapshot/answer.ts';
import { wireName } from '../dns/make-query.ts';
import { responderOf, type TestResponder } from '../serve/responder-of.ts';

const pools = { eu: { endpoints: [{ name: 'a', addresses: ['203.0.113.10'] }] } };

function ask({ world }: TestResponder, name: string, type: number, out = new Answer()): Answer {
	const asked = new Name();
	copyName(wireName(name), 0, asked);
	answer(world, asked, type, new Asker(), out);
	return out;
}

describe('answer()', () => {
	it('refuses everything when there are no zones', () => {
		const { rcode, isAuthoritative } = ask(responderOf({ zones: [] }), 'example.org.', TYPE.a);
		assert.deepEqual([rcode, isAuthoritative], [RCODE.refused, false]);
	});

	it('answers from a zone at the root', () => {
		const root = responderOf({ zones: [{ apex: '.', text: 'www A 192.0.2.1\nsub NS ns.sub\nns.sub A 192.0.2.2' }] });
		assert.equal(ask(root, 'www.', TYPE.a).answer.count, 1);
		assert.equal(ask(root, 'nothing.', TYPE.a).rcode, RCODE.nxdomain);
		assert.equal(ask(root, '.', TYPE.soa).answer.count, 1);
		assert.deepEqual(root.ask({ name: '.', type: 'NS' }).answer[0]?.name, '.');
		assert.equal(root.ask({ name: 'x.sub.' }).additional[0]?.name, 'ns.sub.');
	});

	it('gives the zone below its own names when its parent has a policy above it', () => {
		const nested = responderOf({
			zones: [
				{ apex: 'example.org.', text: '', steering: { pools, names: { '*': { policy: 'eu' } } } },
				{ apex: 'sub.example.org.', text: 'www A 192.0.2.1' },
			],
		});
		assert.equal(ask(nested, 'x.example.org.', TYPE.a).isSteered, true);
		const below = ask(nested, 'www.sub.example.org.', TYPE.a);
		assert.deepEqual([below.isSteered, below.answer.count], [false, 1]);
		// Neither the wildcard nor the policy reaches into the child zone.
		assert.equal(ask(nested, 'x.sub.example.org.', TYPE.a).rcode, RCODE.nxdomain);
		assert.equal(ask(nested, 'sub.example.org.', TYPE.a).answer.count, 0);
	});

	it('starts clean after whatever came before', () => {
		const both = responderOf({
			zones: [
				{
					apex: 'example.org.',
					text: 'alias CNAME www\nwww A 192.0.2.1\nsub NS ns.sub\nns.sub A 192.0.2.2\nd DNAME example.org.',
					steering: { pools, names: { steered: { policy: 'eu' } } },
				},
			],
		});
		const questions = ['alias', 'www', 'x.sub', 'www.d', 'steered', 'nothing', 'nothing.alias'].flatMap((owner) =>
			[TYPE.a, TYPE.aaaa, TYPE.any, TYPE.ds].map((type) => ({ name: `${owner}.example.org.`, type })),
		);
		const reused = new Answer();
		for (const before of questions) {
			for (const { name, type } of questions) {
				ask(both, before.name, before.type, reused);
				assert.deepEqual(summary(ask(both, name, type, reused)), summary(ask(both, name, type)), `${name} ${type}`);
			}
		}
	});

	it('follows no more aliases than it has room for, also through DNAMEs', () => {
		const texts = Array.from({ length: 40 }, (_, i) => `d${i} DNAME d${i + 1}`);
		const chain = ask(responderOf(texts.join('\n')), 'x.d0.example.org.', TYPE.a);
		assert.equal(chain.chainLength, CHAIN_MAX);
		assert.equal(chain.answer.count, 2 * CHAIN_MAX + 1);
	});
});

function summary({
	rcode,
	isAuthoritative,
	isReferral,
	isSteered,
	scope,
	answer: answers,
	authority,
	additional,
	chainLength,
}: Answer) {
	const sections = [answers, authority, additional].map(({ count, entries }) =>
		entries.slice(0, count).map(({ owner, type, records, ttlSec }) => [owner, type, records, ttlSec]),
	);
	return { rcode, isAuthoritative, isReferral, isSteered, scope, chainLength, sections };
}
