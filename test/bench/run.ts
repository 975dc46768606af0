/**
 * `npm run bench`: measures, prints, asserts nothing. Machines are noisy: trust ratios, not times.
 */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { AnswerCost } from './respond.bench.ts';
import type { SwapResult } from './swap-scene.ts';
import type { TransportCost } from './udp.bench.ts';

/** So much young generation that nothing is collected in a run, and what is allocated can be counted. */
const FLAGS = ['--max-semi-space-size=512', '--min-semi-space-size=512'];

function bench<T>(file: string, flags: readonly string[]): T {
	const path = fileURLToPath(new URL(file, import.meta.url));
	const { stdout, status } = spawnSync(process.execPath, [...flags, path], {
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	if (status !== 0) process.exit(1);
	return JSON.parse(stdout);
}

function print(...lines: readonly string[]): void {
	process.stdout.write(`${lines.join('\n')}\n`);
}

function cells(...values: readonly (string | number)[]): string {
	return `| ${values.map((value) => String(value).padStart(15)).join(' | ')} |`;
}

print('respond() alone, in process, best of five runs of a million answers each', '');
print(cells('answer', 'ns', 'octets'), '|----------------:|----------------:|----------------:|');
for (const { name, nsPerAnswer, octetsPerAnswer } of bench<readonly AnswerCost[]>('./respond.bench.ts', FLAGS))
	print(cells(name, nsPerAnswer, octetsPerAnswer));

print(
	'',
	'A server with one thread that answers UDP on loopback: processor time of an answered query in a closed loop,',
);
print('and microseconds until the answer at 20,000 queries a second', '');
if (process.platform === 'linux') {
	print(cells('transport', 'us a query', 'of it user', 'answers/s', 'p50 us', 'p99 us', 'lost'));
	print(`|${'----------------:|'.repeat(7)}`);
	for (const { transport, usPerQuery, userUsPerQuery, closed, open } of bench<readonly TransportCost[]>(
		'./udp.bench.ts',
		[],
	)) {
		const costs = [usPerQuery.toFixed(2), userUsPerQuery.toFixed(2), closed.answersPerSec];
		print(cells(transport, ...costs, open.p50Us, open.p99Us, closed.lost + open.lost));
	}
	const { calm, swapping, swapsPerSec, before, after } = bench<SwapResult>('./swap.bench.ts', []);
	print(
		'',
		'The same under generations of 50,000 records that change all the time, and geo databases, at 50,000 queries a',
	);
	print('second on two threads that answer', '');
	print(cells('swaps/s', 'p50 us', 'p99 us', 'lost', 'mixed', 'RSS MB'), `|${'----------------:|'.repeat(6)}`);
	const rssMb = ({ rss }: { readonly rss: number }) => Math.round(rss / 2 ** 20);
	print(cells(0, calm.p50Us, calm.p99Us, calm.lost, calm.mixed, rssMb(before)));
	const { p50Us, p99Us, lost, mixed } = swapping;
	print(cells(swapsPerSec.toFixed(1), p50Us, p99Us, lost, mixed, rssMb(after)));
} else {
	print('not measured: it takes Linux');
}
