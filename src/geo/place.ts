/**
 * Where a network is, whatever database said so.
 */

export interface Place {
	/** ISO 3166-1 alpha-2. */
	readonly country: string | undefined;
	/** AF, AN, AS, EU, NA, OC or SA. */
	readonly continent: string | undefined;
	/** ISO 3166-2 of the first level, such as US-CA. */
	readonly subdivision: string | undefined;
	/** ISO 3166-2 of the level below, where a country has one, such as GB-WSM in GB-ENG. */
	readonly innerSubdivision: string | undefined;
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
	innerSubdivision: undefined,
	coordinates: undefined,
	asn: undefined,
};

/** What a database may know of a network. */
export const GEO_FIELDS = ['country', 'continent', 'subdivision', 'coordinates', 'asn'] as const;

export type GeoField = (typeof GEO_FIELDS)[number];

/** The fields that some place has; coordinates of a country's centroid are not known, they stand in. */
export function fieldsKnown(places: readonly Place[]): ReadonlySet<GeoField> {
	return new Set(GEO_FIELDS.filter((field) => places.some((place) => knows(place, field))));
}

function knows(place: Place, field: GeoField): boolean {
	if (field === 'coordinates') return place.coordinates?.precision === 'database';
	return place[field] !== undefined;
}

/**
 * One place from two databases: `later` fills what `earlier` lacks. All but the ASN comes only from a place that is
 * not at odds: a network in DE is not in US-CA, whatever the later one says.
 */
export function fillPlace(earlier: Place, later: Place): Place {
	const asn = earlier.asn ?? later.asn;
	if (!agree(earlier, later)) return { ...earlier, asn };
	const isOneSubdivision = earlier.subdivision === undefined || earlier.subdivision === later.subdivision;
	return {
		country: earlier.country ?? later.country,
		continent: earlier.continent ?? later.continent,
		subdivision: earlier.subdivision ?? later.subdivision,
		innerSubdivision: earlier.innerSubdivision ?? (isOneSubdivision ? later.innerSubdivision : undefined),
		coordinates: earlier.coordinates ?? later.coordinates,
		asn,
	};
}

/** Databases may see one country on two continents (TR, RU, CY): the country counts, when both have one. */
function agree(a: Place, b: Place): boolean {
	if (a.country !== undefined && b.country !== undefined) return a.country === b.country;
	return a.continent === undefined || b.continent === undefined || a.continent === b.continent;
}
