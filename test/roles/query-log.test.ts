/** The query log of a running instance: what is in it, and that no answer waits for it. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { askTcp, askUdp, type Instance, startInstance, until } from './meridian-process.ts';
import { GOOD_ZONE, scratch } from './scratch.ts';

const LIMIT_MS = 15_000;
const QUERIES = 200;
const FILES = {
	'a.example.zone': GOOD_ZONE.replace(/^www.*\n/m, ''),
	'a.example.yaml': `pools:
  eu: { endpoints: [{ name: eu-1, addresses: [203.0.113.1] }] }
  us: { endpoints: [{ name: us-1, addresses: [198.51.100.1] }] }
policies:
  both: { kind: failover, members: [eu, us] }
names:
  www: { policy: both }
`,
};

interface Line {
	readonly client: string;
	readonly transport: string;
	readonly name: string;
	readonly answer: readonly string[];
	readonly rcode: string;
	readonly by: string;
	readonly steered: readonly { readonly policy: string; readonly endpoints: readonly string[] }[];
}

function linesOf(text: string): readonly Line[] {
	return text
		.split('\n')
		.filter((line) => line.startsWith('{'))
		.map((line) => JSON.parse(line));
}

async function metric({ admin }: Instance, name: string): Promise<number> {
	const text = await (await fetch(`${admin}/metrics`)).text();
	const line = text.split('\n').find((one) => one.startsWith(`meridian_${name}`));
	return Number(line?.split(' ').at(-1));
}

describe('the query log', { concurrency: 3 }, () => {
	it('has every query at a share of 1, and goes on in a new file after SIGHUP', async (t) => {
		const file = join(scratch(t), 'queries.jsonl');
		const more = ['--dns-query-log-sample', '1', '--dns-query-log-file', file];
		const instance = await startInstance(t, { zonesDir: scratch(t, FILES), stateDir: scratch(t), more });
		for (let i = 0; i < QUERIES; i++) {
			const ask = i % 10 === 0 ? askTcp : askUdp;
			await ask(instance.port, { name: i % 2 === 0 ? 'www.a.example' : `n${i}.a.example` });
		}
		const text = () => (existsSync(file) ? readFileSync(file, 'utf8') : '');
		await until('all lines', LIMIT_MS, () => linesOf(text()).length === QUERIES);
		const lines = linesOf(text());
		assert.equal(lines.filter(({ transport }) => transport === 'tcp').length, QUERIES / 10);
		assert.deepEqual(new Set(lines.map(({ client }) => client)), new Set(['127.0.0.0/24']));
		const steered = lines.filter(({ by }) => by === 'policy');
		assert.equal(steered.length, QUERIES / 2);
		for (const line of steered) {
			assert.deepEqual([line.name, line.rcode, line.answer], ['www.a.example.', 'NOERROR', ['A 203.0.113.1']]);
			assert.deepEqual([line.steered[0]?.policy, line.steered[0]?.endpoints], ['a.example. both', ['eu/eu-1']]);
		}
		const others = lines.filter(({ by }) => by === 'zone').map(({ name }) => name);
		assert.equal(new Set(others).size, QUERIES / 2);
		assert.equal(await metric(instance, 'query_log_lines_total'), QUERIES);
		assert.equal(await metric(instance, 'query_log_dropped_total'), 0);
		assert.equal(await metric(instance, 'dns_endpoint_answers_total{unit="a.example.",pool="eu"'), QUERIES / 2);
		assert.equal(await metric(instance, 'dns_response_seconds_count{transport="udp"}'), (QUERIES / 10) * 9);

		renameSync(file, `${file}.1`);
		instance.signal('SIGHUP');
		await until('the reload', LIMIT_MS, async () => (await metric(instance, 'generation')) === 2);
		// Counts go on where they were, and the new generation has its names in the log.
		await askUdp(instance.port, { name: 'www.a.example' });
		await until('a line in the new file', LIMIT_MS, () => linesOf(text()).length === 1);
		assert.equal(linesOf(text())[0]?.steered[0]?.policy, 'a.example. both');
		assert.equal(linesOf(readFileSync(`${file}.1`, 'utf8')).length, QUERIES);
		assert.equal(await metric(instance, 'dns_decisions_by_name_total'), QUERIES / 2 + 1);
		instance.signal('SIGTERM');
		assert.equal((await instance.exit).code, 0);
	});

	it('writes to standard output, with the last query before the end', async (t) => {
		const more = ['--dns-query-log-sample', '1'];
		const instance = await startInstance(t, { zonesDir: scratch(t, FILES), stateDir: scratch(t), more });
		await askUdp(instance.port, { name: 'www.a.example' });
		instance.signal('SIGTERM');
		assert.equal((await instance.exit).code, 0);
		assert.deepEqual(
			linesOf(instance.stdout).map(({ name }) => name),
			['www.a.example.'],
		);
	});

	it('is off by default', async (t) => {
		const instance = await startInstance(t, { zonesDir: scratch(t, FILES), stateDir: scratch(t) });
		await askUdp(instance.port, { name: 'www.a.example' });
		assert.equal(Number.isNaN(await metric(instance, 'query_log_lines_total')), true);
		instance.signal('SIGTERM');
		await instance.exit;
		assert.deepEqual(linesOf(instance.stdout), []);
	});

	it('drops and counts what nobody reads, while answers go on, and the end comes in time', async (t) => {
		const file = join(scratch(t), 'fifo');
		execFileSync('mkfifo', [file]);
		const more = ['--dns-query-log-sample', '1', '--dns-query-log-file', file];
		const instance = await startInstance(t, { zonesDir: scratch(t, FILES), stateDir: scratch(t), more });
		// More than the rings and the room for lines hold.
		let asked = 0;
		while ((await metric(instance, 'query_log_dropped_total')) === 0) {
			const batch = Array.from({ length: 100 }, () => askUdp(instance.port, { name: 'www.a.example' }));
			for (const answer of await Promise.all(batch)) assert.equal(answer.rcode, 'NOERROR');
			asked += batch.length;
			assert.ok(asked < 20_000, 'nothing is dropped');
		}
		assert.equal((await askUdp(instance.port, { name: 'www.a.example' })).rcode, 'NOERROR');
		assert.equal((await fetch(`${instance.admin}/livez`)).status, 200);
		instance.signal('SIGTERM');
		assert.equal((await instance.exit).code, 0);
	});
});
