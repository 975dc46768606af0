import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { queryMetrics } from '../../src/roles/query-metrics.ts';
import { COUNT, countTimes } from '../../src/serve/counters.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import type { QuerySpec } from '../dns/make-query.ts';
import { responderOf, type TestResponder } from '../serve/responder-of.ts';

const endpoints = (...names: readonly string[]) => names.map((name, i) => ({ name, addresses: [`203.0.113.1${i}`] }));
const SPEC = {
	zones: [
		{
			apex: 'example.org.',
			text: 'plain A 192.0.2.1',
			steering: {
				pools: {
					eu: { endpoints: endpoints('eu-1', 'eu-2'), answers: 2 },
					us: { endpoints: [{ name: 'us-1', addresses: ['198.51.100.1'] }] },
					cdn: { endpoints: [{ name: 'cdn-a', cname: 'www.example.org.' }] },
				},
				policies: { world: { kind: 'failover', members: ['eu', 'us'] } },
				names: {
					www: { policy: 'world' },
					api: { policy: 'us' },
					far: { policy: 'cdn' },
					both: { policy: { kind: 'all', members: ['eu', 'us'] } },
				},
			},
		},
	],
	cookieSecrets: [new Uint8Array(16)],
};

/** Lines of a page of metrics that are not 0 and begin so, without the prefix. */
async function lines(world: TestResponder, prefix: string): Promise<readonly string[]> {
	const total = (column: number, transport?: 'udp' | 'tcp') =>
		transport === 'tcp' ? 0 : (world.counters[column] ?? 0);
	const text = await createMetrics(
		queryMetrics({ total, columns: world.book, queryLog: undefined }, { total: () => 7 }),
	).text();
	return text
		.split('\n')
		.filter((line) => line.startsWith(`meridian_${prefix}`) && !line.endsWith(' 0'))
		.map((line) => line.slice('meridian_'.length + prefix.length));
}

const query = (name: string, more: Partial<QuerySpec> = {}): QuerySpec => ({ name: `${name}.example.org`, ...more });

describe('queryMetrics()', () => {
	for (const { name, queries, how = {}, metric, expected } of [
		{
			name: 'tells transports and families apart',
			queries: [query('plain'), query('plain')],
			how: { from: '2001:db8::1', transport: 'tcp' },
			metric: 'dns_queries_total',
			expected: ['{transport="tcp",family="ipv6"} 2'],
		},
		{
			name: 'counts types, and what is rare together',
			queries: [query('plain'), query('plain', { type: 'HTTPS' }), query('plain', { type: 'HINFO' })],
			metric: 'dns_queries_by_type_total',
			expected: ['{type="A"} 1', '{type="HTTPS"} 1', '{type="other"} 1'],
		},
		{
			name: 'counts RCODEs',
			queries: [query('plain'), query('none'), { name: 'example.net' }],
			metric: 'dns_responses_total',
			expected: ['{rcode="NOERROR"} 1', '{rcode="NXDOMAIN"} 1', '{rcode="REFUSED"} 1'],
		},
		{
			name: 'counts decisions by kind, one for each steered name of a chain',
			queries: [query('www'), query('api'), query('far'), query('both')],
			metric: 'dns_decisions_by_kind_total',
			expected: ['{kind="pool"} 2', '{kind="failover"} 2', '{kind="all"} 1'],
		},
		{
			name: 'counts decisions by policy',
			queries: [query('www'), query('api'), query('api')],
			metric: 'dns_decisions_by_policy_total',
			expected: [
				'{unit="example.org.",policy="world",kind="failover"} 1',
				'{unit="example.org.",policy="us",kind="pool"} 2',
			],
		},
		{
			name: 'counts decisions by name, NODATA of the zone at it not among them',
			queries: [query('www'), query('www', { type: 'AAAA' }), query('www', { type: 'MX' }), query('api')],
			metric: 'dns_decisions_by_name_total',
			expected: ['{zone="example.org.",name="www"} 2', '{zone="example.org.",name="api"} 1'],
		},
		{
			name: 'counts what endpoints give: every address, and the targets of CNAMEs',
			queries: [query('www'), query('api'), query('far'), query('api', { type: 'AAAA' })],
			metric: 'dns_endpoint_answers_total',
			expected: [
				'{unit="example.org.",pool="eu",endpoint="eu-1"} 2',
				'{unit="example.org.",pool="eu",endpoint="eu-2"} 2',
				'{unit="example.org.",pool="us",endpoint="us-1"} 1',
				'{unit="example.org.",pool="cdn",endpoint="cdn-a"} 1',
			],
		},
		{
			name: 'counts what endpoints give to a union',
			queries: [query('both')],
			metric: 'dns_endpoint_answers_total',
			expected: [
				'{unit="example.org.",pool="eu",endpoint="eu-1"} 1',
				'{unit="example.org.",pool="eu",endpoint="eu-2"} 1',
				'{unit="example.org.",pool="us",endpoint="us-1"} 1',
			],
		},
		{
			name: 'tells cookies apart',
			queries: [
				query('plain'),
				query('plain', { edns: { options: [{ code: 10, octets: [1, 2, 3, 4, 5, 6, 7, 8] }] } }),
			],
			metric: 'dns_cookies_total',
			expected: ['{cookie="first"} 1', '{cookie="none"} 1'],
		},
	] as {
		name: string;
		queries: QuerySpec[];
		how?: { from?: string; transport?: 'udp' | 'tcp' };
		metric: string;
		expected: string[];
	}[]) {
		it(name, async () => {
			const world = responderOf(SPEC);
			for (const one of queries) world.ask(one, how);
			assert.deepEqual(await lines(world, metric), expected);
		});
	}

	it('tells what is steered, and what the zone alone answers', async () => {
		const world = responderOf(SPEC);
		for (const name of ['www', 'plain', 'none', 'far']) world.ask(query(name));
		world.ask({ name: 'example.net' });
		assert.deepEqual(await lines(world, 'dns_steered_total'), [' 2']);
		assert.deepEqual(await lines(world, 'dns_unsteered_total'), [' 2']);
	});

	it('adds the times of answers up, as Prometheus wants them', async () => {
		const world = responderOf(SPEC);
		countTimes(world.counters, 0.0015, 2);
		countTimes(world.counters, 0.1, 1);
		countTimes(world.counters, 5000, 1);
		const all = await lines(world, 'dns_response_seconds');
		assert.deepEqual(
			all.filter((line) => /"(?:0\.0000015|0\.000096|0\.000128|1\.048576|\+Inf)"|count/.test(line)),
			[
				'_bucket{transport="udp",le="0.0000015"} 2',
				'_bucket{transport="udp",le="0.000096"} 2',
				'_bucket{transport="udp",le="0.000128"} 3',
				'_bucket{transport="udp",le="1.048576"} 3',
				'_bucket{transport="udp",le="+Inf"} 4',
				'_count{transport="udp"} 4',
			],
		);
		const sum = Number(all.find((line) => line.startsWith('_sum'))?.split(' ')[1]);
		assert.ok(Math.abs(sum - 5.000103) < 1e-9, `${sum}`);
	});

	it('counts what the rate limit lets through, drops and cuts', async () => {
		const world = responderOf({ ...SPEC, rate: 1 });
		for (let i = 0; i < 10; i++) world.respond(Uint8Array.of(0));
		for (let i = 0; i < 10; i++) world.ask(query('plain'));
		assert.equal(world.count('ratePassed') + world.count('rateSlipped'), 10);
		assert.deepEqual(await lines(world, 'dns_rate_passed_total'), [` ${world.counters[COUNT.ratePassed]}`]);
		assert.deepEqual(await lines(world, 'dns_ignored_total'), [' 10']);
	});
});
