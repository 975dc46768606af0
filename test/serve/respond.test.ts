/**
 * Responder where a dialogue does not reach: faults, counters, a world that is exchanged.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rcodeText } from '../../src/dns/message-text.ts';
import { createHealthWords } from '../../src/health/verdict-table.ts';
import { COUNT, COUNTER_COLUMNS, RCODES } from '../../src/serve/counters.ts';
import { World } from '../../src/snapshot/answer.ts';
import { makeQuery, type QuerySpec } from '../dns/make-query.ts';
import { replyText } from './reply-text.ts';
import { responderOf } from './responder-of.ts';

/** Two endpoints, so that an answer needs a draw. */
const endpoints = ['a', 'b'].map((name, i) => ({ name, addresses: [`203.0.113.1${i}`] }));
const pools = { eu: { endpoints } };
const steered = {
	zones: [{ apex: 'example.org.', text: 'www A 192.0.2.1', steering: { pools, names: { geo: { policy: 'eu' } } } }],
};

describe('Responder', () => {
	it('answers SERVFAIL to a query that meets a fault of ours, counts it, and the next one is fine', () => {
		const world = responderOf(steered);
		const fault = new Error('a walk that throws');
		const broken = new World(world.snapshot, createHealthWords(0), new Int32Array(0), {
			below: () => {
				throw fault;
			},
		});
		const whole = world.swapWorld(broken);
		const query = { name: 'Geo.example.org', id: 77, edns: { subnet: '198.51.100.0/24' } };
		for (const transport of ['udp', 'tcp'] as const) {
			const reply = world.ask(query, { transport });
			assert.equal(replyText(reply), 'SERVFAIL rd\nopt 1232 subnet 198.51.100.0/24/0 error 0 internal fault');
			assert.deepEqual([reply.id, reply.question[0]?.name], [77, 'Geo.example.org.']);
		}
		assert.deepEqual(world.faults, [fault, fault]);
		assert.equal(world.count('faults'), 2);
		assert.equal(world.counters[COUNT.rcodes + 2], 2);
		// What needs no draw is answered from the same world.
		assert.equal(world.ask({ name: 'www.example.org' }).rcode, 'NOERROR');
		world.swapWorld(whole);
		assert.equal(world.ask(query).answer.length, 1);
		assert.equal(world.count('faults'), 2);
	});

	it('leaves a long NSID out of a "no" to an address that nobody has proven', () => {
		const world = responderOf({ ...steered, identity: 'n'.repeat(255) });
		const query = makeQuery({ name: 'www.example.net', flags: 0, edns: { options: [{ code: 3, octets: [] }] } });
		const reply = world.respond(query);
		assert.ok(reply.length <= 3 * query.length, `${reply.length} to ${query.length}`);
		const { rcode, question } = world.ask(query);
		assert.deepEqual([rcode, question[0]?.name], ['REFUSED', 'www.example.net.']);
		assert.match(replyText(world.ask(query, { transport: 'tcp' })), /nnnnn|6e6e6e/);
		const known = makeQuery({ name: 'www.example.org', flags: 0, edns: { options: [{ code: 3, octets: [] }] } });
		assert.match(replyText(world.ask(known)), /nnnnn|6e6e6e/);
	});

	it('knows a name that is asked for again, and asks the present world for it', () => {
		const text = (address: string) => `www A ${address}\nwww AAAA 2001:db8::1\nalias CNAME www\n*.wild TXT w`;
		const first = responderOf(text('192.0.2.1'));
		const second = responderOf(text('192.0.2.2'));
		const questions = [
			'www A',
			'WWW AAAA',
			'wWw TXT',
			'alias A',
			'Alias CNAME',
			'a.wild TXT',
			'b.c.wild A',
			'no A',
			'no ANY',
		];
		const repliesOf = (world: typeof first) =>
			questions.map((question) => {
				const [owner, type] = question.split(' ');
				const name = `${owner}.example.org`;
				const reply = world.ask({ name, type, flags: 0 } as QuerySpec);
				assert.equal(reply.question[0]?.name, `${name}.`);
				return replyText(reply);
			});
		const [expected, other] = [repliesOf(responderOf(text('192.0.2.1'))), repliesOf(responderOf(text('192.0.2.2')))];
		for (let i = 0; i < 4; i++) assert.deepEqual(repliesOf(first), expected);
		first.swapWorld(second.world);
		for (let i = 0; i < 2; i++) assert.deepEqual(repliesOf(first), other);
	});

	it('leaves nothing of a fault in the middle of a chain', () => {
		const world = responderOf({
			zones: [{ ...steered.zones[0], apex: 'example.org.', text: 'alias CNAME geo\nwww A 192.0.2.1\nmail MX 1 www' }],
		});
		const snapshot = { ...world.snapshot, steering: { ...world.snapshot.steering, nodes: [] } };
		Object.defineProperty(snapshot.steering, 'names', {
			get: () => {
				throw new RangeError('no such table');
			},
		});
		world.swapWorld(new World(snapshot, createHealthWords(0), new Int32Array(0), { below: () => 0 }));
		assert.equal(replyText(world.ask({ name: 'alias.example.org', flags: 0 })), 'SERVFAIL');
		assert.deepEqual(replyText(world.ask({ name: 'mail.example.org', type: 'MX', flags: 0 })).split('\n'), [
			'NOERROR aa',
			'answer',
			'mail.example.org. 300 MX 1 www.example.org.',
			'additional',
			'www.example.org. 300 A 192.0.2.1',
		]);
	});

	it('answers from the world that was swapped in', () => {
		const before = responderOf('www A 192.0.2.1');
		const after = responderOf('www A 192.0.2.2');
		before.swapWorld(after.world);
		assert.equal(before.ask({ name: 'www.example.org' }).answer[0]?.rdataText, '192.0.2.2');
	});

	it('counts queries by transport, answers by RCODE, and what is special', () => {
		const world = responderOf({
			zones: [
				{
					...steered.zones[0],
					apex: 'example.org.',
					text: Array.from({ length: 50 }, (_, i) => `big A 192.0.2.${i}`).join('\n'),
				},
			],
		});
		world.ask({ name: 'geo.example.org' });
		world.ask({ name: 'geo.example.org' }, { transport: 'tcp' });
		world.ask({ name: 'big.example.org' });
		world.ask({ name: 'nothing.example.org' });
		world.ask({ name: 'example.com' });
		world.ask({ name: 'example.org', edns: { version: 1 } });
		world.ask({ name: 'example.org', flags: 0x7800 });
		world.respond(Uint8Array.of(1));
		const counted = Object.entries(COUNT).flatMap(([name, column]) => {
			const value = world.counters[column] ?? 0;
			return value === 0 || name === 'generation' || column >= COUNT.rcodes ? [] : [[name, value]];
		});
		assert.deepEqual(Object.fromEntries(counted), {
			queriesUdpIpv4: 7,
			queriesTcpIpv4: 1,
			ignored: 1,
			truncated: 1,
			steered: 2,
			unsteered: 2,
		});
		const rcodes = Array.from({ length: RCODES }, (_, rcode) => [
			rcodeText(rcode),
			world.counters[COUNT.rcodes + rcode],
		]);
		assert.deepEqual(Object.fromEntries(rcodes.filter(([, answers]) => answers !== 0)), {
			NOERROR: 3,
			NXDOMAIN: 1,
			NOTIMP: 1,
			REFUSED: 1,
			BADVERS: 1,
		});
		assert.equal(world.counters.length, COUNTER_COLUMNS);
	});
});

describe('Responder, octet by octet,', () => {
	it('writes into no octet behind the response', () => {
		const world = responderOf('www A 192.0.2.1');
		const request = makeQuery({ name: 'www.example.org' });
		const out = new Uint8Array(1232).fill(0xee);
		const length = world.responder.respond(
			request,
			request.length,
			{ family: 4, words: new Uint32Array(4) },
			'udp',
			out,
		);
		assert.ok(out.subarray(length).every((value) => value === 0xee));
	});

	it('looks at no octet behind the length of the request', () => {
		const world = responderOf('www A 192.0.2.1');
		const request = makeQuery({ name: 'www.example.org', edns: {} });
		const from = { family: 4, words: new Uint32Array(4) } as const;
		const replies = [0, 0xff].map((fill) => {
			const padded = new Uint8Array(2048).fill(fill);
			padded.set(request);
			const out = new Uint8Array(1232);
			return Array.from({ length: request.length + 1 }, (_, length) => {
				const octets = world.responder.respond(padded, length, from, 'udp', out);
				return Buffer.from(out.subarray(0, octets)).toString('hex');
			});
		});
		assert.deepEqual(replies[0], replies[1]);
	});
});
