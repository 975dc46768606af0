/**
 * Values of the MaxMind DB format (https://maxmind.github.io/MaxMind-DB/), read from a section that may say anything.
 *
 *     control octet  TTTSSSSS   type 1..7 and size, or type 0: the next octet is the type less 7
 *
 * | a file may hold                                 | so here                                               |
 * |-------------------------------------------------|-------------------------------------------------------|
 * | counts of millions                              | nothing is set aside for a count, entries are read    |
 * | pointers in a circle, nesting without end       | DEPTH_MAX                                             |
 * | records that overlap, each as long as the file  | a budget of values, in proportion to the section      |
 * | texts of megabytes                              | TEXT_OCTETS_MAX: a longer one is passed by            |
 */

const TYPE = { pointer: 1, text: 2, double: 3, octets: 4, uint16: 5, uint32: 6, map: 7, int32: 8, uint64: 9 } as const;
const MORE_TYPES = { uint128: 10, list: 11, boolean: 14, float: 15 } as const;

const DEPTH_MAX = 64;
const TEXT_OCTETS_MAX = 1024;
/** A sound section has its values side by side: each is read once, and once more for each pointer at a part of it. */
const READS_PER_OCTET_MAX = 16;
const READS_MIN = 65_536;
const POINTED_KEPT_MAX = 65_536;
/** What stands before the numbers that a pointer of each size can tell. */
const POINTER_BASES = [0, 2048, 526_336, 0] as const;

export interface ValueSection {
	readonly bytes: Uint8Array;
	/** Pointers count from here. */
	readonly start: number;
	/** The first octet behind. */
	readonly end: number;
}

export class ValueReader {
	readonly #bytes: Uint8Array;
	readonly #view: DataView;
	readonly #start: number;
	readonly #end: number;
	readonly #keys: ReadonlySet<string> | undefined;
	readonly #text = new TextDecoder();
	/** What pointers have led to, by where: records share parts. */
	readonly #pointed = new Map<number, unknown>();
	#at = 0;
	#readsLeft: number;

	/** @param keys  of maps, on any level: others are passed by unread; absent for all */
	constructor({ bytes, start, end }: ValueSection, keys?: ReadonlySet<string>) {
		this.#bytes = bytes;
		this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		this.#start = start;
		this.#end = end;
		this.#keys = keys;
		this.#readsLeft = Math.max(READS_MIN, READS_PER_OCTET_MAX * (end - start));
	}

	/**
	 * The value at `offset` octets into the section: maps as objects, lists as arrays, texts, numbers, truth.
	 * Octets, whole numbers of 128 bits and texts that are too long are undefined.
	 * @throws Error when there is no sound value
	 */
	read(offset: number): unknown {
		this.#seek(offset);
		return this.#value(0, true);
	}

	#seek(offset: number): void {
		if (!(offset >= 0 && offset < this.#end - this.#start)) throw new Error('a record lies outside of its data');
		this.#at = this.#start + offset;
	}

	#value(depth: number, isWanted: boolean): unknown {
		if (depth > DEPTH_MAX) throw new Error('its records are nested too deep, or point in a circle');
		if (--this.#readsLeft < 0) throw new Error('its records overlap');
		const control = this.#octets(1);
		const short = control >>> 5;
		if (short === TYPE.pointer) return this.#pointer(control, depth, isWanted);
		const type = short === 0 ? this.#octets(1) + 7 : short;
		const size = this.#size(control & 31);
		switch (type) {
			case TYPE.map:
				return this.#map(size, depth, isWanted);
			case MORE_TYPES.list:
				return this.#list(size, depth, isWanted);
			case MORE_TYPES.boolean:
				return size !== 0;
			default:
				return this.#plain(type, size, isWanted);
		}
	}

	#plain(type: number, size: number, isWanted: boolean): unknown {
		const at = this.#at;
		this.#skip(size);
		switch (type) {
			case TYPE.text:
				if (!isWanted || size > TEXT_OCTETS_MAX) return undefined;
				return this.#text.decode(this.#bytes.subarray(at, at + size));
			case TYPE.double:
				this.#expect(size === 8);
				return this.#view.getFloat64(at);
			case MORE_TYPES.float:
				this.#expect(size === 4);
				return this.#view.getFloat32(at);
			case TYPE.uint16:
			case TYPE.uint32:
			case TYPE.uint64:
				this.#expect(size <= (type === TYPE.uint16 ? 2 : type === TYPE.uint32 ? 4 : 8));
				return this.#unsigned(at, size);
			case TYPE.int32:
				this.#expect(size <= 4);
				// A negative number has all its four octets.
				return size === 4 ? this.#view.getInt32(at) : this.#unsigned(at, size);
			case TYPE.octets:
			case MORE_TYPES.uint128:
				return undefined;
			default:
				throw new Error(`a record has a value of type ${type}, which there is not`);
		}
	}

	#map(size: number, depth: number, isWanted: boolean): unknown {
		this.#expect(2 * size <= this.#end - this.#at);
		const map: Record<string, unknown> = Object.create(null);
		for (let i = 0; i < size; i++) {
			const key = this.#value(depth + 1, isWanted);
			if (isWanted && typeof key !== 'string') throw new Error('a record has a key that is no text');
			const isKeyWanted = isWanted && (this.#keys?.has(key as string) ?? true);
			const value = this.#value(depth + 1, isKeyWanted);
			if (isKeyWanted) map[key as string] = value;
		}
		return map;
	}

	#list(size: number, depth: number, isWanted: boolean): unknown {
		this.#expect(size <= this.#end - this.#at);
		const list: unknown[] = [];
		for (let i = 0; i < size; i++) {
			const value = this.#value(depth + 1, isWanted);
			if (isWanted) list.push(value);
		}
		return list;
	}

	#pointer(control: number, depth: number, isWanted: boolean): unknown {
		const size = (control >>> 3) & 3;
		const high = size === 3 ? 0 : (control & 7) * 2 ** (8 * (size + 1));
		const target = high + this.#octets(size + 1) + (POINTER_BASES[size] ?? 0);
		if (!isWanted) return undefined;
		if (this.#pointed.has(target)) return this.#pointed.get(target);
		const behind = this.#at;
		this.#seek(target);
		const value = this.#value(depth + 1, true);
		this.#at = behind;
		if (this.#pointed.size >= POINTED_KEPT_MAX) this.#pointed.clear();
		this.#pointed.set(target, value);
		return value;
	}

	#size(short: number): number {
		if (short < 29) return short;
		if (short === 29) return 29 + this.#octets(1);
		return short === 30 ? 285 + this.#octets(2) : 65_821 + this.#octets(3);
	}

	/** The next octets, at most four, as a number. */
	#octets(count: number): number {
		const at = this.#at;
		this.#skip(count);
		return this.#unsigned(at, count);
	}

	#unsigned(at: number, count: number): number {
		let number = 0;
		for (let i = 0; i < count; i++) number = number * 256 + (this.#bytes[at + i] ?? 0);
		return number;
	}

	#skip(count: number): void {
		this.#expect(count <= this.#end - this.#at);
		this.#at += count;
	}

	#expect(isSound: boolean): void {
		if (!isSound) throw new Error('a record has a length that cannot be');
	}
}
