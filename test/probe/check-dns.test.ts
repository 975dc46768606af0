/** DNS checks against name servers that answer rightly, wrongly, and not at all. */

import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { Packet } from 'dns2';
import fc from 'fast-check';
import type { DnsMonitor } from '../../src/model/monitor.ts';
import { readReply, writeQuestion } from '../../src/probe/dns-message.ts';
import { refusingPort } from './backend.ts';
import { checkLoopback } from './check-loopback.ts';
import { monitorFrom, targetAt } from './monitor-from.ts';

const check = checkLoopback();
const never = new AbortController().signal;

interface NameServer {
	readonly udp?: (query: Buffer, send: (message: Buffer) => void) => void;
	readonly tcp?: (query: Buffer, socket: Socket) => void;
}

/** On one port of loopback over UDP and TCP; a part that is not given takes what comes and says nothing. */
async function startNameServer(t: TestContext, { udp, tcp }: NameServer): Promise<number> {
	const sockets = new Set<Socket>();
	const server = createServer((socket) => {
		sockets.add(socket);
		socket.on('error', () => {});
		socket.on('data', (octets) => tcp?.(octets.subarray(2), socket));
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address() as { port: number };
	const datagrams = createSocket('udp4');
	datagrams.on('message', (query: Buffer, from: RemoteInfo) =>
		udp?.(query, (message) => datagrams.send(message, from.port, from.address)),
	);
	datagrams.bind(port, '127.0.0.1');
	await once(datagrams, 'listening');
	t.after(() => {
		for (const socket of sockets) socket.destroy();
		server.close();
		datagrams.close();
	});
	return port;
}

interface Answer {
	readonly rcode?: number;
	readonly truncated?: boolean;
	readonly records?: readonly object[];
}

function reply(query: Buffer, { rcode = 0, truncated = false, records = [] }: Answer): Buffer {
	const packet = Packet.createResponseFromRequest(Packet.parse(query));
	packet.header.rcode = rcode;
	packet.header.tc = truncated ? 1 : 0;
	const { name } = Packet.parse(query).questions[0] ?? assert.fail();
	packet.answers.push(
		...records.map((record) => ({ name, class: 1, ttl: 60, ...record }) as Packet['answers'][number]),
	);
	return packet.toBuffer();
}

function framed(message: Buffer): Buffer {
	return Buffer.concat([Buffer.of(message.length >> 8, message.length & 255), message]);
}

const says = (answer: Answer): NameServer => ({
	udp: (query, send) => send(reply(query, answer)),
	tcp: (query, socket) => void socket.end(framed(reply(query, answer))),
});

const A = says({
	records: [
		{ type: 1, address: '192.0.2.1' },
		{ type: 1, address: '192.0.2.20' },
	],
});
const asks = (type: string, name = 'www.example.org') => ({ query: { name, type } });

const CASES: readonly { name: string; server: NameServer; keys: object; finds: string }[] = [
	{ name: 'an answer', server: A, keys: asks('A'), finds: 'up: NOERROR' },
	{ name: 'an empty answer', server: says({}), keys: asks('A'), finds: 'up: NOERROR' },
	{
		name: 'the address it holds',
		server: A,
		keys: { ...asks('A'), expect: { contains: '192.0.2.20' } },
		finds: 'up: NOERROR, holds "192.0.2.20"',
	},
	{
		name: 'the start of an address',
		server: A,
		keys: { ...asks('A'), expect: { contains: '192.0.2.2' } },
		finds: 'down: none of 2 answers to www.example.org A hold "192.0.2.2"',
	},
	{
		name: 'an empty answer that should hold something',
		server: says({}),
		keys: { ...asks('A'), expect: { contains: '192.0.2.2' } },
		finds: 'down: no answers to www.example.org A hold "192.0.2.2"',
	},
	{ name: 'SERVFAIL', server: says({ rcode: 2 }), keys: asks('A'), finds: 'down: SERVFAIL, expected NOERROR' },
	{
		name: 'an RCODE without a name',
		server: says({ rcode: 15 }),
		keys: asks('A'),
		finds: 'down: RCODE 15, expected NOERROR',
	},
	{
		name: 'the RCODE that is expected',
		server: says({ rcode: 5 }),
		keys: { ...asks('A'), expect: { rcode: 'REFUSED' } },
		finds: 'up: REFUSED',
	},
	{
		name: 'an answer where there should be none',
		server: A,
		keys: { ...asks('A'), expect: { rcode: 'NXDOMAIN' } },
		finds: 'down: NOERROR, expected NXDOMAIN',
	},
	{
		name: 'a TXT record',
		server: says({ records: [{ type: 16, data: ['v=spf1 ', '-all'] }] }),
		keys: { ...asks('TXT'), expect: { contains: 'spf1 -all' } },
		finds: 'up: NOERROR, holds "spf1 -all"',
	},
	{
		name: 'an MX record',
		server: says({ records: [{ type: 15, priority: 10, exchange: 'mail.example.org' }] }),
		keys: { ...asks('MX'), expect: { contains: '10 Mail.example.org.' } },
		finds: 'up: NOERROR, holds "10 Mail.example.org."',
	},
	{
		name: 'a CNAME record',
		server: says({ records: [{ type: 5, domain: 'd1.cdn.example' }] }),
		keys: { ...asks('CNAME'), expect: { contains: 'd1.cdn.example' } },
		finds: 'up: NOERROR, holds "d1.cdn.example"',
	},
	{
		name: 'an NS record',
		server: says({ records: [{ type: 2, ns: 'ns1.example.org' }] }),
		keys: { ...asks('NS', '.'), expect: { contains: 'ns1.example.org' } },
		finds: 'up: NOERROR, holds "ns1.example.org"',
	},
	{
		name: 'an SRV record',
		server: says({ records: [{ type: 33, priority: 1, weight: 2, port: 3, target: 's.example' }] }),
		keys: { ...asks('SRV', '_sip._tcp.example.org.'), expect: { contains: '1 2 3 s.example' } },
		finds: 'up: NOERROR, holds "1 2 3 s.example"',
	},
	{
		name: 'the serial of a SOA record',
		server: says({
			records: [
				{
					type: 6,
					primary: 'a.example',
					admin: 'b.example',
					serial: 2026112101,
					refresh: 1,
					retry: 2,
					expiration: 3,
					minimum: 4,
				},
			],
		}),
		keys: { ...asks('SOA'), expect: { contains: '2026112101' } },
		finds: 'up: NOERROR, holds "2026112101"',
	},
	{
		name: 'an AAAA record written otherwise',
		server: says({ records: [{ type: 28, address: '2001:db8::1' }] }),
		keys: { ...asks('AAAA'), expect: { contains: '2001:DB8:0::1' } },
		finds: 'up: NOERROR, holds "2001:DB8:0::1"',
	},
	{
		name: 'an answer over TCP',
		server: { tcp: A.tcp ?? assert.fail() },
		keys: { ...asks('A'), transport: 'tcp' },
		finds: 'up: NOERROR',
	},
	{
		name: 'a truncated answer, whole over TCP',
		server: { udp: says({ truncated: true }).udp ?? assert.fail(), tcp: A.tcp ?? assert.fail() },
		keys: { ...asks('A'), expect: { contains: '192.0.2.1' } },
		finds: 'up: NOERROR, holds "192.0.2.1"',
	},
	{
		name: 'an answer that is truncated over TCP too',
		server: says({ truncated: true }),
		keys: asks('A'),
		finds: 'down: answer over TCP is truncated',
	},
	{ name: 'silence', server: {}, keys: asks('A'), finds: 'down: no answer within 200 ms' },
	{
		name: 'silence over TCP',
		server: {},
		keys: { ...asks('A'), transport: 'tcp' },
		finds: 'down: no answer within 200 ms',
	},
	{
		name: 'a connection that closes',
		server: { tcp: (_, socket) => void socket.end() },
		keys: { ...asks('A'), transport: 'tcp' },
		finds: 'down: connection closed before an answer',
	},
	{
		name: 'half a message over TCP',
		server: { tcp: (query, socket) => void socket.end(framed(query).subarray(0, 9)) },
		keys: { ...asks('A'), transport: 'tcp' },
		finds: 'down: connection closed before an answer',
	},
	{
		name: 'an answer to another id',
		server: {
			udp: (query, send) => send(Buffer.concat([Buffer.of((query[0] ?? 0) ^ 1), reply(query, {}).subarray(1)])),
		},
		keys: asks('A'),
		finds: 'down: no answer within 200 ms',
	},
	{
		name: 'an answer to another question',
		server: {
			udp: (query, send) => send(reply(Buffer.from(query.toString('latin1').replace('www', 'wvw'), 'latin1'), {})),
		},
		keys: asks('A'),
		finds: 'down: no answer within 200 ms',
	},
	{
		name: 'a wrong answer and then the right one',
		server: {
			udp: (query, send) => {
				send(Buffer.alloc(5));
				send(query);
				send(reply(query, {}));
			},
		},
		keys: asks('A'),
		finds: 'up: NOERROR',
	},
	{
		name: 'a flood of wrong answers',
		server: {
			udp: (_, send) => {
				for (let i = 0; i < 100; i++) send(Buffer.alloc(500));
			},
		},
		keys: asks('A'),
		finds: 'down: answer is not to the question',
	},
	{
		name: 'its own question over TCP',
		server: { tcp: (query, socket) => void socket.end(framed(query)) },
		keys: { ...asks('A'), transport: 'tcp' },
		finds: 'down: answer is not to the question',
	},
	{
		name: 'FORMERR without a question',
		server: {
			udp: (query, send) => send(Buffer.concat([query.subarray(0, 2), Buffer.of(0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0)])),
		},
		keys: asks('A'),
		finds: 'down: FORMERR, expected NOERROR',
	},
	{
		name: 'a record that is cut off',
		server: {
			udp: (query, send) => send(reply(query, { records: [{ type: 1, address: '192.0.2.1' }] }).subarray(0, -2)),
		},
		keys: { ...asks('A'), expect: { contains: '192.0.2.1' } },
		finds: 'down: answer is malformed',
	},
];

describe('a dns check meets', () => {
	for (const { name, server, keys, finds } of CASES) {
		it(name, async (t) => {
			const port = await startNameServer(t, server);
			const { isUp, reason, rttMs } = await check(
				targetAt(port, monitorFrom({ kind: 'dns', timeout: '200ms', ...keys })),
				never,
			);
			assert.equal(`${isUp ? 'up' : 'down'}: ${reason}`, finds);
			if (isUp === true) assert(rttMs !== undefined && rttMs >= 0);
		});
	}

	for (const transport of ['udp', 'tcp']) {
		it(`a closed port over ${transport}`, async () => {
			const monitor = monitorFrom({ kind: 'dns', ...asks('A'), transport });
			const result = await check(targetAt(await refusingPort(), monitor), never);
			assert.equal(result.reason, 'connection refused');
		});
	}
});

describe('readReply()', () => {
	const monitor = monitorFrom({ kind: 'dns', ...asks('A'), expect: { contains: '192.0.2.1' } }) as DnsMonitor;

	it('ends, whatever the message', () => {
		const question = writeQuestion(monitor);
		const head = Buffer.from(question.octets);
		head.writeUInt16BE(0x8180, 2);
		const record = fc.uint8Array({ minLength: 1, maxLength: 60 });
		fc.assert(
			fc.property(fc.array(record, { maxLength: 20 }), fc.nat(0xffff), (records, count) => {
				const message = Buffer.concat([head, ...records]);
				message.writeUInt16BE(count, 6);
				const { kind } = readReply(message, question, monitor);
				assert.equal(kind, 'answer');
			}),
			{ numRuns: 500 },
		);
	});

	it('ends soon on thousands of records that follow thousands of pointers each', () => {
		const question = writeQuestion(monitor);
		const message = Buffer.alloc(65_535);
		question.octets.copy(message);
		message.writeUInt16BE(0x8180, 2);
		message.writeUInt16BE(0xffff, 6);
		const chainAt = question.octets.length + 64 * 14;
		const chainEnd = 0x3ffe;
		for (let at = chainAt + 2; at <= chainEnd; at += 2) message.writeUInt16BE(0xc000 | (at - 2), at);
		// NS records whose owner and RDATA are the end of the chain.
		const record = Buffer.from([0xff, 0xfe, 0, 2, 0, 1, 0, 0, 0, 60, 0, 2, 0xff, 0xfe]);
		for (let at = question.octets.length; at < chainAt; at += 14) record.copy(message, at);
		for (let at = chainEnd + 2; at + 14 < message.length; at += 14) record.copy(message, at);
		const startMs = performance.now();
		const reply = readReply(message, question, monitor);
		assert(performance.now() - startMs < 1000);
		const mismatch = 'none of 64 answers to www.example.org A hold "192.0.2.1"';
		assert.deepEqual(reply, { kind: 'answer', mismatch });
	});
});
