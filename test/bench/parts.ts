/**
 * The parts of the benchmark: what each measures, how long it takes, and how its result is printed.
 */

import { SERVERS } from './contestants.ts';
import type { GrowthCost } from './growth.bench.ts';
import type { AnswerCost } from './in-process.ts';
import type { PeerCost } from './peers.bench.ts';
import type { ScaleCost } from './scale.bench.ts';
import type { SettingCost } from './settings.bench.ts';
import type { SwapResult } from './swap-scene.ts';
import {
	answersTable,
	growthTable,
	latencyTable,
	peersTable,
	scaleTable,
	settingsTable,
	swapsTable,
} from './tables.ts';

/** As of the command line. */
interface PartOptions {
	readonly pairs: number;
	readonly seconds: number;
	/** None: all. */
	readonly servers: readonly string[];
}

export interface Part {
	readonly name: string;
	readonly title: string;
	/** Prints its result as JSON. */
	readonly file: string;
	/** Of Node. */
	readonly flags?: readonly string[];
	readonly args?: (options: PartOptions) => readonly string[];
	readonly isLinuxOnly: boolean;
	/** How long it takes, about; 0 when none of the servers asked for is of this part. */
	readonly seconds: (options: PartOptions) => number;
	/** Its JSON as a table. */
	readonly print: (json: string) => string;
}

/** So much young generation that nothing is collected in a run, and what is allocated can be counted. */
const NOTHING_COLLECTED = ['--max-semi-space-size=512', '--min-semi-space-size=512'];
const SCALE_SERVERS = ['meridian', 'nsd', 'knot'];
const LATENCY_RATE = 50_000;
/** Others cannot carry that rate. */
const LATENCY_SERVERS = ['gdnsd', 'knot'];

function printer<T>(tableOf: (result: T) => string): Part['print'] {
	return (json) => tableOf(JSON.parse(json));
}

function pairArgs({ pairs, seconds }: PartOptions): string[] {
	return ['--pairs', String(pairs), '--seconds', String(seconds)];
}

function pairSeconds(comparisons: number, { pairs, seconds }: PartOptions): number {
	return comparisons * (8 + 2 * pairs * (seconds + 0.5));
}

/** Of those that a part knows, the ones that were asked for. */
function chosen(known: readonly string[], { servers }: PartOptions): readonly string[] {
	return servers.length === 0 ? known : known.filter((name) => servers.includes(name));
}

function serverArgs(known: readonly string[], options: PartOptions): string[] {
	return chosen(known, options).flatMap((server) => ['--server', server]);
}

function peers(
	scene: keyof typeof SERVERS,
	questions: number,
	known: readonly string[],
	rate = 0,
): Pick<Part, 'file' | 'args' | 'seconds' | 'isLinuxOnly'> {
	return {
		file: './peers.bench.ts',
		args: (options) => [
			...['--scene', scene, ...pairArgs(options), '--rate', String(rate)],
			...serverArgs(known, options),
		],
		seconds: (options) => pairSeconds(questions * chosen(known, options).length, options),
		isLinuxOnly: true,
	};
}

/** Servers that some part compares with. */
export const KNOWN_SERVERS: readonly string[] = [
	...new Set([...SERVERS.geo.slice(1), ...SERVERS.static.slice(1), ...SCALE_SERVERS]),
];

export const PARTS: readonly Part[] = [
	{
		name: 'answers',
		title: 'respond() alone, in process, best of five runs of a million answers each',
		file: './respond.bench.ts',
		flags: NOTHING_COLLECTED,
		isLinuxOnly: false,
		seconds: () => 120,
		print: printer<readonly AnswerCost[]>(answersTable),
	},
	{
		name: 'geo',
		title: 'a geo map with a random client subnet in each query, one worker, closed loop',
		...peers('geo', 1, SERVERS.geo.slice(1)),
		print: printer<readonly PeerCost[]>(peersTable),
	},
	{
		name: 'static',
		title: 'ordinary zones, one worker, closed loop',
		...peers('static', 2, SERVERS.static.slice(1)),
		print: printer<readonly PeerCost[]>(peersTable),
	},
	{
		name: 'latency',
		title: `the geo map at ${LATENCY_RATE} queries a second, one worker, open loop`,
		...peers('geo', 1, LATENCY_SERVERS, LATENCY_RATE),
		print: printer<readonly PeerCost[]>(latencyTable),
	},
	{
		name: 'settings',
		title: 'what our own settings cost, closed loop',
		file: './settings.bench.ts',
		args: pairArgs,
		isLinuxOnly: true,
		seconds: (options) => pairSeconds(4, options),
		print: printer<readonly SettingCost[]>(settingsTable),
	},
	{
		name: 'growth',
		title: 'how an answer and a build grow with what is configured, in process',
		file: './growth.bench.ts',
		flags: NOTHING_COLLECTED,
		isLinuxOnly: false,
		seconds: () => 150,
		print: printer<readonly GrowthCost[]>(growthTable),
	},
	{
		name: 'scale',
		title: 'a million records in one zone, and a hundred thousand zones',
		file: './scale.bench.ts',
		args: (options) => serverArgs(SCALE_SERVERS, options),
		isLinuxOnly: true,
		seconds: (options) => 120 * chosen(SCALE_SERVERS, options).length,
		print: printer<readonly ScaleCost[]>(scaleTable),
	},
	{
		name: 'swaps',
		title: 'generations and geo databases that change all the time, two workers, 50,000 queries a second',
		file: './swap.bench.ts',
		isLinuxOnly: true,
		seconds: () => 120,
		print: printer<SwapResult>(swapsTable),
	},
];
