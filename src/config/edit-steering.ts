/**
 * Changes on steering documents: plain data in, plain data out; whether it is good is for the checks to say.
 *
 * | place                     | stands at                            |
 * |---------------------------|--------------------------------------|
 * | pools, eu                 | document.pools.eu                    |
 * | pools, eu, endpoint eu-1  | the entry of that name in its list   |
 */

import type { Path } from '../lib/result.ts';
import { isRecord, listAt, valueAt } from '../model/shape-walk.ts';
import type { Document } from './unit-content.ts';

export const TABLES = ['regions', 'networks', 'places', 'monitors', 'pools', 'policies', 'names'] as const;
export type Table = (typeof TABLES)[number];

export interface SteeringPlace {
	readonly table: Table;
	readonly name: string;
	/** Of a pool. */
	readonly endpoint?: string;
}

/** What stands at a place; undefined when there is nothing. */
export function steeringAt(document: Document, { table, name, endpoint }: SteeringPlace): unknown {
	const entry = valueAt(document, [table, name]);
	if (endpoint === undefined) return entry;
	return listAt(entry, 'endpoints').find((one) => valueAt(one, ['name']) === endpoint);
}

/** Path of a place in its document; an endpoint that is not there yet comes behind the others. */
export function pathOfPlace(document: Document, { table, name, endpoint }: SteeringPlace): Path {
	if (endpoint === undefined) return [table, name];
	const endpoints = listAt(valueAt(document, [table, name]), 'endpoints');
	const index = endpoints.findIndex((one) => valueAt(one, ['name']) === endpoint);
	return [table, name, 'endpoints', index < 0 ? endpoints.length : index];
}

/** Put a value at a place; undefined removes what is there. A table that becomes empty goes too. */
export function setSteering(document: Document, place: SteeringPlace, value: unknown): Document {
	const { table, name, endpoint } = place;
	const entries = valueAt(document, [table]);
	const before = isRecord(entries) ? entries : {};
	const entry = endpoint === undefined ? value : withEndpoint(before[name], endpoint, value);
	const after = withKey(before, name, entry);
	return withKey(document, table, Object.keys(after).length === 0 ? undefined : after);
}

function withEndpoint(pool: unknown, name: string, value: unknown): unknown {
	if (!isRecord(pool)) return pool;
	const before = listAt(pool, 'endpoints');
	const index = before.findIndex((one) => valueAt(one, ['name']) === name);
	const endpoints = [...before];
	if (value === undefined) endpoints.splice(index, 1);
	else if (index < 0) endpoints.push(value);
	else endpoints[index] = value;
	return withKey(pool, 'endpoints', endpoints);
}

/** A copy with one key set, in its place; without it when the value is undefined. Any key is a key of its own. */
function withKey(record: Document, key: string, value: unknown): Document {
	const entries = Object.entries(record);
	const index = entries.findIndex(([own]) => own === key);
	if (value === undefined) return Object.fromEntries(entries.filter(([own]) => own !== key));
	if (index < 0) entries.push([key, value]);
	else entries[index] = [key, value];
	return Object.fromEntries(entries);
}

/** JSON merge patch (RFC 7396): null removes a key, objects are merged, all else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
	if (!isRecord(patch)) return patch;
	let merged: Document = isRecord(target) ? target : {};
	for (const [key, value] of Object.entries(patch)) {
		const before = Object.hasOwn(merged, key) ? merged[key] : undefined;
		merged = withKey(merged, key, value === null ? undefined : mergePatch(before, value));
	}
	return merged;
}
