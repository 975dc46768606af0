/**
 * All that builds generations: units, geo databases, caches, and the memory that generations are handed over in. Lives
 * in a thread of its own (builder-worker.ts), and knows nothing of it.
 */

import { isDeepStrictEqual } from 'node:util';
import type { UnitDocument } from '../config/drain.ts';
import type { Switch } from '../config/overrides.ts';
import type { UnitText } from '../config/zones-directory.ts';
import { type ExplainSources, explain } from '../explain/explain.ts';
import type { Target } from '../health/target.ts';
import { createHealthWords, type HealthWords, TARGETS_MAX } from '../health/verdict-table.ts';
import type { Chance, Log } from '../lib/ports.ts';
import { type SharedSnapshot, SnapshotMemory } from '../snapshot/share.ts';
import { type DataNeed, dataNeeds } from '../steering/data-needs.ts';
import type { GeoNotes } from '../steering/nodes.ts';
import { LastGood } from '../store/last-good.ts';
import { emptyColumns, labelsOf, type SteeringLabels } from './answer-columns.ts';
import type {
	BuilderInput,
	BuildReply,
	BuildRequest,
	BuiltGeneration,
	DirectoryReply,
	DraftReply,
	DraftRequest,
	ExplainReply,
	ExplainRequest,
	GeoFileFacts,
} from './builder-messages.ts';
import { directoryTexts, sourceOfText } from './directory-units.ts';
import { DraftBuilder } from './draft-builder.ts';
import { firstLoad, logLoaded } from './first-load.ts';
import { GeodbKeeper, type GeoFiles } from './geodb.ts';
import { type PoolsByTarget, poolsByTarget } from './health-reports.ts';
import { manualOf } from './manual-failback.ts';
import { createSource, type UnitSource, type UnitTaker } from './unit-source.ts';
import { documentsOf, type Loaded, UnitKeeper } from './units.ts';

/** A generation that has been handed over. */
interface Handed {
	readonly number: number;
	readonly shared: SharedSnapshot;
	readonly targets: readonly Target[];
	readonly pools: PoolsByTarget;
	readonly labels: SteeringLabels;
	readonly geoNotes: ReadonlyMap<number, GeoNotes>;
}

export class Building {
	/** Where the units of a store are told; undefined for a process without one. */
	readonly taker: UnitTaker | undefined;
	readonly #input: BuilderInput;
	readonly #log: Log;
	readonly #chance: Chance;
	readonly #source: UnitSource;
	readonly #keeper: UnitKeeper;
	readonly #drafts: DraftBuilder;
	readonly #geodb: GeodbKeeper;
	readonly #memory: SnapshotMemory;
	readonly #handed = new Map<number, Handed>();
	#newest: Handed | undefined;
	#loaded: Loaded | undefined;
	/** What was told of the zones directory last. */
	#told: ReadonlyMap<string, UnitText> | undefined;
	/** Regions that have had a prober. */
	#vantages: readonly string[] = [];
	/** What was handed over last, on its way to the disk; undefined when all of it is there. */
	#saving: Iterator<undefined, void> | undefined;

	/**
	 * @param files  the geo databases, where they have been read already
	 * @throws Error that names the one that cannot be read
	 */
	constructor(input: BuilderInput, files: GeoFiles | undefined, chance: Chance, log: Log) {
		this.#input = input;
		this.#log = log;
		this.#chance = chance;
		this.#memory = new SnapshotMemory(input.firstBuffer);
		const onRefused = (path: string, reason: string) =>
			log.error({ path, reason }, 'the geo database was refused; what was used before goes on');
		this.#geodb = new GeodbKeeper(input.geodb, onRefused, files);
		const { source, taker } = createSource(input.source, input.zonesDir);
		this.taker = taker;
		this.#source = source;
		this.#keeper = new UnitKeeper(source, new LastGood(input.stateDir), []);
		this.#keeper.setSwitches(input.switches);
		this.#drafts = new DraftBuilder({
			current: () => this.#keeper.current(),
			context: () => this.#keeper.context(this.#geodb.data),
			switched: () => this.#keeper.switched,
		});
	}

	/**
	 * Build what is to be served from now on.
	 * @throws StartRefused, SourceRefused at a start; an Error where nothing can be built
	 */
	build({ cause, number, inUse, vantages }: BuildRequest): BuildReply {
		this.#vantages = vantages;
		this.#keeper.setVantages(vantages);
		if (cause.kind === 'start') {
			const { loaded, refusal } = firstLoad(this.#keeper, this.#geodb.data, cause.isForced, this.#log);
			return this.#reply(this.#handOver(loaded, number, inUse), refusal);
		}
		if (cause.kind === 'resume') {
			return this.#reply(this.#handOver(this.#keeper.rebuild(this.#geodb.data), number, inUse), undefined);
		}
		if (cause.kind === 'vantages' || cause.kind === 'switched') {
			const again = this.#loaded === undefined ? undefined : this.#again(this.#loaded);
			return this.#reply(again === undefined ? undefined : this.#handOver(again, number, inUse), undefined);
		}
		const regeo = cause.kind === 'stored' ? undefined : this.#lookAtGeodb(cause.kind === 'look');
		if (cause.kind === 'look')
			return this.#reply(regeo === undefined ? undefined : this.#handOver(regeo, number, inUse), undefined);
		try {
			const isReload = cause.kind === 'reload';
			const loaded = this.#keeper.load(this.#geodb.data, isReload && cause.isForced, isReload);
			assertRoom(loaded);
			logLoaded(loaded, this.#log);
			return this.#reply(this.#handOver(loaded, number, inUse), undefined);
		} catch (error) {
			if (regeo === undefined) return this.#reply(undefined, (error as Error).message);
			// What the geo databases have changed is served all the same; the table that was built may have been built over.
			const { settled } = this.#keeper.rebuild(this.#geodb.data);
			const loaded = { ...regeo, settled: { ...settled, refused: regeo.settled.refused } };
			return this.#reply(this.#handOver(loaded, number, inUse), (error as Error).message);
		}
	}

	/** What was handed over is not wholly kept as the last good version. */
	get isSaving(): boolean {
		return this.#saving !== undefined;
	}

	/**
	 * Go on keeping what was handed over as the last good version.
	 * @param forMs  come back after about so long, though it is not over
	 * @returns when it is over: why it cannot be kept; a full disk is no reason to stop answering, but one to tell of
	 */
	save(forMs: number): { readonly unsaved: string | undefined } | undefined {
		const endMs = performance.now() + forMs;
		try {
			while (this.#saving?.next().done === false) if (performance.now() > endMs) return undefined;
			this.#saving = undefined;
			return { unsaved: undefined };
		} catch (error) {
			this.#saving = undefined;
			const unsaved = `Cannot keep the zones for the next start: ${(error as Error).message}`;
			this.#log.error({ reason: unsaved }, 'the last good zones were not written');
			return { unsaved };
		}
	}

	/** What would come of these units, and what a client would get; see DraftBuilder. */
	draft({ changes, question, notes }: DraftRequest): DraftReply {
		const { problems, silenced, built } = this.#drafts.draft(changes);
		if (question === undefined || built.snapshot === undefined)
			return { problems, silenced, explanation: undefined, asked: [] };
		const { snapshot } = built;
		const slots = Int32Array.from(snapshot.targets.keys());
		const told = this.#explain(
			{ question, notes },
			{ ...built, snapshot, slots, health: this.#healthOf(snapshot.targets) },
		);
		return { problems, silenced, explanation: told.explanation, asked: told.asked };
	}

	/** Units of the zones directory that are others than they were when this was asked the last time. */
	directory(): DirectoryReply {
		const texts = new Map<string, UnitText>();
		if (this.#loaded !== undefined)
			for (const text of directoryTexts(this.#loaded, this.#source.files)) texts.set(text.unit, text);
		const before = this.#told;
		this.#told = texts;
		return {
			isWhole: before === undefined,
			changed: [...texts.values()].filter((text) => before?.get(text.unit) !== text).map(sourceOfText),
			removed: [...(before?.keys() ?? [])].filter((unit) => !texts.has(unit)),
		};
	}

	/** Which answer a client gets from the newest generation, and why. */
	explain({ question, notes }: ExplainRequest): ExplainReply {
		if (this.#newest === undefined) return { explanation: 'Cannot explain before the start is over', asked: [] };
		const { shared, targets, geoNotes } = this.#newest;
		const snapshot = { ...shared.snapshot, targets };
		const { health } = this.#input;
		return this.#explain({ question, notes }, { snapshot, geoNotes, slots: shared.targetSlots, health });
	}

	#explain(
		{ question, notes }: ExplainRequest,
		of: Pick<ExplainSources, 'snapshot' | 'geoNotes' | 'slots' | 'health'>,
	): ExplainReply {
		const asked: string[] = [];
		const explanation = explain(
			{
				...of,
				geo: this.#geodb.data,
				databases: this.#geodb.files,
				chance: this.#chance,
				vantages: this.#vantages,
				noteOf: (key) => {
					asked.push(key);
					return notes.get(key);
				},
			},
			question,
		);
		return { explanation, asked };
	}

	/** A copy of what is known of some targets; nothing of those that nobody probes yet. */
	#healthOf(targets: readonly Target[]): HealthWords {
		const { verdicts, regional, rttUs } = this.#input.health;
		const rows = rttUs.length / verdicts.length;
		const words = createHealthWords(targets.length, rows);
		const slots = new Map(this.#newest?.targets.map(({ key }, i) => [key, this.#newest?.shared.targetSlots[i] ?? 0]));
		for (const [i, { key }] of targets.entries()) {
			const slot = slots.get(key);
			if (slot === undefined) continue;
			words.verdicts[i] = Atomics.load(verdicts, slot);
			for (let row = 0; row < rows; row++) {
				words.regional[row * targets.length + i] = Atomics.load(regional, row * verdicts.length + slot);
				words.rttUs[row * targets.length + i] = Atomics.load(rttUs, row * verdicts.length + slot);
			}
		}
		return words;
	}

	setSwitches(switches: readonly Switch[]): void {
		this.#keeper.setSwitches(switches);
	}

	/** Of all units that steer anything, as users wrote them. */
	documents(): readonly UnitDocument[] {
		if (this.#loaded === undefined) return [];
		return documentsOf(this.#loaded).filter(({ document }) => document.pools.size + document.names.size > 0);
	}

	/** What the policies served need to know of clients. */
	needs(): readonly DataNeed[] {
		return this.#loaded === undefined ? [] : dataNeeds(documentsOf(this.#loaded));
	}

	/** Take the geo databases that have changed on disk; what is served is built anew from them, or stays as it is. */
	#lookAtGeodb(isSettled: boolean): Loaded | undefined {
		const update = this.#geodb.look({ isSettled });
		const before = this.#loaded;
		if (update === undefined || before === undefined) return undefined;
		try {
			const again = this.#again(before, update.data);
			this.#geodb.accept(update);
			for (const { path, databaseType, builtAt, networkCount } of update.files)
				this.#log.info({ path, databaseType, builtAt, networkCount }, 'geo database in use');
			return again;
		} catch (error) {
			this.#geodb.refuse(update, (error as Error).message);
			return undefined;
		}
	}

	/**
	 * What is served, built again from what else has changed.
	 * @throws Error when a unit cannot be
	 */
	#again(before: Loaded, geo = this.#geodb.data): Loaded {
		const rebuilt = this.#keeper.rebuild(geo);
		const [refused] = rebuilt.settled.refused;
		if (refused !== undefined) throw new Error(`${refused} cannot be built with it`);
		// What was wrong with units that are not served is wrong with them still.
		const errors = before.problems.filter(({ isWarning }) => !isWarning);
		const { refused: stillRefused } = before.settled;
		return {
			...rebuilt,
			settled: { ...rebuilt.settled, refused: stillRefused },
			problems: [...errors, ...rebuilt.problems],
			stored: before.stored,
		};
	}

	/** Put a generation into memory that no thread reads any more. From now on it is what is served. */
	#handOver(loaded: Loaded, number: number, inUse: readonly number[]): BuiltGeneration {
		assertRoom(loaded);
		const { settled, problems } = loaded;
		const { snapshot, refused, geoNotes } = settled;
		for (const known of this.#handed.keys()) if (!inUse.includes(known)) this.#handed.delete(known);
		const used = [...this.#handed.values()].map((one) => one.shared);
		const shared = this.#memory.share(
			snapshot,
			// Filled in by the main thread, which knows what they were before.
			{ targetSlots: new Int32Array(snapshot.targets.length), columns: emptyColumns(snapshot.steering) },
			used,
		);
		const { targets } = snapshot;
		const pools = poolsByTarget(snapshot);
		const labels = labelsOf(snapshot.steering);
		// What the main thread has of another one it can go on with.
		const before = this.#newest?.number === number - 1 ? this.#newest : undefined;
		this.#newest = { number, shared, targets, pools, labels, geoNotes };
		this.#handed.set(number, this.#newest);
		// What was built aside is let go of: what is served lies in shared memory.
		this.#loaded = { ...loaded, settled: { ...settled, snapshot: shared.snapshot } };
		this.#keeper.lendTable(shared.snapshot.zones);
		this.#keeper.accept(loaded);
		this.#saving = this.#keeper.saving();
		return {
			number,
			wire: shared.wire,
			buffers: shared.buffers,
			kept: new Set(this.#memory.buffers),
			octets: this.#memory.octets,
			targets: before !== undefined && areSame(before.targets, targets) ? undefined : targets,
			pools: before !== undefined && isDeepStrictEqual(before.pools, pools) ? undefined : pools,
			manual: manualOf(documentsOf(loaded), snapshot.steering),
			labels: before !== undefined && isDeepStrictEqual(before.labels, labels) ? undefined : labels,
			problems,
			refused,
		};
	}

	#reply(built: BuiltGeneration | undefined, refusal: string | undefined): BuildReply {
		const { files, refused } = this.#geodb;
		return { built, refusal, geodb: { files: files.map(factsOf), refused } };
	}
}

function assertRoom({ settled }: Loaded): void {
	const { length } = settled.snapshot.targets;
	if (length > TARGETS_MAX) throw new Error(`Cannot probe ${length} targets: the limit is ${TARGETS_MAX}`);
}

function factsOf({ ranges: _, places: __, ...facts }: GeodbKeeper['files'][number]): GeoFileFacts {
	return facts;
}

/** All of a target follows from its key, but for what its pools say of it. */
function areSame(a: readonly Target[], b: readonly Target[]): boolean {
	return a.length === b.length && a.every(({ key, rampUpMs }, i) => key === b[i]?.key && rampUpMs === b[i]?.rampUpMs);
}
