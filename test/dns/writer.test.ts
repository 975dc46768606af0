import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Packet } from 'dns2';
import fc from 'fast-check';
import { readMessage } from '../../src/dns/message-text.ts';
import { copyName, Name, printName } from '../../src/dns/name.ts';
import { MessageWriter } from '../../src/dns/writer.ts';
import { wireName } from './make-query.ts';

/** Names of few labels, so that many suffixes are shared. */
const sharingName = fc
	.array(fc.constantFrom('a', 'B', 'b', 'www', 'Example', 'example', 'org', 'x'.repeat(63)), { maxLength: 5 })
	.filter((labels) => labels.join('.').length < 250)
	.map((labels) => wireName(labels.map((label) => `${label}.`).join('') || '.'));

/** Begin a response that repeats the question `name A IN`. */
function begin(writer: MessageWriter, out: Uint8Array, limit: number, name: Uint8Array): void {
	out.fill(0, 0, 12);
	writer.begin(out, limit);
	out[2] = 0x84;
	const at = writer.length;
	writer.octets(name, 0, name.length);
	writer.u16(1);
	writer.u16(1);
	writer.patch16(4, 1);
	const noted = new Name();
	copyName(name, 0, noted);
	writer.noteName(noted, at);
}

function writeNs(writer: MessageWriter, owner: Uint8Array, target: Uint8Array): void {
	writer.name(owner, 0);
	writer.u16(2);
	writer.u16(1);
	writer.u32(60);
	const lengthAt = writer.length;
	writer.u16(0);
	writer.name(target, 0);
	if (!writer.isFull) writer.patch16(lengthAt, writer.length - lengthAt - 2);
}

const lower = (name: Uint8Array) => printName(name).toLowerCase();

describe('MessageWriter', () => {
	it('writes a known suffix as a pointer, whatever its case', () => {
		const out = new Uint8Array(512);
		const writer = new MessageWriter();
		begin(writer, out, 512, wireName('WWW.Example.org.'));
		const mark = writer.length;
		writer.name(wireName('www.example.ORG.'), 0);
		assert.deepEqual([...out.subarray(mark, writer.length)], [0xc0, 12]);
		writer.name(wireName('a.example.org.'), 0);
		assert.deepEqual([...out.subarray(mark + 2, writer.length)], [1, 0x61, 0xc0, 16]);
		writer.name(wireName('b.A.example.org.'), 0);
		assert.deepEqual([...out.subarray(mark + 6, writer.length)], [1, 0x62, 0xc0, mark + 2]);
		writer.name(wireName('.'), 0);
		assert.equal(out[writer.length - 1], 0);
	});

	it('writes nothing past its limit and stays full until it is rewound', () => {
		const out = new Uint8Array(64).fill(0xee);
		const writer = new MessageWriter();
		begin(writer, out, 30, wireName('a.'));
		const mark = writer.length;
		writer.octets(new Uint8Array(12), 0, 12);
		assert.ok(writer.isFull);
		writer.u8(1);
		assert.equal(writer.length, mark);
		writer.rewind(mark);
		writer.octets(new Uint8Array(11), 0, 11);
		assert.ok(!writer.isFull);
		assert.equal(writer.length, 30);
		writer.u8(1);
		assert.ok(writer.isFull);
		assert.equal(out[30], 0xee);
	});

	it('has room again when its limit is raised and it is rewound', () => {
		const out = new Uint8Array(64);
		const writer = new MessageWriter();
		writer.begin(out, 13);
		writer.u16(1);
		assert.ok(writer.isFull);
		writer.rewind(12);
		writer.limit = 14;
		writer.u16(0x1234);
		assert.deepEqual([writer.isFull, writer.length, out[12], out[13]], [false, 14, 0x12, 0x34]);
	});

	it('writes numbers in network order', () => {
		const out = new Uint8Array(32);
		const writer = new MessageWriter();
		writer.begin(out, 32);
		writer.u8(0x101);
		writer.u16(0xfffe);
		writer.u32(0xfffefdfc);
		assert.deepEqual([...out.subarray(12, writer.length)], [1, 0xff, 0xfe, 0xff, 0xfe, 0xfd, 0xfc]);
	});

	it('points at nothing beyond the reach of a pointer', () => {
		const out = new Uint8Array(40000);
		const writer = new MessageWriter();
		writer.begin(out, 40000);
		writer.octets(out, 0, 0x3fff - 12);
		writer.name(wireName('far.'), 0);
		const mark = writer.length;
		writer.name(wireName('farther.'), 0);
		writer.name(wireName('far.'), 0);
		assert.deepEqual([...out.subarray(writer.length - 2, writer.length)], [0xff, 0xff]);
		writer.rewind(mark);
		writer.name(wireName('farther.'), 0);
		writer.name(wireName('farther.'), 0);
		assert.equal(writer.length, mark + 18);
	});

	it('keeps writing right names when it has noted all that it can', () => {
		const out = new Uint8Array(65535);
		const writer = new MessageWriter();
		const names = Array.from({ length: 600 }, (_, i) => wireName(`n${i % 450}.example.`));
		begin(writer, out, out.length, wireName('example.'));
		for (const name of names) writeNs(writer, name, name);
		writer.patch16(6, names.length);
		const message = readMessage(out.subarray(0, writer.length));
		assert.ok(typeof message !== 'string', String(message));
		assert.deepEqual(
			message.answer.map((record) => record.rdataText),
			names.map((name) => printName(name)),
		);
	});

	it('writes names that this reader and dns2 read back', () => {
		const out = new Uint8Array(4096);
		const writer = new MessageWriter();
		fc.assert(
			fc.property(sharingName, fc.array(fc.tuple(sharingName, sharingName), { maxLength: 8 }), (question, records) => {
				begin(writer, out, out.length, question);
				for (const [owner, target] of records) writeNs(writer, owner, target);
				writer.patch16(6, records.length);
				const packet = out.slice(0, writer.length);
				const message = readMessage(packet);
				assert.ok(typeof message !== 'string', String(message));
				assert.equal(message.question[0]?.name, printName(question));
				const expected = records.map(([owner, target]) => [lower(owner), lower(target)]);
				const read = message.answer.map((record) => [record.name.toLowerCase(), record.rdataText.toLowerCase()]);
				assert.deepEqual(read, expected);
				const second = Packet.parse(Buffer.from(packet)) as unknown as { answers: { name: string; ns: string }[] };
				const dotted = (name: string) => (name === '' ? '.' : `${name.toLowerCase()}.`);
				assert.deepEqual(
					second.answers.map(({ name, ns }) => [dotted(name), dotted(ns)]),
					expected,
				);
			}),
		);
	});

	it('writes after a rewind what it would have written without the detour', () => {
		const records = fc.array(fc.tuple(sharingName, sharingName), { maxLength: 6 });
		fc.assert(
			fc.property(
				sharingName,
				records,
				records,
				records,
				fc.integer({ min: 0, max: 300 }),
				(question, kept, taken, after, room) => {
					const [withDetour, straight] = [new Uint8Array(4096), new Uint8Array(4096)];
					const [one, other] = [new MessageWriter(), new MessageWriter()];
					begin(one, withDetour, 4096, question);
					begin(other, straight, 4096, question);
					for (const [owner, target] of kept) writeNs(one, owner, target);
					const mark = one.length;
					// The detour mostly ends in the middle of a name.
					one.limit = mark + room;
					for (const [owner, target] of taken) writeNs(one, owner, target);
					one.rewind(mark);
					one.limit = 4096;
					for (const [owner, target] of after) writeNs(one, owner, target);
					for (const [owner, target] of [...kept, ...after]) writeNs(other, owner, target);
					assert.deepEqual(withDetour.slice(0, one.length), straight.slice(0, other.length));
				},
			),
			{ numRuns: 500 },
		);
	});
});
