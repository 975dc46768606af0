/**
 * The geo databases of the settings, or the one that comes with Meridian, which lies in its npm package.
 */

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type GeoFile, readMmdbFile } from '../geo/mmdb-file.ts';

const PACKAGE = '@ip-location-db/geo-whois-asn-country-mmdb';

export function defaultGeodbPath(): string {
	const manifest = createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`);
	return join(dirname(manifest), 'geo-whois-asn-country.mmdb');
}

/**
 * Read databases, the best first; without a path the default one.
 * @throws Error that names the file that cannot be read
 */
export function readGeodb(paths: readonly string[]): readonly [GeoFile, ...GeoFile[]] {
	const [first = defaultGeodbPath(), ...others] = paths;
	return [readMmdbFile(first), ...others.map(readMmdbFile)];
}
