/**
 * Domain names as wire bytes: length octet, label octets, ..., root label (RFC 1035 §3.1).
 * A label may hold any octet, so text exists only at the edges (zone files, logs).
 *
 * Each label is hashed as it is read, and the suffixes from the root leftwards out of their labels' hashes, so that
 * one pass over the octets gives every ancestor's hash:
 *
 *     3www7example3org0
 *     |   |       |   '- hashes[3] of the root
 *     |   |       '----- hashes[2] of org.
 *     |   '------------- hashes[1] of example.org.
 *     '----------------- hashes[0] of the whole name
 */

export const NAME_OCTETS_MAX = 255;
export const LABEL_OCTETS_MAX = 63;
/** 127 one-octet labels and the root fill 255 octets. */
const LABELS_MAX = 128;

/** The hash of the root; the message writer hashes alike, so that names carry over. */
export const ROOT_HASH = 0x2545f491;
/** FNV-1a, 32 bits: where the hash of a label starts, and what it is multiplied by for each octet, the length's first. */
const LABEL_HASH = 0x811c9dc5 | 0;
const LABEL_FACTOR = 0x01000193;

/** Room for one lower-cased name with its label starts and suffix hashes; reused, so a query allocates none. */
export class Name {
	readonly wire = new Uint8Array(NAME_OCTETS_MAX + 1);
	/** Octets used in `wire`, root label included. */
	length = 0;
	/** Labels, root not counted. */
	labelCount = 0;
	/** Start of each label in `wire`; entry `labelCount` is the root. */
	readonly starts = new Uint8Array(LABELS_MAX);
	/** Hash of the suffix that starts at the same entry of `starts`. */
	readonly hashes = new Int32Array(LABELS_MAX);
	/** Where more may be kept of it while its stamp stays (asked-names.ts); -1 of a name that is gone with its query. */
	slot = -1;
	stamp = 0;
}

/** Past the end is the root label, so every walk over a name ends. */
export function octet(bytes: Uint8Array, at: number): number {
	return bytes[at] ?? 0;
}

export function lowerOctet(value: number): number {
	return value >= 0x41 && value <= 0x5a ? value | 0x20 : value;
}

/**
 * Read the name at `offset` into `name`, lower-cased and uncompressed, and hash its suffixes.
 *
 * @param packet  whole message; pointers are absolute offsets into it
 * @param end     octets of `packet` that may be read
 * @returns the offset behind the name in the packet; -1 when the name is malformed
 *
 * Each pointer must aim before the label run that holds it, so the walk ends
 * without a visited set (RFC 1035 §4.1.4; length limit §2.3.4).
 */
export function readName(packet: Uint8Array, offset: number, end: number, name: Name): number {
	const { wire, starts, hashes } = name;
	let at = offset;
	let runStart = offset;
	let next = -1;
	let length = 0;
	let labels = 0;
	for (;;) {
		if (at >= end) return -1;
		const size = octet(packet, at);
		if (size === 0) break;
		if (size >= 0xc0) {
			if (at + 1 >= end) return -1;
			const target = ((size & 0x3f) << 8) | octet(packet, at + 1);
			if (target >= runStart) return -1;
			if (next < 0) next = at + 2;
			at = target;
			runStart = target;
			continue;
		}
		if (size > LABEL_OCTETS_MAX || length + size + 2 > NAME_OCTETS_MAX || at + size >= end) return -1;
		starts[labels] = length;
		wire[length++] = size;
		let hash = Math.imul(LABEL_HASH ^ size, LABEL_FACTOR);
		for (let i = 1; i <= size; i++) {
			const value = lowerOctet(octet(packet, at + i));
			wire[length++] = value;
			hash = Math.imul(hash ^ value, LABEL_FACTOR);
		}
		hashes[labels++] = hash;
		at += size + 1;
	}
	wire[length] = 0;
	starts[labels] = length;
	name.length = length + 1;
	name.labelCount = labels;
	hashSuffixes(name);
	return next < 0 ? at + 1 : next;
}

/** Take over a well-formed uncompressed name from `bytes`, lower-cased. */
export function copyName(bytes: Uint8Array, offset: number, name: Name): void {
	const { wire, starts, hashes } = name;
	let length = 0;
	let labels = 0;
	for (let size = octet(bytes, offset); size !== 0; size = octet(bytes, offset + length)) {
		starts[labels] = length;
		wire[length] = size;
		const next = length + size + 1;
		let hash = Math.imul(LABEL_HASH ^ size, LABEL_FACTOR);
		for (let i = length + 1; i < next; i++) {
			const value = lowerOctet(octet(bytes, offset + i));
			wire[i] = value;
			hash = Math.imul(hash ^ value, LABEL_FACTOR);
		}
		hashes[labels++] = hash;
		length = next;
	}
	wire[length] = 0;
	starts[labels] = length;
	name.length = length + 1;
	name.labelCount = labels;
	hashSuffixes(name);
}

/**
 * The first `label` labels of `name` in front of the well-formed uncompressed name at `offset`, into `out` (RFC 6672 §2.2).
 * @returns false when that is longer than a name may be
 */
export function replaceSuffix(name: Name, label: number, bytes: Uint8Array, offset: number, out: Name): boolean {
	const prefixLength = name.starts[label] ?? 0;
	const suffixLength = nameLength(bytes, offset);
	if (prefixLength + suffixLength > NAME_OCTETS_MAX) return false;
	const { wire, starts, hashes } = out;
	for (let i = 0; i < prefixLength; i++) wire[i] = octet(name.wire, i);
	for (let i = 0; i < suffixLength; i++) wire[prefixLength + i] = lowerOctet(octet(bytes, offset + i));
	let labels = 0;
	for (let at = 0; octet(wire, at) !== 0; at += octet(wire, at) + 1) {
		starts[labels] = at;
		hashes[labels++] = hashLabel(wire, at);
	}
	starts[labels] = prefixLength + suffixLength - 1;
	out.length = prefixLength + suffixLength;
	out.labelCount = labels;
	hashSuffixes(out);
	return true;
}

/** The hash of the label at `start`, whatever its case. */
export function hashLabel(bytes: Uint8Array, start: number): number {
	const stop = start + octet(bytes, start);
	let hash = LABEL_HASH;
	for (let i = start; i <= stop; i++) hash = Math.imul(hash ^ lowerOctet(octet(bytes, i)), LABEL_FACTOR);
	return hash;
}

/** The hash of a label and all behind it, from their own. */
export function hashSuffix(label: number, behind: number): number {
	const hash = Math.imul(label ^ behind, 0x9e3779b1);
	return hash ^ (hash >>> 15);
}

/** From the hashes of the labels to those of the suffixes that start there. */
function hashSuffixes({ labelCount, hashes }: Name): void {
	let hash = ROOT_HASH;
	hashes[labelCount] = hash;
	for (let label = labelCount - 1; label >= 0; label--) {
		hash = hashSuffix(hashes[label] ?? 0, hash);
		hashes[label] = hash;
	}
}

/** Octets of the well-formed uncompressed name at `offset`, root label included. */
export function nameLength(bytes: Uint8Array, offset: number): number {
	let at = offset;
	while (octet(bytes, at) !== 0) at += octet(bytes, at) + 1;
	return at + 1 - offset;
}

/** Labels of the well-formed uncompressed name at `offset`, root not counted. */
export function labelCount(bytes: Uint8Array, offset: number): number {
	let count = 0;
	for (let at = offset; octet(bytes, at) !== 0; at += octet(bytes, at) + 1) count++;
	return count;
}

/** Case-insensitive equality of two well-formed uncompressed names (RFC 4343 §3). */
export function sameName(a: Uint8Array, b: Uint8Array): boolean {
	if (a.length !== b.length) return false;
	for (let i = 0; i < a.length; i++) if (lowerOctet(octet(a, i)) !== lowerOctet(octet(b, i))) return false;
	return true;
}

/** Whether `name` is `ancestor` or below it; both whole wire names. */
export function isAtOrBelow(name: Uint8Array, ancestor: Uint8Array): boolean {
	let start = 0;
	while (name.length - start > ancestor.length) start += octet(name, start) + 1;
	return sameName(name.subarray(start), ancestor);
}

/** A lower-cased copy of a wire name; a length octet is below 64 and so never a letter. */
export function lowerName(name: Uint8Array): Uint8Array {
	return name.map(lowerOctet);
}

/**
 * Read a name in presentation form (RFC 1035 §5.1): `\X` and `\DDD` escapes, `@` for the origin,
 * relative to `origin` unless it ends in an unescaped dot.
 *
 * @returns the wire form with its case kept, or a sentence that says what is wrong
 */
export function scanName(text: string, origin: Uint8Array): Uint8Array | string {
	if (text === '@') return origin;
	if (text === '.') return Uint8Array.of(0);
	const quoted = (why: string) => `Cannot read "${text}" as a name: ${why}`;
	// Only "" in quotes comes here empty; as no label at all it would pass for the root.
	if (text === '') return quoted('it is empty');
	// Without escapes a relative name fills it.
	const out = new Uint8Array(text.length + 1 + origin.length);
	let length = 1;
	let labelAt = 0;
	for (let i = 0; i < text.length; i++) {
		let value = text.charCodeAt(i);
		if (value === 0x2e) {
			if (length - 1 === labelAt) return quoted('it has an empty label');
			out[labelAt] = length - 1 - labelAt;
			labelAt = length++;
			continue;
		}
		if (value === 0x5c) {
			value = escapedOctet(text, i + 1);
			i += isDigit(text.charCodeAt(i + 1)) ? 3 : 1;
		}
		if (!(value <= 255))
			return quoted('an escape is \\ with a character or three digits up to 255, and octets end there');
		out[length++] = value;
		if (length - 1 - labelAt > LABEL_OCTETS_MAX) return quoted(`a label is longer than ${LABEL_OCTETS_MAX} octets`);
	}
	const isAbsolute = length - 1 === labelAt;
	if (!isAbsolute) {
		out[labelAt] = length - 1 - labelAt;
		for (let i = 0; i < origin.length; i++) out[length++] = octet(origin, i);
	}
	if (length > NAME_OCTETS_MAX) return quoted(`it is longer than ${NAME_OCTETS_MAX} octets`);
	return length === out.length ? out : out.slice(0, length);
}

/**
 * The octet of the escape whose backslash stands before `at` (RFC 1035 §5.1): `\X`, X being no digit, or `\DDD`.
 * NaN when it is neither; above 255 when the digits say so.
 */
export function escapedOctet(text: string, at: number): number {
	const first = text.charCodeAt(at);
	if (!isDigit(first)) return first;
	const second = text.charCodeAt(at + 1);
	const third = text.charCodeAt(at + 2);
	return isDigit(second) && isDigit(third) ? first * 100 + second * 10 + third - 0x30 * 111 : Number.NaN;
}

export function isDigit(code: number): boolean {
	return code >= 0x30 && code <= 0x39;
}

/** The name at `offset` of a message, uncompressed and with its case kept; `readName` must have found it good. */
export function expandName(packet: Uint8Array, offset: number): Uint8Array {
	const out = new Uint8Array(NAME_OCTETS_MAX);
	let length = 0;
	let at = offset;
	for (let size = octet(packet, at); size !== 0; size = octet(packet, at)) {
		if (size >= 0xc0) {
			at = ((size & 0x3f) << 8) | octet(packet, at + 1);
			continue;
		}
		for (let i = at; i <= at + size; i++) out[length++] = octet(packet, i);
		at += size + 1;
	}
	return out.slice(0, length + 1);
}

/** The absolute name in presentation form; octets that are not plain are escaped, so the text reads back. */
export function printName(wire: Uint8Array, offset = 0): string {
	let at = offset;
	if (octet(wire, at) === 0) return '.';
	// Codes rather than texts that are joined: whoever keeps the name would keep all of them.
	const codes: number[] = [];
	while (octet(wire, at) !== 0) {
		const stop = at + octet(wire, at);
		for (let i = at + 1; i <= stop; i++) pushLabelOctet(octet(wire, i), codes);
		codes.push(0x2e);
		at = stop + 1;
	}
	return String.fromCharCode(...codes);
}

const ESCAPED: ReadonlySet<number> = new Set(Array.from('."\\;()@$', (character) => character.charCodeAt(0)));
const BACKSLASH = 0x5c;

function pushLabelOctet(value: number, codes: number[]): void {
	if (value <= 0x20 || value >= 0x7f) {
		codes.push(BACKSLASH, 0x30 + Math.floor(value / 100), 0x30 + (Math.floor(value / 10) % 10), 0x30 + (value % 10));
		return;
	}
	if (ESCAPED.has(value)) codes.push(BACKSLASH);
	codes.push(value);
}
