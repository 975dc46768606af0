import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createHealthWords } from '../../src/health/verdict-table.ts';
import type { Served } from '../../src/serve/respond.ts';
import { World } from '../../src/snapshot/answer.ts';
import { type SharedSnapshot, SnapshotMemory } from '../../src/snapshot/share.ts';
import { openSnapshot } from '../../src/snapshot/wire.ts';
import { makeQuery } from '../dns/make-query.ts';
import { responderOf, type TestResponder } from '../serve/responder-of.ts';

const endpoint = (name: string, ...addresses: string[]) => ({ name, addresses });
const SPEC = {
	geo: {
		'198.51.100.0/24': { country: 'DE', coordinates: { latitude: 51, longitude: 9, precision: 'database' as const } },
	},
	vantages: ['us', 'eu'],
	common: { regions: { us: { latitude: 39, longitude: -77 }, eu: { latitude: 53, longitude: -6 } } },
	zones: [
		{
			apex: 'example.org.',
			text: 'www A 192.0.2.1\n* TXT wild\nalias CNAME geo\nmail MX 10 www',
			steering: {
				monitors: { web: { kind: 'tcp', port: 80 }, own: { kind: 'tcp', port: 80, regional: true } },
				pools: {
					us: { region: 'us', monitor: 'web', endpoints: [endpoint('a', '203.0.113.1', '2001:db8::1')] },
					eu: { region: 'eu', by: 'client', endpoints: [endpoint('b', '203.0.113.2'), endpoint('c', '203.0.113.3')] },
					own: { monitor: 'own', endpoints: [endpoint('d', '203.0.113.4'), endpoint('e', '203.0.113.5')] },
					cdn: { endpoints: [{ name: 'é', cname: 'cdn.example.net.' }] },
				},
				policies: {
					geo: { kind: 'geo', rules: [{ match: { countries: ['DE'] }, use: 'eu' }], default: 'us' },
				},
				names: {
					geo: { policy: 'geo' },
					near: { policy: { kind: 'proximity', members: ['us', 'eu'] } },
					fast: { policy: { kind: 'latency', members: ['us', 'eu'] } },
					all: { policy: { kind: 'all', members: ['us', 'eu'] } },
					share: { policy: { kind: 'weighted', members: [{ use: 'us' }, { use: 'geo', weight: 3 }] } },
					first: { policy: { kind: 'failover', members: ['us', 'eu'] }, types: ['A'] },
					cdn: { policy: 'cdn' },
					own: { policy: 'own' },
				},
			},
		},
	],
};
const NAMES = ['www', 'no', 'alias', 'mail', 'geo', 'near', 'fast', 'all', 'share', 'first', 'cdn', 'own', 'x.y'];
const SLOTS = Int32Array.of(0, 1, 2, 3);

/** What a thread makes of it. */
function open(shared: SharedSnapshot): Served {
	const { snapshot, targetSlots, columns } = openSnapshot(shared.wire, shared.buffers);
	return { world: new World(snapshot, createHealthWords(8), targetSlots, { below: () => 0 }), columns, generation: 1 };
}

function shareOf(
	{ snapshot, columns }: TestResponder,
	memory = new SnapshotMemory(),
	inUse: readonly SharedSnapshot[] = [],
): SharedSnapshot {
	return memory.share(snapshot, { targetSlots: SLOTS, columns }, inUse);
}

function countsOf({ book }: TestResponder): readonly number[] {
	return [book.names(), book.policies(), book.endpoints()].flat().map(({ value }) => value);
}

describe('a shared snapshot', () => {
	it('answers as the one that it was made from', () => {
		const responder = responderOf(SPEC);
		const replies = () =>
			NAMES.flatMap((name) =>
				['A', 'AAAA', 'MX', 'TXT'].flatMap((type) =>
					['198.51.100.0/24', '192.0.2.0/24'].map((subnet) =>
						Buffer.from(responder.respond(makeQuery({ name: `${name}.example.org`, type, edns: { subnet } }))).toString(
							'hex',
						),
					),
				),
			);
		const plain = replies();
		responder.served.swap(open(shareOf(responder)));
		const counts = countsOf(responder);
		assert.deepEqual(replies(), plain);
		// Counted in the same places, as many times again.
		assert.deepEqual(
			countsOf(responder),
			counts.map((value) => 2 * value),
		);
		assert.deepEqual(responder.faults, []);
	});

	it('lies in memory that threads share', () => {
		const { snapshot, buffers } = shareOf(responderOf(SPEC));
		const { slots, nodes, rrsets, bytes } = snapshot.zones;
		for (const { buffer } of [slots, nodes, rrsets, bytes, snapshot.steering.latencyMemory])
			assert([...buffers.values()].includes(buffer as SharedArrayBuffer));
	});

	it('leaves alone what is in use, takes the rest again, and copies equal ranges once', () => {
		const memory = new SnapshotMemory();
		const responder = responderOf(SPEC);
		const first = shareOf(responder, memory);
		const other = responderOf('www A 192.0.2.99');
		const second = shareOf(other, memory, [first]);
		assert.notEqual(second.wire.arena, first.wire.arena);
		const third = shareOf(responder, memory, [first]);
		assert.equal(third.wire.arena, second.wire.arena);
		assert.deepEqual(third.wire.ranges, first.wire.ranges);
		const { octets } = memory;
		shareOf(responder, memory, [third]);
		assert.equal(memory.octets, octets);
		responder.served.swap(open(third));
		assert.equal(responder.ask({ name: 'www.example.org' }).answer[0]?.rdataText, '192.0.2.1');
	});

	it('is not opened without its buffers', () => {
		const { wire } = shareOf(responderOf(SPEC));
		assert.throws(() => openSnapshot(wire, new Map()), /its buffer \d+ never came/);
	});
});
