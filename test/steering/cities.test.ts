/**
 * Real cities and networks: which region is nearest, and what the database that comes along says of the countries.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { printAddress } from '../../src/lib/address.ts';
import { readGeodb } from '../../src/roles/geodb.ts';
import { geoDataOf, prefix } from '../geo/oracle.ts';
import { CITIES, REGIONS } from './cities.ts';
import { geo, pool, proximity, steer, type World } from './steer.ts';

const regionNames = Object.keys(REGIONS);
const regions = Object.fromEntries(
	Object.entries(REGIONS).map(([name, [latitude, longitude]]) => [name, { latitude, longitude }]),
);
const pools = Object.fromEntries(regionNames.map((name) => [name, pool(name, { region: name })]));

/** The first and the last address of a network. */
function endsOf(network: string): readonly string[] {
	const { family, first, last } = prefix(network);
	return [first, last].map((words) => printAddress({ family, words }));
}

/** All answers that a client gets. */
function answersOf(world: World, client: string): string {
	return Object.keys(world.count('www', 60, { client }))
		.sort()
		.join('|');
}

describe('proximity sends to the nearest region', () => {
	const records = CITIES.map(({ network, at: [latitude, longitude] }) => {
		const coordinates = { latitude, longitude, precision: 'database' as const };
		return [network, { coordinates }] as const;
	});
	const zone = { regions, pools, names: { www: { policy: proximity(...regionNames) } } };
	const world = steer({ zone, geo: geoDataOf(Object.fromEntries(records)) });
	for (const { name, network, nearest } of CITIES) {
		it(`of ${name}`, () => {
			for (const client of endsOf(network)) assert.equal(answersOf(world, client), nearest, client);
		});
	}
});

describe('geo sends by country, as the default database has it', () => {
	const rule = (match: object, use: string) => ({ match, use });
	const policy = geo(
		[
			rule({ continents: ['NA'] }, 'virginia'),
			rule({ continents: ['SA'] }, 'sao-paulo'),
			rule({ continents: ['EU'] }, 'frankfurt'),
			rule({ countries: ['GB', 'IE'], places: ['nordics'] }, 'dublin'),
			rule({ continents: ['AF'] }, 'cape-town'),
			rule({ continents: ['AS'] }, 'singapore'),
			rule({ countries: ['JP', 'KR'] }, 'tokyo'),
			rule({ countries: ['IL'] }, 'bahrain'),
			rule({ continents: ['OC'] }, 'sydney'),
			rule({ networks: ['stanford'] }, 'oregon'),
		],
		'mumbai',
	);
	const zone = {
		regions,
		pools,
		networks: { stanford: ['171.64.0.0/14'] },
		places: { nordics: { countries: ['SE', 'NO', 'FI', 'DK', 'IS'] } },
		names: { www: { policy } },
	};
	const expected: Readonly<Record<string, string>> = {
		...{ US: 'virginia', CA: 'virginia', MX: 'virginia', BR: 'sao-paulo', CL: 'sao-paulo' },
		...{ GB: 'dublin', IE: 'dublin', SE: 'dublin', NO: 'dublin', FI: 'dublin' },
		...{ CH: 'frankfurt', DE: 'frankfurt', IT: 'frankfurt', ES: 'frankfurt', AT: 'frankfurt', CZ: 'frankfurt' },
		...{ PL: 'frankfurt', GR: 'frankfurt', BE: 'frankfurt', NL: 'frankfurt', FR: 'frankfurt' },
		...{ ZA: 'cape-town', IL: 'bahrain', JP: 'tokyo', KR: 'tokyo', AU: 'sydney', NZ: 'sydney' },
		...{ CN: 'singapore', HK: 'singapore', TW: 'singapore', SG: 'singapore', TH: 'singapore' },
	};
	const [data] = readGeodb([]);
	const world = steer({ zone, geo: data });
	for (const { name, network, country } of CITIES) {
		it(`${name}, ${network} of ${country}`, () => {
			const { length } = prefix(network);
			for (const client of endsOf(network)) {
				assert.equal(answersOf(world, client), name === 'Stanford' ? 'oregon' : expected[country], client);
				assert.ok(world.scope('www', { client }) <= length, 'a network of one country has one answer');
			}
		});
	}
});
