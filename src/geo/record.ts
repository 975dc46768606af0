/**
 * A record of a database, in whichever schema, to a place.
 *
 * | of a network | MaxMind and compatible, nested           | ip-location-db, flat       | ipinfo, flat                  |
 * |--------------|------------------------------------------|----------------------------|-------------------------------|
 * | country      | country.iso_code, else registered_country | country_code               | country_code, country         |
 * | continent    | continent.code                           | from the country           | continent_code, continent     |
 * | subdivision  | subdivisions[].iso_code or names.en      | state1 (a name)            | region_code, region (a name)  |
 * | coordinates  | location.latitude, .longitude            | latitude, longitude        | latitude or lat, longitude or lng |
 * | ASN          | autonomous_system_number, in traits too  | autonomous_system_number   | asn ("AS64496")               |
 *
 * Nothing here trusts a type: what is not what it should be is not there.
 */

import { continentOf } from './continents.ts';
import type { Coordinates, Place } from './place.ts';
import { subdivisionNamed } from './subdivision-names.ts';

/** Keys that are looked at, on whatever level; a reader may pass all others by. */
export const RECORD_KEYS: ReadonlySet<string> = new Set([
	...['country', 'registered_country', 'continent', 'subdivisions', 'iso_code', 'code', 'names', 'en'],
	...['country_code', 'continent_code', 'state1', 'region', 'region_code'],
	...['location', 'latitude', 'longitude', 'lat', 'lng'],
	...['traits', 'autonomous_system_number', 'asn'],
]);

export function placeOf(record: unknown): Place {
	const continent = continentCode(record);
	const told = countryCode(record) ?? registeredCountry(record, continent);
	const country = told !== undefined && NO_COUNTRIES.has(told) ? undefined : told;
	const [subdivision, innerSubdivision] = country === undefined ? [] : subdivisionsOf(record, country);
	return {
		country,
		continent: continent ?? (told === undefined ? undefined : (NO_COUNTRIES.get(told) ?? continentOf(told))),
		subdivision,
		innerSubdivision,
		coordinates: coordinatesOf(record),
		asn: asnOf(record),
	};
}

/** Codes that stand where a country should, and the continent that they do tell: regions, proxies, satellites, Tor, unknown. */
const NO_COUNTRIES: ReadonlyMap<string, string | undefined> = new Map([
	['EU', 'EU'],
	['AP', 'AS'],
	...['A1', 'A2', 'O1', 'T1', 'XX', 'ZZ'].map((code) => [code, undefined] as const),
]);

const CONTINENTS: ReadonlySet<string> = new Set(['AF', 'AN', 'AS', 'EU', 'NA', 'OC', 'SA']);

function countryCode(record: unknown): string | undefined {
	return code(record, 'country', 'iso_code') ?? code(record, 'country_code') ?? code(record, 'country');
}

/** Anycast networks may have nothing else; a network on another continent than its owner is not where the owner is. */
function registeredCountry(record: unknown, continent: string | undefined): string | undefined {
	const country = code(record, 'registered_country', 'iso_code');
	if (country === undefined || continent === undefined) return country;
	return continentOf(country) === continent ? country : undefined;
}

function code(record: unknown, ...path: readonly string[]): string | undefined {
	const value = text(record, ...path)?.toUpperCase();
	return value !== undefined && /^[A-Z][A-Z0-9]$/.test(value) ? value : undefined;
}

function continentCode(record: unknown): string | undefined {
	const found = code(record, 'continent', 'code') ?? code(record, 'continent_code') ?? code(record, 'continent');
	return found !== undefined && CONTINENTS.has(found) ? found : undefined;
}

/** The first level, then the one below. */
function subdivisionsOf(record: unknown, country: string): readonly (string | undefined)[] {
	const list = valueAt(record, ['subdivisions']);
	if (Array.isArray(list)) {
		return list
			.slice(0, 2)
			.map((one) => subdivision(country, text(one, 'iso_code')) ?? named(country, text(one, 'names', 'en')));
	}
	const name = text(record, 'state1') ?? text(record, 'region');
	return [subdivision(country, text(record, 'region_code')) ?? named(country, name)];
}

/** @param part  what follows the country, or all of it */
function subdivision(country: string, part: string | undefined): string | undefined {
	const full = part?.toUpperCase().replace(`${country}-`, '');
	return full !== undefined && /^[A-Z0-9]{1,3}$/.test(full) ? `${country}-${full}` : undefined;
}

function named(country: string, name: string | undefined): string | undefined {
	return name === undefined ? undefined : subdivisionNamed(country, name);
}

function coordinatesOf(record: unknown): Coordinates | undefined {
	const holder = typeof valueAt(record, ['location']) === 'object' ? valueAt(record, ['location']) : record;
	const latitude = degrees(valueAt(holder, ['latitude']) ?? valueAt(holder, ['lat']), 90);
	const longitude = degrees(valueAt(holder, ['longitude']) ?? valueAt(holder, ['lng']), 180);
	if (latitude === undefined || longitude === undefined) return undefined;
	// What databases write that have nothing to say, and no place where anybody is.
	if (latitude === 0 && longitude === 0) return undefined;
	return { latitude, longitude, precision: 'database' };
}

function degrees(value: unknown, most: number): number | undefined {
	const number = typeof value === 'string' && /^-?\d{1,3}(\.\d+)?$/.test(value) ? Number(value) : value;
	if (typeof number !== 'number' || !(Math.abs(number) <= most)) return undefined;
	// Some kilometres are no matter, and places that are one stay one.
	return Math.round(number * 100) / 100;
}

function asnOf(record: unknown): number | undefined {
	const told =
		valueAt(record, ['autonomous_system_number']) ??
		valueAt(record, ['traits', 'autonomous_system_number']) ??
		valueAt(record, ['asn']);
	const number = typeof told === 'string' && /^(AS)?\d{1,10}$/i.test(told) ? Number(told.replace(/^AS/i, '')) : told;
	return typeof number === 'number' && Number.isInteger(number) && number > 0 && number <= 0xffffffff
		? number
		: undefined;
}

function text(record: unknown, ...path: readonly string[]): string | undefined {
	const value = valueAt(record, path);
	return typeof value === 'string' && value !== '' ? value : undefined;
}

function valueAt(record: unknown, path: readonly string[]): unknown {
	let value = record;
	for (const step of path) {
		if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
		value = (value as Record<string, unknown>)[step];
	}
	return value;
}
