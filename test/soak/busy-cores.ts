/** How much of the machine was busy over a time, whoever was. */

import { cpus } from 'node:os';

export interface CpuTimes {
	readonly idleMs: number;
	readonly totalMs: number;
}

export function cpuTimes(): CpuTimes {
	const times = cpus().map(({ times }) => times);
	const totalMs = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
	return { idleMs: times.reduce((sum, { idle }) => sum + idle, 0), totalMs };
}

export function busyCores(before: CpuTimes, after: CpuTimes): number {
	return cpus().length * (1 - (after.idleMs - before.idleMs) / (after.totalMs - before.totalMs));
}
