/**
 * When each token was last used, and from where, as this process has seen it. Kept in memory, and on disk from time to
 * time: asking is no reason to change the store.
 */

export interface LastUse {
	/** Milliseconds since 1970. */
	readonly atMs: number;
	readonly address: string;
}

export interface UseFile {
	/** @returns undefined when there is none that can be read */
	read(): string | undefined;
	/** What cannot be written is not kept. */
	write(text: string): void;
}

const WRITE_EVERY_MS = 60_000;
const TOKENS_MAX = 10_000;

export class TokenUse {
	readonly #file: UseFile;
	readonly #wallMs: () => number;
	readonly #uses: Map<string, LastUse>;
	readonly #timer: NodeJS.Timeout;
	#isWritten = true;

	/** @param wallMs  milliseconds since 1970 */
	constructor(file: UseFile, wallMs: () => number) {
		this.#file = file;
		this.#wallMs = wallMs;
		this.#uses = new Map(readUses(file.read()));
		this.#timer = setInterval(() => this.#write(), WRITE_EVERY_MS).unref();
	}

	note(name: string, address: string): void {
		this.#uses.delete(name);
		this.#uses.set(name, { atMs: this.#wallMs(), address });
		const [oldest] = this.#uses.keys();
		if (this.#uses.size > TOKENS_MAX && oldest !== undefined) this.#uses.delete(oldest);
		this.#isWritten = false;
	}

	of(name: string): LastUse | undefined {
		return this.#uses.get(name);
	}

	close(): void {
		clearInterval(this.#timer);
		this.#write();
	}

	#write(): void {
		if (this.#isWritten) return;
		this.#isWritten = true;
		this.#file.write(JSON.stringify([...this.#uses]));
	}
}

function readUses(text: string | undefined): readonly [string, LastUse][] {
	try {
		const value: unknown = JSON.parse(text ?? '[]');
		return Array.isArray(value) ? value.filter(isUse) : [];
	} catch {
		return [];
	}
}

function isUse(entry: unknown): entry is [string, LastUse] {
	if (!Array.isArray(entry) || typeof entry[0] !== 'string') return false;
	const { atMs, address } = (entry[1] ?? {}) as Partial<LastUse>;
	return typeof atMs === 'number' && typeof address === 'string';
}
