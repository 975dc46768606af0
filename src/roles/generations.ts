/**
 * The generation that is served, and how the next one comes: built by a thread aside, handed to those that answer.
 *
 *     start, SIGHUP, store, geo databases -> updates -> builder -> slots of targets -> health -> workers
 */

import type { ProposedUnit } from '../admin/configuration.ts';
import type { UnitDocument } from '../config/drain.ts';
import type { Switch } from '../config/overrides.ts';
import type { FileProblem } from '../config/zones-directory.ts';
import type { ExplainQuestion } from '../explain/explain.ts';
import type { Explanation } from '../explain/explanation.ts';
import type { Target } from '../health/target.ts';
import { TARGETS_MAX, type VerdictTable } from '../health/verdict-table.ts';
import type { Clock, Log } from '../lib/ports.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { openSnapshot } from '../snapshot/wire.ts';
import type { DataNeed } from '../steering/data-needs.ts';
import type { Head, Store } from '../store/ports.ts';
import type { SteeringLabels } from './answer-columns.ts';
import { type Builder, BuilderDied } from './builder.ts';
import type {
	BuildCause,
	BuildReply,
	BuiltGeneration,
	DirectoryReply,
	DraftReply,
	GeodbState,
} from './builder-messages.ts';
import { ageWarning } from './geo-report.ts';
import type { Health } from './health.ts';
import type { PoolsByTarget } from './health-reports.ts';
import { StoreFeed } from './instance-store.ts';
import type { Manual } from './manual-failback.ts';
import { Updates } from './updates.ts';
import type { Generation } from './worker-messages.ts';
import type { WorkerPool } from './worker-pool.ts';

/** How often the files of geo databases are looked at. */
const GEODB_LOOK_MS = 5000;

/** Builds that no unit was loaded for: they say nothing of the last load. */
const ASIDE: ReadonlySet<BuildCause['kind']> = new Set(['look', 'resume', 'switched', 'vantages']);

export interface GenerationsParts {
	/** Its own from now on. */
	readonly builder: Builder;
	readonly verdicts: VerdictTable;
	readonly clock: Clock;
	readonly log: Log;
}

/** What is told of the generation that is served. */
export interface ServedGeneration {
	readonly number: number;
	readonly snapshot: Snapshot;
	/** Slot of each of its targets in the health words. */
	readonly slots: Int32Array;
	readonly pools: PoolsByTarget;
	readonly manual: readonly Manual[];
	readonly labels: SteeringLabels;
	readonly problems: readonly FileProblem[];
	/** Units whose new version was refused. */
	readonly refused: ReadonlySet<string>;
}

/** Who is handed each generation. */
interface Readers {
	/** Undefined for a process that answers nothing. */
	readonly workers: WorkerPool | undefined;
	readonly health: Health | undefined;
}

/** By target key: what the prober says of it. */
type NoteOf = (key: string) => string | undefined;

function notesOf(asked: readonly string[], noteOf: NoteOf): ReadonlyMap<string, string> {
	const notes = new Map<string, string>();
	for (const key of asked) {
		const note = noteOf(key);
		if (note !== undefined) notes.set(key, note);
	}
	return notes;
}

export class Generations {
	readonly #parts: GenerationsParts;
	readonly #builder: Builder;
	#feed: StoreFeed | undefined;
	readonly #updates = new Updates((cause) => this.#update(cause));
	readonly #closers: (() => void)[] = [];
	#readers: Readers | undefined;
	#served: ServedGeneration | undefined;
	/** Of the configuration of the store that it is built from. */
	#servedHead: Head | undefined;
	#octets = 0;
	/** Regions that the last build knew. */
	#vantages = 0;
	/** The builder was told of units that it has not built yet. */
	#hasNews = false;
	/** The databases in use and, by path, why the newer version of one is not. */
	geodb: GeodbState = { files: [], refused: new Map() };
	/** Geo databases that were told to be old. */
	readonly #oldVersions = new Set<string>();
	/** Why the last load was refused as a whole. */
	refusal: string | undefined;
	/** Why what is served could not be kept for the next start. */
	unsaved: string | undefined;
	/** Why there is nobody who builds. */
	fault: string | undefined;
	#loadedMs = 0;

	constructor(parts: GenerationsParts) {
		this.#parts = parts;
		this.#builder = parts.builder;
		this.#builder.listen({
			onSaved: (unsaved) => {
				this.unsaved = unsaved;
			},
			onDeath: (reason) => this.#onDeath(reason),
		});
	}

	/**
	 * Build what is served first.
	 * @param store  undefined for a process without one
	 * @returns the generation, for those who answer
	 * @throws StartRefused
	 */
	async start(store: Store | undefined, isForced: boolean): Promise<Generation> {
		this.#feed = store === undefined ? undefined : new StoreFeed(store, this.#builder);
		this.#feed?.update();
		const head = this.#feed?.head;
		const vantages = this.#takeVantages();
		const ask = { cause: { kind: 'start', isForced }, number: 1, inUse: [], vantages } as const;
		const { built, ...reply } = await this.#builder.ask('build', ask);
		if (built === undefined) throw new Error('Cannot start without a generation');
		this.#note(reply);
		const generation = this.#attach(built);
		this.#loadedMs = this.#parts.clock.nowMs();
		this.#servedHead = head;
		return generation;
	}

	/** Hand over each generation to come, and look for what they are built from. */
	serveTo(readers: Readers): void {
		this.#readers = readers;
		this.#warnOfAge();
		const looks = setInterval(() => {
			this.#updates.request({ kind: 'look' });
			// Regions that come together are built together.
			if (this.#parts.verdicts.vantages.length > this.#vantages) this.#updates.request({ kind: 'vantages' });
		}, GEODB_LOOK_MS);
		this.#closers.push(() => clearInterval(looks));
		const feed = this.#feed;
		if (feed === undefined) return;
		const follow = () => this.#updates.request({ kind: 'stored' });
		this.#closers.push(feed.watch(follow));
		// What came while the workers were started.
		follow();
	}

	/** Look at geo databases and units again. Whatever is wrong with them, what is served stays whole. */
	reload(isForced: boolean): void {
		this.#updates.request({ kind: 'reload', isForced });
	}

	/** From now on this is what operators have switched; what is served is built again. */
	setSwitches(switches: readonly Switch[]): void {
		this.#builder.setSwitches(switches);
		if (this.#served !== undefined) this.#updates.request({ kind: 'switched' });
	}

	/**
	 * Steering documents that are served, as users wrote them.
	 * @throws BuilderDied
	 */
	documents(): Promise<readonly UnitDocument[]> {
		return this.#builder.ask('documents', undefined);
	}

	get served(): ServedGeneration {
		if (this.#served === undefined) throw new Error('Cannot tell of a generation before there is one');
		return this.#served;
	}

	/** Of the configuration of the store that is served; undefined for none. */
	get servedHead(): Head | undefined {
		return this.#servedHead;
	}

	/** Since all units were loaded. */
	get loadedMsAgo(): number {
		return this.#parts.clock.nowMs() - this.#loadedMs;
	}

	/** Of the generations in use, and of those whose memory waits for the next one. */
	get octets(): number {
		return this.#octets;
	}

	/**
	 * What would come of these units in place of those that there are by now, by the build that boots.
	 * @param question  which answer a client would get of it
	 * @throws BuilderDied
	 */
	async draft(
		changes: readonly ProposedUnit[],
		question?: ExplainQuestion,
		noteOf: NoteOf = () => undefined,
	): Promise<Omit<DraftReply, 'asked'>> {
		// What the store has is told before it is asked about.
		if (this.#feed?.update() === true) this.#hasNews = true;
		const { asked, ...reply } = await this.#builder.ask('draft', { changes, question, notes: new Map() });
		const notes = notesOf(asked, noteOf);
		return notes.size === 0 ? reply : this.#builder.ask('draft', { changes, question, notes });
	}

	/**
	 * Units of the zones directory that have changed since this was asked.
	 * @throws BuilderDied
	 */
	directory(): Promise<DirectoryReply> {
		return this.#builder.ask('directory', undefined);
	}

	/**
	 * Which answer a client gets now, and why; a text for a question that is none.
	 * @param noteOf  by target key: what the prober says of it
	 * @throws BuilderDied
	 */
	async explain(question: ExplainQuestion, noteOf: NoteOf): Promise<Explanation | string> {
		const { explanation, asked } = await this.#builder.ask('explain', { question, notes: new Map() });
		const notes = notesOf(asked, noteOf);
		if (notes.size === 0) return explanation;
		// Once it is known of which targets it tells, with what the prober says of them.
		return (await this.#builder.ask('explain', { question, notes })).explanation;
	}

	/**
	 * What the policies served need to know of clients.
	 * @throws BuilderDied
	 */
	needs(): Promise<readonly DataNeed[]> {
		return this.#builder.ask('needs', undefined);
	}

	async close(): Promise<void> {
		this.#updates.stop();
		for (const close of this.#closers.splice(0)) close();
		await this.#builder.close();
	}

	/** One build, from its cause to the threads that answer. */
	async #update(cause: BuildCause): Promise<'done' | 'died'> {
		const { log } = this.#parts;
		if (cause.kind !== 'look' && this.#feed?.update() === true) this.#hasNews = true;
		const head = this.#feed?.head;
		if (cause.kind === 'stored' && !this.#hasNews) {
			// Nothing of it is served by an instance, such as a token.
			this.#servedHead = head;
			return 'done';
		}
		try {
			const number = this.served.number + 1;
			const inUse = this.#readers?.workers?.generationsInUse ?? [];
			const { built, ...reply } = await this.#builder.ask('build', {
				cause,
				number,
				inUse,
				vantages: this.#takeVantages(),
			});
			this.fault = undefined;
			if (cause.kind === 'stored' || cause.kind === 'reload') {
				this.#hasNews = false;
				this.#servedHead = head;
			}
			if (built !== undefined) this.#serve(built);
			this.#note(reply, cause);
			return 'done';
		} catch (error) {
			const { message } = error as Error;
			if (!ASIDE.has(cause.kind)) this.refusal = message;
			if (error instanceof BuilderDied) return 'died';
			log.error({ reason: message }, 'the reload was refused; what was served before goes on');
			return 'done';
		}
	}

	/** Regions that have had a prober so far: the build that is asked for will know them. */
	#takeVantages(): readonly string[] {
		const { vantages } = this.#parts.verdicts;
		this.#vantages = vantages.length;
		return vantages;
	}

	#note(reply: Omit<BuildReply, 'built'>, cause?: BuildCause): void {
		const { log, clock } = this.#parts;
		this.geodb = reply.geodb;
		if (cause !== undefined) this.#warnOfAge();
		if (cause !== undefined && ASIDE.has(cause.kind)) return;
		this.refusal = reply.refusal;
		if (cause === undefined) return;
		if (reply.refusal !== undefined) {
			log.error({ reason: reply.refusal }, 'the reload was refused; what was served before goes on');
			return;
		}
		this.#loadedMs = clock.nowMs();
		const { number, snapshot, refused } = this.served;
		const loaded = { generation: number, zones: snapshot.zones.zoneCount };
		if (refused.size === 0) log.info(loaded, 'zones loaded');
		else log.error({ ...loaded, refused: [...refused] }, 'zones loaded, but for new versions that were refused');
	}

	/** Once for each version of a geo database that is old. */
	#warnOfAge(): void {
		for (const file of this.geodb.files) {
			const warning = ageWarning(file, Date.now());
			if (warning === undefined || this.#oldVersions.has(file.version)) continue;
			this.#oldVersions.add(file.version);
			this.#parts.log.warn({ path: file.path, builtAt: file.builtAt }, warning);
		}
	}

	/** Hand a generation to those who answer. */
	#serve(built: BuiltGeneration): void {
		const generation = this.#attach(built);
		const { targets } = this.served.snapshot;
		this.#readers?.health?.setTargets(targets);
		this.#readers?.workers?.swap(generation);
		this.#readers?.health?.probe();
	}

	/** Open a generation here, with slots for its targets. */
	#attach(built: BuiltGeneration): Generation {
		const { number, wire, buffers, kept, octets, problems, refused, manual } = built;
		this.#builder.noteBuffers(kept);
		const before = this.#served;
		const targets = built.targets ?? before?.snapshot.targets ?? [];
		const { snapshot, targetSlots } = openSnapshot(wire, buffers);
		const slots = assignSlots(this.#parts.verdicts, targets);
		targetSlots.set(slots);
		const pools = built.pools ?? before?.pools ?? new Map();
		const labels = built.labels ?? before?.labels ?? { names: [], nodes: [], endpoints: [] };
		const told = { slots, pools, labels, manual, problems, refused };
		this.#served = { number, snapshot: { ...snapshot, targets }, ...told };
		this.#octets = octets;
		return { number, wire, buffers, kept, labels };
	}

	#onDeath(reason: string): void {
		this.fault = `the builder died (${reason}): what is served stays as it is until it is there again`;
		this.#feed?.reset();
		this.#updates.request({ kind: 'resume' });
	}
}

function assignSlots(verdicts: VerdictTable, targets: readonly Target[]): Int32Array {
	const slots = verdicts.assign(targets.map(({ key }) => key));
	if (slots === undefined) throw new Error(`Cannot probe ${targets.length} targets: the limit is ${TARGETS_MAX}`);
	return slots;
}
