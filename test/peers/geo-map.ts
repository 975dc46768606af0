/**
 * One geo map, written down for Meridian and for each peer.
 *
 * | name       | networks | countries | continents | known to                |
 * |------------|----------|-----------|------------|-------------------------|
 * | world      | yes      | yes       | yes        | gdnsd                   |
 * | countries  |          | yes       | yes        | gdnsd, Knot, PowerDNS   |
 * | continents |          |           | yes        | Knot, PowerDNS          |
 *
 * A site is a group of clients that are answered alike; its address stands for it.
 */

import { continentOf } from '../../src/geo/continents.ts';

export const APEX = 'example.org.';
export type MapName = 'world' | 'countries' | 'continents';

const CONTINENT_CODES = ['AF', 'AN', 'AS', 'EU', 'NA', 'OC', 'SA'];
/** AF and AN have none: the default. */
const CONTINENTS: Readonly<Record<string, string>> = { EU: 'eu', NA: 'na', SA: 'sa', AS: 'as', OC: 'oc' };
/** Some that stay on their continent, some that do not, and one of a continent without a site. */
const COUNTRIES: Readonly<Record<string, string>> = {
	GB: 'gb',
	JP: 'jp',
	MX: 'sa',
	BR: 'na',
	TR: 'eu',
	NZ: 'jp',
	ZA: 'gb',
	DE: 'eu',
};
/** Inside one another, inside special-purpose blocks, around many countries. */
const NETWORKS: readonly (readonly [prefix: string, site: string])[] = [
	['10.1.0.0/16', 'office'],
	['81.0.0.0/8', 'office'],
	['81.2.0.0/15', 'lab'],
	['81.2.69.0/24', 'office'],
	['198.51.100.0/25', 'lab'],
	['9.9.9.9/32', 'lab'],
	['2001:db8:40::/48', 'office'],
	['2a00::/13', 'office'],
	['2a01:4f8::/32', 'lab'],
	['2a01:4f8:1::1/128', 'office'],
];
export const DEFAULT_SITE = 'rest';
const SITES = ['eu', 'na', 'sa', 'as', 'oc', 'gb', 'jp', 'office', 'lab', DEFAULT_SITE];

/** Prefixes that a map names. */
export function networksOf(map: MapName): readonly string[] {
	return map === 'world' ? NETWORKS.map(([prefix]) => prefix) : [];
}

export function addressOf(site: string): string {
	return `192.0.2.${SITES.indexOf(site) + 1}`;
}

/** All that a name of the map may be answered with. */
export function siteAddresses(): readonly string[] {
	return SITES.map(addressOf);
}

/** The site of clients in a country, by the map `countries`. */
export function siteOf(country: string | undefined, continent: string | undefined): string {
	return COUNTRIES[country ?? ''] ?? CONTINENTS[continent ?? ''] ?? DEFAULT_SITE;
}

/** The map `countries` as a function body in PowerDNS's Lua, for a LUA record. */
function luaOf(): string {
	const cases = [
		...Object.entries(COUNTRIES).map(([code, site]) => [`country('${code}')`, site] as const),
		...Object.entries(CONTINENTS).map(([code, site]) => [`continent('${code}')`, site] as const),
	];
	const lines = cases.map(([test, site]) => `if ${test} then return '${addressOf(site)}' end`);
	return `;${lines.join(' ')} return '${addressOf(DEFAULT_SITE)}'`;
}

const MASTER_FILE = `$TTL 300
@ SOA ns1 hostmaster 1 2h 30m 14d 60
@ NS ns1
@ NS ns2
ns1 A 192.0.2.53
ns2 A 198.51.100.53
`;

/** The zone with these lines behind its apex. */
function zoneWith(line: (name: MapName) => string, names: readonly MapName[]): string {
	return MASTER_FILE + names.map((name) => `${line(name)}\n`).join('');
}

/** Master and steering file. JSON is YAML too. */
export function meridianFiles(): { readonly zone: string; readonly steering: string } {
	const ruled = (rules: readonly unknown[]) => ({ policy: { kind: 'geo', rules, default: DEFAULT_SITE }, ttl: '30s' });
	const continents = Object.entries(CONTINENTS).map(([code, use]) => ({ match: { continents: [code] }, use }));
	const countries = Object.entries(COUNTRIES).map(([code, use]) => ({ match: { countries: [code] }, use }));
	// gdnsd answers a network from its own list alone, whatever country it lies in: a fence.
	const networks = ['office', 'lab'].map((use) => ({ match: { networks: [use] }, use, fence: true }));
	const prefixesOf = (site: string) => NETWORKS.flatMap(([prefix, of]) => (of === site ? [prefix] : []));
	const steering = {
		networks: { office: prefixesOf('office'), lab: prefixesOf('lab') },
		pools: Object.fromEntries(
			SITES.map((site) => [site, { endpoints: [{ name: site, addresses: [addressOf(site)] }] }]),
		),
		names: {
			world: ruled([...networks, ...countries, ...continents]),
			countries: ruled([...countries, ...continents]),
			continents: ruled(continents),
		},
	};
	return { zone: MASTER_FILE, steering: JSON.stringify(steering, undefined, 1) };
}

/** A list of datacenters ends with the default one, as our ranking does. */
export function gdnsdFiles(
	directory: string,
	port: number,
	geodb: string,
	workers: number,
): { readonly zone: string; readonly config: string } {
	const listOf = (...sites: (string | undefined)[]) =>
		`[${[...new Set([...sites, DEFAULT_SITE])].filter((site) => site !== undefined).join(', ')}]`;
	const ofContinent = (continent: string) => {
		const own = Object.entries(COUNTRIES).filter(([country]) => continentOf(country) === continent);
		const lines = own.map(([country, site]) => `${country} => ${listOf(site, CONTINENTS[continent])}`);
		return `${continent} => { default => ${listOf(CONTINENTS[continent])}, ${lines.join(', ')} }`;
	};
	const places = `default => [${DEFAULT_SITE}], ${CONTINENT_CODES.map(ofContinent).join(',\n      ')}`;
	const mapOf = (nets: string) =>
		`{ geoip2_db => ${geodb}, datacenters => [${SITES.join(', ')}], map => { ${places} }${nets} }`;
	const nets = NETWORKS.map(([prefix, site]) => `${prefix} => [${site}]`).join(', ');
	const dcmap = SITES.map((site) => `${site} => ${addressOf(site)}`).join(', ');
	const resourceOf = (map: string) => `{ map => ${map}, service_types => up, dcmap => { ${dcmap} } }`;
	return {
		zone: zoneWith((name) => `${name} 30 DYNA geoip!${name}`, ['world', 'countries']),
		config: `options => { listen => 127.0.0.1, dns_port => ${port}, udp_threads => ${workers}, tcp_threads => 1,
  run_dir => ${directory}/run, state_dir => ${directory}/state }
plugins => { geoip => {
  maps => { map1 => ${mapOf(`, nets => { ${nets} }`)}, map2 => ${mapOf('')} }
  resources => { world => ${resourceOf('map1')}, countries => ${resourceOf('map2')} }
} }
`,
	};
}

/** Zone, configuration of the module, configuration of the server. */
export function knotFiles(
	directory: string,
	port: number,
	geodb: string,
	workers: number,
): { readonly zone: string; readonly geo: string; readonly config: string } {
	const record = (key: string, site: string) => `  - geo: "${key}"\n    A: ${addressOf(site)}\n`;
	const continents = Object.entries(CONTINENTS).map(([code, site]) => record(`${code};*`, site));
	const countries = Object.entries(COUNTRIES).map(([code, site]) => record(`${continentOf(code)};${code}`, site));
	return {
		// Who is nowhere gets what stands in the zone.
		zone: zoneWith((name) => `${name} 30 A ${addressOf(DEFAULT_SITE)}`, ['countries', 'continents']),
		geo: `countries.${APEX}:\n${[...continents, ...countries].join('')}continents.${APEX}:\n${continents.join('')}`,
		config: `server:
    rundir: ${directory}
    listen: 127.0.0.1@${port}
    udp-workers: ${workers}
    tcp-workers: 1
    background-workers: 1
    edns-client-subnet: on
database:
    storage: ${directory}
log:
  - target: stderr
    any: warning
mod-geoip:
  - id: map1
    config-file: ${directory}/geo.conf
    ttl: 30
    mode: geodb
    geodb-file: ${geodb}
    geodb-key: [continent/code, country/iso_code]
zone:
  - domain: ${APEX}
    file: ${directory}/example.org.zone
    zonefile-load: whole
    journal-content: none
    module: mod-geoip/map1
`,
	};
}

/** Answers come from records that are named for a place: `gb.eu.map`, else `eu.map`, else `rest.map`. */
export function pdnsFiles(
	directory: string,
	port: number,
	geodb: string,
	workers: number,
): { readonly zones: string; readonly config: string } {
	const apex = APEX.slice(0, -1);
	const record = (owner: string, site: string) => `    ${owner}.map.${apex}: [{ a: ${addressOf(site)} }]\n`;
	// Each continent: one that only stands above a country exists too, and would be found empty.
	const continents = CONTINENT_CODES.map((code) => record(code.toLowerCase(), CONTINENTS[code] ?? DEFAULT_SITE));
	const countries = Object.entries(COUNTRIES).map(([code, site]) =>
		record(`${code}.${continentOf(code)}`.toLowerCase(), site),
	);
	const last = `%cn.map.${apex}', '${DEFAULT_SITE}.map.${apex}`;
	return {
		zones: `domains:
- domain: ${apex}
  ttl: 30
  records:
    ${apex}:
      - soa: ns1.${apex}. hostmaster.${apex}. 1 7200 1800 1209600 60
      - ns: ns1.${apex}.
    lua.${apex}:
      - lua: A "${luaOf()}"
${continents.join('')}${countries.join('')}${record(DEFAULT_SITE, DEFAULT_SITE)}  services:
    countries.${apex}: ['%cc.%cn.map.${apex}', '${last}']
    continents.${apex}: ['${last}']
`,
		config: `launch=geoip
local-address=127.0.0.1
local-port=${port}
socket-dir=${directory}
edns-subnet-processing=yes
enable-lua-records=yes
geoip-database-files=mmdb:${geodb}
geoip-zones-file=${directory}/zones.yaml
daemon=no
guardian=no
disable-syslog=yes
loglevel=3
receiver-threads=${workers}
zone-cache-refresh-interval=0
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
setuid=
setgid=
`,
	};
}
