import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { scanMasterFile } from '../../src/dns/master-file.ts';
import { Name, printName } from '../../src/dns/name.ts';
import { additionalName, canonicalRdata, isWellFormed, printRdata, rdataName, readRdata } from '../../src/dns/rdata.ts';
import { compressibleNames, rrType, typeCode, typeText } from '../../src/dns/rr-type.ts';
import { wireName } from './make-query.ts';
import { RANDOM_TYPES, randomZone } from './random-zone.ts';

const ORIGIN = wireName('example.org.');

function scan(text: string): { type: number; rdata: Uint8Array } | string {
	const { records, problems } = scanMasterFile(`a 0 ${text}`, ORIGIN);
	const problem = problems[0];
	return problem === undefined ? { type: records.type(0), rdata: records.rdata(0) } : problem.message;
}

/** The record must be good. */
function wire(text: string): { type: number; rdata: Uint8Array } {
	const scanned = scan(text);
	assert.ok(typeof scanned !== 'string', String(scanned));
	return scanned;
}

function hex(octets: Uint8Array): string {
	return Buffer.from(octets).toString('hex');
}

describe('rdata of every type', () => {
	const name = '0162076578616d706c65036f726700';
	const digest = '2bb183af5f22588179a53b0a98631fad1a292118';
	for (const { text, octets, prints = text } of [
		{ text: 'MB b', octets: name, prints: 'MB b.example.org.' },
		{ text: 'MG b', octets: name, prints: 'MG b.example.org.' },
		{ text: 'MR b', octets: name, prints: 'MR b.example.org.' },
		{ text: 'MINFO b .', octets: `${name}00`, prints: 'MINFO b.example.org. .' },
		{ text: 'HINFO x "y z"', octets: '01780379207a', prints: 'HINFO "x" "y z"' },
		{ text: 'RP . b', octets: `00${name}`, prints: 'RP . b.example.org.' },
		{ text: 'AFSDB 1 b', octets: `0001${name}`, prints: 'AFSDB 1 b.example.org.' },
		{ text: 'RT 1 b', octets: `0001${name}`, prints: 'RT 1 b.example.org.' },
		{ text: 'PX 1 . b', octets: `000100${name}`, prints: 'PX 1 . b.example.org.' },
		{ text: 'KX 1 b', octets: `0001${name}`, prints: 'KX 1 b.example.org.' },
		{ text: 'LP 1 b', octets: `0001${name}`, prints: 'LP 1 b.example.org.' },
		{ text: 'L32 1 192.0.2.1', octets: '0001c0000201' },
		{
			text: 'LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000.00m 10.00m',
			octets: '000016138b3cf018810cbce0009895b8',
		},
		{
			text: 'LOC 0 S 180 W 0',
			octets: '001216138000000059604e0000989680',
			prints: 'LOC 0 0 0.000 N 180 0 0.000 W 0.00m 1.00m 10000.00m 10.00m',
		},
		{
			text: 'NAPTR 100 10 "U" "E2U+sip" "!^.*$!sip:a@b!" .',
			octets: '0064000a0155074532552b7369700e215e2e2a24217369703a6140622100',
		},
		{ text: 'CERT PKIX 5 rsasha256 AAEC', octets: '0001000508000102', prints: 'CERT 1 5 8 AAEC' },
		{
			text: `DS 60485 RSASHA1 1 ( 2BB183AF5F22588179A5 3B0A98631FAD1A292118 )`,
			octets: `ec450501${digest}`,
			prints: `DS 60485 5 1 ${digest}`,
		},
		{ text: 'CDS 0 0 0 00', octets: '0000000000' },
		{ text: 'CDNSKEY 0 3 0 AA==', octets: '0000030000' },
		{ text: 'DNSKEY 257 3 ED25519 AQ ID', octets: '0101030f010203', prints: 'DNSKEY 257 3 15 AQID' },
		{ text: `SSHFP 4 1 ${digest}`, octets: `0401${digest}` },
		{ text: 'IPSECKEY 10 0 0 .', octets: '0a0000' },
		{ text: 'IPSECKEY 10 1 2 192.0.2.1 AQID', octets: '0a0102c0000201010203' },
		{ text: 'IPSECKEY 10 3 2 b AQID', octets: `0a0302${name}010203`, prints: 'IPSECKEY 10 3 2 b.example.org. AQID' },
		{
			text: 'RRSIG A 5 3 86400 20030322173103 20030220173103 2642 example.com. AQID',
			octets: `0001050300015180${'3e7c9dd73e5510d7'}0a52076578616d706c6503636f6d00010203`,
		},
		{
			text: 'RRSIG TYPE9 5 3 1 4294967295 0 1 . AQID',
			octets: '0009050300000001ffffffff00000000000100010203',
			prints: 'RRSIG MR 5 3 1 21060207062815 19700101000000 1 . AQID',
		},
		{
			text: 'NSEC host.example.com. A MX RRSIG NSEC TYPE1234',
			octets: `04686f7374076578616d706c6503636f6d00${'0006400100000003'}041b${'00'.repeat(26)}20`,
		},
		{
			text: 'NSEC3 1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS',
			octets: '0101000c04aabbccdd14174eb2409fe28bcb4887a1836f957f0a8425e27b000720010000000080',
			prints: 'NSEC3 1 1 12 aabbccdd 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR NS MX DNSKEY',
		},
		{ text: 'NSEC3 1 0 0 - 00', octets: '01000000000100' },
		{ text: 'NSEC3PARAM 1 0 0 -', octets: '0100000000' },
		{ text: 'TLSA 3 1 1 AB cd', octets: '030101abcd', prints: 'TLSA 3 1 1 abcd' },
		{ text: 'SMIMEA 3 1 1 ab', octets: '030101ab' },
		{ text: 'OPENPGPKEY AQID', octets: '010203' },
		{ text: 'DHCID AQID', octets: '010203' },
		{ text: 'CSYNC 66 3 A NS AAAA', octets: '000000420003000460000008' },
		{ text: 'CSYNC 66 3', octets: '000000420003' },
		{ text: `ZONEMD 1 1 3 ${'ab'.repeat(12)}`, octets: `000000010103${'ab'.repeat(12)}` },
		{ text: 'SPF x', octets: '0178', prints: 'SPF "x"' },
		{ text: 'EUI48 00-00-5E-00-53-2A', octets: '00005e00532a', prints: 'EUI48 00-00-5e-00-53-2a' },
		{ text: 'EUI64 00-00-5e-ef-10-00-00-2a', octets: '00005eef1000002a' },
		{ text: 'URI 10 1 "ftp://f.example/"', octets: `000a0001${Buffer.from('ftp://f.example/').toString('hex')}` },
		{
			text: 'RESINFO qnamemin "exterr=15,16"',
			octets: '08716e616d656d696e0c6578746572723d31352c3136',
			prints: 'RESINFO "qnamemin" "exterr=15,16"',
		},
		{ text: 'NID 10 14:4FFF:ff20:ee64', octets: '000a00144fffff20ee64', prints: 'NID 10 0014:4fff:ff20:ee64' },
		{ text: 'L64 10 2001:0db8:1140:1000', octets: '000a20010db811401000' },
		{
			text: 'APL 1:192.168.32.0/21 !1:192.168.38.0/28 2:2001:db8::/32',
			octets: `00011503c0a820${'00011c83c0a826'}0002200420010db8`,
		},
		{ text: 'APL 1:0.0.0.0/0 2:ff00::/8', octets: '0001000000020801ff' },
		{ text: 'APL', octets: '', prints: 'APL \\# 0' },
		{ text: 'HIP 2 20010010 AQID', octets: '0402000320010010010203' },
		{
			text: 'HIP 2 20010010 AQID b',
			octets: `0402000320010010010203${name}`,
			prints: 'HIP 2 20010010 AQID b.example.org.',
		},
		{ text: 'AMTRELAY 10 0 0 .', octets: '0a00' },
		{ text: 'AMTRELAY 10 1 1 192.0.2.1', octets: '0a81c0000201' },
		{ text: 'AMTRELAY 10 0 3 b', octets: `0a03${name}`, prints: 'AMTRELAY 10 0 3 b.example.org.' },
		{ text: 'NSAP 0x47.0005.80ab', octets: '47000580ab', prints: 'NSAP 0x47000580ab' },
		{ text: 'TALINK . b', octets: `00${name}`, prints: 'TALINK . b.example.org.' },
		{ text: 'WALLET a b', octets: '01610162', prints: 'WALLET "a" "b"' },
		{ text: `DLV 1 8 1 ${digest}`, octets: `00010801${digest}` },
	])
		it(`reads ${text}`, () => {
			const { type, rdata } = wire(text);
			assert.equal(hex(rdata), octets);
			assert.equal(`${typeText(type)} ${printRdata(type, rdata)}`, prints);
		});

	for (const { text, says } of [
		{ text: 'DS 1 8 2 ABCD', says: 'Cannot use a digest of 2 octets: expected 32 for digest type 2' },
		{ text: 'DS 1 8 2 ABC', says: 'Cannot use "ABC": expected pairs of hex digits' },
		{ text: 'DS 1 BOGUS 2 00', says: 'Cannot use "BOGUS": expected an algorithm: a number 0..255 or a mnemonic' },
		{
			text: 'DS 1 constructor 2 00',
			says: 'Cannot use "constructor": expected an algorithm: a number 0..255 or a mnemonic',
		},
		{ text: 'DS \\# 5 0001080200', says: 'Cannot use these octets: they are no RDATA of this type' },
		{ text: 'ZONEMD 1 1 9 abcd', says: 'Cannot use a digest of 2 octets: expected at least 12 for digest type 9' },
		{ text: 'DNSKEY 257 3 13 AAA', says: 'Cannot use "AAA": expected base64' },
		{ text: 'DNSKEY 257 3 13 AAB=', says: 'Cannot use "AAB=": expected base64' },
		{ text: 'DNSKEY 257 3 13', says: 'Cannot read the record: it ends where base64 is due' },
		{ text: 'NSEC b', says: 'Cannot read the record: it ends where a type is due' },
		{ text: 'NSEC b A X', says: 'Cannot use "X": expected a type' },
		{ text: 'NSEC3PARAM 1 0 0 abc', says: 'Cannot use "abc": expected a salt in hex of at most 255 octets, or "-"' },
		{ text: 'URI 1 1 x', says: 'Cannot use "x": expected a URI in quotes' },
		{ text: 'IPSECKEY 1 4 1 .', says: 'Cannot use "4": expected a type of gateway 0..3' },
		{ text: 'IPSECKEY 1 0 1 b', says: 'Cannot use "b": expected "."' },
		{ text: 'L64 1 1:2:3', says: 'Cannot use "1:2:3": expected four groups of hex digits with colons between' },
		...['3:1.2.3.4/32', '1:1.2.3.4/33', '2:1.2.3.4/32', '1:1.2.3.4', '1:1.2.3.4/a'].map((item) => ({
			text: `APL ${item}`,
			says: `Cannot use "${item}": expected an address prefix such as 1:192.0.2.0/24 or !2:2001:db8::/32`,
		})),
		{ text: 'APL \\# 5 0001180100', says: 'Cannot use these octets: they are no RDATA of this type' },
		{ text: 'HIP 2 20010010', says: 'Cannot read the record: it ends where a public key in base64 is due' },
		{ text: 'HIP 2 2001001 AQID', says: 'Cannot use "2001001": expected pairs of hex digits' },
		{ text: 'AMTRELAY 10 2 0 .', says: 'Cannot use "2": expected a discovery bit 0..1' },
		{ text: 'AMTRELAY 10 0 4 .', says: 'Cannot use "4": expected a type of relay 0..3' },
		{ text: 'AMTRELAY 10 0 0 b', says: 'Cannot use "b": expected "."' },
		{ text: 'NSAP 47', says: 'Cannot use "47": expected 0x and pairs of hex digits' },
		{ text: 'LOC 52', says: 'Cannot read the record: it ends where N or S is due' },
		{ text: 'LOC 52 N 4 E', says: 'Cannot read the record: it ends where an altitude in metres is due' },
	])
		it(`refuses ${text}`, () => assert.equal(scan(text), says));

	for (const [date, seconds] of [
		['19700101000000', 0],
		['20000229235959', 951868799],
		['20000301000000', 951868800],
		['20381231235959', 2177452799],
		['21000228235959', 4107542399],
		['21000301000000', 4107542400],
		['21060207062815', 4294967295],
	] as const)
		it(`takes ${date} for ${seconds} seconds`, () => {
			const { rdata } = wire(`RRSIG A 5 3 1 ${date} ${seconds} 1 . AQID`);
			assert.equal(hex(rdata.subarray(8, 12)), hex(rdata.subarray(12, 16)));
			assert.match(printRdata(46, rdata), new RegExp(`${date} ${date}`));
		});

	for (const date of [
		'19691231235959',
		'20230229000000',
		'21000229000000',
		'20231301000000',
		'20230100000000',
		'21060207062816',
	])
		it(`refuses ${date}`, () => assert.equal(typeof scan(`RRSIG A 5 3 1 ${date} 0 1 . AQID`), 'string'));

	it('prints what it scanned so that it reads back, and reads its wire form', () => {
		for (let seed = 0; seed < 200; seed++) {
			const { text } = randomZone(seed);
			const { records } = scanMasterFile(text, ORIGIN);
			for (let i = 0; i < records.count; i++) {
				const type = records.type(i);
				const rdata = records.rdata(i);
				const printed = `${typeText(type)} ${printRdata(type, rdata)}`;
				assert.equal(hex(wire(printed).rdata), hex(rdata), printed);
				assert.deepEqual(readRdata(type, rdata, 0, rdata.length, new Name()), rdata.slice(), printed);
				assert.equal(canonicalRdata(type, rdata).length, rdata.length);
			}
		}
	});

	for (const { what, text } of [
		{ what: 'a value', text: `HTTPS 1 . port=${'1'.repeat(300_000)}` },
		{ what: 'a list', text: `HTTPS 1 . alpn=${'a,'.repeat(300_000)}a` },
		{ what: 'many parameters', text: `HTTPS 1 . ${Array.from({ length: 60_000 }, (_, i) => `key${i + 9}`).join(' ')}` },
		{ what: 'a string', text: `URI 1 1 "${'x'.repeat(300_000)}"` },
		{ what: 'many strings', text: `TXT ${'x '.repeat(300_000)}` },
		{ what: 'a place', text: `LOC ${'1 '.repeat(300_000)}` },
		{ what: 'a key', text: `DNSKEY 1 3 8 ${'AAAA'.repeat(100_000)}` },
	])
		it(`refuses ${what} that is far too long in a short sentence`, () => {
			const says = scan(text);
			assert.ok(typeof says === 'string' && says.length < 500, String(says).slice(0, 600));
		});

	it('takes a type any number of times into a bitmap', () => {
		assert.deepEqual(wire(`NSEC b ${'A '.repeat(300_000)}`), wire('NSEC b A'));
	});

	it('prints any octets of any type so that they read back, or refuses them', () => {
		fc.assert(
			fc.property(fc.constantFrom(...RANDOM_TYPES, 65280), fc.uint8Array({ maxLength: 40 }), (type, rdata) => {
				const scanned = scan(`${typeText(type)} ${printRdata(type, rdata)}`);
				if (isWellFormed(type, rdata)) assert.deepEqual(scanned, { type, rdata });
				else assert.equal(typeof scanned, 'string');
				assert.equal(canonicalRdata(type, rdata).length, rdata.length);
				const read = readRdata(type, rdata, 0, rdata.length, new Name());
				if (isWellFormed(type, rdata)) assert.deepEqual(read, rdata);
			}),
			{ numRuns: 20_000 },
		);
	});
});

describe('compressibleNames()', () => {
	for (const [type, skip, names] of [
		['NS', 0, 1],
		['CNAME', 0, 1],
		['SOA', 0, 2],
		['MB', 0, 1],
		['MG', 0, 1],
		['MR', 0, 1],
		['PTR', 0, 1],
		['MINFO', 0, 2],
		['MX', 2, 1],
		['A', 0, 0],
		['SRV', 0, 0],
		['RP', 0, 0],
		['NAPTR', 0, 0],
		['HTTPS', 0, 0],
		['TYPE65280', 0, 0],
	] as const)
		it(`is ${names} behind ${skip} octets for ${type}`, () =>
			assert.deepEqual(compressibleNames(typeCode(type) ?? 0), { skip, names }));
});

describe('readRdata()', () => {
	for (const { type, before, after, text } of [
		{ type: 'SRV', before: [0, 1, 0, 2, 0, 3], after: [], text: '1 2 3 Example.org.' },
		{ type: 'NAPTR', before: [0, 1, 0, 2, 0, 0, 0], after: [], text: '1 2 "" "" "" Example.org.' },
		{ type: 'PX', before: [0, 1, 0], after: [], text: '1 . Example.org.' },
		{
			type: 'RRSIG',
			before: [...Array.from({ length: 18 }, () => 0)],
			after: [1, 2, 3],
			text: 'TYPE0 0 0 0 19700101000000 19700101000000 0 Example.org. AQID',
		},
		{ type: 'HTTPS', before: [0, 1], after: [], text: undefined },
		{ type: 'NSEC', before: [], after: [0, 1, 0x40], text: undefined },
		{ type: 'LP', before: [0, 1], after: [], text: undefined },
	])
		it(`${text === undefined ? 'refuses' : 'undoes'} compression in ${type}`, () => {
			const code = typeCode(type) ?? 0;
			const packet = Uint8Array.of(...wireName('Example.org.'), ...before, 0xc0, 0, ...after);
			const rdata = readRdata(code, packet, 13, packet.length - 13, new Name());
			assert.equal(rdata === undefined ? undefined : printRdata(code, rdata), text);
		});
});

describe('canonicalRdata()', () => {
	for (const [text, canonical] of [
		['MX 1 B.', '1 b.'],
		['RP A. B.', 'a. b.'],
		['NAPTR 1 1 "U" "E2U" "" B.', '1 1 "U" "E2U" "" b.'],
		['RRSIG A 5 3 1 0 0 1 B. AQID', 'A 5 3 1 19700101000000 19700101000000 1 b. AQID'],
		['NSEC B. A', 'B. A'],
		['HTTPS 1 B. alpn="H2"', '1 B. alpn="H2"'],
		['LP 1 B.', '1 B.'],
		['IPSECKEY 1 3 1 B. AQID', '1 3 1 B. AQID'],
		['TXT "B"', '"B"'],
	] as const)
		it(`makes ${canonical} of ${text}`, () => {
			const { type, rdata } = wire(text);
			assert.equal(printRdata(type, canonicalRdata(type, rdata)), canonical);
		});
});

describe('additionalName()', () => {
	for (const [text, target] of [
		['NS b', 'b.example.org.'],
		['MX 1 b', 'b.example.org.'],
		['SRV 1 2 3 b', 'b.example.org.'],
		['AFSDB 1 b', 'b.example.org.'],
		['KX 1 b', 'b.example.org.'],
		['HTTPS 1 b alpn=h2', 'b.example.org.'],
		['SVCB 0 b', 'b.example.org.'],
		['NAPTR 1 2 "s" "SIP+D2U" "" b', 'b.example.org.'],
		['CNAME b', undefined],
		['PTR b', undefined],
		['A 192.0.2.1', undefined],
	] as const)
		it(`is ${target} for ${text}`, () => {
			const { type, rdata } = wire(text);
			const name = additionalName(type, rdata);
			assert.equal(name === undefined ? undefined : printName(name), target);
			const skip = rrType(type)?.additionalAt;
			if (skip !== undefined) assert.equal(printName(rdataName(rdata, skip)), target);
		});
});
