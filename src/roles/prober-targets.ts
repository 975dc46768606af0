/**
 * The targets that a prober has of its store: built as an instance builds them, so that both mean the same by a name.
 */

import type { FileProblem } from '../config/zones-directory.ts';
import { noGeoData } from '../geo/decide.ts';
import type { Target } from '../health/target.ts';
import type { Log } from '../lib/ports.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { LastGood } from '../store/last-good.ts';
import type { Head, Store } from '../store/ports.ts';
import { logLoaded } from './first-load.ts';
import { StoreFeed } from './instance-store.ts';
import { StoreSource } from './unit-source.ts';
import { type Loaded, UnitKeeper } from './units.ts';

/** Commits that come together are built together. */
const PAUSE_MS = 20;

interface ProberTargetsParts {
	readonly store: Store;
	readonly stateDir: string;
	readonly region: string;
	readonly log: Log;
}

export class ProberTargets {
	readonly #parts: ProberTargetsParts;
	readonly #onTargets: (targets: readonly Target[]) => void;
	readonly #feed: StoreFeed;
	readonly #keeper: UnitKeeper;
	#loaded: Loaded;
	/** Why the store was refused as a whole. */
	#refusal: string | undefined;
	#pause: NodeJS.Timeout | undefined;
	#unwatch: () => void = () => {};

	/** Nothing is told before `follow()`. */
	constructor(parts: ProberTargetsParts, onTargets: (targets: readonly Target[]) => void) {
		this.#parts = parts;
		this.#onTargets = onTargets;
		const source = new StoreSource();
		this.#feed = new StoreFeed(parts.store, source);
		this.#keeper = new UnitKeeper(source, new LastGood(parts.stateDir), [parts.region]);
		this.#loaded = this.#keeper.rebuild(noGeoData());
	}

	get snapshot(): Snapshot {
		return this.#loaded.settled.snapshot;
	}

	/** Of the configuration that the targets are from. */
	get head(): Head | undefined {
		return this.#feed.head;
	}

	get refusal(): string | undefined {
		return this.#refusal;
	}

	get refusedUnits(): ReadonlySet<string> {
		return this.#loaded.settled.refused;
	}

	/** Errors alone: warnings are about answers, and about geo databases, which a prober has none of. */
	get problems(): readonly FileProblem[] {
		return this.#loaded.problems.filter(({ isWarning }) => !isWarning);
	}

	/** Tell the targets now, and whenever the store has others. */
	follow(): void {
		const { store } = this.#parts;
		this.#unwatch = store.watch((hint) => {
			if (hint !== 'probers') this.#pause ??= setTimeout(() => this.#update(), PAUSE_MS);
		});
		if (!this.#feed.update()) {
			// Those of the last run, until the store says something.
			this.#onTargets(this.snapshot.targets);
			return;
		}
		this.#load();
	}

	close(): void {
		this.#unwatch();
		clearTimeout(this.#pause);
	}

	#update(): void {
		this.#pause = undefined;
		if (this.#feed.update()) this.#load();
	}

	#load(): void {
		const { log } = this.#parts;
		try {
			const loaded = this.#keeper.load(noGeoData(), false, false);
			this.#keeper.accept(loaded);
			this.#loaded = loaded;
			this.#refusal = undefined;
			logLoaded({ ...loaded, problems: this.problems }, log);
			log.info({ targets: this.snapshot.targets.length }, 'targets loaded');
			this.#onTargets(this.snapshot.targets);
			this.#keeper.save();
		} catch (error) {
			this.#refusal = (error as Error).message;
			log.error({ reason: this.#refusal }, 'the store was refused; what was probed before goes on');
		}
	}
}
