/**
 * `npm run bench`: measures, prints, asserts nothing. Machines are noisy: trust ratios, not times.
 */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** So much young generation that nothing is collected in a run, and what is allocated can be counted. */
const FLAGS = ['--max-semi-space-size=512', '--min-semi-space-size=512'];

const bench = fileURLToPath(new URL('./respond.bench.ts', import.meta.url));
process.stdout.write('respond() alone, in process, best of five runs of a million answers each\n\n');
const { stdout, status } = spawnSync(process.execPath, [...FLAGS, bench], {
	encoding: 'utf8',
	stdio: ['ignore', 'pipe', 'inherit'],
});
if (status !== 0) process.exit(1);
const results: readonly { name: string; nsPerAnswer: number; octetsPerAnswer: number }[] = JSON.parse(stdout);
process.stdout.write('| answer          |   ns | octets allocated |\n|-----------------|-----:|-----------------:|\n');
for (const { name, nsPerAnswer, octetsPerAnswer } of results) {
	process.stdout.write(
		`| ${name.padEnd(15)} | ${String(nsPerAnswer).padStart(4)} | ${String(octetsPerAnswer).padStart(16)} |\n`,
	);
}
