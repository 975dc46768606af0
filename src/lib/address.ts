/**
 * IP addresses as 32-bit words: one word for IPv4, four for IPv6, most significant first.
 * Words, because ranges are compared and scopes counted with integer instructions.
 */

export type Family = 4 | 6;

export interface Address {
	readonly family: Family;
	/** Four words; an IPv4 address uses the first only. */
	readonly words: Uint32Array;
}

const DOT = 0x2e;

/** Strict dotted decimal (no leading zeros) or RFC 4291 §2.2 text; undefined for anything else. */
export function parseAddress(text: string): Address | undefined {
	if (text.includes(':')) return parseIpv6(text);
	const word = parseIpv4(text);
	if (word === undefined) return undefined;
	return { family: 4, words: Uint32Array.of(word, 0, 0, 0) };
}

/** Strict dotted decimal; character by character, because zones hold millions of them. */
function parseIpv4(text: string): number | undefined {
	let word = 0;
	let octet = -1;
	let dots = 0;
	for (let i = 0; i < text.length; i++) {
		const code = text.charCodeAt(i);
		if (code === DOT) {
			if (octet < 0 || ++dots > 3) return undefined;
			word = word * 256 + octet;
			octet = -1;
			continue;
		}
		const digit = code - 0x30;
		// A zero stands alone.
		if (digit < 0 || digit > 9 || octet === 0) return undefined;
		octet = octet < 0 ? digit : 10 * octet + digit;
		if (octet > 255) return undefined;
	}
	return dots === 3 && octet >= 0 ? word * 256 + octet : undefined;
}

function parseIpv6(text: string): Address | undefined {
	const halves = text.split('::');
	if (halves.length > 2) return undefined;
	const head = groupsOf(halves[0] ?? '', halves.length === 1);
	const tail = halves.length === 2 ? groupsOf(halves[1] ?? '', true) : [];
	if (head === undefined || tail === undefined) return undefined;
	const missing = 8 - head.length - tail.length;
	// "::" stands for at least one group (RFC 5952 §4.2.2 forbids writing it for one, RFC 4291 lets it be read).
	if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
	const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
	const words = new Uint32Array(4);
	for (let i = 0; i < 4; i++) words[i] = (groups[2 * i] ?? 0) * 65536 + (groups[2 * i + 1] ?? 0);
	return { family: 6, words };
}

/** The 16-bit groups of one side of "::"; a dotted quad may end the text only. */
function groupsOf(text: string, isLastPart: boolean): number[] | undefined {
	if (text === '') return [];
	const groups: number[] = [];
	const parts = text.split(':');
	for (const [i, part] of parts.entries()) {
		if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
			groups.push(Number.parseInt(part, 16));
			continue;
		}
		const word = isLastPart && i === parts.length - 1 ? parseIpv4(part) : undefined;
		if (word === undefined) return undefined;
		groups.push(word >>> 16, word & 0xffff);
	}
	return groups;
}

/** Canonical text: dotted decimal, or RFC 5952 with the longest run of zero groups shortened. */
export function printAddress({ family, words }: Address): string {
	if (family === 4) {
		const w = words[0] ?? 0;
		return `${w >>> 24}.${(w >>> 16) & 255}.${(w >>> 8) & 255}.${w & 255}`;
	}
	const groups: number[] = [];
	for (const word of words) groups.push(word >>> 16, word & 0xffff);
	const { start, length } = longestZeroRun(groups);
	const hex = groups.map((group) => group.toString(16));
	if (length < 2) return hex.join(':');
	return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
	let best = { start: 0, length: 0 };
	let start = 0;
	for (let i = 0; i <= groups.length; i++) {
		if (groups[i] === 0) continue;
		if (i - start > best.length) best = { start, length: i - start };
		start = i + 1;
	}
	return best;
}

/** The address in network octet order: 4 or 16 octets. */
export function addressOctets({ family, words }: Address): Uint8Array {
	const octets = new Uint8Array(16);
	const view = new DataView(octets.buffer);
	for (let i = 0; i < 4; i++) view.setUint32(4 * i, words[i] ?? 0);
	return octets.subarray(0, family === 4 ? 4 : 16);
}

/** Read 4 or 16 octets at `offset` as an address. */
export function addressFromOctets(octets: Uint8Array, offset: number, family: Family): Address {
	const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
	const words = new Uint32Array(4);
	for (let i = 0; i < (family === 4 ? 1 : 4); i++) words[i] = view.getUint32(offset + 4 * i);
	return { family, words };
}
