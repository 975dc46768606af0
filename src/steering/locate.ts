/**
 * Where the client is, for the kinds that ask: one lookup in ranges that were merged when data was loaded.
 *
 * | the client is in       | what decides                                | scope                          |
 * |------------------------|---------------------------------------------|--------------------------------|
 * | a known or other place | its ranking                                 | its range                      |
 * | special-purpose space  | the resolver's ranking, else that of nobody | the special block              |
 */

import type { Client } from '../geo/client.ts';
import { SPECIAL_DECISION } from '../geo/decide.ts';
import { familyRanges, findRange, type Ranges, scopeInRange, WHOLE, wholeBlock } from '../geo/ranges.ts';
import type { Walk } from './walk.ts';

interface Placed {
	readonly decisions: Ranges;
	readonly unknownRanking: number;
}

/** The number of the client's ranking; it and its scope are found once per name. */
export function locate(walk: Walk, index: number, { decisions, unknownRanking }: Placed): number {
	if (walk.placeEpochs[index] === walk.epoch) return walk.placeRankings[index] ?? 0;
	walk.placeEpochs[index] = walk.epoch;
	const { client } = walk;
	const ranges = familyRanges(decisions, client.family);
	const whole = wholeBlock(ranges, client.words);
	let decision = whole >>> WHOLE.valueShift;
	let scope = whole & WHOLE.scope;
	if (whole === 0) {
		const range = findRange(ranges, client.words);
		decision = ranges.values[range] ?? 0;
		scope = scopeInRange(ranges, range, client.words);
	}
	walk.placeScopes[index] = client.scopeOffset + scope;
	if (decision >= SPECIAL_DECISION) decision = decisionOf(decisions, walk.resolver());
	const ranking = decision >= SPECIAL_DECISION ? unknownRanking : decision;
	walk.placeRankings[index] = ranking;
	return ranking;
}

function decisionOf(decisions: Ranges, client: Client): number {
	const ranges = familyRanges(decisions, client.family);
	return ranges.values[findRange(ranges, client.words)] ?? 0;
}
