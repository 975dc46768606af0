/**
 * Where the geo database that comes with Meridian lies: in its npm package.
 */

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const PACKAGE = '@ip-location-db/geo-whois-asn-country-mmdb';

export function defaultGeodbPath(): string {
	const manifest = createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`);
	return join(dirname(manifest), 'geo-whois-asn-country.mmdb');
}
