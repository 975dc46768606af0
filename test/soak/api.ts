/**
 * The API under load while the server answers 20,000 queries a second: none is lost, and few come later than otherwise.
 *
 * | window | what the API gets meanwhile                                             |
 * |--------|-------------------------------------------------------------------------|
 * | quiet  | nothing                                                                 |
 * | writes | 500 writes a second of 4 tokens; 429 or 503 for those that it cannot do |
 * | idle   | 10,000 connections that say nothing, or little                          |
 *
 * Once with the store of `meridian start`, once with Redis, `meridian serve` and `meridian admin`. The windows take turns.
 * A quiet one in which others left too little of the machine does not count, nor do the loaded ones beside it: a server
 * under load takes what there is, so that the quiet ones alone tell what others take. Lost queries count always.
 */

import assert from 'node:assert/strict';
import { runLoad } from '../bench/run-load.ts';
import { findProgram } from '../setup/tools.ts';
import { type ApiScene, openApiScene, QUESTIONS, STORES } from './api-scene.ts';
import { busyCores, cpuTimes } from './busy-cores.ts';
import { goFirst } from './go-first.ts';
import { leaveCoreToClient } from './keep-to-cores.ts';
import { isEnough, lowerQuartile, takeTurns, type Windows } from './windows.ts';

const LOADS = ['writes', 'idle'] as const;
type Loaded = (typeof LOADS)[number];
type Kind = 'quiet' | Loaded;

const QUERIES_A_SEC = 20_000;
const WRITES_A_SEC = 500;
const CONNECTIONS = 10_000;
const WINDOW_SEC = 4;
/** By which a load outlasts the window within it. */
const MARGIN_MS = 1000;
/** Cores that a quiet window may keep busy: the client looks at its clock all the time, the server takes half of one. */
const BUSY_CORES_MAX = 2;
const P99_FACTOR_MAX = 2;
/** Of what is offered; the least that any machine should do. */
const DONE_A_SEC_MIN = 20;

interface MeasuredScene extends ApiScene {
	/** Cores of the client that asks. */
	readonly client: string | undefined;
}

interface Window {
	readonly p99Us: number;
	readonly isCrowded: boolean;
}

interface Figures {
	readonly p99Us: Windows<Kind>;
	readonly statuses: Record<string, number>;
	asked: number;
	lost: number;
	offered: number;
	cut: number;
	writtenSec: number;
	opened: number;
	crowded: number;
}

/** @returns the verdict in a line; throws when something did not hold */
export async function soakApi(lengthMs: number): Promise<string> {
	const wanted = STORES.filter((store) => store === 'embedded' || findProgram('redis-server') !== undefined);
	const verdicts: string[] = [];
	for (const store of wanted) verdicts.push(`${store}: ${await soakStore(store, lengthMs / wanted.length)}`);
	return verdicts.join('; ');
}

async function soakStore(store: (typeof STORES)[number], lengthMs: number): Promise<string> {
	const closers: (() => unknown)[] = [];
	const after = { after: (close: () => unknown) => void closers.unshift(close) };
	try {
		after.after(goFirst());
		const { client, end } = leaveCoreToClient();
		after.after(end);
		const scene = { ...(await openApiScene(after, store)), client };
		// Until all is compiled.
		for (const load of LOADS) await measure(scene, load, newFigures());
		const figures = newFigures();
		let before: Window | undefined;
		await takeTurns(lengthMs, figures.p99Us, async () => {
			before ??= await measure(scene, 'quiet', figures);
			for (const load of LOADS) {
				const loaded = await measure(scene, load, figures);
				const behind = await measure(scene, 'quiet', figures);
				take(figures, 'quiet', behind, behind.isCrowded);
				take(figures, load, loaded, before.isCrowded || behind.isCrowded);
				before = behind;
			}
		});
		return verdict(figures);
	} finally {
		for (const close of closers) await close();
	}
}

function newFigures(): Figures {
	const counts = { asked: 0, lost: 0, offered: 0, cut: 0, writtenSec: 0, opened: 0, crowded: 0 };
	return { p99Us: { quiet: [], writes: [], idle: [] }, statuses: {}, ...counts };
}

function take({ p99Us }: Figures, kind: Kind, window: Window, isCrowded: boolean): void {
	if (!isCrowded) p99Us[kind].push(window.p99Us);
}

async function measure(scene: MeasuredScene, kind: Kind, figures: Figures): Promise<Window> {
	const lengthMs = WINDOW_SEC * 1000 + MARGIN_MS;
	const writes = kind === 'writes' ? await scene.write(WRITES_A_SEC, lengthMs) : undefined;
	const idle = kind === 'idle' ? await scene.idle(CONNECTIONS, lengthMs) : undefined;
	const names = QUESTIONS.flatMap((question) => ['--name', question]);
	const timesBefore = cpuTimes();
	const load = [...names, '--rate', String(QUERIES_A_SEC), '--seconds', String(WINDOW_SEC)];
	const apart = scene.client === undefined ? [] : ['--cpus', scene.client];
	const result = await runLoad(scene.port, ...load, ...apart);
	const isCrowded = kind === 'quiet' && busyCores(timesBefore, cpuTimes()) > BUSY_CORES_MAX;
	if (isCrowded) figures.crowded++;
	figures.asked += result.sent;
	figures.lost += result.lost + result.wrong;
	const written = await writes?.result;
	figures.offered += written?.offered ?? 0;
	figures.cut += written?.cut ?? 0;
	figures.writtenSec += written === undefined ? 0 : lengthMs / 1000;
	for (const [status, count] of Object.entries(written?.statuses ?? {}))
		figures.statuses[status] = (figures.statuses[status] ?? 0) + count;
	figures.opened += (await idle?.result)?.opened ?? 0;
	return { p99Us: result.p99Us, isCrowded };
}

function verdict(figures: Figures): string {
	const { p99Us, asked, lost, statuses, offered, cut, writtenSec, opened, crowded } = figures;
	const quietUs = lowerQuartile(p99Us.quiet);
	const factor = { writes: lowerQuartile(p99Us.writes) / quietUs, idle: lowerQuartile(p99Us.idle) / quietUs };
	const told = Object.entries(statuses).map(([status, count]) => `${count} got ${status}`);
	const text = [
		`${lost} of ${asked} queries lost`,
		`p99 ${(quietUs / 1000).toFixed(2)} ms quiet, ${factor.writes.toFixed(2)} times that beside ${offered} writes (${told.join(', ')})`,
		`and ${factor.idle.toFixed(2)} times beside ${CONNECTIONS} connections (${opened} opened)`,
		`${crowded} quiet windows not counted`,
	].join(', ');
	assert.equal(lost, 0, text);
	assert.equal(cut, 0, `${cut} writes had no reply: ${text}`);
	const others = Object.keys(statuses).filter((status) => !['200', '429', '503'].includes(status));
	assert.deepEqual(others, [], text);
	assert.ok((statuses['200'] ?? 0) > DONE_A_SEC_MIN * writtenSec, text);
	assert.ok(isEnough(p99Us), `the machine was too busy with other things to tell times: ${text}`);
	assert.ok(Math.max(factor.writes, factor.idle) < P99_FACTOR_MAX, text);
	return text;
}
