/**
 * What all that speaks to Redis has in common.
 */

import type { Log } from '../lib/ports.ts';
import type { Seal } from './envelope.ts';
import type { Refusal } from './ports.ts';
import type { RedisClient, Reply } from './redis-client.ts';
import type { RedisKeys } from './redis-keys.ts';
import type { Refusals } from './refusals.ts';
import type { Timing } from './timing.ts';
import type { JsonValue } from './untrusted-json.ts';

export class RedisContext {
	readonly client: RedisClient;
	readonly keys: RedisKeys;
	readonly seal: Seal;
	readonly refusals: Refusals;
	readonly timing: Timing;
	readonly log: Log;
	/** Redis's time of day when this clock was at zero; undefined before it was asked. */
	#timeAtZeroMs: number | undefined;

	constructor(parts: Pick<RedisContext, 'client' | 'keys' | 'seal' | 'refusals' | 'timing' | 'log'>) {
		this.client = parts.client;
		this.keys = parts.keys;
		this.seal = parts.seal;
		this.refusals = parts.refusals;
		this.timing = parts.timing;
		this.log = parts.log;
	}

	/** Milliseconds since 1970 by Redis's clock; by ours while it has never been asked. */
	timeMs(): number {
		return Math.round(this.#timeAtZeroMs === undefined ? Date.now() : this.#timeAtZeroMs + performance.now());
	}

	setTime(timeMs: number): void {
		this.#timeAtZeroMs = timeMs - performance.now();
	}

	/**
	 * The first octets of a value, or of what is to be refused in its place.
	 * @throws StoreError when Redis does not answer
	 */
	async read(key: string, octetsMax: number): Promise<Uint8Array> {
		try {
			return octetsOf(await this.client.call('GETRANGE', key, 0, octetsMax));
		} catch (error) {
			if (!isOfWrongType(error)) throw error;
			return WRONG_TYPE;
		}
	}

	/** The value within an envelope, or undefined when it is refused, which is counted and told once. */
	open(key: string, octets: Uint8Array, octetsMax: number): JsonValue | undefined {
		const opened = this.seal.open(key, octets, octetsMax);
		if ('value' in opened) return opened.value;
		this.refuse(key, octets, opened.refusal);
		return undefined;
	}

	refuse(key: string, octets: Uint8Array, refusal: Refusal): void {
		if (this.refusals.add(key, octets, refusal)) this.log.warn({ key, refusal }, 'a value of the store is refused');
	}
}

const NOTHING = new Uint8Array();
/** Stands for a list, a hash or the like, and is no envelope. */
const WRONG_TYPE = Buffer.from('a value of another type');

/** Whether Redis had something else at a key than what was asked for. */
export function isOfWrongType(error: unknown): boolean {
	const { cause } = error as Error;
	return cause instanceof Error && cause.message.startsWith('WRONGTYPE');
}

export function octetsOf(reply: Reply | undefined): Uint8Array {
	return reply instanceof Uint8Array ? reply : NOTHING;
}

export function textOfReply(reply: Reply | undefined): string {
	return Buffer.from(octetsOf(reply)).toString('utf8');
}

export function listOf(reply: Reply | undefined): readonly Reply[] {
	return Array.isArray(reply) ? reply : [];
}
