/**
 * What can be said of the tables of a document before any policy is compiled: names that mean two things,
 * regions that nobody defined, countries that there are not, prefixes that cannot be read or hold nobody.
 */

import { Client, setClient } from '../geo/client.ts';
import { continentOf } from '../geo/continents.ts';
import { type Prefix, parsePrefix } from '../lib/prefix.ts';
import type { Path } from '../lib/result.ts';
import type { Compiler, SteeringUnit } from './compile.ts';

/** Codes that people write for others. */
const MISTAKEN_COUNTRIES: Readonly<Record<string, string>> = { UK: 'GB', EL: 'GR' };

export function checkDefinitions(compiler: Compiler, unit: SteeringUnit): void {
	checkNames(compiler, unit);
	checkVoters(compiler, unit);
	for (const [name, { countries }] of unit.document.places) checkCountries(compiler, unit, countries, ['places', name]);
	for (const [name, prefixes] of unit.document.networks) checkPrefixes(compiler, unit, name, prefixes);
}

/** A code that no country has matches nobody, and is found in production when nothing checks it here. */
export function checkCountries(
	compiler: Compiler,
	unit: SteeringUnit,
	countries: readonly string[] | undefined,
	path: Path,
): void {
	for (const [i, code] of (countries ?? []).entries()) {
		// By the standard, or by a loaded database.
		if (continentOf(code) !== undefined || compiler.databaseCountries().has(code)) continue;
		const meant = MISTAKEN_COUNTRIES[code];
		const hint = meant === undefined ? 'expected an ISO 3166 country code' : `did you mean ${meant}?`;
		compiler.report(unit, [...path, 'countries', i], `Cannot find the country "${code}": ${hint}`);
	}
}

/** Regions that a monitor lets vote. */
function checkVoters(compiler: Compiler, unit: SteeringUnit): void {
	for (const [name, { from }] of unit.document.monitors) {
		for (const [i, region] of (from ?? []).entries()) {
			if (!compiler.regions.has(region))
				compiler.report(unit, ['monitors', name, 'from', i], `Cannot find the region "${region}"`);
		}
	}
}

/** A short name must mean one thing: in the zone or in common, a pool or a policy. */
function checkNames(compiler: Compiler, unit: SteeringUnit): void {
	const { document } = unit;
	for (const name of document.policies.keys()) {
		if (document.pools.has(name))
			compiler.report(unit, ['policies', name], `Cannot use the name "${name}" for a pool and a policy`);
	}
	if (unit === compiler.common) return;
	const shared = compiler.common.document;
	const complain = (key: string, name: string) =>
		compiler.report(unit, [key, name], `Cannot define "${name}" here: common defines it too`);
	for (const key of ['monitors', 'networks', 'places'] as const) {
		for (const name of document[key].keys()) if (shared[key].has(name)) complain(key, name);
	}
	for (const key of ['pools', 'policies'] as const) {
		for (const name of document[key].keys()) {
			if (shared.pools.has(name) || shared.policies.has(name)) complain(key, name);
		}
	}
}

function checkPrefixes(compiler: Compiler, unit: SteeringUnit, name: string, prefixes: readonly string[]): void {
	for (const [i, text] of prefixes.entries()) {
		const prefix = parsePrefix(text);
		if (typeof prefix === 'string') {
			compiler.report(unit, ['networks', name, i], prefix);
			continue;
		}
		const carrier = carrierOf(prefix);
		if (carrier === undefined) continue;
		const why = `its addresses (${carrier}) are looked up as the IPv4 addresses in them`;
		compiler.warn(unit.unit, ['networks', name, i], `Nothing can be in ${text}: ${why}`);
	}
}

/** What all addresses of a prefix are carriers of IPv4 by: none of them is ever looked up as it stands. */
function carrierOf({ family, first, last }: Prefix): string | undefined {
	const client = new Client();
	const carrier = setClient(client, family, first);
	return setClient(client, family, last) === carrier ? carrier : undefined;
}
