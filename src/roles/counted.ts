/** A number with its noun, as people write it: `1 zone`, `2 zones`. */
export function counted(n: number, noun: string): string {
	return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
