/**
 * Connections of checks: TCP, and TLS over it, with the times they take and a bound on what the peer may send.
 * A connection ends with the signal of its run, and with the octets that it may have.
 */

import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { checkServerIdentity, type TLSSocket, connect as tlsConnect } from 'node:tls';
import type { TlsTerms } from '../model/monitor.ts';
import { certificateWarning, certificateWrong, tlsFactsOf, tlsFailure } from './certificate.ts';
import { CheckFailure, type CheckRun } from './check-result.ts';

/** Where a check goes. */
export interface Place {
	/** As configured: an address or a host name. */
	readonly host: string;
	/** What the host stands for in this check, vetted. */
	readonly address: string;
	readonly port: number;
}

interface TlsWishes {
	readonly terms: TlsTerms;
	/** What the certificate must be for, a host name or an address; a name is sent as SNI (RFC 6066 §3). */
	readonly identity: string;
	/** Protocols to offer by ALPN; none when empty. */
	readonly protocols: readonly string[];
}

/** What a peer may send in one check, over all layers: far above any answer that is read. */
const OCTETS_MAX = 1024 * 1024;
const METER_MS = 50;

/** The caller destroys what it gets. @throws whatever keeps it from being connected */
export async function openTcp({ address, port }: Place, run: CheckRun): Promise<Socket> {
	const startMs = run.clock.nowMs();
	const socket = connect({ host: address, port, noDelay: true, signal: run.signal });
	// Whoever waits on the socket hears of an error in its own way; unheard it would end the process.
	socket.on('error', () => {});
	await once(socket, 'connect');
	run.facts.rttMs ??= run.clock.nowMs() - startMs;
	boundOctets(socket, run);
	return socket;
}

/** The caller destroys `socket`. @throws CheckFailure when the certificate is not as it should be */
export async function openTls(socket: Socket, wishes: TlsWishes, run: CheckRun): Promise<TLSSocket> {
	const { terms, identity, protocols } = wishes;
	const startMs = run.clock.nowMs();
	const secure = tlsConnect({
		socket,
		...(isIP(identity) === 0 ? { servername: identity } : {}),
		...(protocols.length > 0 ? { ALPNProtocols: [...protocols] } : {}),
		// Judged below, so that a bad certificate is still looked at.
		rejectUnauthorized: false,
		checkServerIdentity: (_, certificate) => checkServerIdentity(identity, certificate),
	});
	secure.on('error', () => {});
	try {
		await once(secure, 'secureConnect', { signal: run.signal });
	} catch (error) {
		throw new CheckFailure(tlsFailure(error), { cause: error });
	}
	run.facts.tlsMs ??= run.clock.nowMs() - startMs;
	const certificate = secure.getPeerX509Certificate();
	const facts = tlsFactsOf(secure.getProtocol() ?? 'TLS', certificate, Date.now());
	run.facts.tls ??= facts;
	const error = secure.authorized ? undefined : String(secure.authorizationError);
	const wrong = certificateWrong({ error, certificate, facts, identity, terms });
	if (wrong !== undefined) throw new CheckFailure(wrong);
	const warning = certificateWarning(certificate, facts, terms.minDaysLeft);
	if (warning !== undefined) run.facts.warning ??= warning;
	return secure;
}

/** Some peers can send for ever what no parser ever hands on: interim answers, extensions, frames to ignore. */
function boundOctets(socket: Socket, run: CheckRun): void {
	const meter = setInterval(() => {
		if (socket.bytesRead > OCTETS_MAX) run.end(`answer exceeds ${OCTETS_MAX} octets`);
	}, METER_MS);
	socket.once('close', () => clearInterval(meter));
}
