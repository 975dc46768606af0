/**
 * JSON from where others may write: UTF-8 without a fault, not too deep, and without the key that has a meaning of
 * its own to objects.
 */

/** Far above what a steering document needs. */
const DEPTH_MAX = 64;
/** The one key that may change an object's kind when it is copied. */
const FORBIDDEN_KEY = '__proto__';

/** Arrays and objects as JSON has them. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** @returns undefined when it is not such JSON */
export function readUntrustedJson(octets: Uint8Array): JsonValue | undefined {
	try {
		const value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets)) as JsonValue;
		return isPlain(value, 0) ? value : undefined;
	} catch {
		return undefined;
	}
}

function isPlain(value: JsonValue, depth: number): boolean {
	if (typeof value === 'number') return Number.isFinite(value);
	if (typeof value !== 'object' || value === null) return true;
	if (depth >= DEPTH_MAX) return false;
	if (Array.isArray(value)) return value.every((entry: JsonValue) => isPlain(entry, depth + 1));
	return Object.entries(value).every(([key, entry]) => key !== FORBIDDEN_KEY && isPlain(entry, depth + 1));
}

/** An object with exactly these keys, or some of them; undefined for anything else. */
export function readFields<K extends string>(
	value: JsonValue | undefined,
	keys: readonly K[],
): Readonly<Partial<Record<K, JsonValue>>> | undefined {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
	const known: readonly string[] = keys;
	return Object.keys(value).every((key) => known.includes(key)) ? (value as Partial<Record<K, JsonValue>>) : undefined;
}

export function isCount(value: JsonValue | undefined): value is number {
	return Number.isSafeInteger(value) && (value as number) >= 0;
}
