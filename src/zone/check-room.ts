/**
 * Room for the names that a check of a zone works on. Many small zones are checked with one: taking it anew for each
 * would cost more than the check.
 */

import { Name } from '../dns/name.ts';

export class CheckRoom {
	readonly name = new Name();
	readonly owner = new Name();
	readonly wildcard = new Name();
	readonly target = new Name();
}
