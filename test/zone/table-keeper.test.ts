import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ZoneInput } from '../../src/zone/build-table.ts';
import { TableBuilder } from '../../src/zone/build-table.ts';
import type { ZoneTable } from '../../src/zone/table.ts';
import { TableKeeper } from '../../src/zone/table-keeper.ts';
import { additionalOf, lookupOf, outcomeOf, rdataOf, zoneInput } from './zone-of.ts';

const APEXES = Array.from({ length: 40 }, (_, i) => `z${i}.example.`);
/** They lie above or below others. */
const NESTED = ['example.', 'deep.z3.example.'];
const TEXTS = [
	'www A 192.0.2.1',
	'www A 192.0.2.2\n* TXT wild\n@ MX 10 mail\nmail A 192.0.2.3',
	'sub NS ns.sub\nns.sub A 192.0.2.4\na.b.c TXT deep',
	'old DNAME example.net.\nwww CNAME other',
];
const LABELS = ['', 'www.', 'mail.', 'x.sub.', 'ns.sub.', 'b.c.', 'x.old.', 'deep.', 'www.deep.', 'steered.'];
const QUESTIONS = [...APEXES, ...NESTED].flatMap((apex) =>
	LABELS.flatMap((label) => ['A', 'MX', 'TXT'].map((type) => [`${label}${apex}`, type] as const)),
);

/** All that a question finds, as text. */
function foundBy(table: ZoneTable): readonly string[] {
	return QUESTIONS.map(([name, type]) => {
		const { rrset } = lookupOf(table, name, type);
		const data = rrset < 0 ? [] : [...rdataOf(table, rrset), ...additionalOf(table, rrset)];
		return `${name} ${type}: ${outcomeOf(table, name, type)} ${data.join()}`;
	});
}

/** A change of one zone: to a text of TEXTS, or none. */
const change = fc.record({
	apex: fc.oneof(
		{ weight: 20, arbitrary: fc.constantFrom(...APEXES) },
		{ weight: 1, arbitrary: fc.constantFrom(...NESTED) },
	),
	text: fc.option(fc.constantFrom(...TEXTS), { nil: undefined }),
	isSteered: fc.boolean(),
});

const changes = fc.array(change, { maxLength: 3 });

describe('TableKeeper', () => {
	it('gives what a table of all zones gives, whatever has changed', () => {
		fc.assert(
			fc.property(fc.array(fc.record({ changes, isLent: fc.boolean() }), { maxLength: 12 }), (rounds) => {
				const zones = new Map<string, ZoneInput>(APEXES.map((apex) => [apex, zoneInput(apex, TEXTS[0] ?? '')]));
				const steered = new Set<string>();
				const keeper = new TableKeeper();
				keeper.build([...zones.values()]);
				for (const { changes, isLent } of rounds) {
					for (const { apex, text, isSteered } of changes) {
						if (text === undefined) zones.delete(apex);
						else zones.set(apex, zoneInput(apex, text));
						if (isSteered) steered.add(apex);
						else steered.delete(apex);
					}
					let index = 0;
					const inputs = [...zones].map(([apex, zone]) => ({
						...zone,
						steered: steered.has(apex) ? zoneInput(apex, '', index++).steered : [],
					}));
					const table = keeper.build(inputs);
					assert.equal(table.zoneCount, inputs.length);
					const served = isLent ? structuredClone(table) : table;
					if (isLent) keeper.lend(served);
					assert.deepEqual(foundBy(served), foundBy(new TableBuilder().addAll(inputs)));
				}
			}),
			{ numRuns: 25 },
		);
	});

	it('keeps no table of its own beside the copy that is served, and leaves that one alone', () => {
		const keeper = new TableKeeper();
		const zones = APEXES.map((apex) => zoneInput(apex, TEXTS[1] ?? ''));
		const table = keeper.build(zones);
		const copy = structuredClone(table);
		keeper.lend(copy);
		assert.equal(table.nodes.buffer.byteLength, 0);
		const found = foundBy(copy);
		keeper.build([zoneInput('z0.example.', TEXTS[0] ?? ''), ...zones.slice(1)]);
		assert.deepEqual(foundBy(copy), found);
	});

	it('goes on from the table before when few zones have changed', () => {
		const keeper = new TableKeeper();
		const zones = APEXES.map((apex) => zoneInput(apex, TEXTS[1] ?? ''));
		const before = keeper.build(zones);
		const after = keeper.build([zoneInput('z0.example.', TEXTS[0] ?? ''), ...zones.slice(1)]);
		assert.equal(after.nodes.buffer, before.nodes.buffer);
		assert.equal(outcomeOf(after, 'mail.z0.example.', 'A'), 'nxdomain below z0.example. in z0.example.');
	});
});
