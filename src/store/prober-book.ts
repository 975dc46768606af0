/**
 * The latest record of every prober, and their leases, as this process knows them. Only a greater record is taken:
 * incarnation first, then sequence. A record stands until a greater one comes, whatever becomes of the store.
 */

import type { ProberView, Publication, Refusal } from './ports.ts';
import { type ProberRecord, readRecord, writeRecord } from './prober-record.ts';
import { StoreError } from './store-error.ts';

/** Far above any fleet; the store may be full of names that somebody made up. */
export const PROBERS_MAX = 1000;

interface Entry {
	readonly record: ProberRecord;
	/** When it was published, by the clock of this process. */
	readonly publishedMs: number;
	readonly votes: ProberView['report']['votes'];
	readonly roundTripMs: ReadonlyMap<string, number>;
	/** Part of a report. */
	readonly marks: Pick<ProberView['report'], 'cutOffMs'>;
}

interface Lease {
	readonly incarnation: number;
	readonly untilMs: number;
}

/** What became of a record: `known` is the one that is held already. */
export type Taken = 'taken' | 'known' | Extract<Refusal, 'replayed' | 'oversized'>;

export class ProberBook {
	readonly #entries = new Map<string, Entry>();
	readonly #leases = new Map<string, Lease>();

	/** Of all that is held. */
	get instances(): Iterable<string> {
		return this.#entries.keys();
	}

	/**
	 * Where there is no room, the one without a lease that published first is forgotten.
	 *
	 * @param elapsedMs  since it was published
	 * @param nowMs      monotonic
	 */
	take(record: ProberRecord, elapsedMs: number, nowMs: number): Taken {
		const held = this.#entries.get(record.instance)?.record;
		const order = held === undefined ? 1 : compare(record, held);
		if (order === 0) return 'known';
		if (order < 0) return 'replayed';
		if (held === undefined && this.#entries.size >= PROBERS_MAX && !this.#forgetOne(nowMs)) return 'oversized';
		const publishedMs = nowMs - elapsedMs;
		const votes = new Map(
			record.votes.map(({ key, vote, sinceAgeMs, checkedAgeMs }) => [
				key,
				{ vote, sinceMs: publishedMs - sinceAgeMs, checkedMs: publishedMs - checkedAgeMs },
			]),
		);
		const roundTripMs = new Map(record.roundTrips.map(({ address, ms }) => [address, ms]));
		const marks = record.cutOffAgeMs === undefined ? {} : { cutOffMs: publishedMs - record.cutOffAgeMs };
		this.#entries.set(record.instance, { record, publishedMs, votes, roundTripMs, marks });
		return 'taken';
	}

	#forgetOne(nowMs: number): boolean {
		const [oldest] = this.views(nowMs)
			.filter(({ report }) => !report.isAlive)
			.sort((a, b) => a.publishedMs - b.publishedMs);
		if (oldest === undefined) return false;
		this.#entries.delete(oldest.instance);
		this.#leases.delete(oldest.instance);
		return true;
	}

	/** @param lease  undefined when there is none */
	setLease(instance: string, lease: Lease | undefined): void {
		if (lease === undefined) this.#leases.delete(instance);
		else this.#leases.set(instance, lease);
	}

	/** A lease that has run out by this clock counts as gone, whether anybody could ask the store or not. */
	views(nowMs: number): readonly ProberView[] {
		return [...this.#entries.values()]
			.map(({ record, publishedMs, votes, roundTripMs, marks }): ProberView => {
				const { instance, region, incarnation, sequence } = record;
				const lease = this.#leases.get(instance);
				// The lease of a prober that has come back is no word on what it published before.
				const leaseLeftMs = lease?.incarnation === incarnation ? Math.max(0, lease.untilMs - nowMs) : 0;
				const report = { prober: instance, region, isAlive: leaseLeftMs > 0, ...marks, votes };
				return { instance, incarnation, sequence, leaseLeftMs, publishedMs, report, roundTripMs };
			})
			.sort((a, b) => (a.instance < b.instance ? -1 : 1));
	}
}

function compare(a: ProberRecord, b: ProberRecord): number {
	return a.incarnation - b.incarnation || a.sequence - b.sequence;
}

interface RecordHead {
	readonly instance: string;
	readonly region: string;
	readonly incarnation: number;
	readonly sequence: number;
	readonly publishedAtMs: number;
}

/**
 * What a prober publishes, as the record that travels.
 * @param nowMs  of the clock of the publication's times
 * @throws StoreError STORE_CONTENT when it is more, or another, than a record may be
 */
export function recordOf(head: RecordHead, { votes, roundTripMs, cutOffMs }: Publication, nowMs: number): ProberRecord {
	const age = (ms: number) => Math.max(0, Math.round(nowMs - ms));
	const record: ProberRecord = {
		...head,
		...(cutOffMs === undefined ? {} : { cutOffAgeMs: age(cutOffMs) }),
		votes: [...votes].map(([key, { vote, sinceMs, checkedMs }]) => ({
			key,
			vote,
			sinceAgeMs: age(sinceMs),
			checkedAgeMs: age(checkedMs),
		})),
		roundTrips: [...roundTripMs].map(([address, ms]) => ({ address, ms })),
	};
	if (readRecord(writeRecord(record)) === undefined)
		throw new StoreError('STORE_CONTENT', `Cannot publish this as ${JSON.stringify(head.instance)}: it is no record`);
	return record;
}
