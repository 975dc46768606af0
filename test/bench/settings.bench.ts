/**
 * What our own settings cost: `node settings.bench.ts [--pairs N] [--seconds N]`. Ours with a setting beside ours
 * without, on the example of the scene `geo`; two workers beside one under the same load.
 */

import { parseArgs } from 'node:util';
import { questionsOf, Scene } from './contestants.ts';
import { coresFor } from './cores.ts';
import { measurePairs, type PairFigures } from './pairs.ts';

export interface SettingCost {
	readonly setting: string;
	/** The first one with it. */
	readonly figures: PairFigures;
}

interface Setting {
	readonly setting: string;
	/** As flags without their dashes. */
	readonly flags: Readonly<Record<string, string>>;
	/** Whether queries bring a cookie to one side alone. */
	readonly hasCookie?: true;
	readonly workers?: number;
}

const SETTINGS: readonly Setting[] = [
	// So many that nobody is limited: what is measured is the counting.
	{ setting: 'rate limiting', flags: { 'dns-rate-limit-rate': '1000000' } },
	{
		setting: 'query log, one in a hundred',
		flags: { 'dns-query-log-sample': '0.01', 'dns-query-log-file': '/dev/null' },
	},
	{ setting: 'a cookie in each query', flags: {}, hasCookie: true },
	{ setting: 'two workers', flags: {}, workers: 2 },
];

const { values } = parseArgs({
	options: {
		pairs: { type: 'string', default: '15' },
		seconds: { type: 'string', default: '1.5' },
		setting: { type: 'string', multiple: true },
	},
});
const plan = { pairs: Number(values.pairs), seconds: Number(values.seconds), rate: 0 };
const costs: SettingCost[] = [];
for (const { setting, flags, hasCookie, workers = 1 } of SETTINGS) {
	if (values.setting?.includes(setting) === false) continue;
	process.stderr.write(`  ${setting}\n`);
	const cores = coresFor(workers);
	const scene = new Scene('geo', { cpus: cores.server, workers });
	const plain = new Scene('geo', { cpus: coresFor(1).server });
	try {
		const ours = await scene.start('batch', flags);
		const theirs = await plain.start('batch');
		if (ours === undefined || theirs === undefined) throw new Error('Cannot measure: ours does not start');
		const options = questionsOf('geo', 'batch').flatMap((question) => question.options);
		const without = hasCookie ? [...options, '--no-subnet'] : options;
		const figures = await measurePairs(
			{ peer: ours, options: hasCookie ? [...options, '--cookie'] : options },
			{ peer: theirs, options: without },
			{ ...plan, cores },
		);
		costs.push({ setting, figures });
	} finally {
		await scene.close();
		await plain.close();
	}
}
process.stdout.write(`${JSON.stringify(costs)}\n`);
