/**
 * The page of each kind: its parts in order, its examples compile without an error, its settings are those that
 * the shapes have, its metrics are there.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { readYaml } from '../../src/config/yaml-document.ts';
import { POLICY_SHAPES } from '../../src/model/steering.ts';
import { readGeodb } from '../../src/roles/geodb.ts';
import { compileZones, problemsOf, warningsOf } from './steer.ts';

const PAGES = [...Object.keys(POLICY_SHAPES), 'pool'];
const file = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const [geo] = readGeodb([]);

function examplesOf(page: string): readonly string[] {
	return [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = '']) => text);
}

for (const name of PAGES) {
	describe(`the page of ${name}`, () => {
		const page = file(`src/steering/${name}.md`);

		it('has the parts of a man page', () => {
			const parts = [...page.matchAll(/^## (.*)$/gm)].map(([, part]) => part);
			assert.deepEqual(parts, ['Name', 'Behaviour', 'Settings', 'Examples', 'Metrics']);
			assert.ok(page.startsWith(`# ${name}\n`));
		});

		for (const [i, text] of examplesOf(page).entries()) {
			it(`has an example ${i + 1} that works`, () => {
				const { value, problems } = readYaml(text);
				assert.deepEqual(problems, []);
				const unit = { unit: 'example.org.', value: value as Readonly<Record<string, unknown>> };
				const compiled = compileZones([unit], {}, geo);
				assert.deepEqual(problemsOf(compiled), []);
				// What the database that comes along lacks is no fault of an example.
				assert.deepEqual(
					warningsOf(compiled).filter((warning) => !warning.includes('No loaded database has data of')),
					[],
				);
				const kinds = compiled.table.nodes.map(({ kind }) => kind);
				assert.ok(kinds.some((kind) => kind === name));
			});
		}

		it('has an example', () => assert.ok(examplesOf(page).length > 0));

		it('has every setting', () => {
			const settings = page.slice(page.indexOf('## Settings'), page.indexOf('## Examples'));
			for (const key of settingsOf(name)) assert.ok(settings.includes(`\`${key}\``), key);
		});

		it('names metrics that there are', () => {
			const sources = ['instance-metrics', 'query-metrics', 'health-metrics']
				.map((one) => file(`src/roles/${one}.ts`))
				.join();
			for (const [metric, own] of page.matchAll(/meridian_([a-z_]+)/g)) assert.ok(sources.includes(`'${own}'`), metric);
		});

		it('is linked from the README', () => {
			assert.ok(file('README.md').includes(`(src/steering/${name}.md)`));
		});
	});
}

/** Keys of a policy or of a pool, and of the entries of its lists. */
function settingsOf(name: string): readonly string[] {
	if (name === 'pool') {
		const keys = ['monitor', 'region', 'minHealthy', 'onAllDown', 'noAddress', 'answers', 'by', 'state', 'endpoints'];
		const endpoint = ['name', 'addresses', 'cname', 'weight', 'state', 'check.address', 'check.port'];
		return [...keys, ...endpoint.map((key) => `endpoints[].${key}`)];
	}
	return Object.keys(POLICY_SHAPES[name as keyof typeof POLICY_SHAPES].properties);
}
