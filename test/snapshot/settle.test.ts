/**
 * settle() keeps what is good: a table of reloads, and of each the versions that are served and refused.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { printName } from '../../src/dns/name.ts';
import { printPath } from '../../src/lib/result.ts';
import type { BuildProblem, ZoneUnit } from '../../src/snapshot/build.ts';
import { settle } from '../../src/snapshot/settle.ts';
import { contextOf, steeringOf, unitOf } from '../serve/responder-of.ts';

/** A unit with a label, so that a test can say which version is served. */
interface Version extends ZoneUnit {
	readonly label: string;
}

const pool = (address: string) => ({ endpoints: [{ name: 'a', addresses: [address] }] });

/** The same version is the same object, as it is when files have not changed. */
const zones: Readonly<Record<string, Version>> = Object.fromEntries(
	Object.entries({
		'a old': ['a.example.', 'www A 192.0.2.1'],
		'a new': ['a.example.', 'www A 192.0.2.2'],
		'a wrong': ['a.example.', 'www CNAME a.example.\nwww A 192.0.2.2'],
		'a warned': ['a.example.', 'sub NS ns.sub'],
		'a regions': ['a.example.', '', { regions: { eu: { latitude: 1, longitude: 1 } } }],
		'a steers ns': ['a.example.', '', { pools: { own: pool('192.0.2.1') }, names: { ns: { policy: 'own' } } }],
		'b old': ['b.example.', 'www A 192.0.2.1'],
		'b uses p': ['b.example.', '', { names: { www: { policy: 'p' } } }],
		'b uses q': ['b.example.', '', { names: { www: { policy: 'q' } } }],
		'b has p': ['b.example.', '', { pools: { p: pool('192.0.2.9') }, names: { www: { policy: 'p' } } }],
		'b regions': ['b.example.', '', { regions: { eu: { latitude: 2, longitude: 2 } } }],
		'b in eu': ['b.example.', '', { pools: { own: { region: 'eu', ...pool('192.0.2.1') } } }],
		'b at ns': ['b.example.', 'sub NS ns.a.example.'],
		'b steers x.sub': ['b.example.', '', { pools: { own: pool('192.0.2.1') }, names: { 'x.sub': { policy: 'own' } } }],
		'sub.b new': ['sub.b.example.', 'www A 192.0.2.3'],
		'c wrong': ['c.example.', 'www CNAME c.example.\nwww A 192.0.2.2'],
		'c old': ['c.example.', 'www A 192.0.2.1'],
	} as Record<string, [string, string, unknown?]>).map(([label, [apex, text, steering]]) => [
		label,
		{ ...unitOf({ apex, text, steering }), label },
	]),
);

const commons = Object.fromEntries(
	Object.entries({
		empty: {},
		'has p': { pools: { p: pool('203.0.113.1') } },
		'has p, other': { pools: { p: pool('203.0.113.2') } },
		'has q': { pools: { q: pool('203.0.113.1') } },
		wrong: { pools: { p: { monitor: 'missing', ...pool('203.0.113.1') } } },
	}).map(([label, document]) => [label, steeringOf(document, 'common')]),
);

interface Row {
	readonly name: string;
	readonly last?: readonly string[];
	readonly lastCommon?: string;
	readonly next: readonly string[];
	readonly nextCommon?: string;
	readonly unread?: readonly string[];
	readonly served: readonly string[];
	readonly servedCommon?: string;
	readonly refused?: readonly string[];
	/** Unit and place of each. */
	readonly problems?: readonly string[];
}

const ROWS: readonly Row[] = [
	{ name: 'takes what is good', last: ['a old'], next: ['a new', 'b old'], served: ['a new', 'b old'] },
	{
		name: 'keeps a zone that is wrong by itself, and takes the others',
		last: ['a old', 'b old'],
		next: ['a wrong', 'b uses p'],
		nextCommon: 'has p',
		served: ['a old', 'b uses p'],
		servedCommon: 'has p',
		refused: ['a.example.'],
		problems: ['a.example. line 4'],
	},
	{
		name: 'leaves out a new zone that is wrong',
		last: ['a old'],
		next: ['a old', 'c wrong'],
		served: ['a old'],
		refused: ['c.example.'],
		problems: ['c.example. line 4'],
	},
	{
		name: 'keeps common when it is wrong by itself',
		lastCommon: 'has p',
		last: ['b uses p'],
		next: ['b uses p', 'a new'],
		nextCommon: 'wrong',
		served: ['b uses p', 'a new'],
		servedCommon: 'has p',
		refused: ['common'],
		problems: ['common pools.p.monitor'],
	},
	{
		name: 'keeps common when it takes away what an unchanged zone needs',
		lastCommon: 'has p',
		last: ['b uses p'],
		next: ['b uses p'],
		nextCommon: 'has q',
		served: ['b uses p'],
		servedCommon: 'has p',
		refused: ['common'],
		problems: ['b.example. names.www.policy'],
	},
	{
		name: 'keeps common when it defines what a zone has',
		last: ['b has p'],
		next: ['b has p', 'a new'],
		nextCommon: 'has p',
		served: ['b has p', 'a new'],
		refused: ['common'],
		problems: ['b.example. pools.p'],
	},
	{
		name: 'keeps a zone that is wrong with either common, and takes the new common',
		lastCommon: 'has p',
		last: ['b uses p'],
		next: ['b uses q'],
		nextCommon: 'has p, other',
		served: ['b uses p'],
		servedCommon: 'has p, other',
		refused: ['b.example.'],
		problems: ['b.example. names.www.policy'],
	},
	{
		name: 'keeps both when the zone is wrong by itself and its old version needs the old common',
		lastCommon: 'has p',
		last: ['b uses p', 'a old'],
		next: ['a wrong', 'b uses p'],
		nextCommon: 'has q',
		served: ['a old', 'b uses p'],
		servedCommon: 'has p',
		refused: ['a.example.', 'common'],
		problems: ['a.example. line 4', 'b.example. names.www.policy'],
	},
	{
		name: 'says each thing once when common and a zone are both wrong by themselves',
		last: ['a old'],
		next: ['a wrong'],
		nextCommon: 'wrong',
		served: ['a old'],
		refused: ['a.example.', 'common'],
		problems: ['a.example. line 4', 'common pools.p.monitor'],
	},
	{
		name: 'takes a zone and a common that need one another',
		lastCommon: 'has p',
		last: ['b uses p'],
		next: ['b uses q'],
		nextCommon: 'has q',
		served: ['b uses q'],
		servedCommon: 'has q',
	},
	{ name: 'drops a zone that is gone', last: ['a old', 'b old'], next: ['b old'], served: ['b old'] },
	{
		name: 'serves the last version of what could not be read',
		last: ['a old', 'b old'],
		next: ['b old'],
		unread: ['a.example.'],
		served: ['b old', 'a old'],
		refused: ['a.example.'],
	},
	{
		name: 'keeps common when it could not be read',
		lastCommon: 'has p',
		last: ['b uses p'],
		next: ['b uses p', 'a new'],
		nextCommon: 'empty',
		unread: ['common'],
		served: ['b uses p', 'a new'],
		servedCommon: 'has p',
		refused: ['common'],
	},
	{
		name: 'keeps many that are wrong at once',
		last: ['a old', 'c old', 'b old'],
		next: ['a wrong', 'b uses q', 'c wrong'],
		served: ['a old', 'b old', 'c old'],
		refused: ['a.example.', 'b.example.', 'c.example.'],
		problems: ['a.example. line 4', 'b.example. names.www.policy', 'c.example. line 4'],
	},
	{
		name: 'starts without anything of before from what is good',
		next: ['a new', 'c wrong', 'b uses p'],
		nextCommon: 'has p',
		served: ['a new', 'b uses p'],
		servedCommon: 'has p',
		refused: ['c.example.'],
		problems: ['c.example. line 4'],
	},
	{
		name: 'starts without common and its users when common is wrong',
		next: ['a new', 'b uses p'],
		nextCommon: 'wrong',
		served: ['a new'],
		refused: ['b.example.', 'common'],
		problems: ['b.example. names.www.policy', 'common pools.p.monitor'],
	},
	{
		name: 'tells the warnings of what is served',
		last: ['a old'],
		next: ['a warned'],
		served: ['a warned'],
		problems: ['a.example. line 4'],
	},
	// An unchanged zone never goes down with a change of another.
	{
		name: 'refuses a zone that defines the region of another again, whichever comes first',
		last: ['b regions'],
		next: ['a regions', 'b regions'],
		served: ['b regions'],
		refused: ['a.example.'],
		problems: ['a.example. line 1'],
	},
	{
		name: 'refuses it when it comes last',
		last: ['a regions', 'b old'],
		next: ['a regions', 'b regions'],
		served: ['a regions', 'b old'],
		refused: ['b.example.'],
		problems: ['b.example. regions.eu'],
	},
	{
		name: 'refuses a new zone that would take over a name which another steers',
		last: ['b steers x.sub', 'a old'],
		next: ['a new', 'b steers x.sub', 'sub.b new'],
		served: ['a new', 'b steers x.sub'],
		refused: ['sub.b.example.'],
		problems: ['sub.b.example. line 1'],
	},
	{
		name: 'refuses a version that drops the region of which an unchanged pool is',
		last: ['a regions', 'b in eu'],
		next: ['a new', 'b in eu', 'c old'],
		served: ['a regions', 'b in eu', 'c old'],
		refused: ['a.example.'],
		problems: ['a.example. line 1'],
	},
	{
		name: 'keeps a zone that was dropped when an unchanged one needs its region',
		last: ['a regions', 'b in eu'],
		next: ['b in eu'],
		served: ['b in eu', 'a regions'],
		refused: ['a.example.'],
		problems: ['a.example. line 1'],
	},
	{
		name: 'refuses to steer a name that is a name server of an unchanged zone',
		last: ['a old', 'b at ns'],
		next: ['a steers ns', 'b at ns'],
		served: ['a old', 'b at ns'],
		refused: ['a.example.'],
		problems: ['a.example. line 1'],
	},
];

describe('settle()', () => {
	for (const row of ROWS) {
		it(row.name, () => {
			const lastCommon = commons[row.lastCommon ?? 'empty'];
			const nextCommon = commons[row.nextCommon ?? row.lastCommon ?? 'empty'];
			assert.ok(lastCommon !== undefined && nextCommon !== undefined);
			const { units, problems, refused, snapshot } = settle(
				{ common: nextCommon, zones: versions(row.next) },
				{ common: lastCommon, zones: versions(row.last ?? []) },
				contextOf(),
				new Set(row.unread),
			);
			assert.deepEqual(
				units.zones.map(({ label }) => label),
				row.served,
			);
			assert.equal(units.common, commons[row.servedCommon ?? row.lastCommon ?? 'empty']);
			assert.deepEqual([...refused].sort(), row.refused ?? []);
			const told = problems.filter(({ message }) => !message.startsWith('Nobody uses'));
			assert.deepEqual(told.map(placeOf).sort(), row.problems ?? []);
			assert.equal(snapshot.zones.zoneCount, row.served.length);
		});
	}
});

it('settle() throws when not even what was served before can be built', () => {
	const broken = versions(['a wrong']);
	const units = { common: steeringOf({}, 'common'), zones: broken };
	assert.throws(() => settle(units, units, contextOf(), new Set()), /Cannot settle on a version: a\.example\. line 4/);
});

function versions(labels: readonly string[]): Version[] {
	return labels.map((label) => zones[label] ?? assert.fail(label));
}

function placeOf({ unit, at }: BuildProblem): string {
	return 'path' in at ? `${unit} ${printPath(at.path)}` : `${unit} line ${at.line}`;
}

it('the units of these tests are named by their apex', () => {
	for (const { label, apex } of Object.values(zones))
		assert.match(printName(apex), new RegExp(`^${label.split(' ')[0]}\\.`));
});
