/**
 * Responder against anything: property by property, a long seeded run, and all types.
 * A failure tells the request in hex; kept as `octets` in a dialogue it becomes a fixture.
 */

import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { UDP_PAYLOAD_OCTETS_MAX } from '../../src/dns/protocol.ts';
import { typeCode, typeText } from '../../src/dns/rr-type.ts';
import type { Transport } from '../../src/serve/respond.ts';
import { makeQuery } from '../dns/make-query.ts';
import { responderOf, type TestResponder } from '../serve/responder-of.ts';
import { checkReply } from './check-reply.ts';
import { FUZZ_WORLD, Mutator } from './mutate.ts';

const MESSAGES = 300_000;
const SENDERS = ['192.0.2.1', '85.1.2.3', '2a00::1', '::ffff:85.1.2.3', '10.0.0.1', '2001:db8::1'];
const transports: readonly Transport[] = ['udp', 'tcp'];

function check(world: TestResponder, request: Uint8Array, transport: Transport, from = '192.0.2.1') {
	const reply = world.respond(request, { transport, from });
	const message = checkReply(request, reply, transport);
	assert.deepEqual(world.faults, [], Buffer.from(request).toString('hex'));
	return message;
}

describe('respond()', () => {
	const world = responderOf(FUZZ_WORLD);

	it('keeps the rules for any octets', () => {
		fc.assert(
			fc.property(
				fc.uint8Array({ maxLength: 600, size: 'max' }),
				fc.constantFrom(...transports),
				(octets, transport) => {
					check(world, octets, transport);
				},
			),
			{ numRuns: 3000 },
		);
	});

	it('keeps the rules for any octets behind a good header', () => {
		const header = Uint8Array.of(1, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1);
		fc.assert(
			fc.property(
				fc.uint8Array({ maxLength: 300, size: 'max' }),
				fc.constantFrom(...transports),
				(octets, transport) => {
					check(world, Uint8Array.from([...header, ...octets]), transport);
				},
			),
			{ numRuns: 3000 },
		);
	});

	it('never looks behind the message in a buffer that is longer, and answers in it what it answers elsewhere', () => {
		const mutator = new Mutator(23);
		const buffer = new Uint8Array(4096);
		const sender = { family: 4, words: Uint32Array.of(0xc0000201, 0, 0, 0) } as const;
		const out = new Uint8Array(UDP_PAYLOAD_OCTETS_MAX);
		for (let i = 0; i < 20_000; i++) {
			const request = mutator.message();
			const alone = Uint8Array.from(world.respond(request));
			buffer.set(request);
			buffer.fill(mutator.below(256), request.length);
			const length = world.responder.respond(buffer, request.length, sender, 'udp', out);
			assert.deepEqual(out.subarray(0, length), alone, Buffer.from(request).toString('hex'));
			const lengthInPlace = world.responder.respond(buffer, request.length, sender, 'udp', buffer);
			assert.deepEqual(buffer.subarray(0, lengthInPlace), alone, Buffer.from(request).toString('hex'));
		}
	});

	it('keeps the rules for any options', () => {
		const option = fc.record({
			code: fc.oneof(fc.constant(8), fc.nat(65535)),
			octets: fc.array(fc.nat(255), { maxLength: 24 }),
		});
		fc.assert(
			fc.property(fc.array(option, { maxLength: 4 }), fc.constantFrom('geo', 'www', 'big'), (options, owner) => {
				check(world, makeQuery({ name: `${owner}.example.org`, edns: { options } }), 'udp');
			}),
			{ numRuns: 3000 },
		);
	});

	it('gives one answer for one query, whatever came between', () => {
		const mutator = new Mutator(3);
		world.draw = 0.5;
		for (let i = 0; i < 2000; i++) {
			const request = mutator.query();
			const first = world.respond(request).slice();
			world.respond(mutator.message());
			assert.deepEqual(world.respond(request), first, Buffer.from(request).toString('hex'));
		}
	});

	it('gives over TCP what it gives over UDP, when that was not truncated', () => {
		const mutator = new Mutator(4);
		let compared = 0;
		for (let i = 0; i < 2000; i++) {
			const request = mutator.query();
			const udp = world.respond(request).slice();
			if (udp.length === 0 || ((udp[2] ?? 0) & 2) !== 0) continue;
			const [short, whole] = [udp, world.respond(request, { transport: 'tcp' })];
			// Additional records may have stayed out.
			assert.deepEqual(short.subarray(0, 10), whole.subarray(0, 10));
			if (short.length === whole.length) assert.deepEqual(short, whole);
			compared++;
		}
		assert.ok(compared > 1000, `${compared}`);
	});
});

describe('respond() spends little on', () => {
	const world = responderOf(FUZZ_WORLD);
	const filled = (head: string, ...cell: readonly number[]) => {
		const message = Buffer.alloc(65535);
		message.set(Buffer.from(head.replaceAll(' ', ''), 'hex'));
		for (let at = head.replaceAll(' ', '').length / 2; at < 65535; at++) message[at] = cell[at % cell.length] ?? 0;
		return message;
	};
	const question = '0377777707 6578616d706c65 036f7267 00 0001 0001';
	for (const [name, message] of [
		['64 kB with 5000 records of an answer', filled(`0001 0000 0001 1388 0000 0000 ${question}`, 0)],
		['64 kB with 65,535 additional records', filled(`0001 0000 0001 0000 0000 ffff ${question}`, 0)],
		['64 kB of options', filled(`0001 0000 0001 0000 0000 0001 ${question} 00 0029 04d0 00000000 ffcf`, 0)],
		['64 kB of labels', filled('0001 0000 0001 0000 0000 0000', 1)],
		['64 kB of pointers', filled('0001 0000 0001 0000 0000 0008', 0xc0, 0x0c)],
		['records whose owners are pointers to pointers', filled(`0001 0000 0001 0000 0000 0008 ${question}`, 0xc0, 0x1d)],
	] as const) {
		it(name, () => {
			const startMs = performance.now();
			for (let i = 0; i < 300; i++) check(world, message, 'tcp');
			const eachMs = (performance.now() - startMs) / 300;
			assert.ok(eachMs < 2, `${eachMs} ms each`);
		});
	}
});

it(`respond() keeps the rules for ${MESSAGES} damaged queries`, () => {
	const seed = 20_261_121;
	const mutator = new Mutator(seed);
	const world = responderOf(FUZZ_WORLD);
	const rcodes = new Map<string, number>();
	for (let i = 0; i < MESSAGES; i++) {
		const transport = mutator.below(4) === 0 ? 'tcp' : 'udp';
		world.draw = mutator.below(1000) / 1000;
		const message = check(world, mutator.message(), transport, mutator.pick(SENDERS));
		const rcode = message?.rcode ?? 'silence';
		rcodes.set(rcode, (rcodes.get(rcode) ?? 0) + 1);
	}
	assert.equal(world.count('faults'), 0);
	// A run that sees only errors has not come far.
	for (const rcode of ['NOERROR', 'NXDOMAIN', 'FORMERR', 'NOTIMP', 'REFUSED', 'BADVERS', 'YXDOMAIN', 'silence']) {
		assert.ok((rcodes.get(rcode) ?? 0) > 100, `${rcode}: ${JSON.stringify([...rcodes])}`);
	}
	assert.ok((rcodes.get('NOERROR') ?? 0) > MESSAGES / 10, JSON.stringify([...rcodes]));
});

describe('respond() to all 65,536 types', () => {
	const world = responderOf(FUZZ_WORLD);
	const held: Readonly<Record<string, readonly string[]>> = {
		www: ['A', 'AAAA', 'TXT', 'ANY'],
		geo: ['A', 'AAAA', 'ANY'],
		odd: ['TYPE65280', 'ANY'],
	};

	for (const [owner, types] of Object.entries(held)) {
		it(`finds at ${owner} what it holds and NODATA for the others`, () => {
			const codes = new Set(types.map((type) => typeCode(type)));
			for (const [type, request] of everyType(`${owner}.example.org`)) {
				const message = check(world, request, 'udp', '85.1.2.3');
				const text = typeText(type);
				assert.equal(message?.rcode, rcodeFor(0, type, 1) ?? 'NOERROR', text);
				if (message?.rcode !== 'NOERROR') continue;
				assert.equal(message.answer.length > 0, codes.has(type), text);
				assert.equal(message.authority[0]?.type, codes.has(type) ? undefined : 'SOA', text);
			}
		});
	}

	it('is NXDOMAIN where there is no name', () => {
		for (const [type, request] of everyType('nothing.example.org')) {
			const expected = rcodeFor(0, type, 1) ?? 'NXDOMAIN';
			assert.equal(check(world, request, 'udp')?.rcode, expected, typeText(type));
		}
	});

	it('refuses other classes and does not know other opcodes, a sample of both for each type', () => {
		const classes = [1, 0, 2, 3, 4, 254, 255, 256, 65535];
		const mutator = new Mutator(7);
		for (const [type, request] of everyType('www.example.org')) {
			for (let sample = 0; sample < 2; sample++) {
				const [classCode, opcode] = [mutator.pick(classes), mutator.below(16)];
				request[2] = opcode << 3;
				request[request.length - 2] = classCode >>> 8;
				request[request.length - 1] = classCode & 255;
				const message = check(world, request, 'udp');
				const expected = rcodeFor(opcode, type, classCode);
				if (expected !== undefined) assert.equal(message?.rcode, expected, `${type} ${classCode} ${opcode}`);
				if (message?.rcode === 'NOTIMP') assert.equal(message.question.length, 0);
			}
		}
	});
});

/** The error that is due; undefined when the name decides. */
function rcodeFor(opcode: number, type: number, classCode: number): string | undefined {
	const isUnderstood = opcode === 0 || opcode === 4 || opcode === 5;
	if (!isUnderstood) return 'NOTIMP';
	if (typeText(type) === 'OPT') return 'FORMERR';
	if (opcode > 0) return 'REFUSED';
	return classCode !== 1 || ['AXFR', 'IXFR'].includes(typeText(type)) ? 'REFUSED' : undefined;
}

/** One request for each type, the same octets changed. */
function* everyType(name: string): Generator<readonly [number, Uint8Array]> {
	const request = makeQuery({ name });
	for (let type = 0; type < 65536; type++) {
		request[request.length - 4] = type >>> 8;
		request[request.length - 3] = type & 255;
		yield [type, request];
	}
}
