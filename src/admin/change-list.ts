/**
 * Many edits in one request: each names its resource by the path that it has in the API.
 *
 *     { "op": "patch", "resource": "/zones/example.org./pools/eu/endpoints/eu-1", "value": { "weight": 5 } }
 */

import type { Edit, Place } from '../config/change.ts';
import { recordKey } from '../config/edit-records.ts';
import { TABLES } from '../config/edit-steering.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import { ApiProblem, type ProblemError } from './problem.ts';
import { zoneApex, zoneUnit } from './unit-names.ts';
import type { PlacedEdit } from './writer.ts';

export interface GivenChange {
	readonly op: 'put' | 'patch' | 'delete';
	readonly resource: string;
	readonly value?: unknown;
}

/** @throws ApiProblem malformed, with every change that is none */
export function editsOf(changes: readonly GivenChange[]): readonly PlacedEdit[] {
	const errors: ProblemError[] = [];
	const edits = changes.flatMap(({ op, resource, value }, i): PlacedEdit[] => {
		const at = `/changes/${i}`;
		const found = resourceAt(resource);
		if (typeof found === 'string') errors.push({ pointer: `${at}/resource`, message: found });
		else if (op === 'delete' && value !== undefined)
			errors.push({ pointer: `${at}/value`, message: 'Cannot use a value with delete' });
		else if (op !== 'delete' && value === undefined)
			errors.push({ pointer: at, message: `Cannot do without "value": ${op} needs one` });
		else {
			const edit: Edit = op === 'delete' ? { ...found, action: op } : { ...found, action: op, value };
			return [{ edit, pointer: `${at}/value` }];
		}
		return [];
	});
	if (errors.length > 0) throw new ApiProblem('malformed', errors[0]?.message ?? '', { errors });
	return edits;
}

/** The unit and place of a path, or what is wrong with it. */
function resourceAt(path: string): { readonly unit: string; readonly place: Place } | string {
	const unknown = `Cannot find the resource "${path}": expected a path such as /zones/example.org./pools/eu`;
	let parts: string[];
	try {
		parts = path.split('/').slice(1).map(decodeURIComponent);
	} catch {
		return unknown;
	}
	const [scope, ...rest] = parts;
	if (scope === 'common') return placed(COMMON_UNIT, rest) ?? unknown;
	const [apex = '', ...inner] = rest;
	if (scope !== 'zones' || apex === '') return unknown;
	try {
		return placed(zoneUnit({ apex }), inner) ?? unknown;
	} catch (error) {
		return (error as Error).message;
	}
}

function placed(
	unit: string,
	parts: readonly string[],
): { readonly unit: string; readonly place: Place } | string | undefined {
	const [kind = '', name = '', third = '', fourth = ''] = parts;
	const isZone = unit !== COMMON_UNIT;
	if (parts.length === 0) return isZone ? { unit, place: { kind: 'zone' } } : undefined;
	if (parts.length === 1) {
		const single = { unit: 'unit', steering: 'document', zonefile: 'zone-file', soa: 'soa' } as const;
		if (!Object.hasOwn(single, kind) || (!isZone && (kind === 'zonefile' || kind === 'soa'))) return undefined;
		return { unit, place: { kind: single[kind as keyof typeof single] } };
	}
	if (kind === 'records' && isZone && parts.length === 3) {
		const key = recordKey(zoneApex(unit), name, third);
		return typeof key === 'string' ? key : { unit, place: { kind: 'record-set', name, type: third } };
	}
	const table = TABLES.find((one) => one === kind && (isZone || one !== 'names'));
	if (table === undefined || name === '') return undefined;
	if (parts.length === 2) return { unit, place: { kind: 'steering', table, name } };
	const isEndpoint = table === 'pools' && third === 'endpoints' && fourth !== '' && parts.length === 4;
	return isEndpoint ? { unit, place: { kind: 'steering', table, name, endpoint: fourth } } : undefined;
}
