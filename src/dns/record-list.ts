/**
 * The records of one zone as columns over one byte arena: a million records are a few
 * large arrays, not millions of objects.
 */

import { nameLength } from './name.ts';

/** Where a record was written: a line of the zone file, or of a file that it includes. */
export interface RecordPlace {
	readonly line: number;
	readonly file?: string;
}

export interface Position {
	readonly line: number;
	readonly column: number;
}

const COLUMNS = 7;

export class RecordList {
	count = 0;
	#bytes = new Uint8Array(4096);
	#used = 0;
	/** Columns a row: owner offset, type, TTL, RDATA offset, RDATA length, line, file. */
	#rows = new Uint32Array(COLUMNS * 64);
	/** Column `file` is an index into it; entry 0 is the file that has no name. */
	readonly #files: (string | undefined)[] = [undefined];
	#lastOwner: Uint8Array | undefined;
	#lastOwnerAt = 0;

	/**
	 * @param owner  wire name with its case kept; the very object of the record before shares its bytes
	 * @param file   the included file that `line` counts in; absent for the file that the scan began with
	 */
	add(owner: Uint8Array, type: number, ttlSec: number, rdata: Uint8Array, line: number, file?: string): void {
		if (owner !== this.#lastOwner) {
			this.#lastOwnerAt = this.#append(owner);
			this.#lastOwner = owner;
		}
		if ((this.count + 1) * COLUMNS > this.#rows.length) {
			const rows = new Uint32Array(2 * this.#rows.length);
			rows.set(this.#rows);
			this.#rows = rows;
		}
		const row = COLUMNS * this.count++;
		this.#rows[row] = this.#lastOwnerAt;
		this.#rows[row + 1] = type;
		this.#rows[row + 2] = ttlSec;
		this.#rows[row + 3] = this.#append(rdata);
		this.#rows[row + 4] = rdata.length;
		this.#rows[row + 5] = line;
		this.#rows[row + 6] = this.#fileNumber(file);
	}

	owner(index: number): Uint8Array {
		const at = this.#column(index, 0);
		return this.#bytes.subarray(at, at + nameLength(this.#bytes, at));
	}

	type(index: number): number {
		return this.#column(index, 1);
	}

	ttlSec(index: number): number {
		return this.#column(index, 2);
	}

	rdata(index: number): Uint8Array {
		const at = this.#column(index, 3);
		return this.#bytes.subarray(at, at + this.#column(index, 4));
	}

	line(index: number): number {
		return this.#column(index, 5);
	}

	/** The included file that `line` counts in; undefined for the file that the scan began with. */
	file(index: number): string | undefined {
		return this.#files[this.#column(index, 6)];
	}

	/** Records of one file follow one another, so the last one is nearly always right. */
	#fileNumber(file: string | undefined): number {
		const number = this.#files.lastIndexOf(file);
		return number >= 0 ? number : this.#files.push(file) - 1;
	}

	#column(index: number, column: number): number {
		return this.#rows[COLUMNS * index + column] ?? 0;
	}

	#append(bytes: Uint8Array): number {
		if (this.#used + bytes.length > this.#bytes.length) {
			const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#used + bytes.length));
			larger.set(this.#bytes);
			this.#bytes = larger;
		}
		const at = this.#used;
		this.#bytes.set(bytes, at);
		this.#used += bytes.length;
		return at;
	}
}
