/** What stands in the way of a start, as lines to print. */
export class StartRefused extends Error {
	readonly lines: readonly string[];

	constructor(lines: readonly string[]) {
		super(lines.join('\n'));
		this.lines = lines;
	}
}
