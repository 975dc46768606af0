/**
 * Millions of answers from sockets: what a worker allocates for one is nothing, so its heap stays as it is.
 */

import { setEnvironmentData } from 'node:worker_threads';
import { chooseUdpTransport } from '../../src/roles/udp-transport.ts';
import { runLoad } from '../bench/run-load.ts';
import { poolOf } from '../roles/pool-of.ts';
import { HEAP_WORDS, type HeapWords } from './heap-words.ts';

const ANSWERS_MIN = 10_000_000;
const RUN_SEC = 20;
const WORKERS = 2;
/** Of a worker: what the observer of collections and the compiler take. */
const GROWTH_OCTETS_MAX = 4 * 1024 * 1024;
const QUESTIONS = ['www.a.example A', 'steered.a.example A', 'none.a.example A NXDOMAIN', 'a.example NS'];
const STEERING = `
pools:
  us: { endpoints: [{ name: a, addresses: [192.0.2.10] }] }
  eu: { endpoints: [{ name: b, addresses: [192.0.2.20] }] }
names: { steered: { policy: { kind: geo, rules: [{ match: { countries: [US] }, use: us }], default: eu } } }
`;

/** At least so long, and until there are enough of them. */
export async function soakAnswers(lengthMs: number): Promise<string> {
	const closers: (() => unknown)[] = [];
	const after = (close?: unknown) => void (typeof close === 'function' && closers.push(() => close()));
	const names = Array.from({ length: WORKERS }, (_, i) => `udp-${i}`);
	const heaps: Readonly<Record<string, HeapWords>> = Object.fromEntries(
		names.map((name) => [name, new Float64Array(new SharedArrayBuffer(8 * HEAP_WORDS.count))]),
	);
	setEnvironmentData('meridian-test-heaps', heaps);
	try {
		const { transport: udp } = await chooseUdpTransport('auto');
		const entry = new URL('./collected-worker.ts', import.meta.url);
		const { pool, port } = await poolOf({ after }, { udp, udpWorkers: WORKERS, steering: STEERING, entry });
		await pool.start();
		const load = (seconds: number) => {
			const questions = QUESTIONS.flatMap((question) => ['--name', question]);
			return runLoad(port, ...questions, '--threads', '2', '--seconds', String(seconds));
		};
		// Until all is compiled.
		await load(5);
		const before = Object.values(heaps).map((words) => [...words]);
		const startMs = performance.now();
		let answered = 0;
		while (answered < ANSWERS_MIN || performance.now() - startMs < lengthMs) {
			const result = await load(RUN_SEC);
			if (result.wrong > 0) throw new Error(`${result.wrong} wrong answers`);
			answered += result.answered;
		}
		for (const [i, words] of Object.values(heaps).entries()) {
			const majors = (words[HEAP_WORDS.majors] ?? 0) - (before[i]?.[HEAP_WORDS.majors] ?? 0);
			const grown = (words[HEAP_WORDS.usedOctets] ?? 0) - (before[i]?.[HEAP_WORDS.usedOctets] ?? 0);
			if (majors > 0) throw new Error(`${names[i]} collected its whole heap ${majors} times`);
			if (grown > GROWTH_OCTETS_MAX) throw new Error(`the heap of ${names[i]} has grown by ${grown} octets`);
		}
		return `${answered} answers, heaps flat, none collected as a whole`;
	} finally {
		for (const close of closers.reverse()) await close();
		setEnvironmentData('meridian-test-heaps', undefined);
	}
}
