/**
 * A zones directory to units: for each zone a master file and, beside it, a steering file; one common steering file.
 *
 *     zones/example.org.zone + zones/example.org.yaml -> unit example.org.
 *     zones/common.yaml                               -> unit common
 *
 * Octets outside [a-z0-9._-] stand in a file name as %XX.
 */

import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { scanMasterFile } from '../dns/master-file.ts';
import { lowerName, printName, scanName } from '../dns/name.ts';
import type { RecordList, RecordPlace } from '../dns/record-list.ts';
import { type Path, printPath } from '../lib/result.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import { readSteering } from '../model/check-document.ts';
import type { SteeringDocument } from '../model/steering.ts';
import { type Includes, loadIncludes } from './includes.ts';
import { type NamedUnit, SeenDirectory } from './seen-directory.ts';
import { readYaml, type TextPosition, type YamlText } from './yaml-document.ts';

export const COMMON_FILE = 'common.yaml';

/** A unit as it stands in files, before anything of it is read. */
export interface UnitText {
	/** `common`, or the apex as text with its dot. */
	readonly unit: string;
	/** Absent for common. */
	readonly zone: FileText | undefined;
	readonly steering: FileText | undefined;
	/** Files that the zone file includes; absent when there are none. */
	readonly includes?: Includes;
}

export interface FileText {
	/** As problems name it. */
	readonly path: string;
	readonly text: string;
}

export interface FileProblem {
	readonly unit: string;
	readonly file: string;
	readonly line: number;
	readonly column: number;
	readonly message: string;
	readonly isWarning: boolean;
	/** In the steering document, when that is what it speaks of. */
	readonly path?: Path;
}

export function printFileProblem({ file, line, column, message, isWarning }: FileProblem): string {
	return `${file}:${line}:${column}: ${isWarning ? 'warning: ' : ''}${message}`;
}

/** A unit that has been read. */
export interface ReadUnit {
	readonly unit: string;
	readonly steering: SteeringDocument;
	/** Equal for equal texts. */
	readonly digest: string;
	readonly text: UnitText;
	/** The place in its files that a problem speaks of. */
	readonly locate: (at: RecordPlace | { readonly path: Path }) => { readonly file: string } & TextPosition;
}

export interface ReadZone extends ReadUnit {
	/** Lower-cased wire name. */
	readonly apex: Uint8Array;
	readonly records: RecordList;
}

export interface DirectoryTexts {
	readonly common: UnitText;
	readonly zones: readonly UnitText[];
	/** Units named here could not be loaded. */
	readonly problems: readonly FileProblem[];
}

/**
 * List and load the files of a directory; names that are no unit's are passed over.
 * @throws the runtime's error when the directory itself cannot be read
 */
export function loadDirectory(directory: string, seen: SeenDirectory = new SeenDirectory()): DirectoryTexts {
	const problems: FileProblem[] = [];
	const zones = new Map<string, UnitText>();
	const names = seen.sort(readdirSync(directory));
	const load = (unit: string, name: string): FileText | undefined => {
		try {
			return seen.read(directory, name);
		} catch (error) {
			problems.push(fileProblem(unit, join(directory, name), `Cannot read the file: ${(error as Error).message}`));
			return undefined;
		}
	};
	for (const name of names) {
		if (!name.endsWith('.zone') || name.startsWith('.')) continue;
		const named = seen.namedUnit(name, unitOfFileName);
		if ('problem' in named) {
			problems.push(fileProblem(name, join(directory, name), named.problem));
			continue;
		}
		const { unit } = named;
		if (zones.has(unit)) {
			problems.push(fileProblem(unit, join(directory, name), `Cannot define the zone ${unit} twice`));
			continue;
		}
		const zone = load(unit, name);
		const includes = zone === undefined || seen.isPlain(unit, zone) ? undefined : loadIncludes(directory, zone.text);
		zones.set(unit, { unit, zone, steering: undefined, ...(includes === undefined ? {} : { includes }) });
	}
	addSteering(directory, names, zones, load, problems);
	for (const [unit, text] of zones) zones.set(unit, seen.unit(text));
	const steering = names.includes(COMMON_FILE) ? load(COMMON_UNIT, COMMON_FILE) : undefined;
	seen.keep(zones);
	return { common: { unit: COMMON_UNIT, zone: undefined, steering }, zones: [...zones.values()], problems };
}

/** Put each steering file beside its zone file. */
function addSteering(
	directory: string,
	names: readonly string[],
	zones: Map<string, UnitText>,
	load: (unit: string, name: string) => FileText | undefined,
	problems: FileProblem[],
): void {
	for (const name of names) {
		if (!name.endsWith('.yaml') || name === COMMON_FILE || name.startsWith('.')) continue;
		const apex = apexOfFileName(name.slice(0, -'.yaml'.length));
		const unit = typeof apex === 'string' ? name : printName(apex);
		const zone = zones.get(unit);
		if (zone === undefined) {
			const expected = `${name.slice(0, -'.yaml'.length)}.zone`;
			problems.push(
				fileProblem(
					unit,
					join(directory, name),
					`Cannot steer a zone without its zone file: expected ${expected} beside it`,
				),
			);
		} else if (zone.steering !== undefined) {
			problems.push(fileProblem(unit, join(directory, name), `Cannot steer the zone ${unit} twice`));
		} else zones.set(unit, { ...zone, steering: load(unit, name) });
	}
}

function fileProblem(unit: string, file: string, message: string): FileProblem {
	return { unit, file, line: 1, column: 1, message, isWarning: false };
}

function unitOfFileName(name: string): NamedUnit {
	const apex = apexOfFileName(name.slice(0, -'.zone'.length));
	return typeof apex === 'string' ? { problem: apex } : { unit: printName(apex) };
}

/** The apex that a file name without its ending stands for, lower-cased, or what is wrong with it. */
function apexOfFileName(name: string): Uint8Array | string {
	let text = '';
	for (let i = 0; i < name.length; i++) {
		const hex = name[i] === '%' ? /^[0-9A-Fa-f]{2}/.exec(name.slice(i + 1))?.[0] : undefined;
		if (hex !== undefined) {
			text += `\\${String(Number.parseInt(hex, 16)).padStart(3, '0')}`;
			i += 2;
		} else if (/[A-Za-z0-9._-]/.test(name[i] ?? '')) text += name[i];
		else return `Cannot use the file name "${name}": octets other than letters, digits, ".", "_" and "-" stand as %XX`;
	}
	const apex = scanName(text === '.' || text.endsWith('.') ? text : `${text}.`, ROOT);
	return typeof apex === 'string' ? apex : lowerName(apex);
}

const ROOT = Uint8Array.of(0);

/** Read the files of a zone, or tell all that is wrong with them. */
export function readZone(text: UnitText): ReadZone | readonly FileProblem[] {
	const common = readUnit(text, 'zone');
	const problems: FileProblem[] = 'unit' in common ? [] : [...common];
	const apex = scanName(text.unit, ROOT);
	if (text.zone === undefined || typeof apex === 'string') return problems;
	const { records, problems: ofRecords } = scanMasterFile(text.zone.text, apex, {
		readInclude: (path) => text.includes?.get(path) ?? { problem: 'too many files are included' },
	});
	for (const { line, column, message, file } of ofRecords) {
		problems.push({ unit: text.unit, file: zoneFilePath(text, file), line, column, message, isWarning: false });
	}
	return problems.length === 0 && 'unit' in common ? { ...common, apex, records } : problems;
}

/** Read the document that is common to all zones; without a file it is empty. */
export function readCommon(text: UnitText): ReadUnit | readonly FileProblem[] {
	return readUnit(text, 'common');
}

function readUnit(text: UnitText, kind: 'common' | 'zone'): ReadUnit | readonly FileProblem[] {
	const problems: FileProblem[] = [];
	const yaml = text.steering === undefined ? undefined : readYaml(text.steering.text);
	const steering = readSteeringFile(text, kind, yaml, problems);
	if (steering === undefined) return problems;
	return {
		unit: text.unit,
		steering,
		digest: digestOf(text),
		text,
		locate: (at) => {
			if ('line' in at) return { file: zoneFilePath(text, at.file), line: at.line, column: 1 };
			return { file: text.steering?.path ?? text.unit, ...(yaml?.positionOf(at.path) ?? { line: 1, column: 1 }) };
		},
	};
}

/** The zone file, or a file that it includes, as people find it. */
function zoneFilePath({ unit, zone }: UnitText, included: string | undefined): string {
	if (zone === undefined) return unit;
	return included === undefined ? zone.path : join(dirname(zone.path), included);
}

function readSteeringFile(
	text: UnitText,
	kind: 'common' | 'zone',
	yaml: YamlText | undefined,
	problems: FileProblem[],
): SteeringDocument | undefined {
	const file = text.steering?.path ?? '';
	for (const { line, column, message } of yaml?.problems ?? []) {
		problems.push({ unit: text.unit, file, line, column, message, isWarning: false });
	}
	if (yaml !== undefined && yaml.problems.length > 0) return undefined;
	const result = readSteering(yaml?.value, kind);
	if (result.ok) return result.value;
	for (const { path, message } of result.problems) {
		const position = yaml?.positionOf(path) ?? { line: 1, column: 1 };
		problems.push({ unit: text.unit, file, ...position, message: placed(path, message), isWarning: false, path });
	}
	return undefined;
}

/** A message with the path it speaks of, for people who look for a key rather than a line. */
export function placed(path: Path, message: string): string {
	return path.length === 0 ? message : `${printPath(path)}: ${message}`;
}

export function digestOf({ zone, steering, includes }: UnitText): string {
	const hash = createHash('sha256');
	if (includes !== undefined) hash.update(JSON.stringify([...includes]));
	for (const file of [zone, steering])
		hash.update(file === undefined ? '0' : `1${file.text.length} `).update(file?.text ?? '');
	return hash.digest('hex');
}
