/**
 * `meridian probe`: a prober of one region, which reads its targets from the store of the fleet and publishes its votes
 * there. Redis may be away at any time, at the start too: it probes what it knows, and tells when it can.
 *
 *     lock -> store -> units -> votes of before -> checks -> book of votes -> store
 */

import { createProberSurface } from '../admin/prober-app.ts';
import type { ProberReadyReport } from '../admin/reports.ts';
import { printFileProblem } from '../config/zones-directory.ts';
import type { Clock, Log } from '../lib/ports.ts';
import type { Settings } from '../model/settings.ts';
import { openKnownStore } from '../store/open-store.ts';
import type { Store } from '../store/ports.ts';
import type { StateLock } from '../store/state-lock.ts';
import type { StoreError } from '../store/store-error.ts';
import { createLog } from '../telemetry/log.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createChecking } from './checking.ts';
import { Closers } from './closers.ts';
import type { Command } from './command.ts';
import { counted } from './counted.ts';
import { ownTargetReports } from './health-reports.ts';
import { instanceName } from './instance-name.ts';
import { listenAdmin } from './listen-admin.ts';
import { lockStateDir } from './lock-state-dir.ts';
import { OwnVotes } from './own-votes.ts';
import { proberMetrics } from './prober-metrics.ts';
import { ProberTargets } from './prober-targets.ts';
import { publishEveryMs } from './publish-every.ts';
import { Publisher } from './publisher.ts';
import { VERSION } from './version.ts';

const clock: Clock = { nowMs: () => performance.now() };

/** @returns the exit code */
export async function runProber({
	operands,
	settings,
	isJson,
	takeSignals,
	print,
	printError,
}: Command): Promise<number> {
	const [pool] = operands;
	if (pool !== undefined || isJson) {
		printError(
			`Cannot use ${pool === undefined ? '--json' : `"${pool}"`} with a prober that runs on: it goes with --once`,
		);
		return 2;
	}
	if (settings['redis.url'] === '') {
		printError(
			'Cannot run a prober without redis.url (--redis-url, MERIDIAN_REDIS_URL): its votes go to a fleet. `meridian probe --once` makes one round of checks; `meridian start` probes for itself',
		);
		return 2;
	}
	const log = createLog(settings['log.level']);
	const signals = takeSignals();
	const closers = new Closers();
	try {
		const prober = await startProber(settings, log, closers);
		print(screen(prober, settings));
		signals.onReload(() => log.info({}, 'a prober reads nothing but the store: there is nothing to load again'));
		const taken = await Promise.race([prober.untilTaken, signals.untilEnd()]);
		log.info({}, 'ending: leaving the fleet, votes stand');
		await closers.closeAll();
		if (taken !== undefined) printError(`${taken.message}; give this one another with --instance`);
		return taken === undefined ? 0 : 1;
	} catch (error) {
		await closers.closeAll();
		printError((error as Error).message);
		return 1;
	} finally {
		log.flush();
	}
}

interface RunningProber {
	readonly instance: string;
	readonly url: string;
	readonly targets: number;
	/** Settles when another live prober goes by its name already. */
	readonly untilTaken: Promise<StoreError>;
}

/** @throws Error */
async function startProber(settings: Settings, log: Log, closers: Closers): Promise<RunningProber> {
	const { region, stateDir } = settings;
	const instance = instanceName(settings, 'probe');
	const lock = lockStateDir(settings, log);
	closers.add(() => lock.release());
	const store = await openKnownStore(settings, log);
	closers.add(() => store.close());
	const checking = await createChecking(settings, clock);
	let publisher: Publisher | undefined;
	const votes = new OwnVotes({
		...{ clock, wallMs: () => Date.now(), log, identity: instance, region, stateDir, ...checking },
		anchors: settings['probe.anchors'],
		onTurn: () => publisher?.touch(),
	});
	closers.add(() => votes.close());
	const targets = new ProberTargets({ store, stateDir, region, log }, (all) => {
		votes.setTargets(all);
		votes.probe();
		// The votes that edited checks go on from are news.
		publisher?.touch();
	});
	closers.add(() => targets.close());
	await targets.follow();
	let onTaken: (error: StoreError) => void = () => {};
	const untilTaken = new Promise<StoreError>((resolve) => {
		onTaken = resolve;
	});
	// Not before: without targets there would be no votes in what it says.
	publisher = new Publisher({
		...{ store, clock, log, name: { instance, region }, onTaken },
		collect: () => votes.publication(),
		everyMs: () => publishEveryMs(votes.targets),
	});
	const joined = publisher;
	closers.add(() => joined.close());
	const surface = createProberSurface({
		ready: () => readyReport({ lock, store, votes, targets, publisher: joined, instance, region }),
		targets: () => ownTargetReports(votes.list(), targets.pools, clock.nowMs()),
		metrics: createMetrics(proberMetrics(store, votes, joined, clock)),
		onFault: (error) => log.error({ error: error.stack }, 'a request to the surface met a fault'),
	});
	closers.add(() => surface.close());
	const url = await listenAdmin(surface, settings['admin.listen']);
	return { instance, url, targets: votes.targets.length, untilTaken };
}

function screen({ instance, url, targets }: RunningProber, { region }: Settings): string {
	return [
		'',
		`Meridian ${VERSION} probes ${counted(targets, 'target')} from ${region} as ${instance} (pid ${process.pid})`,
		`  ${url}/readyz  /livez  /metrics  /v1/health`,
		`  Ctrl-C or kill ${process.pid} ends; what it has published stands`,
		'',
	].join('\n');
}

interface ReadyParts {
	readonly lock: StateLock;
	readonly store: Store;
	readonly votes: OwnVotes;
	readonly targets: ProberTargets;
	readonly publisher: Publisher;
	readonly instance: string;
	readonly region: string;
}

function readyReport({ lock, store, votes, targets, publisher, instance, region }: ReadyParts): ProberReadyReport {
	const { condition } = store;
	const { publishedMs, problem, incarnation } = publisher;
	const degraded: string[] = [];
	if (condition.kind !== 'ready') degraded.push(`the store is ${condition.kind}: ${condition.reason}`);
	if (problem !== undefined) degraded.push(problem);
	if (lock.problem !== undefined) degraded.push(lock.problem);
	if (votes.unsaved !== undefined) degraded.push(votes.unsaved);
	if (targets.refusal !== undefined) degraded.push(targets.refusal);
	for (const unit of targets.refusedUnits) degraded.push(`the new version of ${unit} was refused`);
	const { epoch = 0, generation = 0 } = targets.head ?? {};
	return {
		ready: publishedMs !== undefined && problem === undefined,
		degraded,
		...{ instance, region, incarnation, epoch, generation },
		targets: votes.targets.length,
		publishedSecAgo: publishedMs === undefined ? undefined : Math.round((clock.nowMs() - publishedMs) / 100) / 10,
		problems: targets.problems.map(printFileProblem),
	};
}
