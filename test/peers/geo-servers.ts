/**
 * The servers that steer by the geo map: gdnsd, Knot with its module, PowerDNS with its backend, and Meridian, each
 * with its own form of the map and the same database.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { continentOf } from '../../src/geo/continents.ts';
import { defaultGeodbPath } from '../../src/roles/geodb.ts';
import { convertMmdb } from '../mmdb-converter.ts';
import { ended } from '../setup/ended.ts';
import { freePort } from '../setup/free-port.ts';
import { findProgram } from '../setup/tools.ts';
import { APEX, gdnsdFiles, knotFiles, meridianFiles, pdnsFiles } from './geo-map.ts';
import { type Peer, type ServerOptions, startMeridian, startServer } from './servers.ts';

interface GeoPeer {
	/** All must be there; the first one is started. */
	readonly programs: readonly [string, ...string[]];
	/** Write its files, and say how it is started. */
	readonly configure: (directory: string, port: number, geodb: string, workers: number) => readonly string[];
}

const PEERS: Readonly<Record<string, GeoPeer>> = {
	gdnsd: {
		programs: ['gdnsd'],
		configure: (directory, port, geodb, workers) => {
			for (const folder of ['zones', 'run', 'state']) mkdirSync(join(directory, folder));
			const { zone, config } = gdnsdFiles(directory, port, geodb, workers);
			writeFileSync(join(directory, 'zones', APEX.slice(0, -1)), zone);
			writeFileSync(join(directory, 'config'), config);
			return ['-c', directory, 'start'];
		},
	},
	knot: {
		programs: ['knotd', 'geoip.so'],
		configure: (directory, port, geodb, workers) => {
			const { zone, geo, config } = knotFiles(directory, port, geodb, workers);
			writeFileSync(join(directory, 'example.org.zone'), zone);
			writeFileSync(join(directory, 'geo.conf'), geo);
			writeFileSync(join(directory, 'knot.conf'), config);
			return ['-c', join(directory, 'knot.conf')];
		},
	},
	pdns: {
		programs: ['pdns_server', 'libgeoipbackend.so'],
		configure: (directory, port, geodb, workers) => {
			const { zones, config } = pdnsFiles(directory, port, geodb, workers);
			writeFileSync(join(directory, 'zones.yaml'), zones);
			writeFileSync(join(directory, 'pdns.conf'), config);
			return [`--config-dir=${directory}`];
		},
	},
};

/** @returns undefined when what it takes is not on this machine */
export async function startGeoPeer(
	name: string,
	directory: string,
	geodb: string,
	options: ServerOptions = {},
): Promise<Peer | undefined> {
	const peer = PEERS[name];
	const [program, ...parts] = (peer?.programs ?? ['']).map(findProgram);
	if (peer === undefined || program === undefined || parts.includes(undefined)) return undefined;
	const own = join(directory, name);
	mkdirSync(own);
	const port = await freePort();
	const args = peer.configure(own, port, geodb, options.workers ?? 1);
	return startServer({ name, program, args, port, apex: APEX }, options);
}

/**
 * Meridian with the database that comes along, in its own schema.
 * @param more  settings as flags without their dashes
 */
export async function startOurs(
	directory: string,
	options: ServerOptions = {},
	more: Readonly<Record<string, string>> = {},
): Promise<Peer> {
	mkdirSync(join(directory, 'zones'), { recursive: true });
	const { zone, steering } = meridianFiles();
	writeFileSync(join(directory, 'zones', 'example.org.zone'), zone);
	writeFileSync(join(directory, 'zones', 'example.org.yaml'), steering);
	const port = await freePort();
	const child = await startMeridian(directory, port, options, more);
	return { name: 'meridian', port, pid: child.pid ?? 0, stop: () => ended(child) };
}

/** Write that database in the schema that the peers read: a country inside its continent, as MaxMind has it. */
export function writePeersDatabase(path: string): void {
	const nested = (record: unknown) => {
		const country = (record as { readonly country_code: string }).country_code;
		const continent = continentOf(country);
		return {
			...(continent === undefined ? {} : { continent: { code: continent } }),
			country: { iso_code: country },
		};
	};
	writeFileSync(path, convertMmdb(readFileSync(defaultGeodbPath()), nested, 'GeoLite2-Country'));
}
