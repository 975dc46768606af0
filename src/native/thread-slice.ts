/**
 * How soon a thread that wakes gets a core where all are taken. Linux lets whoever runs finish a slice of some
 * milliseconds first, which is a hundred answers; one that has asked for shorter slices itself goes before it (since
 * 6.12; older kernels take the wish and do nothing).
 */

import { arch } from 'node:process';
import type { Libc } from './libc.ts';
import { SCHED_ATTR, SCHED_OTHER, SYSTEM_CALL } from './linux-abi.ts';

/** The least that Linux gives. */
const SLICE_NS = 100_000n;

/**
 * For this thread, unless it runs by other rules than the usual ones.
 * @returns whether the kernel has taken the wish
 */
export function askForShortSlices(libc: Pick<Libc, 'syscall' | 'addressOf'>): boolean {
	const call = arch === 'x64' || arch === 'arm64' ? SYSTEM_CALL[arch] : undefined;
	if (call === undefined) return false;
	const memory = new ArrayBuffer(SCHED_ATTR.octets);
	const view = new DataView(memory);
	const at = libc.addressOf(memory);
	if (libc.syscall(call.schedGetAttr, 0, at, SCHED_ATTR.octets, 0) !== 0) return false;
	if (view.getUint32(SCHED_ATTR.policy, true) !== SCHED_OTHER) return false;
	view.setUint32(SCHED_ATTR.size, SCHED_ATTR.octets, true);
	view.setBigUint64(SCHED_ATTR.runtime, SLICE_NS, true);
	return libc.syscall(call.schedSetAttr, 0, at, 0, 0) === 0;
}
