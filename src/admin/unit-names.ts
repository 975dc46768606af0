/** Which unit a path speaks of. */

import { lowerName, printName, scanName } from '../dns/name.ts';
import { ApiProblem } from './problem.ts';

const ROOT = Uint8Array.of(0);

/**
 * The apex of a path in the form in which units are named: lower case, with its dot.
 * @throws ApiProblem malformed
 */
export function zoneUnit({ apex = '' }: Readonly<Record<string, string>>): string {
	const name = scanName(apex.endsWith('.') ? apex : `${apex}.`, ROOT);
	if (typeof name === 'string')
		throw new ApiProblem('malformed', name, { errors: [{ pointer: '/params/apex', message: name }] });
	return printName(lowerName(name));
}

/** The wire name of a unit that is a zone. */
export function zoneApex(unit: string): Uint8Array {
	const name = scanName(unit, ROOT);
	if (typeof name === 'string') throw new Error(name);
	return name;
}
