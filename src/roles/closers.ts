/**
 * What a process has opened, to be closed in reverse.
 */

export class Closers {
	readonly #closers: (() => Promise<void> | void)[] = [];

	add(close: () => Promise<void> | void): void {
		this.#closers.push(close);
	}

	/** Close each, whatever becomes of the one before. */
	async closeAll(): Promise<void> {
		for (const close of this.#closers.splice(0).reverse()) {
			try {
				await close();
			} catch {
				// The process is ending; what is left is freed with it.
			}
		}
	}
}
