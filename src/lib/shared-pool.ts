/**
 * Shared buffers that are used again: the runtime does not free one by ordinary collection once it has been
 * dropped, so who needs a new one each time would never stop growing.
 *
 *     take() -> in use -> sweep(): nobody has it any more -> free -> take() ...
 *
 * Room beyond what is needed costs nothing until it is written to.
 */

const GRAIN_OCTETS = 65_536;
const HEADROOM = 1.25;
/** A free buffer that is so much larger than what is needed stays for those who need it. */
const SLACK = 4;
/** A free buffer that nobody took through so many sweeps has become too small, or is no longer needed. */
const IDLE_SWEEPS_MAX = 8;

export interface PooledBuffer {
	readonly id: number;
	readonly buffer: SharedArrayBuffer;
}

interface Entry extends PooledBuffer {
	isFree: boolean;
	idleSweeps: number;
}

export class SharedPool {
	readonly #entries = new Map<number, Entry>();
	#nextId: number;

	/** @param firstId  of its buffers; who takes over from another pool goes on counting */
	constructor(firstId = 1) {
		this.#nextId = firstId;
	}

	/** All that it holds, free or not. */
	get octets(): number {
		let sum = 0;
		for (const { buffer } of this.#entries.values()) sum += buffer.byteLength;
		return sum;
	}

	/** Of all buffers, free or not. */
	get ids(): readonly number[] {
		return [...this.#entries.keys()];
	}

	/** A buffer of at least so many octets; what is in it is left over from whoever had it before. */
	take(octets: number): PooledBuffer {
		let best: Entry | undefined;
		for (const entry of this.#entries.values()) {
			const { byteLength } = entry.buffer;
			if (!entry.isFree || byteLength < octets || byteLength > SLACK * octets + GRAIN_OCTETS) continue;
			if (best === undefined || byteLength < best.buffer.byteLength) best = entry;
		}
		best ??= this.#grow(octets);
		best.isFree = false;
		best.idleSweeps = 0;
		return best;
	}

	/** Whatever is not in use is free from now on. */
	sweep(inUse: ReadonlySet<number>): void {
		for (const entry of this.#entries.values()) {
			entry.isFree = !inUse.has(entry.id);
			entry.idleSweeps = entry.isFree ? entry.idleSweeps + 1 : 0;
			if (entry.idleSweeps > IDLE_SWEEPS_MAX) this.#entries.delete(entry.id);
		}
	}

	#grow(octets: number): Entry {
		const buffer = new SharedArrayBuffer(GRAIN_OCTETS * Math.ceil((HEADROOM * octets + 1) / GRAIN_OCTETS));
		const entry = { id: this.#nextId++, buffer, isFree: false, idleSweeps: 0 };
		this.#entries.set(entry.id, entry);
		return entry;
	}
}
