/** Paths as JSON pointers (RFC 6901). */

import type { Path } from '../lib/result.ts';

export function pointerOf(path: Path): string {
	return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
