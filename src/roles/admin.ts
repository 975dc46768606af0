/**
 * `meridian admin`: the admin API by itself, over the store of a fleet. It builds what it is asked to save, and answers
 * no query.
 */

import { type AdminParts, createAdminSurface, type OperatingParts } from '../admin/app.ts';
import type { VerdictTable } from '../health/verdict-table.ts';
import type { Clock, Log } from '../lib/ports.ts';
import type { Settings } from '../model/settings.ts';
import { openStore } from '../store/open-store.ts';
import type { Store } from '../store/ports.ts';
import { lockState } from '../store/state-lock.ts';
import { createLog } from '../telemetry/log.ts';
import { createMetrics, type Metric } from '../telemetry/metrics.ts';
import { beginBuilding } from './begin-building.ts';
import { Closers } from './closers.ts';
import type { Command } from './command.ts';
import { configurationParts } from './configuration-parts.ts';
import { fleetMetrics } from './fleet-metrics.ts';
import { fleetReport } from './fleet-report.ts';
import { Generations } from './generations.ts';
import { geoReport } from './geo-report.ts';
import { healthMetrics } from './health-metrics.ts';
import { targetReports, voteNotes } from './health-reports.ts';
import { createInstanceHealth, type InstanceHealth } from './instance-health.ts';
import { instanceName } from './instance-name.ts';
import { latencyOf } from './latency-report.ts';
import { listenAdmin } from './listen-admin.ts';
import { openOperating } from './operating.ts';
import { readyReport } from './reports.ts';
import { StartRefused } from './start-refused.ts';
import { SwitchFeed } from './switches.ts';
import { VERSION } from './version.ts';

const clock: Clock = { nowMs: () => performance.now() };

/** @returns the exit code */
export async function runAdmin({ settings, takeSignals, print, printError }: Command): Promise<number> {
	if (settings['redis.url'] === '') {
		printError('Cannot serve the admin API alone without redis.url: meridian start serves it, with a store of its own');
		return 1;
	}
	const log = createLog(settings['log.level']);
	const signals = takeSignals();
	const closers = new Closers();
	try {
		const url = await startAdmin(settings, log, closers);
		print(`\nMeridian ${VERSION} serves the admin API (pid ${process.pid})\n  ${url}/readyz  /v1/openapi.json\n`);
		await signals.untilEnd();
		log.info({}, 'ending');
		return 0;
	} catch (error) {
		const lines = error instanceof StartRefused ? error.lines : [(error as Error).message];
		for (const line of lines) printError(line);
		return 1;
	} finally {
		await closers.closeAll();
		log.flush();
	}
}

/** @returns where it listens */
async function startAdmin(settings: Settings, log: Log, closers: Closers): Promise<string> {
	const { stateDir } = settings;
	const lock = lockState(stateDir);
	closers.add(() => lock.release());
	const { builder, verdicts } = beginBuilding(settings, 'store', log);
	const generations = new Generations({ builder, verdicts, clock, log });
	closers.add(() => generations.close());
	const store = await openStore(settings, log);
	closers.add(() => store.close());
	const switches = new SwitchFeed({ store, stateDir, log });
	closers.add(() => switches.close());
	generations.setSwitches(switches.active);
	const documents = () => generations.documents();
	const operating = await openOperating({ settings, store, log, clock, documents, makesFirstToken: true });
	closers.add(() => operating.close());
	await generations.start(store, false);
	const instance = instanceName(settings, 'admin');
	const judging = { settings, clock, log, store, verdicts, instance, isProbing: false };
	const { health, fleet } = await createInstanceHealth(judging, closers);
	health?.setTargets(generations.served.snapshot.targets);
	generations.serveTo({ workers: undefined, health });
	switches.onChange((active) => generations.setSwitches(active));
	const admin = createAdminSurface({
		...operating.parts,
		...adminParts({ store, generations, verdicts, health, fleet, metrics: operating.metrics, log }),
	});
	closers.add(() => admin.close());
	return listenAdmin(admin, settings['admin.listen']);
}

interface Parts extends InstanceHealth {
	readonly store: Store;
	readonly generations: Generations;
	readonly verdicts: VerdictTable;
	readonly metrics: readonly Metric[];
	readonly log: Log;
}

function adminParts(parts: Parts): Omit<AdminParts, Exclude<keyof OperatingParts, 'metrics'>> {
	const { store, generations, verdicts, health, fleet, metrics, log } = parts;
	const notes = () => voteNotes(health?.list() ?? [], clock.nowMs());
	return {
		version: VERSION,
		configuration: configurationParts(store, generations, 'store', notes),
		// It answers the API alone, and can do that.
		ready: () => ({ ...readyReport(stateOf(parts)), ready: true }),
		targets: () => targetReports(health?.list() ?? [], generations.served.pools, clock.nowMs()),
		fleet: () => fleetReport(store, fleet, clock.nowMs()),
		latency: () => latencyOf(health, generations.served, verdicts.vantages, clock.nowMs()),
		geo: async () => geoReport(generations.geodb, await generations.needs(), Date.now()),
		explain: async ({ name, type = 'A', client, resolver = '127.0.0.1' }) =>
			generations.explain({ name, type, client, resolver }, notes()),
		metrics: createMetrics([
			...metrics,
			...fleetMetrics(store, fleet, clock),
			...healthMetrics(health, () => generations.served.snapshot.targets.length),
		]),
		onFault: (error) => log.error({ error: error.stack }, 'a request to the admin surface met a fault'),
	};
}

function stateOf({ store, generations, health }: Parts): Parameters<typeof readyReport>[0] {
	const { number, snapshot, problems, refused } = generations.served;
	const { refusal, unsaved, fault, geodb, loadedMsAgo, octets } = generations;
	return {
		...{ generation: number, snapshot, problems, refused, refusal, unsaved, fault, loadedMsAgo },
		...{ geoFiles: geodb.files, geoRefused: geodb.refused, store: store.condition, health: health?.summary() },
		...{ workersWanted: 0, workersRunning: 0, workersCrashLooping: 0, snapshotOctets: octets, unlocked: undefined },
		unserved: [],
	};
}
