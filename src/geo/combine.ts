/**
 * Several databases as one: each fills what the ones before it lack, network by network and field by field.
 *
 *     city   |    US-CA     |  US-NV  |
 *     ASN    |  64496  |    64497     |
 *     both   |  1      | 2  |  3      |     cut where either is cut
 */

import type { Family } from '../lib/address.ts';
import { centroidOf } from './centroids.ts';
import type { GeoData } from './decide.ts';
import { fillPlace, NOWHERE, type Place } from './place.ts';
import { type FamilyRanges, overlay } from './ranges.ts';

/** The first one counts most. What has no coordinates then gets those of its country. */
export function combineGeoData(files: readonly [GeoData, ...GeoData[]]): GeoData {
	const { ranges, places, version } = files.reduce(combineTwo);
	return { ranges, places: places.map(withCentroid), version };
}

function withCentroid(place: Place): Place {
	if (place.coordinates !== undefined || place.country === undefined) return place;
	return { ...place, coordinates: centroidOf(place.country) };
}

function combineTwo(first: GeoData, second: GeoData): GeoData {
	const places: Place[] = [];
	const numbers = new Map<string, number>();
	const numberOf = (place: Place) => {
		const key = JSON.stringify(place);
		const before = numbers.get(key);
		if (before !== undefined) return before;
		numbers.set(key, places.length);
		places.push(place);
		return places.length - 1;
	};
	numberOf(NOWHERE);
	const filled = (one: number, two: number) =>
		numberOf(fillPlace(first.places[one] ?? NOWHERE, second.places[two] ?? NOWHERE));
	// Where one of them knows nothing, as between a file for each family, an index is far faster than a map.
	const alone = [new Int32Array(first.places.length).fill(-1), new Int32Array(second.places.length).fill(-1)] as const;
	const pairs = new Map<number, number>();
	const both = (family: Family, a: FamilyRanges, b: FamilyRanges) =>
		overlay(family, [a, b], ([one = 0, two = 0]) => {
			if (one === 0 || two === 0) {
				const known = two === 0 ? alone[0] : alone[1];
				const at = two === 0 ? one : two;
				let number = known[at] ?? -1;
				if (number < 0) known[at] = number = filled(one, two);
				return number;
			}
			const key = one * second.places.length + two;
			const before = pairs.get(key);
			if (before !== undefined) return before;
			const number = filled(one, two);
			pairs.set(key, number);
			return number;
		});
	return {
		ranges: {
			ipv4: both(4, first.ranges.ipv4, second.ranges.ipv4),
			ipv6: both(6, first.ranges.ipv6, second.ranges.ipv6),
		},
		places,
		version: `${first.version}+${second.version}`,
	};
}
