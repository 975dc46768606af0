/**
 * Which of the known names was probably meant.
 */

const SHOWN_MAX = 20;

/** The known name that is nearest, and at most so many edits away. */
export function nearestName(name: string, known: readonly string[], editsMax: number = 2): string | undefined {
	let best: string | undefined;
	let least = editsMax + 1;
	for (const candidate of known) {
		const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
		if (distance < least) {
			least = distance;
			best = candidate;
		}
	}
	return best;
}

function editDistance(a: string, b: string): number {
	let row = Array.from({ length: b.length + 1 }, (_, i) => i);
	for (let i = 1; i <= a.length; i++) {
		const next = [i];
		for (let j = 1; j <= b.length; j++) {
			const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
			next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
		}
		row = next;
	}
	return row[b.length] ?? 0;
}

/** What to say behind "Cannot find ...": the name that was probably meant, else those that there are. */
export function nameHint(name: string, known: readonly string[]): string {
	// Of short names most are near.
	const nearest = nearestName(name, known, Math.min(2, Math.floor(name.length / 2)));
	if (nearest !== undefined) return `did you mean "${nearest}"?`;
	if (known.length === 0) return 'there are none';
	const more = known.length > SHOWN_MAX ? ', ...' : '';
	return `there are ${known.slice(0, SHOWN_MAX).join(', ')}${more}`;
}
