/**
 * build() tells every problem with its unit and place; the zones are small, one mistake each.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { printPath } from '../../src/lib/result.ts';
import { type BuildProblem, build } from '../../src/snapshot/build.ts';
import { contextOf, unitsOf, type ZoneSpec } from '../serve/responder-of.ts';

const pools = { eu: { endpoints: [{ name: 'a', addresses: ['203.0.113.10'] }] } };

/** A zone whose steering file names these owners, all for one pool. */
function steered(text: string, ...owners: readonly string[]): ZoneSpec {
	return {
		apex: 'example.org.',
		text,
		steering: { pools, names: Object.fromEntries(owners.map((owner) => [owner, { policy: 'eu' }])) },
	};
}

const child: ZoneSpec = { apex: 'child.example.org.', text: 'www A 192.0.2.1' };

const ROWS: readonly {
	readonly name: string;
	readonly zones: readonly ZoneSpec[];
	readonly problems: readonly string[];
}[] = [
	{
		name: 'takes what is right',
		zones: [steered('www TXT "beside"\n_t.www A 192.0.2.1', 'www', '@', '*.app', 'a.b.c')],
		problems: [],
	},
	{
		name: 'refuses a steered delegation',
		zones: [steered('sub NS ns.example.net.', 'sub')],
		problems: ['example.org. names.sub: Cannot steer "sub": it lies at or below the delegation sub.example.org.'],
	},
	{
		name: 'refuses a steered name below a delegation, glue or not',
		zones: [steered('sub NS ns.sub\nns.sub A 192.0.2.1', 'ns.sub', 'a.b.sub')],
		problems: [
			'example.org. line 4: Cannot use the name server ns.sub.example.org.: it is steered, and a delegation must not hang on a policy',
			'example.org. names["a.b.sub"]: Cannot steer "a.b.sub": it lies at or below the delegation sub.example.org.',
			'example.org. names["ns.sub"]: Cannot steer "ns.sub": it lies at or below the delegation sub.example.org.',
		],
	},
	{
		name: 'refuses a steered name below a DNAME, and takes the DNAME’s owner',
		zones: [steered('old DNAME example.net.', 'www.old', 'old')],
		problems: ['example.org. names["www.old"]: Cannot steer "www.old": it lies below the DNAME old.example.org.'],
	},
	{
		name: 'refuses a name in another zone of ours, its apex too',
		zones: [steered('', 'www.child', 'child'), child],
		problems: [
			'example.org. names.child: Cannot steer "child": it lies in another zone, child.example.org.',
			'example.org. names["www.child"]: Cannot steer "www.child": it lies in another zone, child.example.org.',
		],
	},
	{
		name: 'refuses a name outside of the zone',
		zones: [steered('', 'www.example.net.', 'org.')],
		problems: [
			'example.org. names["org."]: Cannot steer "org.": it is not in the zone example.org.',
			'example.org. names["www.example.net."]: Cannot steer "www.example.net.": it is not in the zone example.org.',
		],
	},
	{
		name: 'refuses what is no name',
		zones: [steered('', 'a..b')],
		problems: ['example.org. names["a..b"]: Cannot read "a..b" as a name: it has an empty label'],
	},
	{
		name: 'refuses static data of a steered type, each by itself',
		zones: [steered('www A 192.0.2.1\nwww AAAA 2001:db8::1\nwww TXT "fine"', 'www')],
		problems: [
			'example.org. names.www: Cannot steer "www": the zone file has A records there',
			'example.org. names.www: Cannot steer "www": the zone file has AAAA records there',
		],
	},
	{
		name: 'takes static data of a type that the name does not steer',
		zones: [
			{ ...steered('www AAAA 2001:db8::1'), steering: { pools, names: { www: { policy: 'eu', types: ['A'] } } } },
		],
		problems: [],
	},
	{
		name: 'refuses a CNAME beside',
		zones: [steered('www CNAME example.net.', 'www')],
		problems: ['example.org. names.www: Cannot steer "www": the zone file has CNAME records there'],
	},
	{
		name: 'finds an owner in any case and through escapes',
		zones: [steered('www A 192.0.2.1', 'W\\119W')],
		problems: ['example.org. names["W\\\\119W"]: Cannot steer "W\\119W": the zone file has A records there'],
	},
	{
		name: 'refuses one owner written in two ways',
		zones: [steered('', 'www', 'WWW.Example.ORG.', 'ww\\w')],
		problems: [
			'example.org. names["WWW.Example.ORG."]: Cannot steer "WWW.Example.ORG." twice',
			'example.org. names["ww\\\\w"]: Cannot steer "ww\\w" twice',
		],
	},
	{
		name: 'refuses a steered wildcard with static data, and takes a name below it',
		zones: [steered('*.app A 192.0.2.1\nx.app A 192.0.2.2', '*.app')],
		problems: ['example.org. names["*.app"]: Cannot steer "*.app": the zone file has A records there'],
	},
	{
		name: 'refuses a name server that is steered, at the apex and at a cut',
		zones: [steered('@ NS ns1\nsub NS NS1.example.org.', 'ns1')],
		problems: [
			'example.org. line 4: Cannot use the name server ns1.example.org.: it is steered, and a delegation must not hang on a policy',
			'example.org. line 5: Cannot use the name server ns1.example.org.: it is steered, and a delegation must not hang on a policy',
		],
	},
	{
		name: 'refuses a name server that another zone of ours steers',
		zones: [steered('', 'ns1'), { apex: 'example.net.', text: '@ NS ns1.example.org.' }],
		problems: [
			'example.net. line 4: Cannot use the name server ns1.example.org.: it is steered, and a delegation must not hang on a policy',
		],
	},
	{
		name: 'refuses a name server that a steered wildcard stands for, and takes one that is there or delegated',
		zones: [
			steered('@ NS ns.app\nsub NS a.b.app\nsub NS host.app\nhost.app A 192.0.2.1\nd.app NS ns.d.app', '*.app'),
			{ apex: 'example.net.', text: '@ NS ns1.APP.example.org.' },
		],
		problems: [
			'example.net. line 4: Cannot use the name server ns1.app.example.org.: it is steered, and a delegation must not hang on a policy',
			'example.org. line 4: Cannot use the name server ns.app.example.org.: it is steered, and a delegation must not hang on a policy',
			'example.org. line 5: Cannot use the name server a.b.app.example.org.: it is steered, and a delegation must not hang on a policy',
		],
	},
	{
		name: 'refuses a region that two zones define',
		zones: ['a.example.', 'b.example.'].map((apex) => ({
			apex,
			text: '',
			steering: { regions: { eu: { latitude: 0, longitude: 0 } } },
		})),
		problems: ['b.example. regions.eu: Cannot define the region "eu" twice: regions are global'],
	},
	{
		name: 'tells the problems of all zones at once',
		zones: [
			{ apex: 'a.example.', text: 'www CNAME b\nwww A 192.0.2.1' },
			{ apex: 'b.example.', text: '', steering: { names: { www: { policy: 'missing' } } } },
		],
		problems: [
			'a.example. line 4: Cannot hold a CNAME beside other data at www.a.example., expected it alone',
			'b.example. names.www.policy: Cannot find a pool or policy "missing": there are none',
		],
	},
];

describe('build()', () => {
	for (const { name, zones, problems } of ROWS) {
		it(name, () => {
			const built = build(unitsOf({ zones }), contextOf());
			const errors = built.problems.filter(({ isWarning }) => !isWarning);
			assert.deepEqual(errors.map(problemText).sort(), problems);
			assert.equal(built.snapshot === undefined, problems.length > 0);
		});
	}

	it('gives a snapshot in spite of warnings', () => {
		const zone = { apex: 'example.org.', text: 'sub NS ns.sub' };
		const { snapshot, problems } = build(unitsOf({ zones: [zone] }), contextOf());
		assert.notEqual(snapshot, undefined);
		assert.deepEqual(
			problems.map(({ isWarning }) => isWarning),
			[true],
		);
	});

	it('gives a snapshot that crosses to workers', () => {
		const { snapshot } = build(unitsOf({ zones: [steered('', 'www')] }), contextOf());
		assert.deepEqual(structuredClone(snapshot), snapshot);
	});

	it('gives an empty snapshot for no zones', () => {
		assert.equal(build(unitsOf({ zones: [] }), contextOf()).snapshot?.zones.zoneCount, 0);
	});
});

function problemText({ unit, at, message }: BuildProblem): string {
	return `${unit} ${'path' in at ? printPath(at.path) : `line ${at.line}`}: ${message}`;
}
