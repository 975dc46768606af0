/**
 * A DNS instance put together: state, geography, units, workers, prober, admin surface; closed in reverse.
 *
 *     lock -> geo database -> units -> ports -> admin -> workers -> prober
 */

import { randomBytes, randomInt } from 'node:crypto';
import { availableParallelism, hostname, networkInterfaces } from 'node:os';
import { type AdminSurface, createAdminSurface } from '../admin/app.ts';
import { type FileProblem, printFileProblem } from '../config/zones-directory.ts';
import type { GeoData } from '../geo/decide.ts';
import { combineGeoData, type GeoFile } from '../geo/mmdb-file.ts';
import { createHealthWords, TARGETS_MAX, VerdictTable } from '../health/verdict-table.ts';
import { parseAddress } from '../lib/address.ts';
import { type ListenAddress, parseListenAddress, printListenAddress } from '../lib/listen-address.ts';
import type { Clock, Log } from '../lib/ports.ts';
import type { Settings } from '../model/settings.ts';
import { createCheck } from '../probe/check.ts';
import { createGuard } from '../probe/guard.ts';
import { createLookup } from '../probe/pin-host.ts';
import { Prober } from '../probe/prober.ts';
import { userAgentOf } from '../probe/user-agent.ts';
import { createRateLimitTable } from '../serve/rate-limit.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { CookieSecrets } from '../store/cookie-secrets.ts';
import { LastGood } from '../store/last-good.ts';
import { lockState } from '../store/state-lock.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { readGeodb } from './geodb.ts';
import { instanceMetrics } from './instance-metrics.ts';
import type { InstanceState } from './instance-state.ts';
import { reservePort } from './port-holder.ts';
import { readyReport, targetReports } from './reports.ts';
import { DirectoryRefused, type Loaded, UnitKeeper } from './units.ts';
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

const clock: Clock = { nowMs: () => performance.now() };

export class Instance {
	readonly listen: readonly ListenAddress[];
	readonly adminUrl: string;
	readonly #parts: Parts;
	#generation = 1;
	#loaded: Loaded;
	#loadedMs = clock.nowMs();
	/** Why the last reload was refused as a whole. */
	#refusal: string | undefined;
	/** Why what is served could not be kept for the next start. */
	#unsaved: string | undefined;

	private constructor(parts: Parts, loaded: Loaded, refusal: string | undefined) {
		this.#parts = parts;
		this.#loaded = loaded;
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
		const geoFiles = readGeodb(settings.geodb);
		const geo = combineGeoData(geoFiles);
		const keeper = new UnitKeeper(settings.zonesDir, new LastGood(settings.stateDir));
		const { loaded, refusal } = firstLoad(keeper, geo, isForced, log);
		const verdicts = new VerdictTable(createHealthWords());
		const { snapshot } = loaded.settled;
		const slots = assignSlots(verdicts, snapshot);
		const listen = await reserveAll(settings['dns.listen'], log);
		const cookieSecrets = new CookieSecrets(settings.stateDir, settings['dns.cookieSecrets'], randomBytes);
		const workers = new WorkerPool(
			{
				udpWorkers: settings['dns.workers'] === 0 ? availableParallelism() : settings['dns.workers'],
				listen,
				health: verdicts.words,
				answering: answeringSettings(settings, cookieSecrets.secrets),
				log,
			},
			{ number: 1, snapshot, slots },
		);
		const prober = isProbing ? createProber(settings, verdicts, log) : undefined;
		let instance: Instance | undefined;
		const metrics = createMetrics(
			instanceMetrics(
				workers,
				() => instance?.state(),
				() => prober?.states() ?? [],
			),
		);
		const admin = createAdminSurface({
			ready: () => readyReport(instance?.state()),
			targets: () => targetReports(prober?.states() ?? [], instance?.state()?.snapshot ?? snapshot, clock.nowMs()),
			metrics,
			onFault: (error) => log.error({ error: error.stack }, 'a request to the admin surface met a fault'),
		});
		closers.push(() => admin.close());
		const adminUrl = await listenAdmin(admin, settings['admin.listen']);
		closers.push(() => workers.stop());
		const receiveBufferOctets = await workers.start();
		log.info({ transport: 'dgram', workers: workers.wanted - 1, receiveBufferOctets }, 'answering over UDP and TCP');
		const rollover = setInterval(() => workers.setCookieSecrets(cookieSecrets.roll(Date.now())), COOKIE_CHECK_MS);
		closers.push(() => clearInterval(rollover));
		closers.push(() => prober?.close());
		prober?.setTargets(targetsFor(settings.region, snapshot));
		if (!isProbing)
			log.warn({}, 'this process does not probe: without Redis it has no health, and unknown counts as up');
		instance = new Instance(
			{ options, geo, geoFiles, keeper, verdicts, workers, prober, listen, adminUrl, closers },
			loaded,
			refusal,
		);
		keeper.accept(loaded);
		instance.#save();
		return instance;
	}

	/** Load the zones directory again. Whatever is wrong with it, what is served stays whole. */
	reload(isForced = false): void {
		const { options, keeper, geo, verdicts, workers, prober } = this.#parts;
		const { log, settings } = options;
		try {
			const loaded = keeper.load(geo, isForced);
			const { snapshot } = loaded.settled;
			const slots = assignSlots(verdicts, snapshot);
			this.#generation++;
			workers.swap({ number: this.#generation, snapshot, slots });
			prober?.setTargets(targetsFor(settings.region, snapshot));
			keeper.accept(loaded);
			this.#loaded = loaded;
			this.#loadedMs = clock.nowMs();
			this.#refusal = undefined;
			logProblems(loaded.problems, log);
			log.info({ generation: this.#generation, zones: snapshot.zones.zoneCount }, 'zones loaded');
			this.#save();
		} catch (error) {
			this.#refusal = (error as Error).message;
			log.error({ reason: this.#refusal }, 'the reload was refused; what was served before goes on');
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
			geoFiles: this.#parts.geoFiles,
			loadedMsAgo: clock.nowMs() - this.#loadedMs,
			workersWanted: this.#parts.workers.wanted,
			workersRunning: this.#parts.workers.running,
		};
	}

	/** Answer what has arrived, then end everything in reverse. */
	async close(): Promise<void> {
		await closeAll(this.#parts.closers);
	}
}

interface Parts {
	readonly options: InstanceOptions;
	readonly geo: GeoData;
	readonly geoFiles: readonly GeoFile[];
	readonly keeper: UnitKeeper;
	readonly verdicts: VerdictTable;
	readonly workers: WorkerPool;
	readonly prober: Prober | undefined;
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

function assignSlots(verdicts: VerdictTable, { targets }: Snapshot): Int32Array {
	const slots = verdicts.assign(targets.map(({ key }) => key));
	if (slots === undefined) throw new Error(`Cannot probe ${targets.length} targets: the limit is ${TARGETS_MAX}`);
	return slots;
}

/** The targets on which this region votes. */
function targetsFor(region: string, { targets }: Snapshot): Snapshot['targets'] {
	return targets.filter(({ monitor: { from } }) => from === undefined || from.includes(region));
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

function createProber(settings: Settings, verdicts: VerdictTable, log: Log): Prober {
	const guard = createGuard({ deny: settings['probe.deny'], allow: settings['probe.allow'] });
	const userAgent = userAgentOf(VERSION, settings['probe.contact']);
	return new Prober({
		identity: hostname(),
		clock,
		log,
		guard,
		check: createCheck({ clock, userAgent, guard, lookup: createLookup(undefined), echo: undefined }),
		onObservation: ({ key, vote, rttMs, isUp }) => {
			verdicts.set(key, vote);
			// The time of a check that failed says nothing about the distance.
			if (isUp && rttMs !== undefined) verdicts.addRtt(key, rttMs);
		},
	});
}

/** Reserve every address; a wildcard stands for each local one, since dgram would answer from the wrong address. */
async function reserveAll(texts: readonly string[], log: Log): Promise<readonly ListenAddress[]> {
	const wanted = texts.flatMap((text) => {
		const at = parseListenAddress(text);
		if (at === undefined) throw new Error(`Cannot listen on "${text}": expected address:port or [address]:port`);
		return expandWildcard(at);
	});
	const reserved: ListenAddress[] = [];
	for (const at of distinct(wanted)) {
		try {
			reserved.push(await reservePort(at));
		} catch (error) {
			const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
			const isMissing = code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
			if (!isMissing || wanted.length === 1) throw error;
			// One family or address may be missing on a machine that has the others.
			log.warn({ address: printListenAddress(at) }, 'this machine does not have the address; the others are served');
		}
	}
	if (reserved.length === 0) throw new Error('Cannot listen: this machine has none of the addresses');
	return reserved;
}

/** A wildcard stands for addresses that may be named beside it. */
function distinct(addresses: readonly ListenAddress[]): Iterable<ListenAddress> {
	return new Map(addresses.map((at, i) => [at.port === 0 ? i : printListenAddress(at), at])).values();
}

function expandWildcard(at: ListenAddress): ListenAddress[] {
	const address = parseAddress(at.address);
	if (address === undefined || address.words.some((word) => word !== 0)) return [at];
	return Object.values(networkInterfaces())
		.flatMap((addresses) => addresses ?? [])
		.filter(({ family, scopeid }) => (family === 'IPv4' ? 4 : 6) === at.family && (scopeid ?? 0) === 0)
		.map(({ address: own }) => ({ ...at, address: own }));
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
