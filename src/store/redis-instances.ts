/**
 * Instances as Redis has them: what each has told of itself last.
 */

import { NOTE_OCTETS_MAX, readNote, writeNote } from './instance-note.ts';
import type { InstanceNote, InstanceView } from './ports.ts';
import { isInstanceName } from './prober-record.ts';
import { isOfWrongType, listOf, octetsOf, type RedisContext, textOfReply } from './redis-context.ts';
import { ANNOUNCE } from './redis-scripts.ts';

const KEPT_MS = 86_400_000;
/** Far above any fleet. */
const INSTANCES_MAX = 1000;

export class RedisInstances {
	readonly #context: RedisContext;

	constructor(context: RedisContext) {
		this.#context = context;
	}

	/** @throws StoreError */
	async announce(note: InstanceNote): Promise<void> {
		const { client, keys, seal } = this.#context;
		const key = keys.instance(note.instance);
		const sealed = seal.close(key, writeNote({ ...note, sentAtMs: this.#context.timeMs() }));
		await client.run(ANNOUNCE, [key, keys.instances], [sealed, KEPT_MS, note.instance]);
	}

	/** @throws StoreError when Redis does not answer */
	async views(): Promise<readonly InstanceView[]> {
		const names = await this.#names();
		const views = await Promise.all(names.map((instance) => this.#read(instance)));
		return views.filter((view) => view !== undefined).sort((a, b) => (a.instance < b.instance ? -1 : 1));
	}

	async #names(): Promise<readonly string[]> {
		const { client, keys } = this.#context;
		try {
			// The latest ones, should somebody have made up names.
			const replies = listOf(await client.call('ZREVRANGE', keys.instances, 0, INSTANCES_MAX - 1));
			const names = replies.filter((reply) => {
				if (isInstanceName(textOfReply(reply))) return true;
				this.#context.refuse(keys.instances, octetsOf(reply), 'malformed');
				return false;
			});
			return names.map(textOfReply);
		} catch (error) {
			if (!isOfWrongType(error)) throw error;
			this.#context.refuse(keys.instances, Buffer.from('another type'), 'malformed');
			return [];
		}
	}

	async #read(instance: string): Promise<InstanceView | undefined> {
		const { keys, timing } = this.#context;
		const key = keys.instance(instance);
		const octets = await this.#context.read(key, NOTE_OCTETS_MAX);
		if (octets.length === 0) return undefined;
		const value = this.#context.open(key, octets, NOTE_OCTETS_MAX);
		if (value === undefined) return undefined;
		const note = readNote(value);
		if (note === undefined || note.instance !== instance) {
			this.#context.refuse(key, octets, 'malformed');
			return undefined;
		}
		const { sentAtMs, ...told } = note;
		// One that was sent before and came again only looks as old as it is.
		const ageMs = Math.max(0, this.#context.timeMs() - sentAtMs);
		return { ...told, seenMs: performance.now() - ageMs, isAlive: ageMs <= timing.leaseMs };
	}
}
