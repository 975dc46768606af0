/**
 * `meridian start` and `meridian serve`: an instance that runs until it is told to end.
 */

import { createLog } from '../telemetry/log.ts';
import { beginBuilding, sourceKind } from './begin-building.ts';
import type { Command } from './command.ts';
import type { Demo } from './demo.ts';
import type { Instance } from './instance.ts';
import { StartRefused } from './start-refused.ts';
import { startScreen } from './start-screen.ts';

/** @returns the exit code */
export async function runInstance({
	name,
	settings,
	isDemo,
	isForced,
	takeSignals,
	print,
	printError,
}: Command): Promise<number> {
	const log = createLog(settings['log.level']);
	const signals = takeSignals();
	let demo: Demo | undefined;
	let instance: Instance;
	try {
		// What is loaded before the builder begins, the first answer waits for.
		demo = isDemo ? await (await import('./demo.ts')).startDemo(settings, log) : undefined;
		const own = demo?.settings ?? settings;
		const role = name === 'start' ? 'start' : 'serve';
		const begun = beginBuilding(own, sourceKind(own, role === 'start'), log);
		const instances = await import('./instance.ts');
		instance = await instances.Instance.start({ settings: own, log, role, isForced, begun });
	} catch (error) {
		await demo?.stop();
		if (!(error instanceof StartRefused)) throw error;
		for (const line of error.lines) printError(line);
		return 1;
	}
	print(startScreen(instance, demo));
	signals.onReload(() => instance.reload());
	await signals.untilEnd();
	log.info({}, 'ending: answering what has arrived');
	await instance.close();
	await demo?.stop();
	log.flush();
	return 0;
}
