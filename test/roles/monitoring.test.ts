/**
 * What deploy/monitoring names must be what an instance tells.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { readYaml } from '../../src/config/yaml-document.ts';
import { findProgram } from '../setup/tools.ts';
import { PROJECT, startInstance } from './meridian-process.ts';
import { GOOD_ZONE, scratch } from './scratch.ts';

const FOLDER = join(PROJECT, 'deploy/monitoring');
const DASHBOARD = readFileSync(join(FOLDER, 'grafana.json'), 'utf8');
const ALERTS = readFileSync(join(FOLDER, 'alerts.yaml'), 'utf8');
const PROMTOOL = findProgram('promtool');

interface Rule {
	readonly alert: string;
	readonly expr: string;
	readonly labels: { readonly severity: string };
	readonly annotations: { readonly summary: string };
}

async function metricsOf(t: TestContext): Promise<string> {
	const zonesDir = scratch(t, { 'a.example.zone': GOOD_ZONE });
	const { admin } = await startInstance(t, { zonesDir, stateDir: scratch(t) });
	return (await fetch(`${admin}/metrics`)).text();
}

describe('deploy/monitoring', () => {
	it('names metrics that are there', async (t) => {
		const told = new Map(
			[...(await metricsOf(t)).matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, kind]) => [name, kind]),
		);
		const names = new Set([...`${DASHBOARD}${ALERTS}`.matchAll(/\bmeridian_\w+/g)].map(([name]) => name));
		assert(names.size > 30, `${names.size} names`);
		for (const name of names) {
			const base = name.replace(/_(?:bucket|sum|count)$/, '');
			assert(told.has(name) || told.get(base) === 'histogram', `nothing tells ${name}`);
		}
	});

	it('is a dashboard whose panels have ids and places of their own', () => {
		const { panels } = JSON.parse(DASHBOARD) as {
			panels: { id: number; title: string; gridPos: { x: number; y: number }; targets?: { expr: string }[] }[];
		};
		assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
		assert.equal(new Set(panels.map(({ gridPos: { x, y } }) => `${x} ${y}`)).size, panels.length);
		for (const { title, targets = [] } of panels)
			for (const { expr } of targets) assert.match(expr, /\$instance/, title);
	});

	it('has rules that each say how grave they are, and what is wrong', () => {
		const { value, problems } = readYaml(ALERTS);
		assert.deepEqual(problems, []);
		const rules = (value as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
		assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
		for (const { alert, expr, labels, annotations } of rules) {
			assert.match(alert, /^Meridian[A-Z]/);
			assert.match(expr, /meridian_/);
			assert(['page', 'warning'].includes(labels.severity), alert);
			assert(annotations.summary.length > 10, alert);
		}
	});

	it('is taken by promtool, as are the metrics', {
		skip: PROMTOOL === undefined && 'promtool is not installed',
	}, async (t) => {
		const rules = spawnSync(PROMTOOL ?? '', ['check', 'rules', join(FOLDER, 'alerts.yaml')], { encoding: 'utf8' });
		assert.equal(rules.status, 0, rules.stderr + rules.stdout);
		const metrics = spawnSync(PROMTOOL ?? '', ['check', 'metrics'], { encoding: 'utf8', input: await metricsOf(t) });
		assert.equal(metrics.status, 0, metrics.stderr + metrics.stdout);
	});
});
