/**
 * The name of a policy's member among the others: of the pool or policy that it uses, or for one that stands in place
 * its position, counted from 1.
 *
 * @param position  counted from 0
 */
export function memberName(use: unknown, position: number): string {
	return typeof use === 'string' ? use : `#${position + 1}`;
}
