/**
 * What a configuration is made of: items, each of a kind and with a name of its own there.
 *
 * | kind     | name                          | content                                                            |
 * |----------|-------------------------------|--------------------------------------------------------------------|
 * | unit     | `common`, or the apex with its dot | a zone's master file and its steering, and who owns them       |
 * | override | made by who sets it           | an endpoint, a pool or a region that an operator has switched       |
 * | token    | given by who creates it       | who may use the admin API: a hash, never the token                 |
 * | trip     | a digest of what has tripped  | what has manual failback and went down, until it is cleared         |
 *
 * Times are milliseconds since 1970 by the clock of the store.
 *
 * An item travels as JSON text, and the SHA-256 of that text is its etag: equal contents have equal etags.
 */

import { createHash } from 'node:crypto';
import { StoreError } from './store-error.ts';
import { isCount, type JsonValue, readFields, readUntrustedJson } from './untrusted-json.ts';

export interface Unit {
	/** Text of the master file, one character for each octet; undefined for common. */
	readonly zone: string | undefined;
	/** Texts of the files that it includes, by path as written there. */
	readonly includes: Readonly<Record<string, string>> | undefined;
	/** As a file has it, or as the API was given it. */
	readonly steering:
		| { readonly kind: 'text'; readonly text: string }
		| { readonly kind: 'document'; readonly document: JsonValue }
		| undefined;
	/** Where the truth is: the zones directory, or the store. */
	readonly owner: 'directory' | 'store';
}

export type Override = {
	readonly state: 'up' | 'down' | 'drain';
	readonly target:
		| { readonly kind: 'region'; readonly region: string }
		| { readonly kind: 'pool'; readonly unit: string; readonly pool: string }
		| { readonly kind: 'endpoint'; readonly unit: string; readonly pool: string; readonly endpoint: string };
	readonly reason: string;
	readonly author: string;
	readonly createdMs: number;
	/** It counts no more from then on. */
	readonly untilMs: number;
};

export interface Token {
	/** SHA-256 in hex. */
	readonly hash: string;
	readonly role: 'viewer' | 'operator' | 'editor' | 'admin';
	/** Apexes that it is for; undefined for all, and for common. */
	readonly zones: readonly string[] | undefined;
	readonly createdMs: number;
	readonly createdBy: string;
	/** It is good for nothing from then on; undefined for never. */
	readonly expiresMs: number | undefined;
}

/** A pool, or a member of a failover policy. */
export type Tripped =
	| { readonly unit: string; readonly pool: string }
	| { readonly unit: string; readonly policy: string; readonly member: string };

export type Trip = Tripped & {
	readonly trippedMs: number;
	readonly reason: string;
};

interface Contents {
	readonly unit: Unit;
	readonly override: Override;
	readonly token: Token;
	readonly trip: Trip;
}

export type ItemKind = keyof Contents;

export type Item = {
	[K in ItemKind]: {
		readonly kind: K;
		readonly name: string;
		readonly content: Contents[K];
		/** SHA-256 of the text, in hex. */
		readonly etag: string;
		/** Length of the text in UTF-8. */
		readonly octets: number;
	};
}[ItemKind];

export type Change = {
	/** `content` is undefined for a removal. */
	[K in ItemKind]: { readonly kind: K; readonly name: string; readonly content: Contents[K] | undefined };
}[ItemKind];

/** Of an item's text. */
export const ITEM_OCTETS_MAX = 32 * 1024 * 1024;
export const ITEMS_MAX = 200_000;
/** An apex in presentation form may take four characters for an octet. */
const NAME_SHAPE = /^[\x21-\x7e]{1,1100}$/;

/** Unique among all items: kinds hold no colon. */
export function idOf({ kind, name }: { readonly kind: ItemKind; readonly name: string }): string {
	return `${kind}:${name}`;
}

/**
 * The item that a change puts in place, with its text.
 * @throws StoreError STORE_CONTENT
 */
export function makeItem(change: Change): { readonly item: Item; readonly text: string } | undefined {
	const id = idOf(change);
	if (!NAME_SHAPE.test(change.name)) throw contentError(id, 'expected a name of 1 to 1100 printable ASCII characters');
	if (change.content === undefined) return undefined;
	const text = textOf(change.content);
	const octets = Buffer.from(text);
	if (octets.length > ITEM_OCTETS_MAX) throw contentError(id, `it takes more than ${ITEM_OCTETS_MAX} octets`);
	// Through the same door as what is read: what is held is what everyone else will hold.
	const item = readItem(id, octets);
	if (item === undefined) throw contentError(id, `it is no content of kind ${change.kind}`);
	return { item, text };
}

function contentError(id: string, why: string): StoreError {
	return new StoreError('STORE_CONTENT', `Cannot store ${JSON.stringify(id)}: ${why}`);
}

export function textOf(content: Contents[ItemKind]): string {
	return JSON.stringify(content);
}

/** @returns undefined when the octets are no item of that id */
export function readItem(id: string, octets: Uint8Array): Item | undefined {
	const colon = id.indexOf(':');
	const kind = id.slice(0, colon);
	const name = id.slice(colon + 1);
	if (octets.length > ITEM_OCTETS_MAX || !isKind(kind) || !NAME_SHAPE.test(name)) return undefined;
	const value = readUntrustedJson(octets);
	const content = value === undefined ? undefined : READERS[kind](value);
	if (content === undefined) return undefined;
	return { kind, name, content, etag: etagOf(octets), octets: octets.length } as Item;
}

export function etagOf(octets: Uint8Array): string {
	return createHash('sha256').update(octets).digest('hex');
}

const READERS: { readonly [K in ItemKind]: (value: JsonValue) => Contents[K] | undefined } = {
	unit: readUnit,
	override: readOverride,
	token: readToken,
	trip: readTrip,
};

function isKind(kind: string): kind is ItemKind {
	return Object.hasOwn(READERS, kind);
}

function readUnit(value: JsonValue): Unit | undefined {
	const { zone, includes, steering, owner } = readFields(value, ['zone', 'includes', 'steering', 'owner']) ?? {};
	if (owner !== 'directory' && owner !== 'store') return undefined;
	if (!isOptionalText(zone)) return undefined;
	const files = includes === undefined ? undefined : readTexts(includes);
	const document = steering === undefined ? undefined : readUnitSteering(steering);
	if ((files === undefined) !== (includes === undefined)) return undefined;
	if ((document === undefined) !== (steering === undefined)) return undefined;
	return { zone, includes: files, steering: document, owner };
}

function readUnitSteering(value: JsonValue): Unit['steering'] {
	const { kind, text, document } = readFields(value, ['kind', 'text', 'document']) ?? {};
	if (kind === 'text' && typeof text === 'string' && document === undefined) return { kind, text };
	if (kind === 'document' && document !== undefined && text === undefined) return { kind, document };
	return undefined;
}

function readTexts(value: JsonValue): Readonly<Record<string, string>> | undefined {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
	return Object.values(value).every((text) => typeof text === 'string') ? (value as Record<string, string>) : undefined;
}

function readOverride(value: JsonValue): Override | undefined {
	const { state, target, reason, author, createdMs, untilMs } =
		readFields(value, ['state', 'target', 'reason', 'author', 'createdMs', 'untilMs']) ?? {};
	const read = target === undefined ? undefined : readTarget(target);
	if (read === undefined || (state !== 'up' && state !== 'down' && state !== 'drain')) return undefined;
	if (typeof reason !== 'string' || typeof author !== 'string') return undefined;
	if (!isCount(createdMs) || !isCount(untilMs)) return undefined;
	return { state, target: read, reason, author, createdMs, untilMs };
}

function readTarget(value: JsonValue): Override['target'] | undefined {
	const { kind, region, unit, pool, endpoint } =
		readFields(value, ['kind', 'region', 'unit', 'pool', 'endpoint']) ?? {};
	if (kind === 'region' && typeof region === 'string') return { kind, region };
	if (typeof unit !== 'string' || typeof pool !== 'string') return undefined;
	if (kind === 'pool') return { kind, unit, pool };
	return kind === 'endpoint' && typeof endpoint === 'string' ? { kind, unit, pool, endpoint } : undefined;
}

/** What each may do, all that stand before it may too. */
const TOKEN_ROLES = ['viewer', 'operator', 'editor', 'admin'] as const;

function readToken(value: JsonValue): Token | undefined {
	const fields = readFields(value, ['hash', 'role', 'zones', 'createdMs', 'createdBy', 'expiresMs']) ?? {};
	const { hash, zones, createdMs, createdBy, expiresMs } = fields;
	const role = TOKEN_ROLES.find((one) => one === fields.role);
	if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash) || role === undefined) return undefined;
	if (zones !== undefined && !isTextList(zones)) return undefined;
	if (!isCount(createdMs) || typeof createdBy !== 'string') return undefined;
	if (expiresMs !== undefined && !isCount(expiresMs)) return undefined;
	return { hash, role, zones, createdMs, createdBy, expiresMs };
}

function readTrip(value: JsonValue): Trip | undefined {
	const fields = readFields(value, ['unit', 'pool', 'policy', 'member', 'trippedMs', 'reason']) ?? {};
	const { unit, pool, policy, member, trippedMs, reason } = fields;
	if (typeof unit !== 'string' || typeof reason !== 'string' || !isCount(trippedMs)) return undefined;
	if (typeof pool === 'string' && policy === undefined && member === undefined)
		return { unit, pool, trippedMs, reason };
	if (typeof policy !== 'string' || typeof member !== 'string' || pool !== undefined) return undefined;
	return { unit, policy, member, trippedMs, reason };
}

function isTextList(value: JsonValue): value is readonly string[] {
	return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function isOptionalText(value: JsonValue | undefined): value is string | undefined {
	return value === undefined || typeof value === 'string';
}
