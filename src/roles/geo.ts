/**
 * `meridian geo IP [IP...]`: what the databases, and the networks and places of the zones directory, say of addresses.
 */

import { type FileProblem, loadDirectory, readCommon, readZone } from '../config/zones-directory.ts';
import { GEO_FIELDS, type Place } from '../geo/place.ts';
import { type Address, parseAddress } from '../lib/address.ts';
import type { SteeringUnit } from '../steering/compile.ts';
import type { Command } from './command.ts';
import { counted } from './counted.ts';
import { GeoFinder, type GeoFinding } from './geo-finding.ts';
import { readGeodb } from './geodb.ts';

/** @returns the exit code: 2 for what is no address, 1 when a database cannot be read */
export function runGeo({ operands, settings, isJson, print, printError }: Command): number {
	if (operands.length === 0) {
		printError('Cannot run geo without an address: it takes IP [IP...]');
		return 2;
	}
	const addresses: Address[] = [];
	for (const text of operands) {
		const address = parseAddress(text);
		if (address === undefined) printError(`Cannot look up "${text}": expected an IPv4 or IPv6 address`);
		else addresses.push(address);
	}
	if (addresses.length < operands.length) return 2;
	try {
		const { documents, unread } = readDocuments(settings.zonesDir);
		for (const message of unread) printError(message);
		const finder = new GeoFinder(readGeodb(settings.geodb), documents);
		const findings = addresses.map((address, i) => ({ address: operands[i] ?? '', ...finder.find(address) }));
		print(isJson ? JSON.stringify(findings, plain, 2) : findings.map(printFinding).join('\n\n'));
		return 0;
	} catch (error) {
		printError((error as Error).message);
		return 1;
	}
}

/** The steering documents of a directory, as far as they can be read: databases can be asked without. */
function readDocuments(directory: string): {
	readonly documents: readonly SteeringUnit[];
	readonly unread: readonly string[];
} {
	const documents: SteeringUnit[] = [];
	const unread: string[] = [];
	try {
		const { common, zones, problems } = loadDirectory(directory);
		const take = (unit: string, read: { readonly steering: SteeringUnit['document'] } | readonly FileProblem[]) => {
			if ('steering' in read) documents.push({ unit, document: read.steering });
			else
				unread.push(
					`Cannot read the networks and places of ${unit}: ${counted(read.length, 'problem')}, see meridian check`,
				);
		};
		for (const { unit, message } of problems) unread.push(`Cannot read the networks and places of ${unit}: ${message}`);
		take(common.unit, readCommon(common));
		// The records of a zone are of no interest here, and there may be millions.
		for (const zone of zones)
			take(zone.unit, readZone({ ...zone, ...(zone.zone === undefined ? {} : { zone: { ...zone.zone, text: '' } }) }));
	} catch (error) {
		unread.push(`Cannot read the networks and places of ${directory}: ${(error as Error).message}`);
	}
	return { documents, unread };
}

/** Databases hold numbers of 128 bits, and octets. */
function plain(_key: string, value: unknown): unknown {
	if (typeof value === 'bigint') return value.toString();
	return value instanceof Uint8Array ? [...value] : value;
}

function printFinding(finding: GeoFinding & { readonly address: string }): string {
	const { address, form, lookedUpAs, specialPurpose, databases, place, networks, places } = finding;
	const lines = [address];
	const add = (what: string, text: string) => lines.push(`  ${what.padEnd(10)} ${text}`);
	if (form !== undefined) add('form', `${form}, looked up as ${lookedUpAs}`);
	if (specialPurpose !== undefined) {
		const { block, purpose } = specialPurpose;
		add('special', `${block} (${purpose}): databases are not asked, only networks decide`);
	}
	for (const { path, type, builtAt, network, record } of databases) {
		add('database', `${path} (${type}${builtAt === undefined ? '' : `, built ${builtAt.slice(0, 10)}`})`);
		if (network === undefined) add('', 'is for IPv4 only');
		else if (record === undefined) add('', `${network}: nothing known`);
		else add('', `${network}: ${fieldsOf(record).join(', ') || 'nothing known'}`);
	}
	add('place', printPlace(place));
	add('networks', networks.map(({ name, prefix, unit }) => `${name} ${prefix} (${unit})`).join(', ') || 'none');
	add('places', places.map(({ name, by, unit }) => `${name} by ${by} (${unit})`).join(', ') || 'none');
	return lines.join('\n');
}

/** Leaves of a record by their paths; of names only the English ones. */
function fieldsOf(value: unknown, path = ''): readonly string[] {
	if (typeof value !== 'object' || value === null || value instanceof Uint8Array)
		return [`${path} ${JSON.stringify(plain('', value))}`.trim()];
	return Object.entries(value).flatMap(([key, part]) => {
		if (key === 'names' && typeof part === 'object' && part !== null && 'en' in part)
			return fieldsOf(part.en, `${path}.names.en`);
		if (Array.isArray(value)) return fieldsOf(part, `${path}[${key}]`);
		return fieldsOf(part, path === '' ? key : `${path}.${key}`);
	});
}

function printPlace(place: Place): string {
	const parts = GEO_FIELDS.flatMap((field) => {
		if (place[field] === undefined) return [];
		if (field === 'coordinates') {
			const { latitude, longitude, precision } = place[field];
			return [`coordinates ${latitude} ${longitude} (${precision})`];
		}
		const inner = field === 'subdivision' ? place.innerSubdivision : undefined;
		return [`${field} ${place[field]}${inner === undefined ? '' : ` ${inner}`}`];
	});
	return parts.join(', ') || 'unknown';
}
