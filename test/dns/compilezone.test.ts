/**
 * BIND as the judge of our master-file scanner: named-compilezone reads the same files and writes what it understood in
 * its raw format, whose RDATA is in wire form, so that nothing of ours reads BIND's text.
 */

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: $GENERATE writes its formats so

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type IncludedText, scanMasterFile } from '../../src/dns/master-file.ts';
import { lowerName, printName } from '../../src/dns/name.ts';
import { printRdata } from '../../src/dns/rdata.ts';
import { typeText } from '../../src/dns/rr-type.ts';
import { findProgram } from '../setup/tools.ts';
import { wireName } from './make-query.ts';
import { RANDOM_TYPES, type RandomZone, randomZone } from './random-zone.ts';

const RANDOM_ZONES = 320;
const ORIGIN = wireName('example.org.');
const HEAD = '$TTL 300\n@ SOA a b 1 2 3 4 5\n@ NS ns.other.\n';

const program = findProgram('named-compilezone');
const skip = program === undefined ? 'named-compilezone is not installed (Debian: bind9-utils)' : false;
const version = program === undefined ? '' : spawnSync(program, ['-v']).stdout.toString().trim();

/** One line each, behind a good head: BIND and we refuse them all. */
const REFUSED: readonly string[] = [
	'a A 192.0.2.256',
	'a A 192.0.2',
	'a A 192.0.2.01',
	'a A 192.0.2.1 192.0.2.2',
	'a A',
	'a A "192.0.2.1"',
	'a A ::1',
	'a A \\# 3 010203',
	'a A \\# 0',
	'a AAAA 1::2::3',
	'a AAAA ::1%1',
	'a AAAA 12345::',
	'a AAAA 1:2:3:4:5:6:7',
	'a NS b..c',
	'a NS .b',
	'a NS "b"',
	'a NS b\\256',
	'a NS b\\25x',
	`a NS ${'x'.repeat(64)}`,
	`a NS ${'x23456789.'.repeat(26)}`,
	`${'x'.repeat(64)} A 192.0.2.1`,
	`${'x23456789.'.repeat(25)}x A 192.0.2.1`,
	'a..b A 192.0.2.1',
	'.a A 192.0.2.1',
	'a\\999 A 192.0.2.1',
	'a MX 65536 b',
	'a MX -1 b',
	'a MX +1 b',
	'a MX 0x10 b',
	'a MX "10" b',
	'a MX 10',
	'a MX 10 b c',
	'a SRV 1 2 65536 b',
	'a SRV 1 2 b',
	'a TXT',
	'a TXT ()',
	'a TXT \\256',
	'a TXT "\\25"',
	'a TXT "b',
	`a TXT "${'x'.repeat(256)}"`,
	'a TXT \\# 0',
	'a HINFO b',
	'a CAA 256 issue "x"',
	'a CAA 0 "issue" "x"',
	'a CAA 0 iss-ue "x"',
	'a CAA 0 issue',
	'a URI 1 1 foo',
	'a URI 1 "foo"',
	'a DS 1 8 2 ABCD',
	'a DS 1 8 1 000000000000000000000000000000000000000g',
	'a DS 1 BOGUS 2 00',
	'a DS 1 8 9 abc',
	'a DS 1 8 9',
	'a SSHFP 1 1 abcd',
	'a ZONEMD 1 1 1 abcd',
	'a ZONEMD 1 1 9 abcd',
	'a TLSA 3 1 1 abc',
	'a TLSA 3 1 1',
	'a TLSA 3 1 256 ab',
	'a TLSA 3 1 1 "ab"',
	'a DNSKEY 257 3 13',
	'a DNSKEY 257 3 13 AAA',
	'a DNSKEY 257 3 13 AAB=',
	'a DNSKEY 65536 3 13 AAAA',
	'a RRSIG A 8 2 1h 1 1 1 example.org. AAAA',
	'a RRSIG A 8 2 1 20261301000000 1 1 example.org. AAAA',
	'a RRSIG A 8 2 1 20260230000000 1 1 example.org. AAAA',
	'a RRSIG A 8 2 1 99999999999 1 1 example.org. AAAA',
	'a RRSIG A 8 2 1 1 1 1 example.org.',
	'a RRSIG BOGUS 8 2 1 1 1 1 example.org. AAAA',
	'a NSEC b',
	'a NSEC b BOGUS',
	'a NSEC3 1 0 0 "" 2t7b4g4vsa5smi47k61mv5bv1a22bojr A',
	'a NSEC3 1 0 0 abc 2t7b4g4vsa5smi47k61mv5bv1a22bojr A',
	'a NSEC3 1 0 0 - wxyz A',
	'a NSEC3PARAM 1 0 65536 -',
	'a EUI48 00-11-22-33-44',
	'a LOC 52 22.5 N 4 E 0',
	'a LOC 90 0 1 N 4 E 0',
	'a LOC 91 N 4 E 0',
	'a LOC 1 60 N 4 E 0',
	'a LOC 52 22 23.0001 N 4 E 0',
	'a LOC 52 n 4 e 0',
	'a LOC 52 N 181 E 0',
	'a LOC 52 N 4 E',
	'a LOC 52 N 4 E 42849672.96',
	'a LOC 52 N 4 E -100000.01',
	'a IPSECKEY 10 0 2 @ AAAA',
	'a IPSECKEY 10 4 2 . AAAA',
	'a APL 3:192.0.2.0/24',
	'a APL 1:192.0.2.0/33',
	'a APL 1:192.0.2.0',
	'a APL 2:192.0.2.0/24',
	'a APL 192.0.2.0/24',
	'a NID 1 1:2:3',
	'a L64 1 1:2:3:4:5',
	'a L32 1 1:2:3:4',
	'a HIP 2 abc AAAA',
	'a HIP 2 abcd',
	'a AMTRELAY 10 2 0 .',
	'a AMTRELAY 10 0 1 .',
	'a AMTRELAY 10 0 3',
	'a NSAP 47.0005',
	'a SVCB 1',
	'a SVCB 65536 .',
	'a SVCB 1 . alpn = h2',
	'a HTTPS 1 . key3=\\000',
	'a HTTPS 1 . key65536=x',
	'a HTTPS 1 . key0123=x',
	'a HTTPS 1 . bogus=x',
	'a HTTPS 1 . no-default-alpn',
	'a HTTPS 1 . no-default-alpn=x alpn=h2',
	'a HTTPS 1 . ALPN=h2',
	'a HTTPS 1 . alpn="h2"x',
	'a HTTPS 1 . "alpn=h2"',
	'a HTTPS 1 . alpn',
	'a HTTPS 1 . alpn=""',
	'a HTTPS 1 . alpn=a,,b',
	'a HTTPS 1 . alpn=h2 alpn=h3',
	'a HTTPS 1 . port=65536',
	'a HTTPS 1 . port=',
	'a HTTPS 1 . ipv4hint=192.0.2.1,',
	'a HTTPS 1 . ipv4hint=::1',
	'a HTTPS 1 . ipv6hint=192.0.2.1',
	'a HTTPS 1 . ech=AA',
	'a HTTPS 1 . mandatory=alpn',
	'a HTTPS 1 . mandatory=mandatory',
	'a HTTPS 1 . mandatory=alpn,alpn alpn=h2',
	'a HTTPS 1 . dohpath=/q',
	'a HTTPS 1 . dohpath=q{?dns}',
	'a BOGUS x',
	'a "A" 192.0.2.1',
	'a TYPE65280 x',
	'a TYPE65280 \\# 2 abc',
	'a TYPE65280 \\# 2 ab',
	'a TYPE65280 \\# 65536 ab',
	'a CH TXT x',
	'a 1h30 A 192.0.2.1',
	'a 1 2 A 192.0.2.1',
	'a IN IN A 192.0.2.1',
	'a MD b',
	'a ANY x',
	'a TYPE0 \\# 0',
	'a A ( 192.0.2.1',
	'a A 192.0.2.1 )',
	'a\\',
	'$TTL',
	'$TTL x',
	'$TTL 5 6',
	'$TTL "5"',
	'$ORIGIN a b',
	'$ORIGIN a..',
	'$INCLUDE',
	'$INCLUDE missing',
	'$FOO',
	'$GENERATE 5-3 a$ A 192.0.2.$',
	'$GENERATE 3-3/0 a$ A 192.0.2.$',
	'$GENERATE x a$ A 192.0.2.$',
	'$GENERATE 1-2 a${x} A 192.0.2.1',
	'$GENERATE 1-2 a${1 A 192.0.2.1',
	'$GENERATE 1-2 a${1,2,q} A 192.0.2.1',
	'$GENERATE 1-2 a${0,128} A 192.0.2.1',
	'$GENERATE 1-2 a$ MX 10 b$',
	'$GENERATE 255-256 a$ A 192.0.2.$',
	'$GENERATE 1-2 a$ A',
	'$GENERATE 1-2 a$',
];

/** Lines that BIND and we read alike, which the drawn zones do not hold. */
const ACCEPTED: readonly string[] = [
	'"a" A 192.0.2.1',
	'a TXT a"b"c',
	'a AAAA 1:2:3:4:5:6:7::',
	'a AAAA ::1.2.3.4',
	'a TYPE1 192.0.2.1',
	'a A \\# 4 c0 0002 01',
	'a TYPE65280 \\# 0',
	'a NSEC b ANY TYPE0 OPT TYPE128',
	'a CDS 0 0 0 00',
	'a CDNSKEY 0 3 0 AA==',
	'a DS 1 8 9 AB',
	'a LOC 52 N 4 E +5 1.5m 19',
	'a LOC 90 S 180 W -100000 0 90000000 0.09m',
	'a LOC 52 N 4 E 42849672.95',
	'a SVCB 0 b port=3 alpn=h2',
	'a HTTPS 1 . key3=\\000\\001',
	'a HTTPS 1 . key65534',
	'a HTTPS 1 . no-default-alpn= alpn=h2',
	'a HTTPS 1 . mandatory=key1 alpn=h2',
	'a HTTPS 1 . port=00080',
	'$GENERATE 254-256 ${0,6,n}a A 192.0.2.1',
	'$GENERATE 0-1 ${0,0,N} A 192.0.2.1',
	'$GENERATE 0-2 a${-1,3} A 192.0.2.1',
	'$generate 1-2 \\097$ TXT "x $" ; comment',
	'a X25 311061700956',
	'a ISDN 150862028003217 004',
	'a ISDN 150862028003217',
	'a KEY 256 3 5 AQID',
	'a RKEY 0 0 1 AQID',
	'a SINK 1 0 0 AQID',
	'a NSAP 0x47.0005.80.005a00.0000.0001.e133.ffffff000161.00',
	`a TA 1 8 2 ${'00'.repeat(32)}`,
	`a DLV 1 8 2 ${'00'.repeat(32)}`,
	'a APL',
	'a APL 1:0.0.0.0/0',
	'a APL 1:1.2.3.4/8 !2:::1/0',
	'a NID 1 1:2:3:4',
	`a NS ${'x'.repeat(63)}`,
	`${'x23456789.'.repeat(24)}a A 192.0.2.1`,
];

/** Lines that one of us takes and the other does not, on purpose, and who decides. */
const DIFFERENCES: readonly { line: string; bind: 'takes' | 'refuses'; because: string }[] = [
	{ line: 'a 2147483648 A 192.0.2.1', bind: 'takes', because: 'RFC 2181 §8: a TTL is below 2^31; BIND makes it 0' },
	{ line: 'a URI 1 1 ""', bind: 'takes', because: 'RFC 7553 §4.4: the target is not empty' },
	{
		line: `a DS 1 8 SHA-256 ${'00'.repeat(32)}`,
		bind: 'takes',
		because: 'RFC 4034 §5.3: a digest type is a number',
	},
	{ line: 'a EUI48 0-11-22-33-44-55', bind: 'takes', because: 'RFC 7043 §3.2: pairs of digits' },
	{ line: 'a EUI64 00-11-22-33-44-55-66-77-88', bind: 'takes', because: 'RFC 7043 §4.2: eight pairs; BIND cuts off' },
	{ line: 'a LOC 52 N 4 E 0 90000000.01', bind: 'takes', because: 'RFC 1876 §3: a size is up to 90000000.00' },
	{ line: 'a HTTPS 1 . key65535=x', bind: 'takes', because: 'RFC 9460 §14.3.2: the key is "Invalid key"' },
	{ line: 'a HTTPS 1 . alpn=a\\\\b', bind: 'takes', because: 'RFC 9460 §A.1: only , and \\ are escaped in a list' },
	{ line: 'a SVCB 0 b mandatory=ech', bind: 'refuses', because: 'RFC 9460 §2.4.2: AliasMode ignores parameters' },
	{ line: 'a HTTPS 1 . ohttp', bind: 'refuses', because: 'RFC 9540 §4; BIND 9.18 is older' },
	{ line: 'a IPSECKEY 10 0 0 .', bind: 'refuses', because: 'RFC 4025 §2.4: algorithm 0 has no key' },
	{
		line: 'a RRSIG A 8 0 1 1 1 1 example.org. AAAA',
		bind: 'refuses',
		because: 'RFC 4035 §5.3.1: labels are for validators',
	},
	{ line: 'a NAPTR 1 2 U E2U "bad" .', bind: 'refuses', because: 'RFC 3403 §4.1: the regexp is for the client' },
	{ line: 'a SOA a b 1 2 3 4 5', bind: 'refuses', because: 'RFC 1035 §5.2: that is for the check of the whole zone' },
	{
		line: '$GENERATE 1-65537 a$ A 192.0.2.1',
		bind: 'takes',
		because: 'no RFC has $GENERATE: a few octets must not fill the memory',
	},
	{ line: '$GENERATE 0-1 a${-1,3,x} A 192.0.2.1', bind: 'takes', because: 'no RFC: BIND makes it ffffffff' },
	{ line: '$GENERATE 1-1 "a$" A 192.0.2.1', bind: 'refuses', because: 'no RFC: other owners may be in quotes too' },
];

describe('scanMasterFile() beside named-compilezone', { skip }, () => {
	const folder = mkdtempSync(join(tmpdir(), 'compilezone-'));
	after(() => rmSync(folder, { recursive: true, force: true }));

	it(`reads ${RANDOM_ZONES} drawn files as BIND does`, async () => {
		const seen = new Set<number>();
		await forEach(RANDOM_ZONES, async (seed) => {
			const zone = randomZone(seed);
			const theirs = await compile(folder, `zone-${seed}`, zone);
			const ours = scan(zone);
			for (const type of ours.types) seen.add(type);
			const title = `seed ${seed}`;
			assert.deepEqual([ours.problems, theirs.says], [[], ''], `${title}\n${zone.text}`);
			assert.deepEqual(ours.records, theirs.records, title);
		});
		assert.deepEqual(RANDOM_TYPES.filter((type) => !seen.has(type)).map(typeText), [], 'types that no drawn file has');
	});

	it('reads rare lines as BIND does', async () => {
		await forEach(ACCEPTED.length, async (i) => {
			const line = ACCEPTED[i] ?? '';
			const zone = fileOf(line);
			const theirs = await compile(folder, `accepted-${i}`, zone);
			const ours = scan(zone);
			assert.deepEqual([ours.problems, theirs.says], [[], ''], line);
			assert.deepEqual(ours.records, theirs.records, line);
		});
	});

	it('refuses what BIND refuses', async () => {
		const taken: string[] = [];
		await forEach(REFUSED.length, async (i) => {
			const line = REFUSED[i] ?? '';
			const zone = fileOf(line);
			if ((await compile(folder, `refused-${i}`, zone)).says === '') taken.push(`BIND: ${line}`);
			if (scan(zone).problems.length === 0) taken.push(`we: ${line}`);
		});
		assert.deepEqual(taken, []);
	});

	for (const [i, { line, bind, because }] of DIFFERENCES.entries())
		it(`${bind === 'takes' ? 'refuses' : 'takes'} ${line} (${because})`, async () => {
			const zone = fileOf(line);
			assert.equal(scan(zone).problems.length === 0, bind === 'refuses');
			// Another BIND may have come to our view, which is no fault of ours.
			if (!version.startsWith('9.18.')) return;
			assert.equal((await compile(folder, `difference-${i}`, zone)).says === '', bind === 'takes');
		});
});

function fileOf(line: string): RandomZone {
	return { text: `${HEAD}${line}\n`, included: new Map() };
}

/** Run with as many at a time as there are processors; the first failure ends it. */
async function forEach(count: number, act: (index: number) => Promise<void>): Promise<void> {
	let next = 0;
	const lane = async () => {
		while (next < count) await act(next++);
	};
	await Promise.all(Array.from({ length: availableParallelism() }, lane));
}

/** Records as sorted lines: `owner ttl type (printed) hex`. */
interface Outcome {
	readonly records: readonly string[];
}

async function compile(
	folder: string,
	name: string,
	{ text, included }: RandomZone,
): Promise<Outcome & { readonly says: string }> {
	const file = join(folder, name);
	// Each zone has its own folder in effect: its files have names of its own.
	writeFileSync(file, renamed(text, included, name), 'latin1');
	for (const [part, partText] of included) writeFileSync(`${file}-${part}`, partText, 'latin1');
	const checks = ['-i', 'none', '-k', 'ignore', '-m', 'ignore', '-n', 'ignore', '-r', 'ignore'];
	const more = ['-M', 'ignore', '-S', 'ignore', '-W', 'ignore'];
	const formats = ['-f', 'text', '-F', 'raw', '-o', `${file}.raw`, '-w', folder];
	const says = await new Promise<string>((resolve) => {
		execFile(program ?? '', [...checks, ...more, ...formats, 'example.org', file], (error, stdout) =>
			resolve(error === null ? '' : `${stdout}${error.message}`),
		);
	});
	return { says, records: says === '' ? readRaw(readFileSync(`${file}.raw`)) : [] };
}

function renamed(text: string, included: ReadonlyMap<string, string>, name: string): string {
	let out = text;
	for (const part of included.keys())
		out = out.replace(new RegExp(`^(\\$INCLUDE "?)${part}`, 'm'), `$1${name}-${part}`);
	return out;
}

/**
 * BIND's raw format (dns/masterdump): format 2, version, time [flags, serial, transfer time], then for each RRset
 * length, class, type, covered type, TTL, count, owner and the RDATAs, all with their lengths before them.
 */
function readRaw(raw: Buffer): string[] {
	assert.equal(raw.readUInt32BE(0), 2);
	const records: string[] = [];
	let at = raw.readUInt32BE(4) === 0 ? 12 : 24;
	while (at < raw.length) {
		const type = raw.readUInt16BE(at + 6);
		const ttlSec = raw.readUInt32BE(at + 10);
		const count = raw.readUInt32BE(at + 14);
		const ownerAt = at + 20;
		at = ownerAt + raw.readUInt16BE(at + 18);
		const owner = raw.subarray(ownerAt, at);
		for (let i = 0; i < count; i++) {
			const rdata = raw.subarray(at + 2, at + 2 + raw.readUInt16BE(at));
			records.push(lineOf(owner, ttlSec, type, rdata));
			at += 2 + rdata.length;
		}
	}
	return records.sort();
}

function scan({ text, included }: RandomZone): Outcome & {
	readonly types: ReadonlySet<number>;
	readonly problems: readonly string[];
} {
	const readInclude = (path: string): IncludedText => {
		const part = included.get(path);
		return part === undefined ? { problem: 'there is no such file' } : { text: part };
	};
	const { records, problems } = scanMasterFile(text, ORIGIN, { readInclude });
	const lines = new Set<string>();
	const types = new Set<number>();
	/** An RRset has one TTL (RFC 2181 §5.2): BIND takes that of its first record. */
	const ttls = new Map<string, number>();
	for (let i = 0; i < records.count; i++) {
		const type = records.type(i);
		const rdata = records.rdata(i);
		types.add(type);
		const covered = type === 46 ? Buffer.from(rdata).readUInt16BE(0) : 0;
		const rrset = `${printName(lowerName(records.owner(i)))} ${type} ${covered}`;
		const ttlSec = ttls.get(rrset) ?? records.ttlSec(i);
		ttls.set(rrset, ttlSec);
		lines.add(lineOf(records.owner(i), ttlSec, type, rdata));
	}
	return {
		records: [...lines].sort(),
		types,
		problems: problems.map(({ file = '', line, column, message }) => `${file}:${line}:${column} ${message}`),
	};
}

function lineOf(owner: Uint8Array, ttlSec: number, type: number, rdata: Uint8Array): string {
	const text = printRdata(type, rdata);
	return `${printName(lowerName(owner))} ${ttlSec} ${typeText(type)} (${text}) ${Buffer.from(rdata).toString('hex')}`;
}
