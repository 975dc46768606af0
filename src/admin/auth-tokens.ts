/**
 * Who a bearer token belongs to. Of a token only its SHA-256 is known here; what is looked up is an HMAC of that by a key
 * of this process, so that the time of a look-up tells nothing about what is stored.
 *
 *     token -> SHA-256 -> HMAC -> entry -> equal in constant time? -> not expired? -> caller
 */

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Configuration } from '../store/ports.ts';

/** What a leaked token is recognised by. */
const TOKEN_PREFIX = 'mrd_';
const TOKEN_OCTETS = 32;

/** What the history calls the bearer of the token of the settings. */
const SETTING_NAME = 'admin.token';

export type Role = 'viewer' | 'operator' | 'editor' | 'admin';

/** Who asks. */
export interface Caller {
	/** Of the token. */
	readonly name: string;
	readonly role: Role;
	/** Units that it is for; undefined for all. */
	readonly zones: ReadonlySet<string> | undefined;
}

export type TokenCheck =
	| { readonly kind: 'known'; readonly caller: Caller }
	| { readonly kind: 'expired'; readonly name: string }
	| { readonly kind: 'unknown' };

interface Entry {
	readonly hash: Buffer;
	readonly caller: Caller;
	readonly expiresMs: number | undefined;
}

export interface TokenStore {
	readonly configuration: Configuration;
	nowMs(): number;
}

/** A new token: 256 random bits behind the prefix. */
export function makeToken(): string {
	return TOKEN_PREFIX + randomBytes(TOKEN_OCTETS).toString('base64url');
}

/** SHA-256 in hex, which is all that is kept of a token. */
export function hashOfToken(token: string): string {
	return createHash('sha256').update(token).digest('hex');
}

export class TokenBook {
	readonly #store: TokenStore;
	/** Of the settings; undefined for none. */
	readonly #settingHash: string | undefined;
	readonly #key = randomBytes(32);
	#entries: ReadonlyMap<string, Entry> = new Map();
	/** What the entries were made from. */
	#madeFrom: Configuration | undefined;

	/** @param settingToken  empty for none */
	constructor(store: TokenStore, settingToken: string) {
		this.#store = store;
		this.#settingHash = settingToken === '' ? undefined : hashOfToken(settingToken);
	}

	check(token: string): TokenCheck {
		const hash = Buffer.from(hashOfToken(token), 'hex');
		const entry = this.#current().get(this.#keyOf(hash));
		if (entry === undefined || !timingSafeEqual(entry.hash, hash)) return { kind: 'unknown' };
		const { caller, expiresMs } = entry;
		if (expiresMs !== undefined && expiresMs <= this.#store.nowMs()) return { kind: 'expired', name: caller.name };
		return { kind: 'known', caller };
	}

	#current(): ReadonlyMap<string, Entry> {
		const { configuration } = this.#store;
		if (this.#madeFrom === configuration) return this.#entries;
		const entries = new Map<string, Entry>();
		const add = (hex: string, caller: Caller, expiresMs: number | undefined) => {
			const hash = Buffer.from(hex, 'hex');
			entries.set(this.#keyOf(hash), { hash, caller, expiresMs });
		};
		for (const item of configuration.items.values()) {
			if (item.kind !== 'token') continue;
			const { hash, role, zones, expiresMs } = item.content;
			add(hash, { name: item.name, role, zones: zones === undefined ? undefined : new Set(zones) }, expiresMs);
		}
		if (this.#settingHash !== undefined)
			add(this.#settingHash, { name: SETTING_NAME, role: 'admin', zones: undefined }, undefined);
		this.#entries = entries;
		this.#madeFrom = configuration;
		return entries;
	}

	#keyOf(hash: Buffer): string {
		return createHmac('sha256', this.#key).update(hash).digest('base64');
	}
}
