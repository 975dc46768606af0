/**
 * Places and matches in words.
 */

import type { Client } from '../geo/client.ts';
import type { Place } from '../geo/place.ts';
import { type Prefix, parsePrefix, prefixHolds } from '../lib/prefix.ts';
import type { GeoNotes } from '../steering/nodes.ts';

/** What is known of a place: `in DE, EU (AS 64500)`. */
export function placeText({ country, continent, subdivision, asn, coordinates }: Place): string {
	const parts = [subdivision ?? country, continent].filter((part) => part !== undefined);
	const where = parts.length === 0 ? 'at no known place' : `in ${parts.join(', ')}`;
	const network = asn === undefined ? '' : `, AS ${asn}`;
	if (coordinates === undefined) return `${where}${network}`;
	const { latitude, longitude, precision } = coordinates;
	const about = precision === 'database' ? 'at' : 'its country about';
	return `${where}${network}, ${about} ${latitude} ${longitude}`;
}

interface Match {
	/** `country DE`, `network office 198.51.100.0/24`, `default`. */
	readonly what: string;
	readonly member: number;
}

/**
 * The matches of a geo policy for a client, in the order in which they are tried: most specific first; a fence ends
 * the list.
 *
 * @param isElsewhere  the place is not the client's own, so no network of the rules is
 */
export function matchesOf(notes: GeoNotes, place: Place, client: Client, isElsewhere: boolean): readonly Match[] {
	const found: { readonly what: string; readonly rule: number }[] = [];
	const networks = notes.networks
		.flatMap(({ prefix: text, name, rule }) => {
			const prefix = parsePrefix(text);
			return typeof prefix !== 'string' && holds(prefix, client) ? [{ length: prefix.length, text, name, rule }] : [];
		})
		.sort((a, b) => b.length - a.length);
	for (const { text, name, rule } of isElsewhere ? [] : networks) found.push({ what: `network ${name} ${text}`, rule });
	const keys = [
		`asn ${place.asn}`,
		`subdivision ${place.subdivision}`,
		`country ${place.country}`,
		`continent ${place.continent}`,
	];
	for (const key of keys) {
		const rule = notes.places.get(key);
		if (rule !== undefined) found.push({ what: key, rule });
	}
	const matches: Match[] = [];
	for (const { what, rule } of found) {
		const { member = -1, isFence = false } = notes.rules[rule] ?? {};
		matches.push({ what: isFence ? `${what}, a fence` : what, member });
		if (isFence) return matches;
	}
	if (notes.fallback !== undefined) matches.push({ what: 'default', member: notes.fallback });
	return matches;
}

function holds(prefix: Prefix, { family, words }: Client): boolean {
	return prefixHolds(prefix, { family, words });
}
