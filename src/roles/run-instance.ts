/**
 * `meridian start` and `meridian serve`: an instance that runs until it is told to end.
 */

import { createLog } from '../telemetry/log.ts';
import type { Command } from './command.ts';
import { type Demo, startDemo } from './demo.ts';
import { Instance } from './instance.ts';
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
		demo = isDemo ? await startDemo(settings, log) : undefined;
		instance = await Instance.start({
			settings: demo?.settings ?? settings,
			log,
			role: name === 'start' ? 'start' : 'serve',
			isForced,
		});
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
