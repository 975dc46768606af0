/**
 * A DNS instance put together: state, store, generations, health, workers, admin surface; closed in reverse.
 *
 *     lock -> store -> first generation of the builder, which has begun -> votes of before -> ports -> admin -> workers -> prober
 */

import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { createAdminSurface } from '../admin/app.ts';
import type { ExplainQuery } from '../admin/state-routes.ts';
import type { Explanation } from '../explain/explanation.ts';
import type { VerdictTable } from '../health/verdict-table.ts';
import type { ListenAddress } from '../lib/listen-address.ts';
import type { Clock, Log } from '../lib/ports.ts';
import type { Settings } from '../model/settings.ts';
import { CookieSecrets } from '../store/cookie-secrets.ts';
import { openEmbeddedStore } from '../store/embedded-store.ts';
import type { InstanceNote, Store } from '../store/ports.ts';
import type { StateLock } from '../store/state-lock.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { Announcer } from './announcer.ts';
import { answeringSettings, queryLogSettings } from './answering-settings.ts';
import type { Begun } from './begin-building.ts';
import { Closers } from './closers.ts';
import { configurationParts } from './configuration-parts.ts';
import { fleetMetrics } from './fleet-metrics.ts';
import { fleetReport } from './fleet-report.ts';
import { Generations } from './generations.ts';
import { geoReport } from './geo-report.ts';
import type { Health } from './health.ts';
import { healthMetrics } from './health-metrics.ts';
import { targetReports, voteNotes } from './health-reports.ts';
import { createInstanceHealth } from './instance-health.ts';
import { instanceMetrics } from './instance-metrics.ts';
import { instanceName } from './instance-name.ts';
import type { InstanceState } from './instance-state.ts';
import { openInstanceStore } from './instance-store.ts';
import { LateAddresses } from './late-addresses.ts';
import { latencyOf } from './latency-report.ts';
import { listenAdmin } from './listen-admin.ts';
import { lockStateDir } from './lock-state-dir.ts';
import { openOperating } from './operating.ts';
import { queryMetrics } from './query-metrics.ts';
import { ReceiveDrops } from './receive-drops.ts';
import { Recruits } from './recruits.ts';
import { readyReport } from './reports.ts';
import { reserveListen } from './reserve-listen.ts';
import { StartRefused } from './start-refused.ts';
import { SwitchFeed } from './switches.ts';
import { TripWatch } from './trips.ts';
import { chooseUdpTransport } from './udp-transport.ts';
import { VERSION } from './version.ts';
import { threadNames, WorkerPool } from './worker-pool.ts';

export interface InstanceOptions {
	readonly settings: Settings;
	readonly log: Log;
	/** `start` probes the targets of its zones; with Redis for the whole fleet. */
	readonly role: 'start' | 'serve';
	/** Take an empty zones directory, or one that drops most zones. */
	readonly isForced: boolean;
	/** Closed with the instance, and when it cannot start. */
	readonly begun: Begun;
}

/** How often it is asked whether a new cookie secret is due. */
const COOKIE_CHECK_MS = 3_600_000;

const clock: Clock = { nowMs: () => performance.now() };

interface Parts {
	readonly lock: StateLock;
	readonly store: Store | undefined;
	readonly generations: Generations;
	readonly workers: WorkerPool;
	readonly health: Health | undefined;
	readonly listen: readonly ListenAddress[];
	readonly late: LateAddresses;
	readonly adminUrl: string;
	readonly tokenFile: string | undefined;
	readonly closers: Closers;
}

export class Instance {
	readonly listen: readonly ListenAddress[];
	readonly adminUrl: string;
	/** Where a token of the admin API can be read; undefined where the settings have one. */
	readonly tokenFile: string | undefined;
	readonly #parts: Parts;

	private constructor(parts: Parts) {
		this.#parts = parts;
		this.listen = parts.listen;
		this.adminUrl = parts.adminUrl;
		this.tokenFile = parts.tokenFile;
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

	static async #start({ settings, log, role, isForced, begun }: InstanceOptions, closers: Closers): Promise<Instance> {
		const isProbing = role === 'start';
		const { builder, verdicts, source } = begun;
		closers.add(() => builder.close());
		const lock = lockStateDir(settings, log);
		closers.add(() => lock.release());
		const udpWorkers = settings['dns.workers'] === 0 ? availableParallelism() : settings['dns.workers'];
		const recruits = new Recruits(threadNames(udpWorkers));
		closers.add(() => recruits.dismiss());
		const { stateDir, region } = settings;
		// What is known to have a prober before the first build needs no second one.
		if (isProbing) verdicts.addVantage(region);
		const generations = new Generations({ builder, verdicts, clock, log });
		closers.add(() => generations.close());
		// While the databases are read, the store is asked.
		const store = await openInstanceStore(settings, isProbing, log);
		closers.add(() => store?.close());
		for (const { report } of store?.probers() ?? []) verdicts.addVantage(report.region);
		// A process that has only its zones directory has tokens and overrides of its own.
		const ownStore = store ?? (await openEmbeddedStore(stateDir, log));
		if (store === undefined) closers.add(() => ownStore.close());
		const switches = new SwitchFeed({ store: ownStore, stateDir, log });
		closers.add(() => switches.close());
		generations.setSwitches(switches.active);
		const operating = await openOperating({
			...{ settings, store: ownStore, log, clock, makesFirstToken: isProbing || store === undefined },
			documents: () => generations.documents(),
		});
		closers.add(() => operating.close());
		const [first, { transport: udp, reason }] = await Promise.all([
			generations.start(store, isForced),
			chooseUdpTransport(settings['dns.transport']),
		]);
		const name = instanceName(settings, role);
		const { health, fleet } = await createInstanceHealth(
			{ settings, clock, log, store, verdicts, instance: name, isProbing },
			closers,
		);
		// Before the first query: what was down in the last run must not be in an answer of this one.
		health?.setTargets(generations.served.snapshot.targets);
		const { reserved: listen, missing } = await reserveListen(settings['dns.listen'], udp.kind === 'batch', log);
		const cookieSecrets = new CookieSecrets(stateDir, settings['dns.cookieSecrets'], randomBytes);
		const workers = new WorkerPool(
			{
				...{ udpWorkers, udp, listen, log, recruits },
				health: verdicts.words,
				answering: answeringSettings(settings, cookieSecrets.secrets),
				...queryLogSettings(settings, log),
			},
			first,
		);
		let instance: Instance | undefined;
		const noteOf = () => instance?.notes() ?? (() => undefined);
		const metrics = createMetrics([
			...queryMetrics(workers, new ReceiveDrops([...listen, ...missing.keys()])),
			...instanceMetrics(workers, () => instance?.state()),
			...operating.metrics,
			...fleetMetrics(store, fleet, clock),
			...healthMetrics(health, () => instance?.state()?.snapshot.targets.length ?? 0),
		]);
		const admin = createAdminSurface({
			version: VERSION,
			...operating.parts,
			// Who only answers changes nothing.
			...(store === undefined || !isProbing
				? {}
				: { configuration: configurationParts(store, generations, source, noteOf) }),
			ready: () => readyReport(instance?.state()),
			targets: () => targetReports(health?.list() ?? [], generations.served.pools, clock.nowMs()),
			fleet: () => fleetReport(store, fleet, clock.nowMs()),
			explain: async (question) => instance?.explain(question) ?? 'Cannot explain before the start is over',
			latency: () => latencyOf(health, generations.served, verdicts.vantages, clock.nowMs()),
			geo: async () => geoReport(generations.geodb, await generations.needs(), Date.now()),
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
		const late = new LateAddresses({ missing, listenOn: (at) => workers.listenOn(at), log });
		closers.add(() => late.close());
		const rollover = setInterval(() => workers.setCookieSecrets(cookieSecrets.roll(Date.now())), COOKIE_CHECK_MS);
		closers.add(() => clearInterval(rollover));
		health?.probe();
		warnOfLacks({ health, store: source === 'store' ? store : undefined, log });
		instance = new Instance({
			...{ lock, store, generations, workers, health, listen, late, adminUrl, closers },
			tokenFile: operating.tokenFile,
		});
		generations.serveTo({ workers, health });
		const self = { instance: name, role, version: VERSION, region };
		attend({ store, ownStore, switches, generations, verdicts, self, log }, closers);
		return instance;
	}

	/**
	 * Open the query log anew; load the geo databases that have changed, and the zones directory again, aside. Whatever
	 * is wrong with them, what is served stays whole.
	 */
	reload(isForced = false): void {
		this.#parts.workers.queryLog?.reopen();
		this.#parts.generations.reload(isForced);
	}

	/** What is served now, for reports and metrics. */
	state(): InstanceState {
		const { lock, generations, store, health, workers, late } = this.#parts;
		const { number, snapshot, problems, refused } = generations.served;
		const { refusal, unsaved, fault, geodb, loadedMsAgo } = generations;
		return {
			...{ generation: number, snapshot, problems, refused, refusal, unsaved, fault, loadedMsAgo },
			geoFiles: geodb.files,
			geoRefused: geodb.refused,
			store: store?.condition,
			unlocked: lock.problem,
			health: health?.summary(),
			unserved: late.problems,
			workersWanted: workers.wanted,
			workersRunning: workers.running,
			workersCrashLooping: workers.crashLooping,
			snapshotOctets: generations.octets,
		};
	}

	/** Which answer a client gets now, and why; a text for a question that is none. */
	async explain({ name, type = 'A', client, resolver = '127.0.0.1' }: ExplainQuery): Promise<Explanation | string> {
		return this.#parts.generations.explain({ name, type, client, resolver }, this.notes());
	}

	/** By target key, what the prober says of it now. */
	notes(): (key: string) => string | undefined {
		return voteNotes(this.#parts.health?.list() ?? [], clock.nowMs());
	}

	/** Answer what has arrived, then end everything in reverse. */
	async close(): Promise<void> {
		await this.#parts.closers.closeAll();
	}
}

interface Attended {
	/** Where the process shares what it does; undefined for one that has only its zones directory. */
	readonly store: Store | undefined;
	/** Where overrides and trips stand. */
	readonly ownStore: Store;
	readonly switches: SwitchFeed;
	readonly generations: Generations;
	readonly verdicts: VerdictTable;
	readonly self: Omit<InstanceNote, 'epoch' | 'generation'>;
	readonly log: Log;
}

/** What goes on beside the answers: overrides take their turn, pools trip, and the fleet hears of this instance. */
function attend(attended: Attended, closers: Closers): void {
	const { store, ownStore, switches, generations, verdicts, self, log } = attended;
	switches.onChange((active) => generations.setSwitches(active));
	const watched = () => generations.served;
	const trips = new TripWatch({ store: ownStore, switches, log, watched, words: verdicts.words });
	closers.add(() => trips.close());
	if (store === undefined) return;
	const announcer = new Announcer(store, log, () => {
		const { epoch = 0, generation = 0 } = generations.servedHead ?? {};
		return { ...self, epoch, generation };
	});
	closers.add(() => announcer.stop());
}

interface Lacks {
	readonly health: Health | undefined;
	/** When zones come from it alone. */
	readonly store: Store | undefined;
	readonly log: Log;
}

/** What is right, and hardly meant to stay so. */
function warnOfLacks({ health, store, log }: Lacks): void {
	if (health === undefined)
		log.warn({}, 'this process does not probe: without Redis it has no health, and unknown counts as up');
	if (store?.condition.kind === 'ready' && store.configuration.head === undefined)
		log.warn({}, 'the store is empty: every query is refused until zones are put into it');
}
