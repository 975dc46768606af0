/**
 * How datagrams are read, chosen once for the process: in batches where that works, else by Node's own sockets.
 */

import { type Libc, loadLibc } from '../native/libc.ts';
import { selfTest } from '../native/self-test.ts';

export type UdpTransport = { readonly kind: 'batch'; readonly libc: Libc } | { readonly kind: 'dgram' };

/** The value of the setting `dns.transport`. */
type Wanted = 'auto' | 'batch' | 'dgram';

/**
 * @returns the transport and why it is this one
 * @throws Error when batches are demanded and cannot be had
 */
export async function chooseUdpTransport(
	wanted: Wanted,
): Promise<{ readonly transport: UdpTransport; readonly reason: string }> {
	if (wanted === 'dgram') return { transport: { kind: 'dgram' }, reason: 'as dns.transport says' };
	const libc = await loadLibc();
	const problem = libc.ok ? selfTest(libc.value) : libc.problems.join();
	if (libc.ok && problem === undefined) {
		const reason = wanted === 'batch' ? 'as dns.transport says' : 'this machine can';
		return { transport: { kind: 'batch', libc: libc.value }, reason };
	}
	if (wanted === 'batch') throw new Error(`Cannot read datagrams in batches (dns.transport): ${problem}`);
	return { transport: { kind: 'dgram' }, reason: `no batches here: ${problem}` };
}
