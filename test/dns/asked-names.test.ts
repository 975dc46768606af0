import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ASKED_NAMES, AskedNames } from '../../src/dns/asked-names.ts';
import { Name, printName, readName } from '../../src/dns/name.ts';
import { wireName } from './make-query.ts';

const OFFSET = 12;

/** A message with these octets behind its header, and a question's type and class behind them. */
function messageOf(octets: Uint8Array): Uint8Array {
	return Uint8Array.of(...new Uint8Array(OFFSET), ...octets, 0, 1, 0, 1);
}

function read(names: AskedNames, octets: Uint8Array): string {
	const message = messageOf(octets);
	const next = names.read(message, OFFSET, message.length);
	return next < 0 ? 'malformed' : `${printName(names.name.wire)} ${next - OFFSET}`;
}

/** All that a name is, but where it is kept. */
function contentOf({ wire, length, labelCount, starts, hashes }: Name): unknown {
	return {
		wire: wire.slice(0, length),
		starts: starts.slice(0, labelCount + 1),
		hashes: hashes.slice(0, labelCount + 1),
	};
}

describe('AskedNames', () => {
	const letter = fc.constantFrom(...'aAbBzZ@[`{0-', '\u0000', '\u00c1', '\u00e1').map((text) => text.charCodeAt(0));
	const label = fc.array(letter, { minLength: 1, maxLength: 3 });
	const longLabel = fc.array(letter, { minLength: 20, maxLength: 63 });
	const wire = fc
		.array(fc.oneof({ weight: 9, arbitrary: label }, longLabel), { maxLength: 4 })
		.map((labels) => Uint8Array.of(...labels.flatMap((one) => [one.length, ...one]), 0));
	const damaged = fc
		.tuple(wire, fc.nat(300), fc.nat(255))
		.map(([octets, at, value]) => octets.with(at % octets.length, value));

	it('reads any name as it is, however often it comes', () => {
		fc.assert(
			fc.property(fc.array(fc.oneof(wire, damaged), { minLength: 1, maxLength: 8 }), (pool) => {
				const names = new AskedNames();
				// Three times each in a row: the third time a name is known.
				for (const octets of [...pool, ...pool.flatMap((one) => [one, one, one]), ...pool]) {
					const message = messageOf(octets);
					const expected = new Name();
					const next = readName(message, OFFSET, message.length, expected);
					assert.equal(names.read(message, OFFSET, message.length), next);
					if (next >= 0) assert.deepEqual(contentOf(names.name), contentOf(expected));
				}
			}),
		);
	});

	for (const { name, asked, slots } of [
		{ name: 'takes a name in that comes twice', asked: 'www.example. www.example. www.example.', slots: 'no yes same' },
		{ name: 'takes it for the same in another case', asked: 'a.b. A.b. a.B. A.B.', slots: 'no yes same same' },
		{ name: 'takes the root in', asked: '. . .', slots: 'no yes same' },
		{
			name: 'reads a long one each time',
			asked: `${`${'a'.repeat(63)}. `.repeat(3)}`.trim(),
			slots: 'no no no',
		},
	]) {
		it(name, () => {
			const names = new AskedNames();
			let before: Name | undefined;
			const told = asked.split(' ').map((text) => {
				assert.equal(read(names, wireName(text)), `${text.toLowerCase()} ${wireName(text).length}`);
				const slot = names.name.slot < 0 ? 'no' : names.name === before ? 'same' : 'yes';
				before = names.name;
				return slot;
			});
			assert.equal(told.join(' '), slots);
		});
	}

	it('gives a slot to another name, and another stamp, when that comes twice without it', () => {
		const names = new AskedNames();
		const ask = (text: string) => {
			read(names, wireName(text));
			return names.name;
		};
		const slotOf = (text: string) => {
			ask(text);
			return ask(text).slot;
		};
		const wanted = slotOf('first.example.');
		const { stamp } = ask('first.example.');
		const other = Array.from({ length: 20 * ASKED_NAMES }, (_, i) => `other${i}.example.`).find((text) => {
			const probe = new AskedNames();
			read(probe, wireName(text));
			read(probe, wireName(text));
			return probe.name.slot === wanted;
		});
		assert.ok(other !== undefined);
		assert.equal(ask(other).slot, -1);
		assert.equal(ask('first.example.').slot, wanted, 'one that comes by once drives nobody out');
		assert.equal(ask(other).slot, -1);
		assert.equal(ask(other).slot, wanted);
		assert.notEqual(ask(other).stamp, stamp);
		assert.equal(ask('first.example.').slot, -1);
	});
});
