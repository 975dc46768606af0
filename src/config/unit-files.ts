/**
 * The files of a zones directory that say what a unit says: what zones-directory.ts reads, the other way round.
 */

import { posix } from 'node:path';
import { scanName } from '../dns/name.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import { COMMON_FILE, type UnitText } from './zones-directory.ts';

export interface UnitFile {
	/** Within the directory. */
	readonly path: string;
	readonly octets: Uint8Array;
}

const LABEL_OCTET = /[a-z0-9_-]/;

/**
 * @returns files, or what stands in the way of them
 */
export function filesOfUnit({ unit, zone, steering, includes }: UnitText): readonly UnitFile[] | string {
	const name = unit === COMMON_UNIT ? undefined : fileNameOfApex(unit);
	if (name === '') return `Cannot name files for the zone ${unit}`;
	const files: UnitFile[] = [];
	// One octet for each character: master files may hold any.
	if (zone !== undefined) files.push({ path: `${name}.zone`, octets: Buffer.from(zone.text, 'latin1') });
	if (steering !== undefined)
		files.push({ path: name === undefined ? COMMON_FILE : `${name}.yaml`, octets: Buffer.from(steering.text) });
	for (const [path, file] of includes ?? []) {
		if (!('text' in file)) continue;
		const within = posix.normalize(path);
		if (posix.isAbsolute(within) || within.split('/').includes('..'))
			return `Cannot write the file "${path}" that ${unit} includes: it is not within the directory`;
		files.push({ path: within, octets: Buffer.from(file.text, 'latin1') });
	}
	return files;
}

/** Octets outside [a-z0-9_-] stand as %XX; empty for the root, which no file can be named for. */
function fileNameOfApex(unit: string): string {
	const wire = scanName(unit, Uint8Array.of(0));
	if (typeof wire === 'string') return '';
	const labels: string[] = [];
	for (let at = 0; (wire[at] ?? 0) > 0; at += (wire[at] ?? 0) + 1) {
		const label = wire.subarray(at + 1, at + 1 + (wire[at] ?? 0));
		labels.push(Array.from(label, printOctet).join(''));
	}
	return labels.join('.');
}

function printOctet(octet: number): string {
	const letter = String.fromCharCode(octet);
	return LABEL_OCTET.test(letter) ? letter : `%${octet.toString(16).padStart(2, '0').toUpperCase()}`;
}
