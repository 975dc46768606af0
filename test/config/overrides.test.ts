import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
	nextEndMs,
	poolsNamed,
	type Switch,
	type SwitchTarget,
	switchedDocument,
	switchesAt,
} from '../../src/config/overrides.ts';
import { readYaml } from '../../src/config/yaml-document.ts';
import { readSteering } from '../../src/model/check-document.ts';
import type { SteeringDocument } from '../../src/model/steering.ts';

const ZONE = `
pools:
  eu: { region: eu-west, endpoints: [{ name: a, addresses: [192.0.2.1] }, { name: b, addresses: [192.0.2.2], state: drain }] }
  us: { region: us-east, state: down, endpoints: [{ name: a, addresses: [192.0.2.3] }] }
  none: { endpoints: [{ name: a, addresses: [192.0.2.4] }] }
`;

function documentOf(text: string): SteeringDocument {
	const read = readSteering(readYaml(text).value, 'zone');
	assert(read.ok);
	return read.value;
}

const document = documentOf(ZONE);
const pool = (name: string, unit = 'example.org.'): SwitchTarget => ({ kind: 'pool', unit, pool: name });
const endpoint = (name: string, of = 'eu'): SwitchTarget => ({
	kind: 'endpoint',
	unit: 'example.org.',
	pool: of,
	endpoint: name,
});
const region = (name: string): SwitchTarget => ({ kind: 'region', region: name });
const to = (state: Switch['state'], target: SwitchTarget, untilMs?: number): Switch => ({ state, target, untilMs });

/** States as `pool: state endpoint-states`. */
function statesOf({ pools }: SteeringDocument): readonly string[] {
	return [...pools].map(
		([name, { state, endpoints }]) => `${name}: ${state} ${endpoints.map((one) => one.state).join(' ')}`,
	);
}

const AS_IT_IS = ['eu: auto auto drain', 'us: down auto', 'none: auto auto'];

describe('switchedDocument()', () => {
	for (const { name, switches, states = AS_IT_IS } of [
		{ name: 'gives what it is given when nothing is switched', switches: [] },
		{
			name: 'switches a pool',
			switches: [to('drain', pool('eu'))],
			states: ['eu: drain auto drain', ...AS_IT_IS.slice(1)],
		},
		{
			name: 'switches a pool up that is configured down',
			switches: [to('up', pool('us'))],
			states: ['eu: auto auto drain', 'us: up auto', 'none: auto auto'],
		},
		{
			name: 'switches an endpoint',
			switches: [to('down', endpoint('a'))],
			states: ['eu: auto down drain', ...AS_IT_IS.slice(1)],
		},
		{
			name: 'switches an endpoint up that is configured to drain',
			switches: [to('up', endpoint('b'))],
			states: ['eu: auto auto up', ...AS_IT_IS.slice(1)],
		},
		{
			name: 'switches the pools of a region',
			switches: [to('down', region('eu-west'))],
			states: ['eu: down auto drain', ...AS_IT_IS.slice(1)],
		},
		{
			name: 'takes down before up',
			switches: [to('up', pool('eu')), to('down', region('eu-west'))],
			states: ['eu: down auto drain', ...AS_IT_IS.slice(1)],
		},
		{
			name: 'takes drain before down',
			switches: [to('drain', pool('eu')), to('down', pool('eu'))],
			states: ['eu: drain auto drain', ...AS_IT_IS.slice(1)],
		},
		{ name: 'leaves another unit alone', switches: [to('down', pool('eu', 'example.com.'))] },
		{ name: 'leaves a pool alone that is not there', switches: [to('down', pool('asia'))] },
		{ name: 'leaves an endpoint alone that is not there', switches: [to('down', endpoint('z'))] },
		{ name: 'leaves pools without a region alone', switches: [to('down', region('asia'))] },
	] as readonly { name: string; switches: readonly Switch[]; states?: readonly string[] }[]) {
		it(name, () => {
			const before = statesOf(document);
			const after = switchedDocument('example.org.', document, switches);
			assert.deepEqual(statesOf(after), states);
			assert.deepEqual(statesOf(document), before, 'what was given stays as it was');
		});
	}

	it('gives the same object where nothing of it is named', () => {
		for (const switches of [[], [to('down', pool('eu', 'example.com.'))], [to('down', region('asia'))]])
			assert.equal(switchedDocument('example.org.', document, switches), document);
	});
});

describe('switchesAt() and nextEndMs()', () => {
	const switches = [to('down', pool('a'), 1000), to('down', pool('b'), 2000), to('down', pool('c'))];
	for (const { nowMs, counts, next } of [
		{ nowMs: 0, counts: 3, next: 1000 },
		{ nowMs: 999, counts: 3, next: 1000 },
		{ nowMs: 1000, counts: 2, next: 2000 },
		{ nowMs: 2000, counts: 1, next: undefined },
	]) {
		it(`count ${counts} at ${nowMs}, until ${next}`, () => {
			assert.equal(switchesAt(switches, nowMs).length, counts);
			assert.equal(nextEndMs(switches, nowMs), next);
		});
	}
});

describe('poolsNamed()', () => {
	for (const { target, pools } of [
		{ target: pool('eu'), pools: ['eu'] },
		{ target: pool('asia'), pools: [] },
		{ target: endpoint('a'), pools: ['eu'] },
		{ target: endpoint('z'), pools: [] },
		{ target: region('us-east'), pools: ['us'] },
		{ target: pool('eu', 'example.com.'), pools: [] },
	])
		it(`finds ${pools.length} for ${JSON.stringify(target)}`, () =>
			assert.deepEqual(poolsNamed('example.org.', document, target), pools));
});

describe('switchedDocument() with members that have tripped', () => {
	const failover = '{ kind: failover, failback: manual, members: [eu, us, { kind: all, members: [eu] }] }';
	const steered = documentOf(`${ZONE}
policies:
  named: ${failover}
  around: { kind: geo, rules: [{ match: { countries: [SE] }, use: ${failover} }] }
names:
  'a.b': { policy: ${failover} }
`);
	for (const { policy, member, unit = 'example.org.', tripped } of [
		{ policy: 'named', member: 'us', tripped: { named: [1] } },
		{ policy: 'named', member: '#3', tripped: { named: [2] } },
		{ policy: 'named', member: 'none', tripped: { named: [] } },
		{ policy: 'policies.around.rules.0.use', member: 'eu', tripped: { around: [0] } },
		{ policy: 'names.a.b.policy', member: 'eu', tripped: { 'a.b': [0] } },
		{ policy: 'around', member: 'eu', tripped: {} },
		{ policy: 'named', member: 'us', unit: 'other.example.', tripped: {} },
	]) {
		it(`marks ${member} of ${policy} in ${unit} as ${JSON.stringify(tripped)}`, () => {
			const target = { kind: 'member', unit, policy, member } as const;
			const { policies, names, pools } = switchedDocument('example.org.', steered, [
				{ state: 'down', target, untilMs: undefined },
			]);
			const around = policies.get('around');
			const all = {
				named: policies.get('named'),
				around: around?.kind === 'geo' ? around.rules[0]?.use : undefined,
				'a.b': names.get('a.b')?.policy,
			};
			const marked = Object.entries(all).flatMap(([name, use]) => {
				assert(typeof use === 'object' && use.kind === 'failover');
				assert.equal(use.members.length, 3);
				return use.tripped === undefined ? [] : [[name, use.tripped]];
			});
			assert.deepEqual(Object.fromEntries(marked), tripped);
			assert.equal(pools, steered.pools);
		});
	}
});
