/**
 * What a database says of a network, whatever its schema.
 */

import { continentOf } from './continents.ts';

export interface Place {
	/** ISO 3166-1 alpha-2. */
	readonly country: string | undefined;
	/** AF, AN, AS, EU, NA, OC or SA. */
	readonly continent: string | undefined;
	/** ISO 3166-2, such as US-CA. */
	readonly subdivision: string | undefined;
	readonly coordinates: Coordinates | undefined;
	readonly asn: number | undefined;
}

export interface Coordinates {
	/** Degrees north. */
	readonly latitude: number;
	/** Degrees east. */
	readonly longitude: number;
	/** Who says so: a database for this network, or only a table for its country. */
	readonly precision: 'database' | 'country centroid';
}

export const NOWHERE: Place = {
	country: undefined,
	continent: undefined,
	subdivision: undefined,
	coordinates: undefined,
	asn: undefined,
};

/**
 * Read a record of either schema.
 *
 * | of a network | MaxMind, nested                       | flat                     |
 * |--------------|---------------------------------------|--------------------------|
 * | country      | country.iso_code                      | country_code             |
 * | continent    | continent.code                        | from the country         |
 * | subdivision  | subdivisions[0].iso_code, no country  | -                        |
 * | ASN          | autonomous_system_number              | autonomous_system_number |
 */
export function placeOf(record: unknown): Place {
	const country = text(record, 'country', 'iso_code') ?? text(record, 'country_code');
	const subdivision = text(record, 'subdivisions', 0, 'iso_code');
	const asn = valueAt(record, ['autonomous_system_number']);
	return {
		country,
		continent: text(record, 'continent', 'code') ?? (country === undefined ? undefined : continentOf(country)),
		subdivision: country === undefined || subdivision === undefined ? undefined : `${country}-${subdivision}`,
		coordinates: undefined,
		asn: typeof asn === 'number' ? asn : undefined,
	};
}

/**
 * One place from two databases: `later` fills what `earlier` lacks. A subdivision or continent comes only with a
 * country that is not at odds: a network in DE is not in US-CA, whatever the later one says.
 */
export function fillPlace(earlier: Place, later: Place): Place {
	const agrees = earlier.country === undefined || later.country === undefined || earlier.country === later.country;
	return {
		country: earlier.country ?? later.country,
		continent: earlier.continent ?? (agrees ? later.continent : undefined),
		subdivision: earlier.subdivision ?? (agrees ? later.subdivision : undefined),
		coordinates: earlier.coordinates ?? later.coordinates,
		asn: earlier.asn ?? later.asn,
	};
}

function text(record: unknown, ...path: (string | number)[]): string | undefined {
	const value = valueAt(record, path);
	return typeof value === 'string' && value !== '' ? value : undefined;
}

function valueAt(record: unknown, path: readonly (string | number)[]): unknown {
	let value = record;
	for (const step of path) {
		if (typeof value !== 'object' || value === null) return undefined;
		value = (value as Record<string | number, unknown>)[step];
	}
	return value;
}
