/** What workers count and log, while generations come and workers go. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { OwnerCount } from '../../src/roles/answer-columns.ts';
import { chooseUdpTransport } from '../../src/roles/udp-transport.ts';
import type { WorkerPool } from '../../src/roles/worker-pool.ts';
import { COUNT } from '../../src/serve/counters.ts';
import { askTcp, askUdp, until, wantedTransport } from './meridian-process.ts';
import { bringFault, poolOf } from './pool-of.ts';
import { scratch } from './scratch.ts';

const LIMIT_MS = 10_000;
const QUERIES = 40;
const { transport: udp } = await chooseUdpTransport(wantedTransport());

/** Names with a pool each; where a name stands among them is another place in each generation. */
function steeringOf(...names: readonly string[]): string {
	const pools = names.map((name, i) => `  p-${name}: { endpoints: [{ name: one, addresses: [203.0.113.${i + 1}] }] }`);
	const steered = names.map((name) => `  ${name}: { policy: p-${name} }`);
	return ['pools:', ...pools, 'names:', ...steered, ''].join('\n');
}

const FIRST = steeringOf('x', 'y');
const SECOND = steeringOf('w', 'y', 'x');

function texts(counts: readonly OwnerCount[]): readonly string[] {
	return counts.map(({ owner, value }) => `${owner?.name ?? 'other'} ${value}`).toSorted();
}

async function askMany(port: number, owner: string): Promise<void> {
	for (let i = 0; i < QUERIES; i++) await askUdp(port, { name: `${owner}.a.example` });
	await askTcp(port, { name: `${owner}.a.example` });
}

function replaced(pool: WorkerPool, restarts: number): Promise<number> {
	return until('the successor', LIMIT_MS, () => pool.restarts === restarts && pool.running === pool.wanted);
}

// One after another: a fault is called out to all workers of its name.
describe('what workers count', () => {
	it('goes on over generations, deaths and hangs, each under its own name', async (t) => {
		const { pool, port, generationWith } = await poolOf(t, { udp, steering: FIRST });
		await pool.start();
		await askMany(port, 'x');
		pool.swap(generationWith('192.0.2.80', SECOND));
		await askMany(port, 'y');
		for (const [i, fault] of (['throw', 'hang'] as const).entries()) {
			await bringFault(t, `udp-${i}`, fault);
			await replaced(pool, i + 1);
			await askMany(port, 'x');
		}
		await bringFault(t, 'tcp-2', 'throw');
		await replaced(pool, 3);
		await askMany(port, 'w');
		// A thread may still have to count what it has sent.
		const asked = 5 * (QUERIES + 1);
		await until('the last answer', LIMIT_MS, () => pool.total(COUNT.steered) === asked);
		const each = QUERIES + 1;
		assert.deepEqual(texts(pool.columns.names()), [`w ${each}`, `x ${3 * each}`, `y ${each}`]);
		assert.deepEqual(texts(pool.columns.policies()), [`p-w ${each}`, `p-x ${3 * each}`, `p-y ${each}`]);
		assert.deepEqual(texts(pool.columns.endpoints()), [`p-w ${each}`, `p-x ${3 * each}`, `p-y ${each}`]);
		assert.equal(pool.total(COUNT.queriesUdpIpv4), 5 * QUERIES);
		assert.equal(pool.total(COUNT.queriesTcpIpv4), 5);
		assert.equal(pool.total(COUNT.kinds), asked);
	});

	it('is logged by the names of the generation that answered, whoever died since', async (t) => {
		const file = join(scratch(t), 'log');
		const { pool, port, generationWith } = await poolOf(t, { udp, steering: FIRST, queryLogFile: file });
		await pool.start();
		await askMany(port, 'y');
		await bringFault(t, 'udp-0', 'throw');
		pool.swap(generationWith('192.0.2.80', SECOND));
		await replaced(pool, 1);
		await askMany(port, 'y');
		await askMany(port, 'x');
		await pool.stop();
		const lines = readFileSync(file, 'utf8')
			.trimEnd()
			.split('\n')
			.map((line) => JSON.parse(line) as { name: string; answer: string[]; steered: { policy: string }[] })
			.map(({ name, answer, steered }) => [name, ...answer, steered[0]?.policy].join(' '));
		const counts = new Map<string, number>();
		for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
		assert.deepEqual([...counts].toSorted(), [
			['x.a.example. A 203.0.113.3 a.example. p-x', QUERIES + 1],
			['y.a.example. A 203.0.113.2 a.example. p-y', 2 * (QUERIES + 1)],
		]);
	});
});
