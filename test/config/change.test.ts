import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applyEdit, type Edit, etagAtPlace, type Place, valueAtPlace } from '../../src/config/change.ts';
import { diffUnits } from '../../src/config/diff.ts';
import { UnitContent } from '../../src/config/unit-content.ts';

const UNIT = 'example.org.';
const ZONE = `; the zone of the example
$TTL 300
@    SOA ns1 hostmaster (
       7        ; serial
       2h 30m 14d 5m )
@    NS  ns1
ns1  A   192.0.2.53
WWW  A   192.0.2.80
www  A   192.0.2.81
*.x  TXT "a;b" "\\228\\000"
`;

const unitOf = (zone = ZONE, document: unknown = {}, includes?: Readonly<Record<string, string>>) =>
	new UnitContent({ unit: UNIT, zone, includes, steering: { kind: 'document', document } });

const records = (name: string, type: string): Place => ({ kind: 'record-set', name, type });
const put = (place: Place, value: unknown): Edit => ({ unit: UNIT, place, action: 'put', value });

function changed(before: UnitContent | undefined, edit: Edit): UnitContent {
	const result = applyEdit(before, edit);
	assert(result.ok, JSON.stringify(result));
	assert(result.value !== undefined);
	return result.value;
}

/** What differs, but for the SOA; and the serial as it is then. */
function outcome(before: UnitContent | undefined, after: UnitContent) {
	const { records: lines } = diffUnits(UNIT, before, after) ?? { records: { removed: [], added: [] } };
	const others = (list: readonly string[]) => list.filter((line) => !/ SOA /.test(line));
	const { serial } = valueAtPlace(after, { kind: 'soa' }) as { readonly serial: number };
	return { removed: others(lines.removed), added: others(lines.added), serial };
}

describe('record sets', () => {
	for (const { name, place, value, removed, added, serial } of [
		{
			name: 'are added',
			place: records('new', 'TXT'),
			value: { ttl: 60, records: ['"ü" b'] },
			removed: [],
			added: ['new 60 IN TXT "\\195\\188" "b"'],
			serial: 8,
		},
		{
			name: 'take the place of what is there, in whatever case',
			place: records('wWw', 'a'),
			value: { ttl: 300, records: ['192.0.2.80'] },
			removed: ['www 300 IN A 192.0.2.81'],
			added: [],
			serial: 8,
		},
		{
			name: 'take names that count from the apex',
			place: records('mail.example.org.', 'MX'),
			value: { records: ['10 ns1'] },
			removed: [],
			added: ['mail 3600 IN MX 10 ns1.example.org.'],
			serial: 8,
		},
		{
			name: 'take unknown types',
			place: records('@', 'TYPE731'),
			value: { ttl: 1, records: ['\\# 2 abcd'] },
			removed: [],
			added: ['@ 1 IN TYPE731 \\# 2 abcd'],
			serial: 8,
		},
		{
			name: 'that are the same change nothing, in whatever order',
			place: records('www', 'A'),
			value: { ttl: 300, records: ['192.0.2.81', '192.0.2.80'] },
			removed: [],
			added: [],
			serial: 7,
		},
		{
			name: 'of another TTL are others',
			place: records('ns1', 'A'),
			value: { ttl: 301, records: ['192.0.2.53'] },
			removed: ['ns1 300 IN A 192.0.2.53'],
			added: ['ns1 301 IN A 192.0.2.53'],
			serial: 8,
		},
	]) {
		it(name, () => {
			const before = unitOf();
			assert.deepEqual(outcome(before, changed(before, put(place, value))), { removed, added, serial });
		});
	}

	it('are given as they are taken', () => {
		const before = unitOf();
		for (const place of [records('*.x', 'TXT'), records('@', 'NS'), records('www', 'A')]) {
			const value = valueAtPlace(before, place);
			assert.equal(changed(before, put(place, value)), before);
		}
	});

	it('have an ETag that no other set changes, nor the order of their records', () => {
		const before = unitOf();
		const after = changed(before, put(records('ns1', 'A'), { ttl: 300, records: ['192.0.2.54'] }));
		for (const place of [records('www', 'A'), { kind: 'soa' } as const])
			assert.equal(etagAtPlace(before, place), etagAtPlace(after, place));
		assert.notEqual(etagAtPlace(before, records('ns1', 'A')), etagAtPlace(after, records('ns1', 'A')));
		const turned = ZONE.replace(/WWW.*\n(www.*\n)/, '$1WWW A 192.0.2.80\n');
		assert.equal(etagAtPlace(unitOf(turned), records('www', 'A')), etagAtPlace(before, records('www', 'A')));
	});

	it('go, and the zone is printed anew with what its files included', () => {
		const before = unitOf(`${ZONE}$INCLUDE more\n`, {}, { more: 'm A 192.0.2.99\n' });
		const after = changed(before, { unit: UNIT, place: records('www', 'A'), action: 'delete' });
		assert.equal(after.source.includes, undefined);
		assert.deepEqual(outcome(before, after), {
			removed: ['www 300 IN A 192.0.2.80', 'www 300 IN A 192.0.2.81'],
			added: [],
			serial: 8,
		});
	});
});

describe('the serial', () => {
	const noted = (serial: string, more = '') => ZONE.replace('7        ; serial', `${serial} ; serial`) + more;
	for (const { name, before = ZONE, file, serial, isTextKept = true } of [
		{ name: 'that is greater counts', file: noted('2026010101', 'n A 192.0.2.1\n'), serial: 2026010101 },
		{ name: 'that was forgotten rises by one', file: noted('7', 'n A 192.0.2.1\n'), serial: 8, isTextKept: false },
		{
			name: 'that is lower rises by one from what was there',
			file: noted('3', 'n A 192.0.2.1\n'),
			serial: 8,
			isTextKept: false,
		},
		{ name: 'stays when nothing else changes', file: `${noted('7')}; a comment\n`, serial: 7 },
		{
			name: 'that is lower stays what it was when nothing else changes',
			file: noted('6'),
			serial: 7,
			isTextKept: false,
		},
		{
			name: 'rises when only SOA settings change',
			file: noted('7').replace('30m', '31m'),
			serial: 8,
			isTextKept: false,
		},
		{
			name: 'goes round, and is not 0',
			before: noted('4294967295'),
			file: noted('4294967295', 'n A 192.0.2.1\n'),
			serial: 1,
			isTextKept: false,
		},
		{ name: 'greater by RFC 1982 counts', before: noted('4294967295'), file: noted('5', 'n A 192.0.2.1\n'), serial: 5 },
	]) {
		it(name, () => {
			const after = changed(unitOf(before), put({ kind: 'zone-file' }, file));
			assert.equal((valueAtPlace(after, { kind: 'soa' }) as { serial: number }).serial, serial);
			assert.equal(after.source.zone === file, isTextKept);
			// What people wrote stays, but for the number.
			assert.equal(after.source.zone, file.replace(/\d+ ; serial/, `${serial} ; serial`));
		});
	}

	it('in an included file is raised in a zone that is printed anew', () => {
		const soa = { soa: '@ 300 SOA ns1 hostmaster 7 2h 30m 14d 5m\n' };
		const zone = (more: string) => `$INCLUDE soa\n@ 300 NS ns1\nns1 300 A 192.0.2.1\n${more}`;
		const value = { zone: zone('n 300 A 192.0.2.2\n'), includes: soa };
		const after = changed(unitOf(zone(''), {}, soa), put({ kind: 'unit' }, value));
		assert.equal(outcome(undefined, after).serial, 8);
		assert.equal(after.source.includes, undefined);
	});

	it('that is given with SOA settings counts when it is greater', () => {
		const soa = {
			mname: 'ns1',
			rname: 'hostmaster',
			refresh: 7200,
			retry: 1800,
			expire: 1209600,
			minimum: 300,
			ttl: 300,
		};
		const before = unitOf();
		for (const [given, serial] of [
			[undefined, 7],
			[5, 7],
			[7, 7],
			[50, 50],
		] as const) {
			const value = given === undefined ? soa : { ...soa, serial: given };
			assert.equal(outcome(before, changed(before, put({ kind: 'soa' }, value))).serial, serial);
		}
		const patch: Edit = { unit: UNIT, place: { kind: 'soa' }, action: 'patch', value: { minimum: 60 } };
		assert.equal(outcome(before, changed(before, patch)).serial, 8);
	});
});

describe('a zone', () => {
	const given = {
		nameServers: ['ns1', 'ns.example.net.'],
		recordSets: [{ name: 'ns1', type: 'A', records: ['192.0.2.1'] }],
	};

	it('is made of its name servers and record sets', () => {
		const zone = changed(undefined, put({ kind: 'zone' }, given));
		assert.equal(
			zone.source.zone,
			`$ORIGIN example.org.
@	3600	IN	SOA	ns1.example.org. hostmaster.example.org. 1 10800 3600 1209600 300
@	3600	IN	NS	ns1.example.org.
@	3600	IN	NS	ns.example.net.
ns1	3600	IN	A	192.0.2.1
`,
		);
	});

	it('tells all that is wrong with it, each mistake once', () => {
		const result = applyEdit(
			undefined,
			put(
				{ kind: 'zone' },
				{
					nameServers: ['a..b', 'ns2'],
					recordSets: [
						{ name: 'x', type: 'A', records: ['y'] },
						{ name: 'x.', type: 'A', records: ['192.0.2.1'] },
						{ name: 'z', type: 'WRONG', records: ['1'] },
					],
				},
			),
		);
		assert(!result.ok);
		assert.deepEqual(
			result.problems.map(({ path }) => path.join('/')),
			['nameServers/0', 'recordSets/0/records/0', 'recordSets/1', 'recordSets/2'],
		);
	});

	it('tells what is wrong with its records beside what is wrong with its form', () => {
		const a = { type: 'A', records: ['y'] };
		const recordSets = [
			{ ...a, name: 'x' },
			{ ...a, name: 'y', ttl: '1h' },
			{ ...a, name: 'z', records: 'y' },
			{ ...a, name: 5 },
			{ ...a, name: 'v', type: 'WRONG' },
		];
		const result = applyEdit(undefined, put({ kind: 'zone' }, { nameServers: 'ns1', recordSets }));
		assert(!result.ok);
		assert.deepEqual(result.problems.map(({ path }) => path.join('/')).sort(), [
			'nameServers',
			'recordSets/0/records/0',
			'recordSets/1/records/0',
			'recordSets/1/ttl',
			'recordSets/2/records',
			'recordSets/3/name',
			'recordSets/4',
		]);
	});
});
