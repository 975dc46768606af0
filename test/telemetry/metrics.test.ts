import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMetrics, type Metric, type Sample } from '../../src/telemetry/metrics.ts';

describe('createMetrics()', () => {
	for (const { name, metric, lines } of [
		{ name: 'prints a gauge', metric: { read: () => [{ value: 3 }] }, lines: ['meridian_x 3'] },
		{ name: 'prints a counter', metric: { kind: 'counter', read: () => [{ value: 3 }] }, lines: ['meridian_x 3'] },
		{ name: 'prints a counter of 0', metric: { kind: 'counter', read: () => [{ value: 0 }] }, lines: ['meridian_x 0'] },
		{ name: 'prints a fraction', metric: { read: () => [{ value: 0.25 }] }, lines: ['meridian_x 0.25'] },
		{
			name: 'prints a line for each set of labels',
			metric: {
				labels: ['transport'],
				read: () => [
					{ labels: { transport: 'udp' }, value: 1 },
					{ labels: { transport: 'tcp' }, value: 2 },
				],
			},
			lines: ['meridian_x{transport="udp"} 1', 'meridian_x{transport="tcp"} 2'],
		},
		{
			name: 'escapes the values of labels',
			metric: { labels: ['a'], read: () => [{ labels: { a: 'x"y\\z\nw' }, value: 1 }] },
			lines: ['meridian_x{a="x\\"y\\\\z\\nw"} 1'],
		},
		{
			name: 'prints no line for a labelled metric without samples',
			metric: { labels: ['a'], read: () => [] },
			lines: [],
		},
	] satisfies { name: string; metric: Partial<Metric> & { read: () => readonly Sample[] }; lines: string[] }[]) {
		it(name, async () => {
			const text = await createMetrics([{ name: 'x', help: 'Some help', kind: 'gauge', labels: [], ...metric }]).text();
			const { kind = 'gauge' } = metric as Partial<Metric>;
			assert.deepEqual(
				text.split('\n').filter((line) => line !== ''),
				['# HELP meridian_x Some help', `# TYPE meridian_x ${kind}`, ...lines],
			);
			assert.match(text, /\n$/);
		});
	}

	it('reads the numbers when it is asked, each time anew', async () => {
		let samples: Sample[] = [{ labels: { a: '1' }, value: 1 }];
		const metrics = createMetrics([
			{ name: 'c', help: 'Counter', kind: 'counter', labels: ['a'], read: () => samples },
			{ name: 'g', help: 'Gauge', kind: 'gauge', labels: ['a'], read: () => samples },
		]);
		assert.match(await metrics.text(), /meridian_c\{a="1"\} 1\n[\s\S]*meridian_g\{a="1"\} 1\n/);
		samples = [{ labels: { a: '2' }, value: 5 }];
		const text = await metrics.text();
		assert.match(text, /meridian_c\{a="2"\} 5\n[\s\S]*meridian_g\{a="2"\} 5\n/);
		assert.doesNotMatch(text, /a="1"/);
	});

	it('keeps two sets apart', async () => {
		const one = createMetrics([{ name: 'x', help: 'X', kind: 'gauge', labels: [], read: () => [{ value: 1 }] }]);
		const two = createMetrics([{ name: 'x', help: 'X', kind: 'gauge', labels: [], read: () => [{ value: 2 }] }]);
		assert.match(await one.text(), /meridian_x 1/);
		assert.match(await two.text(), /meridian_x 2/);
		assert.match(one.contentType, /^text\/plain/);
	});
});
