/**
 * The hops of an HTTP check: where the first one goes, and where a redirect leads.
 *
 * | a redirect to            | goes to                                                 |
 * | the same host            | the address that the check was pinned to                |
 * | another host             | its address, resolved and vetted like that of a target  |
 * | http:, from https:       | nowhere: the check would end where nothing is proven    |
 * | anything but http, https | nowhere                                                 |
 * | a URL with credentials   | nowhere                                                 |
 */

import { isIP } from 'node:net';
import type { HttpMonitor, TlsTerms } from '../model/monitor.ts';
import { CheckFailure, type CheckRun } from './check-result.ts';
import type { Place } from './connect.ts';

export interface Hop {
	readonly place: Place;
	/** What is asked for; its host is the one that a client would see. */
	readonly url: URL;
	/** Path and query, the first one as the monitor writes it. */
	readonly requestTarget: string;
	readonly hostHeader: string;
	/** undefined without TLS. */
	readonly tls: { readonly terms: TlsTerms; readonly identity: string } | undefined;
}

const PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };
const REDIRECT_TLS: TlsTerms = { serverName: undefined, verify: true, minDaysLeft: undefined };

export function firstHop(place: Place, { kind, path, host, tls }: HttpMonitor): Hop {
	const own = new URL(`${kind}://${bracketed(place.host)}:${place.port}`);
	// The host of a monitor is what to be known by; where it is connected to is the place.
	const name = host === undefined ? own.hostname : withoutPort(host);
	return {
		place,
		url: URL.parse(`${kind}://${name}:${place.port}${path}`) ?? own,
		requestTarget: path,
		hostHeader: host ?? own.host,
		tls: tls === undefined ? undefined : { terms: tls, identity: tls.serverName ?? unbracketed(name) },
	};
}

/** @throws CheckFailure when the redirect must not be followed */
export async function nextHop(hop: Hop, location: string, run: CheckRun): Promise<Hop> {
	const url = URL.parse(location, hop.url.href);
	if (url === null) throw new CheckFailure(`redirected to "${shown(location)}", which is no URL`);
	const port = PORTS[url.protocol];
	if (port === undefined) throw new CheckFailure(`redirected to "${shown(location)}", which is not HTTP`);
	if (url.username !== '' || url.password !== '') throw new CheckFailure('redirected to a URL with credentials');
	if (url.protocol === 'http:' && hop.url.protocol === 'https:') {
		throw new CheckFailure(`redirected from https to ${shown(url.href)}`);
	}
	const isSameHost = url.hostname === hop.url.hostname;
	const host = unbracketed(url.hostname);
	const address = isSameHost ? hop.place.address : await run.pin(host);
	const terms = isSameHost ? (hop.tls?.terms ?? REDIRECT_TLS) : REDIRECT_TLS;
	return {
		place: { host, address, port: url.port === '' ? port : Number(url.port) },
		url,
		requestTarget: url.pathname + url.search,
		hostHeader: url.host,
		tls:
			url.protocol === 'https:' ? { terms, identity: (isSameHost ? terms.serverName : undefined) ?? host } : undefined,
	};
}

function shown(url: string): string {
	return url.length > 80 ? `${url.slice(0, 77)}...` : url;
}

function bracketed(host: string): string {
	return host.includes(':') ? `[${host}]` : host;
}

function unbracketed(host: string): string {
	return host.startsWith('[') ? host.slice(1, -1) : host;
}

/** The name of a Host header, which may carry a port; an address of IPv6 in brackets. */
function withoutPort(host: string): string {
	return isIP(host) === 6 ? bracketed(host) : host.replace(/:\d+$/, '');
}
