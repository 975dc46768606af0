import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readSteering } from '../../src/model/check-document.ts';
import { durationMs } from '../../src/model/duration.ts';
import { octetsOfEscapedText } from '../../src/model/escaped-text.ts';
import { type Monitor, monitorOf } from '../../src/model/monitor.ts';

describe('durationMs()', () => {
	for (const { text, ms } of [
		{ text: '0s', ms: 0 },
		{ text: '100ms', ms: 100 },
		{ text: '30s', ms: 30_000 },
		{ text: '5m', ms: 300_000 },
		{ text: '1h', ms: 3_600_000 },
		{ text: '2d', ms: 172_800_000 },
		{ text: '', ms: Number.NaN },
		{ text: '10', ms: Number.NaN },
		{ text: '10 s', ms: Number.NaN },
		{ text: '1.5s', ms: Number.NaN },
		{ text: '-1s', ms: Number.NaN },
		{ text: '1w', ms: Number.NaN },
		{ text: '1s\n', ms: Number.NaN },
	]) {
		it(`reads ${JSON.stringify(text)} as ${ms}`, () => assert.equal(durationMs(text), ms));
	}
});

function monitor(document: object): Monitor {
	const result = readSteering({ monitors: { m: document } }, 'common');
	if (!result.ok) assert.fail(JSON.stringify(result.problems));
	return monitorOf(result.value.monitors.get('m') ?? assert.fail());
}

describe('monitorOf()', () => {
	const consensus = { mode: 'majority', k: undefined, minProbers: undefined };
	const voting = { consensus, maxFlips: 7, flapWindowMs: 600_000 };
	const timing = { intervalMs: 10_000, timeoutMs: 4000, fall: 3, rise: 5, from: undefined, ...voting };
	const http = { kind: 'http', ...timing, path: '/', host: undefined, redirects: 0, body: undefined, tls: undefined };
	const tls = { serverName: undefined, verify: true, minDaysLeft: undefined };
	for (const { name, document, gives } of [
		{
			name: 'fills in the defaults of http',
			document: { kind: 'http' },
			gives: { ...http, statuses: [{ first: 200, last: 399 }] },
		},
		{
			name: 'leaves the port out, which an endpoint may replace',
			document: { kind: 'tcp', port: 443 },
			gives: { kind: 'tcp', ...timing, send: undefined, expect: undefined },
		},
		{
			name: 'takes what is written',
			document: {
				...{ kind: 'http', interval: '1m', timeout: '500ms', fall: 1, rise: 2, from: ['a'] },
				...{ consensus: { mode: 'at-least', k: 2, minProbers: 3 }, maxFlips: 4, flapWindow: '5m' },
				...{ path: '/x', host: 'h', redirects: 2, expect: { body: 'ok' } },
			},
			gives: {
				...{ kind: 'http', intervalMs: 60_000, timeoutMs: 500, fall: 1, rise: 2, from: ['a'] },
				...{ consensus: { mode: 'at-least', k: 2, minProbers: 3 }, maxFlips: 4, flapWindowMs: 300_000 },
				...{ path: '/x', host: 'h', redirects: 2, body: 'ok', statuses: [{ first: 200, last: 399 }], tls: undefined },
			},
		},
		{
			name: 'tells that it is regional, which others have never heard of',
			document: { kind: 'tcp', regional: true },
			gives: { kind: 'tcp', ...timing, regional: true, send: undefined, expect: undefined },
		},
		{
			name: 'says no more of one that is not than of one that does not say',
			document: { kind: 'tcp', regional: false },
			gives: { kind: 'tcp', ...timing, send: undefined, expect: undefined },
		},
		{
			name: 'counts a flap window that is not written in intervals',
			document: { kind: 'tcp', interval: '1s', timeout: '500ms' },
			gives: {
				...{ kind: 'tcp', ...timing, send: undefined, expect: undefined },
				...{ intervalMs: 1000, timeoutMs: 500, flapWindowMs: 60_000 },
			},
		},
		{
			name: 'reads each form of a status',
			document: { kind: 'http', expect: { status: [200, '204', '300-399'] } },
			gives: {
				...http,
				statuses: [
					{ first: 200, last: 200 },
					{ first: 204, last: 204 },
					{ first: 300, last: 399 },
				],
			},
		},
		{
			name: 'looks at the certificate of https',
			document: { kind: 'https' },
			gives: { ...http, kind: 'https', statuses: [{ first: 200, last: 399 }], tls },
		},
		{
			name: 'takes what is written of tls',
			document: { kind: 'tls', serverName: 'mail.example.org', verify: false, minDaysLeft: 7 },
			gives: { kind: 'tls', ...timing, tls: { serverName: 'mail.example.org', verify: false, minDaysLeft: 7 } },
		},
		{
			name: 'fills in the defaults of dns',
			document: { kind: 'dns', query: { name: 'example.org' } },
			gives: {
				...{ kind: 'dns', ...timing, query: { name: 'example.org', type: 'A' } },
				...{ transport: 'udp', rcode: 'NOERROR', contains: undefined },
			},
		},
		{
			name: 'leaves TLS out of grpc',
			document: { kind: 'grpc' },
			gives: { kind: 'grpc', ...timing, service: undefined, host: undefined, tls: undefined },
		},
		{
			name: 'takes what is written of grpc',
			document: { kind: 'grpc', service: 'shop.v1.Cart', host: 'shop.example.org', tls: true },
			gives: { kind: 'grpc', ...timing, service: 'shop.v1.Cart', host: 'shop.example.org', tls },
		},
		{ name: 'knows icmp', document: { kind: 'icmp' }, gives: { kind: 'icmp', ...timing } },
		{
			name: 'leaves the escapes of tcp to the check',
			document: { kind: 'tcp', send: 'QUIT\\r\\n', expect: '220 ' },
			gives: { kind: 'tcp', ...timing, send: 'QUIT\\r\\n', expect: '220 ' },
		},
	]) {
		it(name, () => assert.deepEqual(monitor(document), gives));
	}
});

describe('octetsOfEscapedText()', () => {
	for (const { text, octets } of [
		{ text: 'a b', octets: [97, 32, 98] },
		{ text: 'é', octets: [0xc3, 0xa9] },
		{ text: '\\r\\n\\t\\\\', octets: [13, 10, 9, 92] },
		{ text: '\r\n', octets: [13, 10] },
		{ text: 'a\\x00b\\xfFc', octets: [97, 0, 98, 255, 99] },
		{ text: '\\\\x41', octets: [92, 120, 52, 49] },
		{ text: '', octets: [] },
	]) {
		it(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(octetsOfEscapedText(text), Uint8Array.from(octets)));
	}

	for (const { text, wrong } of [
		{ text: 'a\\', wrong: '\\' },
		{ text: '\\q\\z', wrong: '\\q' },
		{ text: '\\x4', wrong: '\\x' },
		{ text: '\\xg1', wrong: '\\x' },
	]) {
		it(`refuses ${JSON.stringify(text)}`, () => assert.deepEqual(octetsOfEscapedText(text), { wrong }));
	}
});
