/**
 * Builds that were asked for: one at a time, asked for again while one is under way once more behind it, and the last
 * word always done.
 *
 *     reload, store, look -> due -> build -> served -> what has become due meanwhile -> ...
 */

import type { BuildCause } from './builder-messages.ts';

/** A builder that died of the same builds so often is not asked for them again by itself. */
const TRIES_MAX = 2;

/** In this order: what was served is built before anything is looked for. */
const ORDER = ['resume', 'reload', 'switched', 'stored', 'vantages', 'look'] as const;

type DueKind = (typeof ORDER)[number];

interface Due {
	readonly cause: BuildCause;
	readonly tries: number;
}

export class Updates {
	readonly #build: (cause: BuildCause) => Promise<'done' | 'died'>;
	readonly #due = new Map<DueKind, Due>();
	#running: Promise<void> | undefined;
	#isStopped = false;

	/** @param build  builds and serves; throws nothing */
	constructor(build: (cause: BuildCause) => Promise<'done' | 'died'>) {
		this.#build = build;
	}

	/** Build for this cause, after what is under way. */
	request(cause: Exclude<BuildCause, { kind: 'start' }>): void {
		const before = this.#due.get(cause.kind)?.cause;
		const isForced = [before, cause].some((one) => one?.kind === 'reload' && one.isForced);
		this.#due.set(cause.kind, { cause: cause.kind === 'reload' ? { kind: 'reload', isForced } : cause, tries: 0 });
		this.#start();
	}

	/** Nothing is begun any more. */
	stop(): void {
		this.#isStopped = true;
	}

	#start(): void {
		this.#running ??= this.#run();
	}

	async #run(): Promise<void> {
		for (;;) {
			const kind = ORDER.find((one) => this.#due.has(one));
			const due = kind === undefined ? undefined : this.#due.get(kind);
			if (kind === undefined || due === undefined || this.#isStopped) break;
			this.#due.delete(kind);
			// A reload looks at databases, and takes what the store has.
			if (kind === 'reload') for (const one of ['stored', 'look'] as const) this.#due.delete(one);
			const tries = due.tries + 1;
			const end = await this.#build(due.cause);
			if (end === 'died' && tries < TRIES_MAX && !this.#due.has(kind)) this.#due.set(kind, { cause: due.cause, tries });
		}
		// In the same turn as the look that found nothing due, so that nothing slips in between.
		this.#running = undefined;
	}
}
