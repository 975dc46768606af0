/**
 * How soon a thread that wakes gets a core where all are taken. Linux lets whoever runs finish a slice of some
 * milliseconds first, as long as a hundred answers take.
 *
 * | this thread has taken   | it goes                                     | which needs                                    |
 * |-------------------------|---------------------------------------------|------------------------------------------------|
 * | less than half a core   | before all others: real time, round robin   | root, CAP_SYS_NICE or RLIMIT_RTPRIO (LimitRTPRIO) |
 * | more                    | fairly, in short slices                     | nothing; before Linux 6.12 slices are as they are |
 *
 * So an answer does not wait for a build, and a flood does not keep the rest of the machine from its work.
 */

import { arch } from 'node:process';
import type { Libc } from './libc.ts';
import { SCHED, SCHED_ATTR, SYSTEM_CALL } from './linux-abi.ts';

const SHARE_MAX = 0.5;
/** The least that Linux gives. */
const SLICE_NS = 100_000n;
const REAL_TIME_PRIORITY = 1;

export interface ThreadTimes {
	readonly nowMs: number;
	/** What the thread has taken of its cores so far. */
	readonly cpuMs: number;
}

export class ThreadTurn {
	readonly #libc: Pick<Libc, 'syscall' | 'addressOf'>;
	readonly #view = new DataView(new ArrayBuffer(SCHED_ATTR.octets));
	readonly #at: bigint;
	#before: ThreadTimes;
	readonly #mayGoFirst: boolean;
	#isFirst = false;
	#isRefused = false;

	/**
	 * Of the thread that calls, which goes fairly until the first look back.
	 * @param mayGoFirst  otherwise it goes on fairly
	 */
	constructor(libc: Pick<Libc, 'syscall' | 'addressOf'>, times: ThreadTimes, mayGoFirst: boolean) {
		this.#libc = libc;
		this.#at = libc.addressOf(this.#view.buffer);
		this.#before = times;
		this.#mayGoFirst = mayGoFirst;
		// One that an operator runs by other rules stays as it is.
		this.#isRefused =
			!this.#read() || this.#view.getUint32(SCHED_ATTR.policy, true) !== SCHED.other || !this.#goFairly();
	}

	/** Look back at the time since the last call, and go first or fairly by it. */
	review(times: ThreadTimes): void {
		const share = (times.cpuMs - this.#before.cpuMs) / (times.nowMs - this.#before.nowMs);
		this.#before = times;
		if (!this.#mayGoFirst || this.#isRefused || share < SHARE_MAX === this.#isFirst) return;
		this.#isRefused = !(this.#isFirst ? this.#goFairly() : this.#goFirst());
		this.#isFirst = !this.#isFirst && !this.#isRefused;
	}

	#goFirst(): boolean {
		this.#view.setUint32(SCHED_ATTR.policy, SCHED.roundRobin, true);
		this.#view.setUint32(SCHED_ATTR.priority, REAL_TIME_PRIORITY, true);
		return this.#write();
	}

	#goFairly(): boolean {
		this.#view.setUint32(SCHED_ATTR.policy, SCHED.other, true);
		this.#view.setUint32(SCHED_ATTR.priority, 0, true);
		this.#view.setBigUint64(SCHED_ATTR.runtime, SLICE_NS, true);
		return this.#write();
	}

	/** As the kernel knows the thread; 0 where it cannot be told. */
	get thread(): number {
		const call = systemCall();
		return call === undefined ? 0 : Math.max(0, this.#libc.syscall(call.getThreadId, 0, 0n, 0, 0));
	}

	#read(): boolean {
		const call = systemCall();
		return call !== undefined && this.#libc.syscall(call.schedGetAttr, 0, this.#at, SCHED_ATTR.octets, 0) === 0;
	}

	/** The nice value stays what was read. */
	#write(): boolean {
		return schedule(this.#libc, 0, this.#view, this.#at);
	}
}

/** Let another thread of this process go fairly from now on: one that hangs does not look back at itself. */
export function stepBack(libc: Pick<Libc, 'syscall' | 'addressOf'>, thread: number): void {
	if (thread === 0) return;
	const view = new DataView(new ArrayBuffer(SCHED_ATTR.octets));
	view.setUint32(SCHED_ATTR.policy, SCHED.other, true);
	schedule(libc, thread, view, libc.addressOf(view.buffer));
}

/** @param thread  0 is the one that calls */
function schedule(libc: Pick<Libc, 'syscall'>, thread: number, view: DataView, at: bigint): boolean {
	const call = systemCall();
	view.setUint32(SCHED_ATTR.size, SCHED_ATTR.octets, true);
	// Threads that this one starts are not to go first as well.
	view.setBigUint64(SCHED_ATTR.flags, SCHED.resetOnFork, true);
	return call !== undefined && libc.syscall(call.schedSetAttr, thread, at, 0, 0) === 0;
}

function systemCall(): (typeof SYSTEM_CALL)[keyof typeof SYSTEM_CALL] | undefined {
	return arch === 'x64' || arch === 'arm64' ? SYSTEM_CALL[arch] : undefined;
}
