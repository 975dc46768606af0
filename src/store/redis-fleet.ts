/**
 * Probers as Redis has them: whose lease lives, and what each has published last.
 */

import type { ProberName, ProberView } from './ports.ts';
import { PROBERS_MAX, ProberBook } from './prober-book.ts';
import { isInstanceName, RECORD_OCTETS_MAX, readRecord } from './prober-record.ts';
import type { Reply } from './redis-client.ts';
import { isOfWrongType, listOf, octetsOf, type RedisContext, textOfReply } from './redis-context.ts';
import { RedisProberSession } from './redis-session.ts';
import { isCount, readFields } from './untrusted-json.ts';

const LEASE_OCTETS_MAX = 1024;
/** The beginning of a record holds its MAC, or else its incarnation and sequence: equal beginnings, equal records. */
const BEGINNING_OCTETS = 1024;

export class RedisFleet {
	readonly #context: RedisContext;
	readonly #book = new ProberBook();
	/** Of the record that was read last, by instance. */
	readonly #beginnings = new Map<string, Uint8Array>();
	/** Of the lease that was read last. */
	readonly #alive = new Map<string, number>();
	readonly #sessions = new Set<RedisProberSession>();

	constructor(context: RedisContext) {
		this.#context = context;
	}

	views(): readonly ProberView[] {
		return this.#book.views(performance.now());
	}

	/**
	 * Look at the leases of all probers that are known, and at the records of some.
	 *
	 * @param instances  whose records to read; undefined for all that there are
	 * @returns whether something is another than before
	 * @throws StoreError when Redis does not answer
	 */
	async look(instances: ReadonlySet<string> | undefined): Promise<boolean> {
		const wanted = instances ?? (await this.#instances());
		if (instances === undefined) this.#forgetOthers(wanted);
		// Whoever had none comes with a hint, and every ten seconds all are looked at.
		const leased = new Set([...this.#alive.keys(), ...wanted]);
		const changes = await Promise.all([
			...[...wanted].map((instance) => this.#readRecord(instance)),
			...[...leased].map((instance) => this.#readLease(instance)),
		]);
		return changes.some((hasChanged) => hasChanged);
	}

	async join(name: ProberName): Promise<RedisProberSession> {
		const session = new RedisProberSession(this.#context, name, () => this.#sessions.delete(session));
		await session.take();
		this.#sessions.add(session);
		return session;
	}

	/** End what runs, without a word to Redis: leases lapse. */
	stop(): void {
		for (const session of this.#sessions) session.stop();
	}

	/** Those that are known, and those that Redis names; of too many the latest, should somebody have made up names. */
	async #instances(): Promise<ReadonlySet<string>> {
		const { client, keys } = this.#context;
		const known = new Set(this.#book.instances);
		let names: Reply;
		try {
			names = await client.call('ZREVRANGE', keys.probers, 0, PROBERS_MAX - 1);
		} catch (error) {
			if (!isOfWrongType(error)) throw error;
			this.#context.refuse(keys.probers, Buffer.from('another type'), 'malformed');
			return known;
		}
		for (const reply of listOf(names)) {
			const instance = textOfReply(reply);
			if (isInstanceName(instance)) known.add(instance);
			else this.#context.refuse(keys.probers, octetsOf(reply), 'malformed');
		}
		return known;
	}

	#forgetOthers(instances: ReadonlySet<string>): void {
		for (const instance of this.#beginnings.keys()) if (!instances.has(instance)) this.#beginnings.delete(instance);
		for (const instance of this.#alive.keys()) if (!instances.has(instance)) this.#alive.delete(instance);
	}

	async #readRecord(instance: string): Promise<boolean> {
		const { keys } = this.#context;
		const key = keys.prober(instance);
		const beginning = await this.#context.read(key, BEGINNING_OCTETS - 1);
		const last = this.#beginnings.get(instance);
		if (beginning.length === 0 || (last !== undefined && Buffer.compare(beginning, last) === 0)) return false;
		if (last === undefined && this.#beginnings.size >= 2 * PROBERS_MAX) return false;
		const octets = beginning.length < BEGINNING_OCTETS ? beginning : await this.#context.read(key, RECORD_OCTETS_MAX);
		this.#beginnings.set(instance, Uint8Array.from(octets.subarray(0, BEGINNING_OCTETS)));
		const value = this.#context.open(key, octets, RECORD_OCTETS_MAX);
		if (value === undefined) return false;
		const record = readRecord(value);
		if (record === undefined || record.instance !== instance) {
			this.#context.refuse(key, octets, 'malformed');
			return false;
		}
		const elapsedMs = Math.max(0, this.#context.timeMs() - record.publishedAtMs);
		const taken = this.#book.take(record, elapsedMs, performance.now());
		if (taken === 'replayed' || taken === 'oversized') this.#context.refuse(key, octets, taken);
		return taken === 'taken';
	}

	async #readLease(instance: string): Promise<boolean> {
		const { client, keys, timing } = this.#context;
		const key = keys.lease(instance);
		const [octets, leftMs] = await Promise.all([this.#context.read(key, LEASE_OCTETS_MAX), client.call('PTTL', key)]);
		const incarnation = octets.length === 0 ? undefined : this.#readLeaseValue(key, instance, octets);
		// A lease without an end is none of ours: whoever made it has to renew it like all others.
		const untilMs = performance.now() + Math.min(typeof leftMs === 'number' ? leftMs : 0, timing.leaseMs);
		this.#book.setLease(instance, incarnation === undefined ? undefined : { incarnation, untilMs });
		const hasChanged = this.#alive.get(instance) !== incarnation;
		if (incarnation === undefined) this.#alive.delete(instance);
		else this.#alive.set(instance, incarnation);
		return hasChanged;
	}

	#readLeaseValue(key: string, instance: string, octets: Uint8Array): number | undefined {
		const value = this.#context.open(key, octets, LEASE_OCTETS_MAX);
		if (value === undefined) return undefined;
		const { instance: own, incarnation } = readFields(value, ['instance', 'incarnation']) ?? {};
		if (own === instance && isCount(incarnation)) return incarnation;
		this.#context.refuse(key, octets, 'malformed');
		return undefined;
	}
}
