/**
 * Values and the shapes that describe them, walked side by side: defaults, places, and the words for a mistake.
 */

import type { Path } from '../lib/result.ts';

export function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as a message quotes it. */
export function quote(value: unknown): string {
	if (value === undefined) return 'nothing';
	if (typeof value === 'number') return String(value);
	let text: string;
	try {
		text = JSON.stringify(value) ?? 'what is there';
	} catch {
		// JSON ends at what nests too deeply, or is no plain data.
		return 'what is there';
	}
	return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/**
 * A copy of a value in which absent keys have the defaults of the shape. What the shape says nothing of is taken
 * as it is, however deep it nests. Typebox's own function leaves out tables whose entries have no default as a whole.
 */
export function fillDefaults(schema: unknown, value: unknown): unknown {
	const present = value === undefined ? structuredClone(valueAt(schema, ['default'])) : value;
	if (Array.isArray(present)) {
		const items = valueAt(schema, ['items']);
		return items === undefined ? present : present.map((item) => fillDefaults(items, item));
	}
	if (!isRecord(present) || !(isRecord(schema) && ('properties' in schema || 'patternProperties' in schema))) {
		return present;
	}
	const filled: Record<string, unknown> = Object.create(null);
	for (const [key, entry] of Object.entries(present)) filled[key] = fillDefaults(propertyOf(schema, key), entry);
	for (const [key, property] of Object.entries(propertiesOf(schema))) {
		if (key in filled) continue;
		const fallback = fillDefaults(property, undefined);
		if (fallback !== undefined) filled[key] = fallback;
	}
	return filled;
}

/** A JSON pointer as path steps: digits are list positions only inside a list. */
export function pathOf(root: unknown, pointer: string): (string | number)[] {
	const steps: (string | number)[] = [];
	let value = root;
	for (const raw of pointer.split('/').slice(1)) {
		const key = raw.replaceAll('~1', '/').replaceAll('~0', '~');
		const step = Array.isArray(value) ? Number(key) : key;
		steps.push(step);
		value = valueAt(value, [step]);
	}
	return steps;
}

export function valueAt(root: unknown, path: Path): unknown {
	let value = root;
	for (const step of path) {
		if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
		value = (value as Record<string | number, unknown>)[step];
	}
	return value;
}

/** A list at a key; empty when there is none. */
export function listAt(root: unknown, key: string): readonly unknown[] {
	const list = valueAt(root, [key]);
	return Array.isArray(list) ? list : [];
}

/** The part of a shape that speaks of a place; undefined inside of a union, which speaks for all that it holds. */
export function schemaAt(shape: unknown, path: Path): unknown {
	let schema = shape;
	for (const step of path) schema = typeof step === 'number' ? valueAt(schema, ['items']) : propertyOf(schema, step);
	return schema;
}

export function propertyOf(schema: unknown, key: string): unknown {
	const own = valueAt(schema, ['properties', key]);
	if (own !== undefined) return own;
	const patterns = valueAt(schema, ['patternProperties']);
	return isRecord(patterns) ? Object.values(patterns)[0] : undefined;
}

export function propertiesOf(schema: unknown): Readonly<Record<string, unknown>> {
	const properties = valueAt(schema, ['properties']);
	return isRecord(properties) ? properties : {};
}

export function expectation(schema: unknown): string {
	const description = valueAt(schema, ['description']);
	if (typeof description === 'string') return description;
	const constant = valueAt(schema, ['const']);
	return constant === undefined ? 'another form' : JSON.stringify(constant);
}
