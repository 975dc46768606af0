/**
 * What names of hosts look like (RFC 952, RFC 1123 §2.1). The DNS itself takes any octets for a label.
 */

import { nameLength, octet } from '../dns/name.ts';

const HYPHEN = 0x2d;
const STAR = 0x2a;
const ADDRESS_LABELS = 4;
const ADDRESS_OCTET = /^(?:0|[1-9]\d{0,2})$/;

/**
 * Whether every label is letters, digits and hyphens, with no hyphen at an end.
 *
 * @param name  well-formed and uncompressed
 * @param at    where it begins
 */
export function isHostName(name: Uint8Array, at = 0): boolean {
	for (let start = at; octet(name, start) !== 0; start += octet(name, start) + 1)
		if (!isHostLabel(name, start)) return false;
	return true;
}

/** The same for an owner of addresses, which may be a wildcard or, with Active Directory, below `gc._msdcs`. */
export function isHostOwner(name: Uint8Array, at = 0): boolean {
	if (isHostName(name, startsWithWildcard(name, at) ? at + 2 : at)) return true;
	return isCatalogOwner(name.subarray(at, at + nameLength(name, at)));
}

function isCatalogOwner(name: Uint8Array): boolean {
	const [first = '', second = ''] = labels(name);
	return `${first}.${second}`.toLowerCase() === 'gc._msdcs' && isHostName(name, first.length + second.length + 2);
}

/** Whether somebody wrote an IPv4 address where a name belongs; reverse names are not meant. */
export function readsAsAddress(name: Uint8Array): boolean {
	if (!isDigit(octet(name, 1))) return false;
	const all = labels(name);
	const leading = all.slice(0, ADDRESS_LABELS);
	const isAddress = leading.length === ADDRESS_LABELS && leading.every(isAddressOctet);
	return isAddress && all.at(-1)?.toLowerCase() !== 'arpa';
}

export function startsWithWildcard(name: Uint8Array, at = 0): boolean {
	return octet(name, at) === 1 && octet(name, at + 1) === STAR;
}

/** Whether a label behind the first one is `*`, which makes no wildcard (RFC 4592 §2.1.1). */
export function hasInnerWildcard(name: Uint8Array, start = 0): boolean {
	for (let at = start + octet(name, start) + 1; octet(name, at) !== 0; at += octet(name, at) + 1)
		if (octet(name, at) === 1 && octet(name, at + 1) === STAR) return true;
	return false;
}

function isHostLabel(name: Uint8Array, start: number): boolean {
	const end = start + octet(name, start);
	if (octet(name, start + 1) === HYPHEN || octet(name, end) === HYPHEN) return false;
	for (let i = start + 1; i <= end; i++) if (!isHostOctet(octet(name, i))) return false;
	return true;
}

function isHostOctet(value: number): boolean {
	const letter = value | 0x20;
	return (letter >= 0x61 && letter <= 0x7a) || isDigit(value) || value === HYPHEN;
}

function isDigit(value: number): boolean {
	return value >= 0x30 && value <= 0x39;
}

function isAddressOctet(label: string): boolean {
	return ADDRESS_OCTET.test(label) && Number(label) <= 255;
}

/** An octet a character, unescaped. */
function labels(name: Uint8Array): string[] {
	const found: string[] = [];
	for (let at = 0; octet(name, at) !== 0; at += octet(name, at) + 1)
		found.push(String.fromCharCode(...name.subarray(at + 1, at + 1 + octet(name, at))));
	return found;
}
