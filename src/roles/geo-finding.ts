/**
 * What databases, networks and places say of one address, as an answer would see it.
 */

import { type Carrier, Client, setClient } from '../geo/client.ts';
import { combineGeoData } from '../geo/combine.ts';
import type { GeoData } from '../geo/decide.ts';
import { type GeoFile, openRaw, type RawFinding } from '../geo/mmdb-file.ts';
import { NOWHERE, type Place } from '../geo/place.ts';
import { familyRanges, findRange } from '../geo/ranges.ts';
import { specialPurposeOf } from '../geo/special-purpose.ts';
import { type Address, printAddress } from '../lib/address.ts';
import { type Prefix, parsePrefix, prefixHolds, printPrefix } from '../lib/prefix.ts';
import type { SteeringUnit } from '../steering/compile.ts';

export interface GeoFinding {
	/** How the address carries an IPv4 address; absent when it does not. */
	readonly form: Carrier | undefined;
	/** The address that databases and networks are asked for. */
	readonly lookedUpAs: string;
	/** Databases are not believed on such blocks. */
	readonly specialPurpose: { readonly block: string; readonly purpose: string } | undefined;
	readonly databases: readonly DatabaseFinding[];
	/** What policies see. */
	readonly place: Place;
	/** The longest prefix first. */
	readonly networks: readonly { readonly unit: string; readonly name: string; readonly prefix: string }[];
	readonly places: readonly { readonly unit: string; readonly name: string; readonly by: string }[];
}

interface DatabaseFinding {
	readonly path: string;
	readonly type: string;
	readonly builtAt: string | undefined;
	/** Of the file's search tree; absent for an IPv6 address in a file for IPv4. */
	readonly network: string | undefined;
	readonly place: Place;
	/** As it stands in the file. */
	readonly record: unknown;
}

export class GeoFinder {
	readonly #files: readonly { readonly file: GeoFile; readonly find: (address: Address) => RawFinding | undefined }[];
	readonly #data: GeoData;
	readonly #documents: readonly SteeringUnit[];

	/** @throws Error that names the file that cannot be read */
	constructor(files: readonly [GeoFile, ...GeoFile[]], documents: readonly SteeringUnit[]) {
		this.#files = files.map((file) => ({ file, find: openRaw(file.path) }));
		this.#data = combineGeoData(files);
		this.#documents = documents;
	}

	find(address: Address): GeoFinding {
		const client = new Client();
		const form = setClient(client, address.family, address.words);
		const special = specialPurposeOf(client);
		const place = special === undefined ? placeIn(this.#data, client) : NOWHERE;
		return {
			form,
			lookedUpAs: printAddress(client),
			specialPurpose:
				special === undefined ? undefined : { block: printPrefix(special.block), purpose: special.purpose },
			databases: this.#files.map(({ file, find }) => {
				const raw = find(client);
				return {
					path: file.path,
					type: file.databaseType,
					builtAt: file.builtAt?.toISOString(),
					network: raw === undefined ? undefined : printPrefix(raw.network),
					place: placeIn(file, client),
					record: raw?.record,
				};
			}),
			place,
			networks: this.#documents
				.flatMap((unit) => networksWith(unit, client))
				.sort(byLength)
				.map(({ prefix, ...rest }) => ({
					...rest,
					prefix: printPrefix(prefix),
				})),
			places: this.#documents.flatMap((unit) => placesWith(unit, place)),
		};
	}
}

function placeIn({ ranges, places }: GeoData, { family, words }: Address): Place {
	const own = familyRanges(ranges, family);
	return places[own.values[findRange(own, words)] ?? 0] ?? NOWHERE;
}

interface NetworkFinding {
	readonly unit: string;
	readonly name: string;
	readonly prefix: Prefix;
}

function networksWith({ unit, document }: SteeringUnit, address: Address): readonly NetworkFinding[] {
	return [...document.networks].flatMap(([name, texts]) =>
		texts
			.map(parsePrefix)
			.filter((prefix) => typeof prefix !== 'string')
			.filter((prefix) => prefixHolds(prefix, address))
			.map((prefix) => ({ unit, name, prefix })),
	);
}

function byLength(a: NetworkFinding, b: NetworkFinding): number {
	return b.prefix.length - a.prefix.length;
}

/** What has a place in it: the most specific key that does. */
function placesWith({ unit, document }: SteeringUnit, place: Place): GeoFinding['places'] {
	const { asn, subdivision, innerSubdivision, country, continent } = place;
	return [...document.places].flatMap(([name, { asns, subdivisions, countries, continents }]) => {
		const keys: readonly (readonly [string, string | number | undefined, readonly (string | number)[] | undefined])[] =
			[
				['asn', asn, asns],
				['subdivision', innerSubdivision, subdivisions],
				['subdivision', subdivision, subdivisions],
				['country', country, countries],
				['continent', continent, continents],
			];
		const found = keys.find(([, value, list]) => value !== undefined && list?.includes(value));
		return found === undefined ? [] : [{ unit, name, by: `${found[0]} ${found[1]}` }];
	});
}
