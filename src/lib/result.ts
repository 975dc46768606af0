/**
 * Failure as data: what a user wrote can be wrong in several places at once, so a result carries
 * every problem, each with the path of the place it speaks of.
 */

/** Keys and list positions from the top of a document down to the place. */
export type Path = readonly (string | number)[];

export interface Problem {
	/** Empty for the whole document. */
	readonly path: Path;
	/** What could not be done, the value quoted, what was expected. */
	readonly message: string;
}

export type Result<T, P = Problem> =
	| { readonly ok: true; readonly value: T }
	| { readonly ok: false; readonly problems: readonly P[] };

/** A path as people write it: `pools.eu.endpoints[2].weight`; keys that are no plain word are quoted. */
export function printPath(path: Path): string {
	let text = '';
	for (const step of path) {
		if (typeof step === 'number') text += `[${step}]`;
		else if (!/^[A-Za-z0-9_-]+$/.test(step)) text += `[${JSON.stringify(step)}]`;
		else text += text === '' ? step : `.${step}`;
	}
	return text;
}
