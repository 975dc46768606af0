/**
 * A DNS instance put together: state, store, geography, units, workers, health, admin surface; closed in reverse.
 *
 *     lock -> store -> geo database -> units -> votes of before -> ports -> admin -> workers -> prober
 */

import { randomBytes, randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { createAdminSurface } from '../admin/app.ts';
import type { ExplainQuery } from '../admin/state-routes.ts';
import { type ExplainQuestion, type ExplainSources, explain } from '../explain/explain.ts';
import type { Explanation } from '../explain/explanation.ts';
import { createHealthWords, TARGETS_MAX, VerdictTable } from '../health/verdict-table.ts';
import { createChance } from '../lib/chance.ts';
import type { ListenAddress } from '../lib/listen-address.ts';
import type { Clock, Log } from '../lib/ports.ts';
import type { Settings } from '../model/settings.ts';
import type { Built } from '../snapshot/build.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { dataNeeds } from '../steering/data-needs.ts';
import { CookieSecrets } from '../store/cookie-secrets.ts';
import { openEmbeddedStore } from '../store/embedded-store.ts';
import { LastGood } from '../store/last-good.ts';
import type { Store } from '../store/ports.ts';
import { lockState } from '../store/state-lock.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { answeringSettings } from './answering-settings.ts';
import { createChecking } from './checking.ts';
import { Closers } from './closers.ts';
import { ServedDirectory } from './directory-units.ts';
import { DraftBuilder } from './draft-builder.ts';
import { firstLoad, logLoaded } from './first-load.ts';
import { ageWarning, geoReport } from './geo-report.ts';
import { GeodbKeeper } from './geodb.ts';
import { healthMetrics } from './health-metrics.ts';
import { targetReports, voteNote } from './health-reports.ts';
import { instanceMetrics } from './instance-metrics.ts';
import type { InstanceState } from './instance-state.ts';
import { createSource, openInstanceStore, StoreFeed } from './instance-store.ts';
import { listenAdmin } from './listen-admin.ts';
import { LocalHealth } from './local-health.ts';
import { openOperating } from './operating.ts';
import { readyReport } from './reports.ts';
import { reserveListen } from './reserve-listen.ts';
import { StartRefused } from './start-refused.ts';
import { SwitchFeed } from './switches.ts';
import { chooseUdpTransport } from './udp-transport.ts';
import { documentsOf, type Loaded, UnitKeeper } from './units.ts';
import { VERSION } from './version.ts';
import { WorkerPool } from './worker-pool.ts';

export interface InstanceOptions {
	readonly settings: Settings;
	readonly log: Log;
	/** Probe the targets of this process's own zones. */
	readonly isProbing: boolean;
	/** Take an empty zones directory, or one that drops most zones. */
	readonly isForced: boolean;
}

/** How often it is asked whether a new cookie secret is due. */
const COOKIE_CHECK_MS = 3_600_000;

/** How often the files of geo databases are looked at. */
const GEODB_LOOK_MS = 5000;

/** Commits that come together are built together. */
const STORE_PAUSE_MS = 20;

const clock: Clock = { nowMs: () => performance.now() };

export class Instance {
	readonly listen: readonly ListenAddress[];
	readonly adminUrl: string;
	readonly #parts: Parts;
	#generation = 1;
	#loaded: Loaded;
	/** Of its targets, in the health words. */
	#slots: Int32Array;
	#loadedMs = clock.nowMs();
	/** Why the last reload was refused as a whole. */
	#refusal: string | undefined;
	/** Why what is served could not be kept for the next start. */
	#unsaved: string | undefined;

	/** Geo databases that were told to be old. */
	readonly #oldVersions = new Set<string>();

	private constructor(parts: Parts, loaded: Loaded, slots: Int32Array, refusal: string | undefined) {
		this.#parts = parts;
		this.#loaded = loaded;
		this.#slots = slots;
		this.#refusal = refusal;
		this.listen = parts.listen;
		this.adminUrl = parts.adminUrl;
	}

	/** @throws StartRefused */
	static async start(options: InstanceOptions): Promise<Instance> {
		const closers = new Closers();
		try {
			return await Instance.#start(options, closers);
		} catch (error) {
			await closers.closeAll();
			throw error instanceof StartRefused ? error : new StartRefused([(error as Error).message]);
		}
	}

	static async #start(options: InstanceOptions, closers: Closers): Promise<Instance> {
		let instance: Instance | undefined;
		const { settings, log, isProbing, isForced } = options;
		const lock = lockState(settings.stateDir);
		closers.add(() => lock.release());
		const geodb = new GeodbKeeper(settings.geodb, (path, reason) =>
			log.error({ path, reason }, 'the geo database was refused; what was used before goes on'),
		);
		const geo = geodb.data;
		const store = await openInstanceStore(settings, isProbing, log);
		closers.add(() => store?.close());
		// A process that has only its zones directory has tokens and overrides of its own.
		const ownStore = store ?? (await openEmbeddedStore(settings.stateDir, log));
		if (store === undefined) closers.add(() => ownStore.close());
		const switches = new SwitchFeed({ store: ownStore, stateDir: settings.stateDir, log });
		closers.add(() => switches.close());
		const operating = await openOperating({
			...{ settings, store: ownStore, log, clock, makesFirstToken: isProbing || store === undefined },
			documents: () => Promise.resolve(instance?.state().documents() ?? []),
		});
		closers.add(() => operating.close());
		const { source, taker, files } = createSource(settings, store);
		const feed = store === undefined || taker === undefined ? undefined : new StoreFeed(store, taker);
		feed?.update();
		const keeper = new UnitKeeper(source, new LastGood(settings.stateDir), [settings.region]);
		keeper.setSwitches(switches.active);
		const first = firstLoad(keeper, geo, isForced, log);
		let { loaded } = first;
		const verdicts = new VerdictTable(createHealthWords());
		const { snapshot } = loaded.settled;
		const slots = assignSlots(verdicts, snapshot);
		const health = isProbing ? await createHealth(settings, verdicts, log) : undefined;
		closers.add(() => health?.close());
		// Before the first query: what was down in the last run must not be in an answer of this one.
		health?.setTargets(snapshot.targets);
		const { transport: udp, reason } = await chooseUdpTransport(settings['dns.transport']);
		const listen = await reserveListen(settings['dns.listen'], udp.kind === 'batch', log);
		const cookieSecrets = new CookieSecrets(settings.stateDir, settings['dns.cookieSecrets'], randomBytes);
		const workers = new WorkerPool(
			{
				udpWorkers: settings['dns.workers'] === 0 ? availableParallelism() : settings['dns.workers'],
				udp,
				listen,
				health: verdicts.words,
				answering: answeringSettings(settings, cookieSecrets.secrets),
				log,
			},
			{ number: 1, snapshot, slots },
		);
		loaded = withSnapshot(loaded, workers.snapshot);
		const metrics = createMetrics([
			...instanceMetrics(workers, () => instance?.state()),
			...healthMetrics(health, () => instance?.state()?.snapshot.targets.length ?? 0),
		]);
		const directory = files === undefined ? undefined : new ServedDirectory(() => instance?.loaded ?? loaded, files);
		const drafts = new DraftBuilder({
			geo: () => geodb.data,
			vantages: [settings.region],
			directory: () => directory?.texts() ?? [],
			explain: (built, question) =>
				instance?.explainBuilt(built, question) ?? 'Cannot explain before the start is over',
		});
		const admin = createAdminSurface({
			version: VERSION,
			...operating.parts,
			...(store === undefined
				? {}
				: {
						configuration: {
							store,
							directory,
							validate: drafts.validate,
							explainDraft: drafts.explainDraft,
							draw: () => randomInt(2 ** 31) / 2 ** 31,
						},
					}),
			ready: () => readyReport(instance?.state()),
			targets: () => targetReports(health?.list() ?? [], instance?.state()?.snapshot ?? snapshot, clock.nowMs()),
			explain: (question) => instance?.explain(question) ?? 'Cannot explain before the start is over',
			geo: () => geoReport(geodb, dataNeeds(instance?.state().documents() ?? []), Date.now()),
			metrics,
			onFault: (error) => log.error({ error: error.stack }, 'a request to the admin surface met a fault'),
		});
		closers.add(() => admin.close());
		const adminUrl = await listenAdmin(admin, settings['admin.listen']);
		closers.add(() => workers.stop());
		const receiveBufferOctets = await workers.start();
		log.info(
			{ transport: udp.kind, reason, workers: workers.wanted - 1, receiveBufferOctets },
			'answering over UDP and TCP',
		);
		const rollover = setInterval(() => workers.setCookieSecrets(cookieSecrets.roll(Date.now())), COOKIE_CHECK_MS);
		closers.add(() => clearInterval(rollover));
		health?.probe();
		if (!isProbing)
			log.warn({}, 'this process does not probe: without Redis it has no health, and unknown counts as up');
		instance = new Instance(
			{ options, store, feed, geodb, keeper, verdicts, workers, health, listen, adminUrl, closers },
			loaded,
			slots,
			first.refusal,
		);
		keeper.accept(loaded);
		instance.#save();
		const started = instance;
		started.#warnOfAge();
		const looks = setInterval(() => started.#lookAtGeodb(true), GEODB_LOOK_MS);
		closers.add(() => clearInterval(looks));
		started.#followStore();
		switches.onChange((active) => {
			keeper.setSwitches(active);
			started.#load(false, false);
		});
		return instance;
	}

	/**
	 * Load the geo databases that have changed, and the zones directory again. Whatever is wrong with them, what is
	 * served stays whole.
	 */
	reload(isForced = false): void {
		this.#lookAtGeodb(false);
		this.#load(isForced, true);
	}

	/** Build what the store has, now and whenever that changes. */
	#followStore(): void {
		const { store, feed, closers, options } = this.#parts;
		if (store === undefined || feed === undefined) return;
		let pause: NodeJS.Timeout | undefined;
		const follow = () => {
			pause = undefined;
			if (feed.update()) this.#load(false, false);
		};
		const unwatch = store.watch((hint) => {
			if (hint !== 'probers') pause ??= setTimeout(follow, STORE_PAUSE_MS);
		});
		closers.add(() => {
			unwatch();
			clearTimeout(pause);
		});
		// What came while the workers were started.
		follow();
		if (
			options.settings['redis.url'] !== '' &&
			store.condition.kind === 'ready' &&
			store.configuration.head === undefined
		)
			options.log.warn({}, 'the store is empty: every query is refused until zones are put into it');
	}

	#load(isForced: boolean, isFresh: boolean): void {
		const { options, keeper, geodb } = this.#parts;
		const { log } = options;
		try {
			const loaded = keeper.load(geodb.data, isForced, isFresh);
			this.#serve(loaded);
			this.#loadedMs = clock.nowMs();
			this.#refusal = undefined;
			logLoaded(loaded, log);
			log.info({ generation: this.#generation, zones: loaded.settled.snapshot.zones.zoneCount }, 'zones loaded');
			this.#save();
		} catch (error) {
			this.#refusal = (error as Error).message;
			log.error({ reason: this.#refusal }, 'the reload was refused; what was served before goes on');
		}
	}

	/** Hand a new generation to the workers. */
	#serve(loaded: Loaded): void {
		const { keeper, verdicts, workers, health } = this.#parts;
		const { snapshot } = loaded.settled;
		const slots = assignSlots(verdicts, snapshot);
		health?.setTargets(snapshot.targets);
		this.#generation++;
		const shared = workers.swap({ number: this.#generation, snapshot, slots });
		health?.probe();
		keeper.accept(loaded);
		this.#loaded = withSnapshot(loaded, shared);
		this.#slots = slots;
	}

	/** Take the geo databases that have changed on disk; what is served is built anew from them, or stays as it is. */
	#lookAtGeodb(isSettled: boolean): void {
		const { options, keeper, geodb } = this.#parts;
		const update = geodb.look({ isSettled });
		this.#warnOfAge();
		if (update === undefined) return;
		try {
			const { settled, problems, versions } = keeper.rebuild(update.data);
			const [refused] = settled.refused;
			if (refused !== undefined) throw new Error(`${refused} cannot be built with it`);
			const before = this.#loaded;
			// What was wrong with units that are not served is wrong with them still.
			const errors = before.problems.filter(({ isWarning }) => !isWarning);
			this.#serve({
				...before,
				settled: { ...settled, refused: before.settled.refused },
				problems: [...errors, ...problems],
				versions,
			});
			geodb.accept(update);
			for (const { path, databaseType, builtAt, networkCount } of update.files)
				options.log.info({ path, databaseType, builtAt, networkCount }, 'geo database in use');
		} catch (error) {
			geodb.refuse(update, (error as Error).message);
		}
	}

	/** Once for each version of a database that is old. */
	#warnOfAge(): void {
		for (const file of this.#parts.geodb.files) {
			const warning = ageWarning(file, Date.now());
			if (warning === undefined || this.#oldVersions.has(file.version)) continue;
			this.#oldVersions.add(file.version);
			this.#parts.options.log.warn({ path: file.path, builtAt: file.builtAt }, warning);
		}
	}

	/** A full disk is no reason to stop answering, but one to tell of. */
	#save(): void {
		const { keeper, options } = this.#parts;
		try {
			keeper.save();
			this.#unsaved = undefined;
		} catch (error) {
			this.#unsaved = `Cannot keep the zones for the next start: ${(error as Error).message}`;
			options.log.error({ reason: this.#unsaved }, 'the last good zones were not written');
		}
	}

	/** What is served now, for reports and metrics. */
	state(): InstanceState {
		return {
			generation: this.#generation,
			snapshot: this.#loaded.settled.snapshot,
			problems: this.#loaded.problems,
			refused: this.#loaded.settled.refused,
			refusal: this.#refusal,
			unsaved: this.#unsaved,
			store: this.#parts.store?.condition,
			geoFiles: this.#parts.geodb.files,
			geoRefused: this.#parts.geodb.refused,
			documents: () => documentsOf(this.#loaded),
			health: this.#parts.health?.summary(),
			loadedMsAgo: clock.nowMs() - this.#loadedMs,
			workersWanted: this.#parts.workers.wanted,
			workersRunning: this.#parts.workers.running,
			workersCrashLooping: this.#parts.workers.crashLooping,
			snapshotOctets: this.#parts.workers.snapshotOctets,
		};
	}

	/** What is served, and what it was made from. */
	get loaded(): Loaded {
		return this.#loaded;
	}

	/** Which answer a client gets now, and why; a text for a question that is none. */
	explain({ name, type = 'A', client, resolver = '127.0.0.1' }: ExplainQuery): Explanation | string {
		const { snapshot, geoNotes } = this.#loaded.settled;
		const sources = { snapshot, geoNotes, health: this.#parts.verdicts.words, slots: this.#slots };
		return explain(this.#explainSources(sources), { name, type, client, resolver });
	}

	/** Which answer a client would get from what is not served, with the health of now. */
	explainBuilt({ snapshot, geoNotes }: Built, question: ExplainQuestion): Explanation | string {
		if (snapshot === undefined) return 'Cannot explain what cannot be built';
		const health = this.#parts.verdicts.copyOf(snapshot.targets.map(({ key }) => key));
		const slots = Int32Array.from(snapshot.targets.keys());
		return explain(this.#explainSources({ snapshot, geoNotes, health, slots }), question);
	}

	#explainSources(sources: Pick<ExplainSources, 'snapshot' | 'geoNotes' | 'health' | 'slots'>): ExplainSources {
		const { geodb, options, health } = this.#parts;
		const nowMs = clock.nowMs();
		const votes = new Map((health?.list() ?? []).map((one) => [one.vote.target.key, one]));
		return {
			...sources,
			geo: geodb.data,
			databases: geodb.files,
			chance: createChance(randomInt(2 ** 31)),
			vantages: [options.settings.region],
			noteOf: (key) => {
				const vote = votes.get(key);
				return vote === undefined ? undefined : voteNote(vote, nowMs);
			},
		};
	}

	/** Answer what has arrived, then end everything in reverse. */
	async close(): Promise<void> {
		await this.#parts.closers.closeAll();
	}
}

interface Parts {
	readonly options: InstanceOptions;
	readonly store: Store | undefined;
	readonly feed: StoreFeed | undefined;
	readonly geodb: GeodbKeeper;
	readonly keeper: UnitKeeper;
	readonly verdicts: VerdictTable;
	readonly workers: WorkerPool;
	readonly health: LocalHealth | undefined;
	readonly listen: readonly ListenAddress[];
	readonly adminUrl: string;
	readonly closers: Closers;
}

/** What was built aside is let go of: what is served lies in shared memory. */
function withSnapshot(loaded: Loaded, snapshot: Snapshot): Loaded {
	return { ...loaded, settled: { ...loaded.settled, snapshot } };
}

function assignSlots(verdicts: VerdictTable, { targets }: Snapshot): Int32Array {
	const slots = verdicts.assign(targets.map(({ key }) => key));
	if (slots === undefined) throw new Error(`Cannot probe ${targets.length} targets: the limit is ${TARGETS_MAX}`);
	return slots;
}

async function createHealth(settings: Settings, verdicts: VerdictTable, log: Log): Promise<LocalHealth> {
	const { region, stateDir } = settings;
	const { guard, check } = await createChecking(settings, clock);
	return new LocalHealth({ clock, wallMs: () => Date.now(), log, region, stateDir, verdicts, guard, check });
}
