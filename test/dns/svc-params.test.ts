import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scanMasterFile } from '../../src/dns/master-file.ts';
import { isWellFormed, printRdata } from '../../src/dns/rdata.ts';
import { wireName } from './make-query.ts';

const SVCB = 64;

function scan(text: string): Uint8Array | string {
	const { records, problems } = scanMasterFile(`a 0 SVCB ${text}`, wireName('example.com.'));
	return problems[0]?.message ?? records.rdata(0);
}

function octetsOf(hex: string): Uint8Array {
	return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

describe('service parameters', () => {
	const com = '03666f6f 076578616d706c65 03636f6d 00';
	const org = '03666f6f 076578616d706c65 036f7267 00';
	for (const { rfc, text, wire, prints = text } of [
		{ rfc: '9460 D.1', text: '0 foo.example.com.', wire: `0000 ${com}` },
		{ rfc: '9460 D.2', text: '1 .', wire: '0001 00' },
		{ rfc: '9460 D.2', text: '16 foo.example.com. port=53', wire: `0010 ${com} 0003 0002 0035` },
		{
			rfc: '9460 D.2',
			text: '1 foo.example.com. key667=hello',
			wire: `0001 ${com} 029b 0005 68656c6c6f`,
			prints: '1 foo.example.com. key667="hello"',
		},
		{
			rfc: '9460 D.2',
			text: '1 foo.example.com. key667="hello\\210qoo"',
			wire: `0001 ${com} 029b 0009 68656c6c6fd2716f6f`,
		},
		{
			rfc: '9460 D.2',
			text: '1 foo.example.com. ipv6hint="2001:db8::1,2001:db8::53:1"',
			wire: `0001 ${com} 0006 0020 20010db8000000000000000000000001 20010db8000000000000000000530001`,
			prints: '1 foo.example.com. ipv6hint=2001:db8::1,2001:db8::53:1',
		},
		{
			rfc: '9460 D.2',
			text: '1 example.com. ipv6hint="2001:db8:122:344::192.0.2.33"',
			wire: '0001 076578616d706c65 03636f6d 00 0006 0010 20010db80122034400000000c0000221',
			prints: '1 example.com. ipv6hint=2001:db8:122:344::c000:221',
		},
		{
			rfc: '9460 D.2',
			text: '16 foo.example.org. ( alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1 )',
			wire: `0010 ${org} 0000 0004 00010004 0001 0009 02 6832 05 68332d3139 0004 0004 c0000201`,
			prints: '16 foo.example.org. mandatory=alpn,ipv4hint alpn="h2,h3-19" ipv4hint=192.0.2.1',
		},
		{
			rfc: '9460 D.2',
			text: '16 foo.example.org. alpn="f\\\\\\\\oo\\\\,bar,h2"',
			wire: `0010 ${org} 0001 000c 08 665c6f6f2c626172 02 6832`,
		},
		{
			rfc: '9460 D.2',
			text: '16 foo.example.org. alpn=f\\\\\\092oo\\092,bar,h2',
			wire: `0010 ${org} 0001 000c 08 665c6f6f2c626172 02 6832`,
			prints: '16 foo.example.org. alpn="f\\\\\\\\oo\\\\,bar,h2"',
		},
		{ rfc: '9460 2.1', text: '1 . key3=\\001\\187', wire: '0001 00 0003 0002 01bb', prints: '1 . port=443' },
		{ rfc: '9460 2.1', text: '1 . key9=', wire: '0001 00 0009 0000', prints: '1 . key9' },
		{ rfc: '9460 2.4.2', text: '0 . mandatory=alpn port=1', wire: '0000 00 0000 0002 0001 0003 0002 0001' },
		{
			rfc: '9460 7',
			text: '1 . no-default-alpn ech=AAEC alpn=h2',
			wire: '0001 00 0001 0003 026832 0002 0000 0005 0003 000102',
			prints: '1 . alpn="h2" no-default-alpn ech=AAEC',
		},
		{
			rfc: '9461 5',
			text: '1 . dohpath=/q{?dns}',
			wire: '0001 00 0007 0008 2f717b3f646e737d',
			prints: '1 . dohpath="/q{?dns}"',
		},
		{ rfc: '9540 4', text: '1 . ohttp', wire: '0001 00 0008 0000' },
	])
		it(`reads ${text} (RFC ${rfc})`, () => {
			const rdata = scan(text);
			assert.ok(typeof rdata !== 'string', String(rdata));
			assert.deepEqual(rdata, octetsOf(wire));
			assert.equal(printRdata(SVCB, rdata), prints);
		});

	for (const { text, says } of [
		{ text: '1 . key123=abc key123=def', says: 'Cannot use key123 twice: a record has each key once' },
		{ text: '1 . port=1 key3=\\000\\001', says: 'Cannot use port twice: a record has each key once' },
		{
			text: '1 . mandatory',
			says: 'Cannot use mandatory without a value: expected keys, each once, comma separated, without mandatory itself',
		},
		{
			text: '1 . alpn',
			says: 'Cannot use alpn without a value: expected protocol names of 1..255 octets, comma separated',
		},
		{ text: '1 . port', says: 'Cannot use port without a value: expected a port 0..65535' },
		{ text: '1 . ipv4hint', says: 'Cannot use ipv4hint without a value: expected IPv4 addresses, comma separated' },
		{ text: '1 . ipv6hint', says: 'Cannot use ipv6hint without a value: expected IPv6 addresses, comma separated' },
		{ text: '1 . no-default-alpn=abc', says: 'Cannot use "no-default-alpn=abc": expected no value' },
		{ text: '1 . mandatory=key123', says: 'Cannot use mandatory with key123: the record has no key123' },
		{
			text: '1 . mandatory=mandatory',
			says: 'Cannot use "mandatory=mandatory": expected keys, each once, comma separated, without mandatory itself',
		},
		{
			text: '1 . mandatory=key123,key123 key123=abc',
			says: 'Cannot use "mandatory=key123,key123": expected keys, each once, comma separated, without mandatory itself',
		},
		{ text: '1 . no-default-alpn', says: 'Cannot use no-default-alpn: expected alpn beside it' },
		{ text: '1 . alpn= "h2"', says: 'Cannot use "alpn=": expected protocol names of 1..255 octets, comma separated' },
		{ text: '1 . ALPN=h2', says: 'Cannot use "ALPN": expected a key of RFC 9460 such as alpn, or keyNNNNN' },
		{ text: '1 . key65535', says: 'Cannot use "key65535": expected a key of RFC 9460 such as alpn, or keyNNNNN' },
		{
			text: '1 . key7=/q',
			says: 'Cannot use "key7=/q": expected a path that starts with "/" and has the URI template variable "dns" (RFC 9461 §5)',
		},
	])
		it(`refuses ${text}`, () => assert.equal(scan(text), says));

	for (const { name, wire } of [
		{ name: 'keys that do not ascend', wire: '0001 00 0004 0004 c0000201 0003 0002 0001' },
		{ name: 'a key twice', wire: '0001 00 0003 0002 0001 0003 0002 0001' },
		{ name: 'a value that is cut off', wire: '0001 00 0003 0002 00' },
		{ name: 'a head that is cut off', wire: '0001 00 0003 00' },
		{ name: 'a port of one octet', wire: '0001 00 0003 0001 00' },
		{ name: 'an empty protocol', wire: '0001 00 0001 0001 00' },
		{ name: 'a protocol that runs over', wire: '0001 00 0001 0002 0241' },
		{ name: 'mandatory keys that do not ascend', wire: '0001 00 0000 0004 00040003 0003 0002 0001 0004 0004 c0000201' },
		{ name: 'a mandatory key that is absent', wire: '0001 00 0000 0002 0001' },
	])
		it(`takes ${name} for malformed`, () => {
			assert.equal(isWellFormed(SVCB, octetsOf(wire)), false);
			assert.match(printRdata(SVCB, octetsOf(wire)), /^\\# /);
		});
});
