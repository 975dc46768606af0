/**
 * Rows of the composition tables: a policy, what is down, who asks -> what they get. All rows are asked of one
 * world, which stands here.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Place } from '../../src/geo/place.ts';
import { geoDataOf } from '../geo/oracle.ts';
import { pool, steer, type World } from './steer.ts';

export interface Row {
	/** A sentence about the policy. */
	readonly does: string;
	readonly policy: unknown;
	/** Endpoints in the words of World.set(). */
	readonly down?: string;
	readonly up?: string;
	readonly waiting?: string;
	/** Round-trip times in milliseconds by endpoint, one for each vantage. */
	readonly rtt?: Readonly<Record<string, readonly number[]>>;
	/** Policies and pools that only this row has. */
	readonly policies?: Readonly<Record<string, unknown>>;
	readonly pools?: Readonly<Record<string, unknown>>;
	readonly client?: string;
	readonly resolver?: string;
	readonly type?: 'A' | 'AAAA';
	readonly ttl?: string;
	/** All answers that come, each with its endpoints sorted, told apart by `|`. */
	readonly gives: string;
	readonly ttlSec?: number;
	readonly scope?: number;
}

const REGIONS = {
	us: { latitude: 39, longitude: -77.5 },
	eu: { latitude: 53.3, longitude: -6.3 },
	ap: { latitude: 35.6, longitude: 139.8 },
	// On the equator a degree is 111.195 km.
	e10: { latitude: 0, longitude: 10 },
	e10_8: { latitude: 0, longitude: 10.8 },
	e10_95: { latitude: 0, longitude: 10.95 },
	e11_6: { latitude: 0, longitude: 11.6 },
	e20: { latitude: 0, longitude: 20 },
	e60: { latitude: 0, longitude: 60 },
	e62_9: { latitude: 0, longitude: 62.9 },
	e63_1: { latitude: 0, longitude: 63.1 },
};

const at = (latitude: number, longitude: number): Partial<Place> => ({
	coordinates: { latitude, longitude, precision: 'database' },
});

/** 8.0.0.0/8, where who is not named asks from, is in no database. */
const GEO = geoDataOf({
	'1.0.0.0/8': { country: 'DE', continent: 'EU', ...at(50.1, 8.7) },
	'1.1.0.0/16': { country: 'DE', continent: 'EU', asn: 64500, ...at(50.1, 8.7) },
	'2.0.0.0/8': { country: 'FR', continent: 'EU', ...at(48.9, 2.4) },
	'3.0.0.0/8': { country: 'US', continent: 'NA', subdivision: 'US-CA', ...at(37.4, -122.1) },
	'4.0.0.0/8': { country: 'US', continent: 'NA', ...at(40.7, -74) },
	'5.0.0.0/8': { country: 'JP', continent: 'AS', ...at(35.7, 139.7) },
	'6.0.0.0/8': { country: 'BR', continent: 'SA' },
	'7.0.0.0/8': at(0, 0),
	'2a00::/16': { country: 'DE', continent: 'EU', ...at(50.1, 8.7) },
	'2a01::/16': { country: 'US', continent: 'NA', ...at(40.7, -74) },
});

/** Endpoints `a` to `d` stand alone in a pool of that name; so do `u`, `e` and `p` of the regions us, eu and ap. */
const POOLS = {
	a: pool('a'),
	b: pool('b'),
	c: pool('c'),
	d: pool('d'),
	us: pool('u', { region: 'us' }),
	eu: pool('e', { region: 'eu' }),
	ap: pool('p', { region: 'ap' }),
	two: pool('t1 t2'),
	half: pool('h1 h2', { minHealthy: 2 }),
	half2: pool('g1 g2', { minHealthy: 2 }),
	v4: pool('f:4'),
	v6: pool('s:6'),
	pass4: pool('q:4', { noAddress: 'pass' }),
	off: pool('o', { state: 'drain' }),
	put: pool('w', { state: 'down' }),
	held: pool('k', { state: 'up' }),
	quiet: pool('n', { onAllDown: 'nodata' }),
	broken: pool('z', { onAllDown: 'servfail' }),
	cdn: pool('cdn:c'),
	cdn2: pool('cdx:c'),
};

export function rows(title: string, table: readonly Row[]): void {
	describe(title, () => {
		for (const row of table) it(row.does, () => check(row));
	});
}

function worldOf({ policy, policies = {}, pools = {}, ttl = '30s' }: Row): World {
	return steer({
		zone: {
			regions: REGIONS,
			networks: { office: ['1.2.0.0/16', '2a00:1::/32'], room: ['1.2.3.0/24'], lab: ['10.9.0.0/16'] },
			places: { dach: { countries: ['DE', 'AT', 'CH'] } },
			pools: { ...POOLS, ...pools },
			policies,
			names: { www: { policy, ttl } },
		},
		geo: GEO,
		vantages: ['us', 'eu'],
	});
}

function check(row: Row): void {
	const world = worldOf(row);
	for (const vote of ['up', 'down', 'waiting'] as const)
		for (const endpoint of (row[vote] ?? '').split(' ')) if (endpoint !== '') world.set(endpoint, vote);
	for (const [endpoint, timesMs] of Object.entries(row.rtt ?? {}))
		for (const [vantage, ms] of timesMs.entries()) world.rtt(endpoint, ms, vantage);
	const { client = '8.8.8.8', resolver = '9.9.9.9', type } = row;
	const question = { client, resolver, family: type === 'AAAA' ? 6 : 4 } as const;
	const answers = Object.keys(world.count('www', 200, question)).map((answer) => answer.split(' ').sort().join(' '));
	assert.equal([...new Set(answers)].sort().join('|'), row.gives);
	if (row.ttlSec !== undefined) assert.equal(world.ttlSec('www', question), row.ttlSec, 'TTL');
	if (row.scope !== undefined) assert.equal(world.scope('www', question), row.scope, 'scope');
}
