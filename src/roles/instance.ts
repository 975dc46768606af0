/**
 * A DNS instance put together: state, geography, units, workers, health, admin surface; closed in reverse.
 *
 *     lock -> geo database -> units -> votes of before -> ports -> admin -> workers -> prober
 */

import { randomBytes, randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { type AdminSurface, createAdminSurface } from '../admin/app.ts';
import type { ExplainQuery } from '../admin/state-routes.ts';
import { type FileProblem, printFileProblem } from '../config/zones-directory.ts';
import { type ExplainSources, explain } from '../explain/explain.ts';
import type { Explanation } from '../explain/explanation.ts';
import type { GeoData } from '../geo/decide.ts';
import { createHealthWords, TARGETS_MAX, VerdictTable } from '../health/verdict-table.ts';
import { createChance } from '../lib/chance.ts';
import { type ListenAddress, parseListenAddress } from '../lib/listen-address.ts';
import type { Clock, Log } from '../lib/ports.ts';
import type { Settings } from '../model/settings.ts';
import { createRateLimitTable } from '../serve/rate-limit.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { dataNeeds } from '../steering/data-needs.ts';
import { CookieSecrets } from '../store/cookie-secrets.ts';
import { LastGood } from '../store/last-good.ts';
import { openStore } from '../store/open-store.ts';
import { lockState } from '../store/state-lock.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createChecking } from './checking.ts';
import { ageWarning, geoReport } from './geo-report.ts';
import { GeodbKeeper } from './geodb.ts';
import { healthMetrics } from './health-metrics.ts';
import { targetReports, voteNote } from './health-reports.ts';
import { instanceMetrics } from './instance-metrics.ts';
import type { InstanceState } from './instance-state.ts';
import { LocalHealth } from './local-health.ts';
import { openOperating } from './operating.ts';
import { readyReport } from './reports.ts';
import { reserveListen } from './reserve-listen.ts';
import { chooseUdpTransport } from './udp-transport.ts';
import { DirectoryRefused, documentsOf, type Loaded, UnitKeeper } from './units.ts';
import { VERSION } from './version.ts';
import type { AnsweringSettings } from './worker-messages.ts';
import { WorkerPool } from './worker-pool.ts';

export interface InstanceOptions {
	readonly settings: Settings;
	readonly log: Log;
	/** Probe the targets of this process's own zones. */
	readonly isProbing: boolean;
	/** Take an empty zones directory, or one that drops most zones. */
	readonly isForced: boolean;
}

/** What stands in the way of a start, as lines to print. */
export class StartRefused extends Error {
	readonly lines: readonly string[];

	constructor(lines: readonly string[]) {
		super(lines.join('\n'));
		this.lines = lines;
	}
}

/** How often it is asked whether a new cookie secret is due. */
const COOKIE_CHECK_MS = 3_600_000;

/** How often the files of geo databases are looked at. */
const GEODB_LOOK_MS = 5000;

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
		const closers: (() => Promise<void> | void)[] = [];
		try {
			return await Instance.#start(options, closers);
		} catch (error) {
			await closeAll(closers);
			throw error instanceof StartRefused ? error : new StartRefused([(error as Error).message]);
		}
	}

	static async #start(options: InstanceOptions, closers: (() => Promise<void> | void)[]): Promise<Instance> {
		const { settings, log, isProbing, isForced } = options;
		const lock = lockState(settings.stateDir);
		closers.push(() => lock.release());
		let instance: Instance | undefined;
		const store = await openStore(settings, log);
		closers.push(() => store.close());
		const operating = await openOperating({
			...{ settings, store, log, clock, makesFirstToken: isProbing },
			documents: () => Promise.resolve(instance?.state().documents() ?? []),
		});
		closers.push(() => operating.close());
		const geodb = new GeodbKeeper(settings.geodb, (path, reason) =>
			log.error({ path, reason }, 'the geo database was refused; what was used before goes on'),
		);
		const geo = geodb.data;
		const keeper = new UnitKeeper(settings.zonesDir, new LastGood(settings.stateDir), [settings.region]);
		const first = firstLoad(keeper, geo, isForced, log);
		let { loaded } = first;
		const verdicts = new VerdictTable(createHealthWords());
		const { snapshot } = loaded.settled;
		const slots = assignSlots(verdicts, snapshot);
		const health = isProbing ? await createHealth(settings, verdicts, log) : undefined;
		closers.push(() => health?.close());
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
		const admin = createAdminSurface({
			version: VERSION,
			...operating.parts,
			ready: () => readyReport(instance?.state()),
			targets: () => targetReports(health?.list() ?? [], instance?.state()?.snapshot ?? snapshot, clock.nowMs()),
			explain: (question) => instance?.explain(question) ?? 'Cannot explain before the start is over',
			geo: () => geoReport(geodb, dataNeeds(instance?.state().documents() ?? []), Date.now()),
			metrics,
			onFault: (error) => log.error({ error: error.stack }, 'a request to the admin surface met a fault'),
		});
		closers.push(() => admin.close());
		const adminUrl = await listenAdmin(admin, settings['admin.listen']);
		closers.push(() => workers.stop());
		const receiveBufferOctets = await workers.start();
		log.info(
			{ transport: udp.kind, reason, workers: workers.wanted - 1, receiveBufferOctets },
			'answering over UDP and TCP',
		);
		const rollover = setInterval(() => workers.setCookieSecrets(cookieSecrets.roll(Date.now())), COOKIE_CHECK_MS);
		closers.push(() => clearInterval(rollover));
		health?.probe();
		if (!isProbing)
			log.warn({}, 'this process does not probe: without Redis it has no health, and unknown counts as up');
		instance = new Instance(
			{ options, geodb, keeper, verdicts, workers, health, listen, adminUrl, closers },
			loaded,
			slots,
			first.refusal,
		);
		keeper.accept(loaded);
		instance.#save();
		const started = instance;
		started.#warnOfAge();
		const looks = setInterval(() => started.#lookAtGeodb(true), GEODB_LOOK_MS);
		closers.push(() => clearInterval(looks));
		return instance;
	}

	/**
	 * Load the geo databases that have changed, and the zones directory again. Whatever is wrong with them, what is
	 * served stays whole.
	 */
	reload(isForced = false): void {
		const { options, keeper, geodb } = this.#parts;
		const { log } = options;
		this.#lookAtGeodb(false);
		try {
			const loaded = keeper.load(geodb.data, isForced);
			this.#serve(loaded);
			this.#loadedMs = clock.nowMs();
			this.#refusal = undefined;
			logProblems(loaded.problems, log);
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

	/** Which answer a client gets now, and why; a text for a question that is none. */
	explain({ name, type = 'A', client, resolver = '127.0.0.1' }: ExplainQuery): Explanation | string {
		const { verdicts, geodb, options, health } = this.#parts;
		const nowMs = clock.nowMs();
		const votes = new Map((health?.list() ?? []).map((one) => [one.vote.target.key, one]));
		const { snapshot, geoNotes } = this.#loaded.settled;
		const sources: ExplainSources = {
			snapshot,
			geoNotes,
			geo: geodb.data,
			databases: geodb.files,
			health: verdicts.words,
			slots: this.#slots,
			chance: createChance(randomInt(2 ** 31)),
			vantages: [options.settings.region],
			noteOf: (key) => {
				const vote = votes.get(key);
				return vote === undefined ? undefined : voteNote(vote, nowMs);
			},
		};
		return explain(sources, { name, type, client, resolver });
	}

	/** Answer what has arrived, then end everything in reverse. */
	async close(): Promise<void> {
		await closeAll(this.#parts.closers);
	}
}

interface Parts {
	readonly options: InstanceOptions;
	readonly geodb: GeodbKeeper;
	readonly keeper: UnitKeeper;
	readonly verdicts: VerdictTable;
	readonly workers: WorkerPool;
	readonly health: LocalHealth | undefined;
	readonly listen: readonly ListenAddress[];
	readonly adminUrl: string;
	readonly closers: (() => Promise<void> | void)[];
}

/** Run closers in reverse, each whatever became of the one before. */
async function closeAll(closers: (() => Promise<void> | void)[]): Promise<void> {
	for (const close of closers.splice(0).reverse()) {
		try {
			await close();
		} catch {
			// The process is ending; what is left is freed with it.
		}
	}
}

/** At a start a bad unit falls back to its last good version; with none, the start is refused with all problems. */
function firstLoad(
	keeper: UnitKeeper,
	geo: GeoData,
	isForced: boolean,
	log: Log,
): { readonly loaded: Loaded; readonly refusal: string | undefined } {
	const stored = new Set(keeper.servedUnits);
	for (const what of keeper.damaged) log.warn({ what }, 'a last good version cannot be read, and is passed over');
	let loaded: Loaded;
	try {
		loaded = keeper.load(geo, isForced);
	} catch (error) {
		if (!(error instanceof DirectoryRefused) || stored.size === 0) throw error;
		log.error({ reason: error.message }, 'starting from the last good zones of the state directory');
		return { loaded: keeper.rebuild(geo), refusal: error.message };
	}
	const unserved = [...loaded.settled.refused].filter((unit) => !stored.has(unit));
	if (unserved.length > 0) {
		throw new StartRefused(loaded.problems.filter(({ isWarning }) => !isWarning).map(printFileProblem));
	}
	logProblems(loaded.problems, log);
	for (const unit of loaded.settled.refused) log.error({ unit }, 'starting with the last good version of this unit');
	return { loaded, refusal: undefined };
}

function logProblems(problems: readonly FileProblem[], log: Log): void {
	for (const problem of problems) {
		const { unit, file, line, column, message } = problem;
		const fields = { unit, file, line, column };
		if (problem.isWarning) log.warn(fields, message);
		else log.error(fields, message);
	}
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

function answeringSettings(settings: Settings, cookieSecrets: readonly Uint8Array[]): AnsweringSettings {
	return {
		ecsTrust: settings['dns.ecs.trust'],
		cookieSecrets,
		identity: settings['dns.identity'],
		rateLimit: {
			rate: settings['dns.rateLimit.rate'],
			slip: settings['dns.rateLimit.slip'],
			exempt: settings['dns.rateLimit.exempt'],
		},
		rateLimitTable: createRateLimitTable(),
		rateLimitKey: randomInt(2 ** 31),
	};
}

async function createHealth(settings: Settings, verdicts: VerdictTable, log: Log): Promise<LocalHealth> {
	const { region, stateDir } = settings;
	const { guard, check } = await createChecking(settings, clock);
	return new LocalHealth({ clock, wallMs: () => Date.now(), log, region, stateDir, verdicts, guard, check });
}

async function listenAdmin(admin: AdminSurface, text: string): Promise<string> {
	const at = parseListenAddress(text);
	if (at === undefined) throw new Error(`Cannot listen on "${text}" (admin.listen): expected address:port`);
	try {
		return await admin.listen({ host: at.address, port: at.port });
	} catch (cause) {
		const { code, message } = cause as NodeJS.ErrnoException;
		throw new Error(`Cannot listen on ${text} (admin.listen): ${code === 'EADDRINUSE' ? 'it is in use' : message}`, {
			cause,
		});
	}
}
