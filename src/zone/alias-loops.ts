/**
 * Aliases that lead back to themselves.
 */

/**
 * @param next  by alias: what it leads to, another alias or not
 * @returns one alias of each loop, the one that was put into `next` first
 *
 * Each walk ends at what an earlier walk has seen, so all of them together are linear.
 */
export function aliasLoops(next: ReadonlyMap<number, number>): readonly number[] {
	const walkOf = new Map<number, number>();
	const loops: number[] = [];
	for (const start of next.keys()) {
		let at: number | undefined = start;
		while (at !== undefined && !walkOf.has(at)) {
			walkOf.set(at, start);
			at = next.get(at);
		}
		if (at !== undefined && walkOf.get(at) === start && next.has(at)) loops.push(at);
	}
	return loops;
}
