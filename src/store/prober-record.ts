/**
 * A prober's record: all that it publishes, as one value. Times are ages at the moment `publishedAtMs`, which is by the
 * store's clock, so that no two machines need agree on the time of day.
 */

import { isCount, type JsonValue, readFields } from './untrusted-json.ts';

export interface ProberRecord {
	readonly instance: string;
	readonly region: string;
	/** Rises with each time that a prober takes its place in the fleet. */
	readonly incarnation: number;
	/** Rises with each record of an incarnation. */
	readonly sequence: number;
	/** Milliseconds since 1970 by the store's clock. */
	readonly publishedAtMs: number;
	/** How long the prober has been cut off; absent while it is not. */
	readonly cutOffAgeMs?: number;
	readonly votes: readonly RecordedVote[];
	readonly roundTrips: readonly RecordedRoundTrip[];
}

export interface RecordedVote {
	readonly key: string;
	readonly vote: 'up' | 'down';
	readonly sinceAgeMs: number;
	readonly checkedAgeMs: number;
}

interface RecordedRoundTrip {
	readonly address: string;
	readonly ms: number;
}

export const RECORD_OCTETS_MAX = 8 * 1024 * 1024;
const VOTES_MAX = 20_000;
const TARGET_KEY_MAX = 8192;
const ADDRESS_MAX = 256;
const REGION_MAX = 255;
const INSTANCE_SHAPE = /^[A-Za-z0-9._:-]{1,255}$/;
/** Ten years: beyond it an age is a mistake. */
const AGE_MS_MAX = 10 * 365 * 86_400_000;

export function isInstanceName(text: string): boolean {
	return INSTANCE_SHAPE.test(text);
}

/** In the order of `readRecord()`; votes as lists, for there may be thousands. */
export function writeRecord(record: ProberRecord): JsonValue {
	const { votes, roundTrips, ...rest } = record;
	return {
		...rest,
		votes: votes.map(({ key, vote, sinceAgeMs, checkedAgeMs }) => [key, vote, sinceAgeMs, checkedAgeMs]),
		roundTrips: roundTrips.map(({ address, ms }) => [address, ms]),
	};
}

/** @returns undefined when it is no record */
export function readRecord(value: JsonValue): ProberRecord | undefined {
	const fields = readFields(value, [
		'instance',
		'region',
		'incarnation',
		'sequence',
		'publishedAtMs',
		'cutOffAgeMs',
		'votes',
		'roundTrips',
	]);
	const { instance, region, incarnation, sequence, publishedAtMs, cutOffAgeMs, votes, roundTrips } = fields ?? {};
	if (typeof instance !== 'string' || !isInstanceName(instance)) return undefined;
	if (typeof region !== 'string' || region === '' || region.length > REGION_MAX) return undefined;
	if (!isCount(incarnation) || !isCount(sequence) || !isCount(publishedAtMs)) return undefined;
	if (cutOffAgeMs !== undefined && !isAge(cutOffAgeMs)) return undefined;
	const marks = cutOffAgeMs === undefined ? {} : { cutOffAgeMs };
	const allVotes = readList(votes, readVote);
	const allRoundTrips = readList(roundTrips, readRoundTrip);
	if (allVotes === undefined || allRoundTrips === undefined) return undefined;
	return {
		instance,
		region,
		incarnation,
		sequence,
		publishedAtMs,
		...marks,
		votes: allVotes,
		roundTrips: allRoundTrips,
	};
}

function readList<T>(
	value: JsonValue | undefined,
	read: (entry: readonly JsonValue[]) => T | undefined,
): readonly T[] | undefined {
	if (!Array.isArray(value) || value.length > VOTES_MAX) return undefined;
	const entries = value.map((entry: JsonValue) => (Array.isArray(entry) ? read(entry) : undefined));
	return entries.every((entry) => entry !== undefined) ? entries : undefined;
}

function readVote([key, vote, sinceAgeMs, checkedAgeMs]: readonly JsonValue[]): RecordedVote | undefined {
	if (typeof key !== 'string' || key.length > TARGET_KEY_MAX || (vote !== 'up' && vote !== 'down')) return undefined;
	if (!isAge(sinceAgeMs) || !isAge(checkedAgeMs)) return undefined;
	return { key, vote, sinceAgeMs, checkedAgeMs };
}

function readRoundTrip([address, ms]: readonly JsonValue[]): RecordedRoundTrip | undefined {
	return typeof address === 'string' && address.length <= ADDRESS_MAX && isAge(ms) ? { address, ms } : undefined;
}

function isAge(value: JsonValue | undefined): value is number {
	return typeof value === 'number' && value >= 0 && value <= AGE_MS_MAX;
}
