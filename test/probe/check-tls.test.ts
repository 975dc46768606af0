/** Checks over TLS: what is said of certificates, and what a server that speaks TLS badly gets. */

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { getCACertificates, setDefaultCACertificates, type TlsOptions } from 'node:tls';
import { answer, startBackend } from './backend.ts';
import { createAuthority, selfSigned } from './certificates.ts';
import { checkLoopback } from './check-loopback.ts';
import { monitorFrom, targetAt } from './monitor-from.ts';

const authority = createAuthority();
const stranger = createAuthority('Stranger');
const good = authority.sign({ names: ['www.example.org', '127.0.0.1'] });
const elsewhere = authority.sign({ names: ['a.example', 'b.example', 'c.example', 'd.example'] });
const expired = authority.sign({ names: ['www.example.org'], daysLeft: -2 });
const early = authority.sign({ names: ['www.example.org'], daysOld: -2 });
const fading = authority.sign({ names: ['www.example.org'], daysLeft: 10, daysOld: 80 });
const brief = authority.sign({ names: ['www.example.org'], daysLeft: 3, daysOld: 3 });
const own = selfSigned({ names: ['www.example.org'] });
const foreign = stranger.sign({ names: ['www.example.org'] });

const OLD_TLS: TlsOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' };
const NAMED = { serverName: 'www.example.org' };

const check = checkLoopback({ 'www.example.org': ['127.0.0.1'] });
const never = new AbortController().signal;

const day = (days: number) => new Date(Date.now() + (days + 1 / 48) * 86_400_000).toISOString().slice(0, 10);

const CASES: readonly { name: string; server: TlsOptions; keys: object; finds: string; warns?: string }[] = [
	{ name: 'a good certificate', server: good, keys: NAMED, finds: 'up' },
	{ name: 'a good certificate for the address', server: good, keys: {}, finds: 'up' },
	{
		name: 'one for other names',
		server: elsewhere,
		keys: NAMED,
		finds: 'down: certificate is for a.example, b.example, c.example ..., not for www.example.org',
	},
	{ name: 'one that is not for the address', server: own, keys: { verify: false }, finds: 'up' },
	{ name: 'one that has expired', server: expired, keys: NAMED, finds: `down: certificate has expired on ${day(-2)}` },
	{ name: 'one that is not valid yet', server: early, keys: NAMED, finds: 'down: certificate is not valid yet' },
	{ name: 'a self-signed one', server: own, keys: NAMED, finds: 'down: certificate is self-signed' },
	{
		name: 'one of an unknown authority',
		server: foreign,
		keys: NAMED,
		finds: 'down: certificate is signed by nobody trusted here',
	},
	{
		name: 'an expired one that is not verified',
		server: expired,
		keys: { ...NAMED, verify: false },
		finds: 'up',
		warns: `certificate has expired on ${day(-2)}`,
	},
	{ name: 'a foreign one that is not verified', server: foreign, keys: { ...NAMED, verify: false }, finds: 'up' },
	{
		name: 'one that is about to expire',
		server: fading,
		keys: NAMED,
		finds: 'up',
		warns: 'certificate expires in 10 days',
	},
	{
		name: 'one with more days than asked for',
		server: fading,
		keys: { ...NAMED, minDaysLeft: 10 },
		finds: 'up',
		warns: 'certificate expires in 10 days',
	},
	{
		name: 'one with fewer days than asked for',
		server: fading,
		keys: { ...NAMED, minDaysLeft: 11 },
		finds: 'down: certificate expires in 10 days, expected at least 11 days left',
	},
	{
		name: 'too few days, though not verified',
		server: own,
		keys: { verify: false, minDaysLeft: 90 },
		finds: 'down: certificate expires in 60 days, expected at least 90 days left',
	},
	{
		name: 'a warning ahead of what is asked for',
		server: good,
		keys: { ...NAMED, minDaysLeft: 50 },
		finds: 'up',
		warns: 'certificate expires in 60 days',
	},
	{ name: 'a short life without alarm', server: brief, keys: NAMED, finds: 'up' },
	{
		name: 'TLS 1.0 only',
		server: { ...good, ...OLD_TLS },
		keys: NAMED,
		finds: 'down: server speaks no TLS 1.2 or 1.3',
	},
	{ name: 'TLS 1.2', server: { ...good, maxVersion: 'TLSv1.2' }, keys: NAMED, finds: 'up' },
];

before(() => setDefaultCACertificates([...getCACertificates('default'), authority.cert]));
after(() => setDefaultCACertificates(getCACertificates('bundled')));

for (const kind of ['https', 'tls']) {
	describe(`a check of kind ${kind} meets`, () => {
		for (const { name, server, keys, finds, warns } of CASES) {
			it(name, async () => {
				const backend = await startBackend(answer('200 OK'), { tls: server });
				const monitor = monitorFrom({ kind, ...keys });
				const { isUp, reason, warning, tls, tlsMs } = await check(targetAt(backend.port, monitor), never);
				await backend.close();
				assert.equal(isUp ? 'up' : `down: ${reason}`, finds);
				assert.equal(warning, warns);
				if (isUp !== true) return;
				assert.match(tls?.protocol ?? '', /^TLSv1\.[23]$/);
				assert.match(tls?.certificateExpiresAt ?? '', /^\d{4}-\d\d-\d\dT/);
				assert(tls?.certificateDaysLeft !== undefined && tlsMs !== undefined && tlsMs >= 0);
			});
		}

		for (const { name, says, finds } of [
			{
				name: 'what is not TLS',
				says: (socket: Socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
				finds: 'answer is not TLS',
			},
			{
				name: 'a server that closes instead of a handshake',
				says: (socket: Socket) => void socket.end(),
				finds: 'connection closed in the TLS handshake',
			},
			{
				name: 'a server that resets instead of a handshake',
				says: (socket: Socket) => void socket.resetAndDestroy(),
				finds: 'connection closed in the TLS handshake',
			},
			{ name: 'a server that hangs in the handshake', says: () => {}, finds: 'no answer within 200 ms' },
		]) {
			it(name, async () => {
				const backend = await startBackend(says);
				const monitor = monitorFrom({ kind, ...NAMED, timeout: '200ms' });
				const result = await check(targetAt(backend.port, monitor), never);
				await backend.close();
				assert.equal(result.isUp, false);
				assert.equal(result.reason, finds);
				assert.equal(typeof result.rttMs, 'number');
			});
		}
	});
}

describe('the name that a check asks for by SNI', () => {
	for (const { name, keys, address, asks, host } of [
		{
			name: 'is the server name',
			keys: { ...NAMED, host: 'a.example' },
			address: '127.0.0.1',
			asks: 'www.example.org',
			host: 'a.example',
		},
		{
			name: 'is the host without one',
			keys: { host: 'www.example.org:8443' },
			address: '127.0.0.1',
			asks: 'www.example.org',
			host: 'www.example.org:8443',
		},
		{
			name: 'is the host name of the target without either',
			keys: {},
			address: 'www.example.org',
			asks: 'www.example.org',
			host: 'www.example.org:PORT',
		},
		{ name: 'is none for an address', keys: {}, address: '127.0.0.1', asks: undefined, host: '127.0.0.1:PORT' },
	]) {
		it(name, async () => {
			const asked: (string | undefined)[] = [];
			const backend = await startBackend(
				(socket) => {
					const { servername } = socket as Socket & { servername?: string | false };
					asked.push(servername === false ? undefined : servername);
					answer('200 OK')(socket);
				},
				{ tls: good },
			);
			const monitor = monitorFrom({ kind: 'https', ...keys });
			const result = await check(targetAt(backend.port, monitor, address), never);
			await backend.close();
			assert.equal(result.reason, 'status 200');
			assert.deepEqual(asked, [asks]);
			const sent = /\r\nhost: (.*)\r\n/i.exec(backend.requests[0] ?? '')?.[1];
			assert.equal(sent, host.replace('PORT', String(backend.port)));
		});
	}
});
