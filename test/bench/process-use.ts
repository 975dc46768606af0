/**
 * What a server takes of the machine, as the kernel counts it: processor time to the nanosecond, and memory with what
 * processes share counted once.
 */

import { readdirSync, readFileSync } from 'node:fs';

/** A process and all below it, itself first. */
export function processTree(pid: number): readonly number[] {
	const children = text(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
	return [pid, ...children.flatMap(processTree)];
}

/** Of all threads that live, in microseconds: user and system together. */
export function processorUs(pids: readonly number[]): number {
	let ns = 0;
	for (const pid of pids) {
		// On the processor, then waiting for it, then how often.
		for (const task of readdirSync(`/proc/${pid}/task`))
			ns += Number(text(`/proc/${pid}/task/${task}/schedstat`).split(' ')[0] ?? 0);
	}
	return ns / 1000;
}

/** In octets. */
export function memoryOf(pids: readonly number[]): number {
	let kilobytes = 0;
	for (const pid of pids) kilobytes += Number(/^Pss:\s+(\d+)/m.exec(text(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
	return 1024 * kilobytes;
}

/** The most that each has ever had, in octets. */
export function mostMemoryOf(pids: readonly number[]): number {
	let kilobytes = 0;
	for (const pid of pids) kilobytes += Number(/^VmHWM:\s+(\d+)/m.exec(text(`/proc/${pid}/status`))?.[1] ?? 0);
	return 1024 * kilobytes;
}

/** Empty for a thread or process that has just gone. */
function text(path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return '';
	}
}
