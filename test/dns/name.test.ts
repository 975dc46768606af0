import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
	copyName,
	expandName,
	isAtOrBelow,
	labelCount,
	lowerName,
	Name,
	nameLength,
	printName,
	readName,
	sameName,
	scanName,
} from '../../src/dns/name.ts';
import { wireName } from './make-query.ts';

const ROOT = Uint8Array.of(0);

/** Any well-formed wire name. */
export const anyName = fc.array(fc.uint8Array({ minLength: 1, maxLength: 63 }), { maxLength: 12 }).map((labels) => {
	const out: number[] = [];
	for (const label of labels) if (out.length + label.length + 2 <= 255) out.push(label.length, ...label);
	return Uint8Array.from([...out, 0]);
});

describe('scanName()', () => {
	for (const { name, text, origin = 'example.org.', wire } of [
		{ name: 'takes @ for the origin', text: '@', wire: '\x07example\x03org\0' },
		{ name: 'adds the origin to a relative name', text: 'www', wire: '\x03www\x07example\x03org\0' },
		{ name: 'leaves an absolute name alone', text: 'a.b.', wire: '\x01a\x01b\0' },
		{ name: 'reads the root', text: '.', wire: '\0' },
		{ name: 'keeps the case', text: 'WwW.', wire: '\x03WwW\0' },
		{ name: 'takes an escaped dot into the label', text: 'a\\.b.', wire: '\x03a.b\0' },
		{ name: 'reads a decimal escape', text: 'a\\000\\255.', wire: '\x03a\0\xff\0' },
		{ name: 'reads an escaped backslash', text: '\\\\.', wire: '\x01\\\0' },
		{ name: 'reads an escaped @ literally', text: '\\@', origin: '.', wire: '\x01@\0' },
		{ name: 'takes a final escaped dot as no end', text: 'a\\.', origin: 'b.', wire: '\x02a.\x01b\0' },
		{ name: 'reads a relative name below the root', text: 'a', origin: '.', wire: '\x01a\0' },
		{ name: 'holds a label of 63 octets', text: `${'a'.repeat(63)}.`, wire: `\x3f${'a'.repeat(63)}\0` },
	])
		it(name, () => {
			const scanned = scanName(text, wireName(origin));
			assert.deepEqual(
				scanned,
				Uint8Array.from(wire, (character) => character.charCodeAt(0)),
			);
		});

	for (const { name, text, says } of [
		{ name: 'refuses an empty name', text: '', says: /it is empty/ },
		{ name: 'refuses a leading dot', text: '.a', says: /empty label/ },
		{ name: 'refuses two dots', text: 'a..b', says: /empty label/ },
		{ name: 'refuses dots alone', text: '..', says: /empty label/ },
		{ name: 'refuses an escape above 255', text: '\\256', says: /an escape is/ },
		{ name: 'refuses a digit escape of fewer than three', text: 'a\\25', says: /an escape is/ },
		{ name: 'refuses a backslash at the end', text: 'a\\', says: /an escape is/ },
		{ name: 'refuses a label of 64 octets', text: 'a'.repeat(64), says: /label is longer than 63/ },
		{
			name: 'refuses 256 octets',
			text: `${`${'a'.repeat(63)}.`.repeat(3)}${'a'.repeat(62)}.`,
			says: /longer than 255/,
		},
		{ name: 'counts the origin', text: `${'a.'.repeat(121)}a`, says: /longer than 255/ },
	])
		it(name, () => assert.match(String(scanName(text, wireName('example.org.'))), says));

	it('takes 255 octets', () => {
		const wire = scanName(`${`${'a'.repeat(63)}.`.repeat(3)}${'a'.repeat(61)}.`, ROOT);
		assert.equal(wire.length, 255);
	});

	it('reads back whatever printName() prints, below any origin', () => {
		fc.assert(
			fc.property(anyName, anyName, (wire, origin) => {
				assert.deepEqual(scanName(printName(wire), origin), wire);
			}),
		);
	});

	it('ends on any text', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'binary' }), (text) => {
				const wire = scanName(text, ROOT);
				if (typeof wire !== 'string') assert.equal(nameLength(wire, 0), wire.length);
			}),
		);
	});
});

describe('printName()', () => {
	for (const { name, wire, text } of [
		{ name: 'prints the root as a dot', wire: '\0', text: '.' },
		{ name: 'escapes what the master file gives a meaning', wire: '\x07."\\;()@\0', text: '\\.\\"\\\\\\;\\(\\)\\@.' },
		{ name: 'escapes a directive sign', wire: '\x02$a\0', text: '\\$a.' },
		{ name: 'prints other octets as three digits', wire: '\x04\0 \x7f\xff\0', text: '\\000\\032\\127\\255.' },
	])
		it(name, () => {
			assert.equal(printName(Uint8Array.from(wire, (character) => character.charCodeAt(0))), text);
		});
});

describe('readName()', () => {
	const packet = (...parts: (string | number)[]) =>
		Uint8Array.from(
			parts.flatMap((part) => (typeof part === 'number' ? [part] : Array.from(part, (c) => c.charCodeAt(0)))),
		);

	for (const { name, bytes, offset, next, text } of [
		{ name: 'reads a plain name, lower-cased', bytes: packet('\x03WWW\x01b\0'), offset: 0, next: 7, text: 'www.b.' },
		{ name: 'reads the root', bytes: packet(0, 9), offset: 0, next: 1, text: '.' },
		{ name: 'follows a pointer', bytes: packet('\x01b\0\x01a', 0xc0, 0), offset: 3, next: 7, text: 'a.b.' },
		{
			name: 'follows pointers in a row',
			bytes: packet('\x01b\0', 0xc0, 0, 0xc0, 3, '\x01a', 0xc0, 5),
			offset: 7,
			next: 11,
			text: 'a.b.',
		},
	])
		it(name, () => {
			const read = new Name();
			assert.equal(readName(bytes, offset, bytes.length, read), next);
			assert.equal(printName(read.wire), text);
		});

	for (const { name, bytes, offset } of [
		{ name: 'refuses a pointer to itself', bytes: packet(0xc0, 0), offset: 0 },
		{ name: 'refuses a loop of two pointers', bytes: packet(0xc0, 2, 0xc0, 0), offset: 2 },
		{ name: 'refuses a pointer into its own run of labels', bytes: packet('\x01a', 0xc0, 0), offset: 0 },
		{ name: 'refuses a forward pointer', bytes: packet(0xc0, 2, '\x01a\0'), offset: 0 },
		{ name: 'refuses a name that ends without its root', bytes: packet('\x01a'), offset: 0 },
		{ name: 'refuses a label that is cut off', bytes: packet('\x05ab'), offset: 0 },
		{ name: 'refuses half a pointer', bytes: packet(0, 0xc0), offset: 1 },
		{ name: 'refuses an offset past the end', bytes: packet(0), offset: 1 },
		{ name: 'refuses the label kinds 01 and 10', bytes: packet(0x41, '\0'), offset: 0 },
		{
			name: 'refuses 256 octets',
			bytes: packet(`\x3f${'a'.repeat(63)}`.repeat(3), `\x3e${'a'.repeat(62)}\0`),
			offset: 0,
		},
	])
		it(name, () => assert.equal(readName(bytes, offset, bytes.length, new Name()), -1));

	it('reads 127 labels', () => {
		const read = new Name();
		assert.equal(readName(packet('\x01a'.repeat(127), 0), 0, 255, read), 255);
		assert.equal(read.labelCount, 127);
	});

	it('ends within bounds on any octets', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, offset) => {
				const read = new Name();
				const next = readName(bytes, offset, bytes.length, read);
				if (next < 0) return;
				assert.ok(next > offset && next <= bytes.length);
				assert.ok(read.length >= 1 && read.length <= 255);
				assert.equal(nameLength(read.wire, 0), read.length);
				assert.deepEqual(lowerName(expandName(bytes, offset)), read.wire.slice(0, read.length));
			}),
			{ numRuns: 1000 },
		);
	});

	it('reads any name back, with one hash for each suffix', () => {
		fc.assert(
			fc.property(anyName, (wire) => {
				const read = new Name();
				assert.equal(readName(wire, 0, wire.length, read), wire.length);
				assert.deepEqual(read.wire.slice(0, read.length), lowerName(wire));
				assert.equal(read.labelCount, labelCount(wire, 0));
				const suffix = new Name();
				for (let label = 0; label <= read.labelCount; label++) {
					copyName(wire, read.starts[label] ?? 0, suffix);
					assert.equal(suffix.hashes[0], read.hashes[label]);
				}
			}),
		);
	});
});

describe('isAtOrBelow()', () => {
	for (const { name, owner, ancestor, is } of [
		{ name: 'holds for the name itself, in any case', owner: 'A.b.', ancestor: 'a.B.', is: true },
		{ name: 'holds for a descendant', owner: 'x.a.b.', ancestor: 'a.b.', is: true },
		{ name: 'holds for everything below the root', owner: 'x.', ancestor: '.', is: true },
		{ name: 'fails for a parent', owner: 'b.', ancestor: 'a.b.', is: false },
		{ name: 'fails where only octets agree', owner: 'xa.b.', ancestor: 'a.b.', is: false },
		{ name: 'fails where a label holds the octets of a name', owner: 'x\\001a\\001b.', ancestor: 'a.b.', is: false },
	])
		it(name, () => assert.equal(isAtOrBelow(wireName(owner), wireName(ancestor)), is));

	it('agrees with sameName() on names of one length', () => {
		assert.ok(sameName(wireName('AB.c.'), wireName('ab.C.')));
		assert.ok(!sameName(wireName('ab.c.'), wireName('ac.c.')));
	});
});
