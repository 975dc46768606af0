import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { QueryLogLines } from '../../src/roles/query-log-line.ts';
import { makeQuery, type QuerySpec } from '../dns/make-query.ts';
import { type AskSpec, type ResponderSpec, responderOf } from '../serve/responder-of.ts';

const SPEC: ResponderSpec = {
	zones: [
		{
			apex: 'example.org.',
			text: [
				'plain A 192.0.2.1',
				'odd\\010name A 192.0.2.2',
				...Array.from({ length: 90 }, (_, i) => `big A 192.0.2.${i}`),
			].join('\n'),
			steering: {
				monitors: { web: { kind: 'tcp', port: 80 } },
				pools: {
					eu: { monitor: 'web', endpoints: [{ name: 'eu-1', addresses: ['203.0.113.1'] }] },
					us: { endpoints: [{ name: 'us-1', addresses: ['198.51.100.1'] }] },
				},
				policies: { world: { kind: 'geo', rules: [{ match: { countries: ['DE'] }, use: 'eu' }], default: 'us' } },
				names: { www: { policy: 'world', ttl: '30s' }, eu: { policy: 'eu' } },
			},
		},
	],
	geo: { '84.128.0.0/10': { country: 'DE', continent: 'EU' } },
	isLogged: true,
};

interface Case {
	readonly name: string;
	readonly query: QuerySpec | Uint8Array;
	readonly how?: AskSpec;
	readonly isDown?: boolean;
	readonly isAddressTold?: boolean;
	readonly line: object;
}

const TIME = '2023-11-14T22:13:20.000Z';
const plain = { time: TIME, transport: 'udp', client: '192.0.2.0/24' };

describe('QueryLogLines', () => {
	for (const { name, query, how = {}, isDown = false, isAddressTold = false, line } of [
		{
			name: 'tells a steered answer with its reason',
			query: { name: 'WWW.example.org', edns: { subnet: '84.130.7.0/24' } },
			line: {
				...plain,
				ecs: '84.130.7.0/24',
				scope: 10,
				name: 'WWW.example.org.',
				type: 'A',
				rcode: 'NOERROR',
				aa: true,
				tc: false,
				ttl: 30,
				answer: ['A 203.0.113.1'],
				by: 'policy',
				steered: [
					{
						zone: 'example.org.',
						name: 'www',
						policy: 'example.org. world',
						kind: 'geo',
						state: 'up',
						pool: 'example.org. eu',
						endpoints: ['eu/eu-1'],
					},
				],
			},
		},
		{
			name: 'tells a last resort, and no pool twice',
			query: { name: 'eu.example.org' },
			isDown: true,
			line: {
				...plain,
				name: 'eu.example.org.',
				type: 'A',
				rcode: 'NOERROR',
				aa: true,
				tc: false,
				ttl: 15,
				answer: ['A 203.0.113.1'],
				by: 'policy',
				steered: [
					{
						zone: 'example.org.',
						name: 'eu',
						policy: 'example.org. eu',
						kind: 'pool',
						state: 'last-resort',
						endpoints: ['eu/eu-1'],
					},
				],
			},
		},
		{
			name: 'tells an answer of the zone, to a client over TCP and IPv6',
			query: { name: 'plain.example.org' },
			how: { from: '2001:db8:1:2ff::1', transport: 'tcp' },
			line: {
				time: TIME,
				transport: 'tcp',
				client: '2001:db8:1:200::/56',
				name: 'plain.example.org.',
				type: 'A',
				rcode: 'NOERROR',
				aa: true,
				tc: false,
				ttl: 300,
				answer: ['A 192.0.2.1'],
				by: 'zone',
			},
		},
		{
			name: 'cuts a client subnet to a network, too',
			query: { name: 'none.example.org', edns: { subnet: '84.130.7.9/32' } },
			line: {
				...plain,
				ecs: '84.130.7.0/24',
				scope: 0,
				name: 'none.example.org.',
				type: 'A',
				rcode: 'NXDOMAIN',
				aa: true,
				tc: false,
				ttl: 60,
				answer: [],
				by: 'zone',
			},
		},
		{
			name: 'tells whole addresses where they are wanted',
			query: { name: 'example.net', edns: { subnet: '84.130.7.9/32' } },
			isAddressTold: true,
			line: {
				...plain,
				client: '192.0.2.53',
				ecs: '84.130.7.9/32',
				scope: 0,
				name: 'example.net.',
				type: 'A',
				rcode: 'REFUSED',
				aa: false,
				tc: false,
				answer: [],
				by: 'server',
			},
		},
		{
			name: 'tells names whose octets are no text in one line',
			query: { name: 'odd\\010name.example.org', type: 'TXT' },
			line: {
				...plain,
				name: 'odd\\010name.example.org.',
				type: 'TXT',
				rcode: 'NOERROR',
				aa: true,
				tc: false,
				ttl: 60,
				answer: [],
				by: 'zone',
			},
		},
		{
			name: 'tells no records of a response that is too long for the log',
			query: { name: 'big.example.org' },
			how: { transport: 'tcp' },
			line: {
				...plain,
				transport: 'tcp',
				name: 'big.example.org.',
				type: 'A',
				rcode: 'NOERROR',
				aa: true,
				tc: false,
				by: 'zone',
			},
		},
		{
			name: 'tells what cannot be read as a query',
			query: Uint8Array.from([0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0]),
			line: { ...plain, rcode: 'FORMERR', aa: false, tc: false, answer: [], by: 'server' },
		},
	] satisfies Case[] as Case[]) {
		it(name, () => {
			const world = responderOf(SPEC);
			if (isDown) world.setHealth('203.0.113.1', 'down');
			const octets = world.respond(query instanceof Uint8Array ? query : makeQuery(query), how);
			const record = world.ring.read();
			assert.ok(record !== undefined);
			const text = new QueryLogLines(isAddressTold).lineOf(record, world.snapshot.steering);
			assert.match(text, /^[^\n]*\n$/);
			assert.deepEqual(JSON.parse(text), { ...line, size: octets.length });
			assert.equal(world.ring.read(), undefined);
		});
	}

	it('tells a query that the rate limit dropped or cut', () => {
		const world = responderOf({ ...SPEC, rate: 1 });
		for (let i = 0; i < 5; i++) world.respond(Uint8Array.from([0, i, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1]));
		const lines: { limited?: string; name: string; rcode?: string; by: string }[] = [];
		for (let record = world.ring.read(); record !== undefined; record = world.ring.read())
			lines.push(JSON.parse(new QueryLogLines(false).lineOf(record, undefined)));
		assert.deepEqual(
			lines.map(({ limited }) => limited),
			[undefined, undefined, 'slipped', 'slipped', 'slipped'],
		);
		assert.deepEqual([lines[4]?.name, lines[4]?.rcode, lines[4]?.by], ['.', 'NOERROR', 'server']);
	});

	it('leaves out what policies decided when the generation is not known any more', () => {
		const world = responderOf(SPEC);
		world.ask({ name: 'www.example.org' });
		const record = world.ring.read();
		assert.ok(record !== undefined);
		const { by, steered } = JSON.parse(new QueryLogLines(false).lineOf(record, undefined));
		assert.deepEqual([by, steered], ['policy', undefined]);
	});
});
