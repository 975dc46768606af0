/**
 * Secrets of DNS cookies: those of the settings, which a fleet shares; else one of our own, kept in the state
 * directory so that a restart does not turn every client into a stranger, and replaced daily (RFC 7873 §7.1).
 *
 * The secret before stays good for as long as a cookie lives.
 */

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SECRET_OCTETS = 16;
const ROLL_MS = 24 * 3_600_000;

interface Stored {
	/** Hex; the first one makes cookies. */
	readonly secrets: readonly string[];
	readonly madeMs: number;
}

export class CookieSecrets {
	readonly #path: string;
	readonly #given: readonly Uint8Array[];
	readonly #randomBytes: (octets: number) => Uint8Array;
	#stored: Stored;

	/** @param given  those of the settings; empty for our own */
	constructor(stateDir: string, given: readonly Uint8Array[], randomBytes: (octets: number) => Uint8Array) {
		this.#path = join(stateDir, 'cookie-secrets.json');
		this.#given = given;
		this.#randomBytes = randomBytes;
		this.#stored = given.length > 0 ? { secrets: [], madeMs: 0 } : readStored(this.#path);
		this.roll(Date.now());
	}

	get secrets(): readonly Uint8Array[] {
		if (this.#given.length > 0) return this.#given;
		return this.#stored.secrets.map((secret) => Buffer.from(secret, 'hex'));
	}

	/**
	 * Make a new secret when the present one is a day old.
	 * @returns the secrets from now on
	 */
	roll(nowMs: number): readonly Uint8Array[] {
		const ageMs = nowMs - this.#stored.madeMs;
		// A clock that was set back makes the age negative; the secret is then as old as we please.
		const isDue = this.#stored.secrets.length === 0 || ageMs >= ROLL_MS || ageMs < -ROLL_MS;
		if (this.#given.length > 0 || !isDue) return this.secrets;
		const fresh = Buffer.from(this.#randomBytes(SECRET_OCTETS)).toString('hex');
		this.#stored = { secrets: [fresh, ...this.#stored.secrets.slice(0, 1)], madeMs: nowMs };
		try {
			writeFileSync(`${this.#path}.new`, JSON.stringify(this.#stored), { mode: 0o600 });
			renameSync(`${this.#path}.new`, this.#path);
		} catch {
			// Without a file the secret lives as long as the process; clients then learn new cookies after a restart.
		}
		return this.secrets;
	}
}

function readStored(path: string): Stored {
	try {
		const stored = JSON.parse(readFileSync(path, 'utf8')) as Stored;
		const isGood =
			Array.isArray(stored.secrets) &&
			stored.secrets.every((secret) => /^[0-9a-f]{32}$/.test(secret)) &&
			Number.isFinite(stored.madeMs);
		if (isGood) return stored;
	} catch {
		// None yet, or damaged: a new one is made.
	}
	return { secrets: [], madeMs: 0 };
}
