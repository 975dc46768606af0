/**
 * A thread that answers: UDP on its own sockets, or all TCP of the instance. It reads shared memory and what the
 * main thread hands over; it opens no file and asks nobody.
 */

import { performance } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { CookieJar } from '../dns/cookie.ts';
import { createChance } from '../lib/chance.ts';
import { prefixHolds } from '../lib/prefix.ts';
import { RateLimiter } from '../serve/rate-limit.ts';
import { Responder } from '../serve/respond.ts';
import { TCP_LIMITS, TcpService } from '../serve/tcp.ts';
import { listenUdp } from '../serve/udp.ts';
import { World } from '../snapshot/answer.ts';
import { Holder } from '../snapshot/snapshot.ts';
import type { FromWorker, Generation, ToWorker, WorkerInput } from './worker-messages.ts';

/** A fault may come with every query; the first of each second is enough to find it. */
const FAULT_REPORT_MS = 1000;

async function run(): Promise<void> {
	const { transport, listen, health, counters, answering, seed, first } = workerData as WorkerInput;
	const { ecsTrust, cookieSecrets, identity, rateLimit, rateLimitTable, rateLimitKey } = answering;
	const chance = createChance(seed);
	const worldOf = ({ snapshot, slots }: Generation) => new World(snapshot, health, slots, chance);
	const worlds = new Holder(worldOf(first));
	const isTrustedByAll = ecsTrust.filter(({ length }) => length === 0).length === 2;
	const cookies = new CookieJar(cookieSecrets);
	let reportedMs = -FAULT_REPORT_MS;
	const responder = new Responder({
		worlds,
		counters,
		clock: { nowMs: () => performance.now(), nowSec: () => Math.floor(Date.now() / 1000) },
		cookies,
		limiter: rateLimit.rate === 0 ? undefined : new RateLimiter(rateLimit, rateLimitTable, rateLimitKey),
		identity: new TextEncoder().encode(identity),
		idleMs: TCP_LIMITS.idleMs,
		isSubnetTrusted: (sender) => isTrustedByAll || ecsTrust.some((prefix) => prefixHolds(prefix, sender)),
		onFault: (error) => {
			if (performance.now() - reportedMs < FAULT_REPORT_MS) return;
			reportedMs = performance.now();
			tell({ kind: 'fault', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
		},
	});
	const closers: (() => Promise<void>)[] = [];
	let receiveBufferOctets = 0;
	if (transport === 'udp') {
		for (const at of listen) {
			const listener = await listenUdp(at, responder, counters);
			receiveBufferOctets = listener.receiveBufferOctets;
			closers.push(() => listener.close());
		}
	} else {
		const service = new TcpService({
			responder,
			counters,
			clock: { nowMs: () => performance.now() },
			limits: TCP_LIMITS,
		});
		for (const at of listen) await service.listen(at);
		closers.push(() => service.close());
	}
	parentPort?.on('message', (message: ToWorker) => {
		if (message.kind === 'swap') {
			worlds.swap(worldOf(message.generation));
			tell({ kind: 'swapped', number: message.generation.number });
			return;
		}
		if (message.kind === 'cookies') {
			cookies.setSecrets(message.secrets);
			return;
		}
		void Promise.all(closers.map((close) => close())).then(() => parentPort?.close());
	});
	tell({ kind: 'ready', receiveBufferOctets });
}

function tell(message: FromWorker): void {
	parentPort?.postMessage(message);
}

run().catch((error: unknown) => {
	tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
	parentPort?.close();
});
