/**
 * A TLS check: the target is up when the handshake succeeds and its certificate is as it should be. Says nothing more.
 */

import type { TlsMonitor } from '../model/monitor.ts';
import type { CheckRun } from './check-result.ts';
import { openTcp, openTls, type Place } from './connect.ts';

/** @returns why the target is up */
export async function checkTls(place: Place, { tls }: TlsMonitor, run: CheckRun): Promise<string> {
	const socket = await openTcp(place, run);
	try {
		await openTls(socket, { terms: tls, identity: tls.serverName ?? place.host, protocols: [] }, run);
		return `${run.facts.tls?.protocol}, certificate until ${run.facts.tls?.certificateExpiresAt?.slice(0, 10)}`;
	} finally {
		socket.destroy();
	}
}
