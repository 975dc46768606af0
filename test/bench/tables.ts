/**
 * What was measured, as tables in Markdown: the form in which the pages quote them.
 */

import type { GrowthCost } from './growth.bench.ts';
import type { AnswerCost } from './in-process.ts';
import { type Estimate, printEstimate } from './median.ts';
import type { PeerCost } from './peers.bench.ts';
import type { ScaleCost } from './scale.bench.ts';
import type { SettingCost } from './settings.bench.ts';
import type { SwapResult } from './swap-scene.ts';

const MEGA = 1e6;

export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
	const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
	const rule = `|${head.map((_, i) => (i === 0 ? '---' : '---:')).join('|')}|`;
	return [line(head), rule, ...rows.map(line)].join('\n');
}

export function megabytes(octets: number): string {
	return (octets / MEGA).toFixed(0);
}

const NAMES: Readonly<Record<string, string>> = {
	dgram: "Meridian on Node's sockets",
	echo: 'C echo (no DNS)',
	gdnsd: 'gdnsd geoip',
	knot: 'Knot',
	pdns: 'PowerDNS geoip backend',
	'pdns-lua': 'PowerDNS Lua record',
	dns2: 'server on dns2 and maxmind (npm)',
	nsd: 'NSD',
};

/** Closed loop: processor time and answers a second. */
export function peersTable(costs: readonly PeerCost[]): string {
	const rows = costs.map(({ server, question, figures }) => {
		const name = NAMES[server] ?? server;
		if (figures === undefined) return [name, question, 'not on this machine', '', '', '', '', ''];
		const { ours, theirs, ratio } = figures;
		const rate = (one: Estimate) => Math.round(one.median / 1000);
		return [
			name,
			question,
			theirs.usPerQuery.median.toFixed(2),
			ours.usPerQuery.median.toFixed(2),
			printEstimate(ratio.usPerQuery),
			`${rate(theirs.answersPerSec)} / ${rate(ours.answersPerSec)}`,
			printEstimate(ratio.answersPerSec),
			`${megabytes(theirs.memory)} / ${megabytes(ours.memory)}${complaint(figures)}`,
		];
	});
	const head = [
		'beside',
		'question',
		'its us a query',
		'ours',
		'ours / its',
		'1000 answers/s, its / ours',
		'ours / its',
	];
	return table([...head, 'MB, its / ours'], rows);
}

/** Open loop: how long answers take at a fixed rate. */
export function latencyTable(costs: readonly PeerCost[]): string {
	const rows = costs.map(({ server, figures }) => {
		const name = NAMES[server] ?? server;
		if (figures === undefined) return [name, 'not on this machine', '', ''];
		const { ours, theirs, ratio } = figures;
		const both = (pick: (side: typeof ours) => Estimate) => `${pick(theirs).median} / ${pick(ours).median}`;
		const p99 = `${printEstimate(ratio.p99Us)}${complaint(figures)}`;
		return [name, both((side) => side.p50Us), both((side) => side.p99Us), p99];
	});
	return table(['beside', 'p50 us, its / ours', 'p99 us, its / ours', 'p99, ours / its'], rows);
}

export function settingsTable(costs: readonly SettingCost[]): string {
	const rows = costs.map(({ setting, figures }) => [
		setting,
		figures.theirs.usPerQuery.median.toFixed(2),
		figures.ours.usPerQuery.median.toFixed(2),
		printEstimate(figures.ratio.usPerQuery),
		`${printEstimate(figures.ratio.answersPerSec)}${complaint(figures)}`,
	]);
	return table(['with', 'us a query without', 'with', 'with / without', 'answers/s, with / without'], rows);
}

/** What must not be passed over in silence. */
function complaint({ ours, theirs }: NonNullable<PeerCost['figures']>): string {
	const lost = ours.lost + theirs.lost;
	const wrong = ours.wrong + theirs.wrong;
	if (lost + wrong === 0) return '';
	return ` (lost ${theirs.lost} / ${ours.lost}, wrong ${theirs.wrong} / ${ours.wrong})`;
}

export function answersTable(costs: readonly AnswerCost[]): string {
	const rows = costs.map(({ name, nsPerAnswer, octetsPerAnswer }) => [name, nsPerAnswer, octetsPerAnswer]);
	return table(['answer', 'ns', 'octets allocated'], rows);
}

export function growthTable(costs: readonly GrowthCost[]): string {
	const rows = costs.map(({ what, size, buildMs, nsPerAnswer }) => [what, size, Math.round(buildMs), nsPerAnswer]);
	return table(['configured', 'how many', 'build ms', 'ns an answer'], rows);
}

export function scaleTable(costs: readonly ScaleCost[]): string {
	const rows = costs.map(({ data, server, figures }) => {
		const name = NAMES[server] ?? 'Meridian';
		if (figures === undefined) return [data, name, 'not on this machine', '', '', '', ''];
		const { loadMs, loadProcessorMs, memory, memoryMost, reloadMs } = figures;
		const seconds = [loadMs, loadProcessorMs].map((ms) => (ms / 1000).toFixed(1));
		return [data, name, ...seconds, megabytes(memory), megabytes(memoryMost), Math.round(reloadMs)];
	});
	return table(['data', 'server', 'load s', 'processor s', 'MB', 'MB at most', 'reload ms'], rows);
}

export function swapsTable({ calm, swapping, swapsPerSec, before, after }: SwapResult): string {
	const row = (swaps: string, load: typeof calm, rss: number) => {
		const { p50Us, p99Us, lost, mixed } = load;
		return [swaps, p50Us, p99Us, lost, mixed, megabytes(rss)];
	};
	return table(
		['swaps/s', 'p50 us', 'p99 us', 'lost', 'mixed', 'RSS MB'],
		[row('0', calm, before.rss), row(swapsPerSec.toFixed(1), swapping, after.rss)],
	);
}
