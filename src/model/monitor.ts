/**
 * A monitor with its durations in milliseconds: what a prober works from.
 */

import { durationMs } from './duration.ts';
import type { MonitorDocument } from './monitor-shapes.ts';
import { type MonitorVoting, votingOf } from './monitor-voting.ts';

export interface StatusRange {
	readonly first: number;
	readonly last: number;
}

interface MonitorTiming extends MonitorVoting {
	readonly intervalMs: number;
	readonly timeoutMs: number;
	/** Failures in a row until a prober votes down. */
	readonly fall: number;
	/** Successes in a row until it votes up again. */
	readonly rise: number;
	/** Regions whose probers vote; undefined for all. */
	readonly from: readonly string[] | undefined;
	/**
	 * Clients near a region follow its own verdict. Absent for none: a monitor is part of the identity of a check, as
	 * text, which is not to change for those that have never heard of this.
	 */
	readonly regional?: true;
}

/** How far a certificate is looked at. */
export interface TlsTerms {
	/** Sent as SNI and looked for in the certificate; undefined for the host of the check. */
	readonly serverName: string | undefined;
	/** A certificate that does not verify is a failure. */
	readonly verify: boolean;
	/** Fewer days until it expires are a failure. */
	readonly minDaysLeft: number | undefined;
}

export interface HttpMonitor extends MonitorTiming {
	readonly kind: 'http' | 'https';
	readonly path: string;
	/** Host header, and SNI where `tls` names none; undefined for the address itself. */
	readonly host: string | undefined;
	/** Redirects that are followed. */
	readonly redirects: number;
	readonly statuses: readonly StatusRange[];
	/** Text that the body must contain. */
	readonly body: string | undefined;
	/** undefined for kind http. */
	readonly tls: TlsTerms | undefined;
}

export interface TcpMonitor extends MonitorTiming {
	readonly kind: 'tcp';
	/** Sent once connected; with escapes, see `escaped-text.ts`. */
	readonly send: string | undefined;
	/** What the answer must contain, with escapes. */
	readonly expect: string | undefined;
}

export interface TlsMonitor extends MonitorTiming {
	readonly kind: 'tls';
	readonly tls: TlsTerms;
}

export interface DnsMonitor extends MonitorTiming {
	readonly kind: 'dns';
	readonly query: DocumentOf<'dns'>['query'];
	readonly transport: 'udp' | 'tcp';
	readonly rcode: string;
	/** What one of the answer records must hold. */
	readonly contains: string | undefined;
}

export interface GrpcMonitor extends MonitorTiming {
	readonly kind: 'grpc';
	/** What is asked about; undefined for the server as a whole. */
	readonly service: string | undefined;
	/** `:authority`, and SNI where `tls` names none; undefined for the target itself. */
	readonly host: string | undefined;
	/** undefined for HTTP/2 without TLS. */
	readonly tls: TlsTerms | undefined;
}

export interface IcmpMonitor extends MonitorTiming {
	readonly kind: 'icmp';
}

export type Monitor = HttpMonitor | TcpMonitor | TlsMonitor | DnsMonitor | GrpcMonitor | IcmpMonitor;

/** The port is not part of it: an endpoint may have its own. */
export function monitorOf(document: MonitorDocument): Monitor {
	const timing: MonitorTiming = {
		intervalMs: durationMs(document.interval),
		timeoutMs: durationMs(document.timeout),
		fall: document.fall,
		rise: document.rise,
		from: document.from,
		...(document.regional ? { regional: true } : {}),
		...votingOf(document),
	};
	switch (document.kind) {
		case 'http':
			return { kind: 'http', ...timing, ...httpTerms(document), tls: undefined };
		case 'https':
			return { kind: 'https', ...timing, ...httpTerms(document), tls: tlsTerms(document) };
		case 'tcp':
			return { kind: 'tcp', ...timing, send: document.send, expect: document.expect };
		case 'tls':
			return { kind: 'tls', ...timing, tls: tlsTerms(document) };
		case 'icmp':
			return { kind: 'icmp', ...timing };
		case 'grpc': {
			const { service, host, tls } = document;
			return { kind: 'grpc', ...timing, service, host, tls: tls ? tlsTerms(document) : undefined };
		}
		case 'dns': {
			const { query, transport, expect } = document;
			// In this order: a monitor is part of the identity of a check, as text.
			const { name, type } = query;
			return {
				kind: 'dns',
				...timing,
				query: { name, type },
				transport,
				rcode: expect.rcode,
				contains: expect.contains,
			};
		}
	}
}

type DocumentOf<K extends MonitorDocument['kind']> = Extract<MonitorDocument, { kind: K }>;

function httpTerms({ path, host, redirects, expect }: DocumentOf<'http' | 'https'>) {
	const statuses = expect.status.map((status) => {
		const [first, last] = String(status).split('-').map(Number);
		return { first: first ?? 0, last: last ?? first ?? 0 };
	});
	return { path, host, redirects, statuses, body: expect.body };
}

function tlsTerms({ serverName, verify, minDaysLeft }: DocumentOf<'https' | 'tls' | 'grpc'>): TlsTerms {
	return { serverName, verify, minDaysLeft };
}
