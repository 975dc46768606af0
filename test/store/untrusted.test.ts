import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { Seal } from '../../src/store/envelope.ts';
import { readHead } from '../../src/store/head.ts';
import { readItem } from '../../src/store/item.ts';
import { readRecord, writeRecord } from '../../src/store/prober-record.ts';
import { readEntry } from '../../src/store/redis-entry.ts';
import { type JsonValue, readUntrustedJson } from '../../src/store/untrusted-json.ts';

const seal = new Seal(['the key of this test']);
const json = fc.jsonValue() as fc.Arbitrary<JsonValue>;

describe('values from where others may write', () => {
	it('are opened, or refused, whatever the octets', () => {
		void fc.assert(
			fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
				assert('refusal' in seal.open('k', octets, 1000));
			}),
		);
	});

	it('are refused when any octet of them is another', () => {
		void fc.assert(
			fc.property(json, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, change) => {
				const octets = Buffer.from(seal.close('k', value));
				const place = at % octets.length;
				octets[place] = (octets[place] ?? 0) ^ change;
				assert('refusal' in seal.open('k', octets, 100_000));
			}),
		);
	});

	it('come back as they were', () => {
		void fc.assert(
			fc.property(json, (value) => {
				const text = JSON.stringify(value);
				fc.pre(!text.includes('__proto__'));
				const opened = seal.open('k', Buffer.from(seal.close('k', value)), 100_000);
				assert.deepEqual('value' in opened && opened.value, JSON.parse(text));
			}),
		);
	});

	it('are of the shape they should be, or nothing', () => {
		void fc.assert(
			fc.property(json, (value) => {
				const octets = Buffer.from(JSON.stringify(value));
				assert.equal(readHead(value), undefined);
				assert.equal(readRecord(value), undefined);
				assert.equal(readEntry(value), undefined);
				for (const id of ['unit:a.', 'override:1', 'token:1', 'other:1', 'a'])
					assert.equal(readItem(id, octets), undefined);
			}),
		);
	});

	for (const { name, text } of [
		{ name: '__proto__', text: '{"__proto__":1}' },
		{ name: '__proto__ with an escape', text: '{"a":[{"\\u005f_proto__":{}}]}' },
		{ name: 'a number beyond all', text: '[1e999]' },
		{ name: 'two documents', text: '{}{}' },
		{ name: 'too deep', text: `${'['.repeat(100_000)}${']'.repeat(100_000)}` },
		{ name: 'a mark of byte order', text: '\ufeff{}' },
	]) {
		it(`are no JSON with ${name}`, () => assert.equal(readUntrustedJson(Buffer.from(text)), undefined));
	}

	it('are no JSON with octets that are no UTF-8', () => {
		assert.equal(readUntrustedJson(Uint8Array.of(0x22, 0xc0, 0x80, 0x22)), undefined);
	});

	const record = {
		instance: 'eu-1',
		region: 'eu',
		incarnation: 1,
		sequence: 2,
		publishedAtMs: 3,
		votes: [{ key: 'k', vote: 'up' as const, sinceAgeMs: 1, checkedAgeMs: 0.5 }],
		roundTrips: [{ address: '192.0.2.1', ms: 3.5 }],
	};

	it('are a record when they are one', () => assert.deepEqual(readRecord(writeRecord(record)), record));

	for (const { name, change } of [
		{ name: 'a vote that is none', change: { votes: [['k', 'unknown', 0, 0]] } },
		{ name: 'an age below zero', change: { votes: [['k', 'up', -1, 0]] } },
		{ name: 'an age of a century', change: { votes: [['k', 'up', 4e12, 0]] } },
		{ name: 'a key without end', change: { votes: [['k'.repeat(10_000), 'up', 0, 0]] } },
		{ name: 'votes without end', change: { votes: Array.from({ length: 20_001 }, (_, i) => [`${i}`, 'up', 0, 0]) } },
		{ name: 'a list for a name', change: { instance: ['eu-1'] } },
		{ name: 'half a sequence', change: { sequence: 1.5 } },
		{ name: 'a sequence beyond counting', change: { sequence: 2 ** 60 } },
		{ name: 'a field of the future', change: { more: 1 } },
	]) {
		it(`are no record with ${name}`, () => {
			assert.equal(readRecord({ ...(writeRecord(record) as object), ...change } as JsonValue), undefined);
		});
	}
});
