/**
 * The records of one zone as columns over one byte arena: a million records are a few
 * large arrays, not millions of objects.
 */

import { nameLength, octet } from './name.ts';

/** Where a record was written: a line of the zone file, or of a file that it includes. */
export interface RecordPlace {
	readonly line: number;
	readonly file?: string;
}

export interface Position {
	readonly line: number;
	readonly column: number;
}

/** Columns a row: owner offset, type and RDATA length, TTL, RDATA offset, line. */
const COLUMNS = 5;
const OCTETS_MIN = 64;
const TRIMMED_OCTETS_MAX = 2 ** 20;
const ROWS_MIN = 4;
/** Text of the shortest records that fill a file: more room than most need is never touched. */
const TEXT_OCTETS_A_RECORD = 12;

/** Records that follow one another and come from the same file. */
interface FileRun {
	readonly first: number;
	readonly file: string | undefined;
}

export class RecordList {
	count = 0;
	#bytes: Uint8Array<ArrayBuffer>;
	#used = 0;
	#rows: Uint32Array<ArrayBuffer>;
	/** Of the records that come from included files, and what follows them; the first ones come from the file without a name. */
	readonly #files: FileRun[] = [];
	#lastFile: string | undefined;
	#lastOwner: Uint8Array | undefined;
	#lastOwnerAt = 0;

	/** @param textOctets  what the file has that the records come from; more may come */
	constructor(textOctets = 0) {
		this.#bytes = new Uint8Array(OCTETS_MIN + textOctets);
		this.#rows = new Uint32Array(COLUMNS * (ROWS_MIN + Math.ceil(textOctets / TEXT_OCTETS_A_RECORD)));
	}

	/**
	 * @param owner  wire name with its case kept; the very object of the record before shares its bytes
	 * @param file   the included file that `line` counts in; absent for the file that the scan began with
	 */
	add(owner: Uint8Array, type: number, ttlSec: number, rdata: Uint8Array, line: number, file?: string): void {
		if (owner !== this.#lastOwner) {
			this.#lastOwnerAt = this.#append(owner);
			this.#lastOwner = owner;
		}
		if (file !== this.#lastFile) {
			this.#files.push({ first: this.count, file });
			this.#lastFile = file;
		}
		if ((this.count + 1) * COLUMNS > this.#rows.length)
			this.#rows = new Uint32Array(this.#rows.buffer.transfer(2 * this.#rows.byteLength));
		const rows = this.#rows;
		const row = COLUMNS * this.count++;
		rows[row] = this.#lastOwnerAt;
		rows[row + 1] = (type << 16) | rdata.length;
		rows[row + 2] = ttlSec;
		rows[row + 3] = this.#append(rdata);
		rows[row + 4] = line;
	}

	/** Let go of room that was taken for more records; of a large list nobody has touched it, and it costs nothing. */
	trim(): void {
		this.#lastOwner = undefined;
		if (this.#bytes.length + this.#rows.byteLength > TRIMMED_OCTETS_MAX) return;
		this.#bytes = this.#bytes.slice(0, this.#used);
		this.#rows = this.#rows.slice(0, COLUMNS * this.count);
	}

	/** Where owners and RDATA lie; stale when a record is added. */
	get octets(): Uint8Array {
		return this.#bytes;
	}

	owner(index: number): Uint8Array {
		const at = this.ownerAt(index);
		return this.#bytes.subarray(at, at + nameLength(this.#bytes, at));
	}

	/** In `octets`; the same for records that follow one another and share their owner. */
	ownerAt(index: number): number {
		return this.#column(index, 0);
	}

	/** As many owners at most: one whose records do not follow one another is counted again. */
	countOwnerRuns(): number {
		let runs = 0;
		for (let i = 0; i < this.count; i++) if (i === 0 || this.ownerAt(i) !== this.ownerAt(i - 1)) runs++;
		return runs;
	}

	type(index: number): number {
		return this.#column(index, 1) >>> 16;
	}

	ttlSec(index: number): number {
		return this.#column(index, 2);
	}

	rdata(index: number): Uint8Array {
		const at = this.rdataAt(index);
		return this.#bytes.subarray(at, at + this.rdataLength(index));
	}

	/** In `octets`. */
	rdataAt(index: number): number {
		return this.#column(index, 3);
	}

	rdataLength(index: number): number {
		return this.#column(index, 1) & 0xffff;
	}

	line(index: number): number {
		return this.#column(index, 4);
	}

	/** The included file that `line` counts in; undefined for the file that the scan began with. */
	file(index: number): string | undefined {
		return this.#files.findLast(({ first }) => first <= index)?.file;
	}

	#column(index: number, column: number): number {
		return this.#rows[COLUMNS * index + column] ?? 0;
	}

	#append(bytes: Uint8Array): number {
		const at = this.#used;
		const end = at + bytes.length;
		if (end > this.#bytes.length)
			this.#bytes = new Uint8Array(this.#bytes.buffer.transfer(Math.max(2 * this.#bytes.length, end)));
		const own = this.#bytes;
		// For the few octets of a name or an address a loop beats TypedArray.set.
		for (let i = 0; i < bytes.length; i++) own[at + i] = octet(bytes, i);
		this.#used = end;
		return at;
	}
}
