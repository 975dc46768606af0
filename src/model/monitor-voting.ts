/**
 * How results become votes and votes a verdict: the keys that monitors of every kind have for it, and their reading.
 */

import Type, { type Static } from 'typebox';
import { durationMs } from './duration.ts';
import { duration, exact } from './shape-parts.ts';

/** Without the key, as many intervals: turns of a check every second come closer together than those of one a minute. */
const FLAP_WINDOW_INTERVALS = 60;

export const votingKeys = {
	consensus: Type.Optional(
		Type.Object(
			{
				mode: Type.Enum(['majority', 'any-up', 'all-up', 'at-least'], {
					default: 'majority',
					description: 'majority, any-up, all-up or at-least',
				}),
				k: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'a number of regions' })),
				minProbers: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'a number of probers' })),
			},
			{ ...exact, description: 'a consensus: mode, k, minProbers' },
		),
	),
	maxFlips: Type.Integer({ minimum: 1, maximum: 1000, default: 7, description: 'a number of turns, 1..1000' }),
	flapWindow: Type.Optional(duration()),
};

interface VotingDocument {
	readonly interval: string;
	readonly consensus?: Static<typeof votingKeys.consensus>;
	readonly maxFlips: number;
	readonly flapWindow?: string;
}

export interface Consensus {
	readonly mode: 'majority' | 'any-up' | 'all-up' | 'at-least';
	/** Of `at-least`: regions that must say up. */
	readonly k: number | undefined;
	/** Fresh votes that a turn needs; undefined for 2 in a fleet of three probers and more, else 1. */
	readonly minProbers: number | undefined;
}

export interface MonitorVoting {
	readonly consensus: Consensus;
	/** Turns of a vote within the window; more, and it is held down. */
	readonly maxFlips: number;
	readonly flapWindowMs: number;
}

export function votingOf({ interval, consensus, maxFlips, flapWindow }: VotingDocument): MonitorVoting {
	return {
		consensus: { mode: consensus?.mode ?? 'majority', k: consensus?.k, minProbers: consensus?.minProbers },
		maxFlips,
		flapWindowMs: flapWindow === undefined ? FLAP_WINDOW_INTERVALS * durationMs(interval) : durationMs(flapWindow),
	};
}
