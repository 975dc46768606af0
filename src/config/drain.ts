/**
 * What is left of the clients that were told an answer before a pool was taken out of it, by what the TTLs allow.
 *
 *     a resolver that asked just before holds it for the whole TTL, the others ask again evenly spread over it:
 *     after t of T seconds 1 - t/T of them still hold it
 *
 * An upper bound: halved TTLs are not counted, nor are resolvers that keep what they have for longer than they may.
 */

import { COMMON_UNIT } from '../lib/unit.ts';
import { usesOf } from '../model/policy-uses.ts';
import type { SteeringDocument, Use } from '../model/steering.ts';

export interface UnitDocument {
	readonly unit: string;
	readonly document: SteeringDocument;
}

/** A name whose policy may lead to a pool. */
export interface LeadingName {
	readonly unit: string;
	/** As the document writes it. */
	readonly name: string;
	readonly ttl: string;
}

/** A pool, by its unit. */
export interface PoolPlace {
	readonly unit: string;
	readonly pool: string;
}

/** Steered names that lead to one of these pools. */
export function namesLeadingTo(
	documents: readonly UnitDocument[],
	places: readonly PoolPlace[],
): readonly LeadingName[] {
	const wanted = new Set(places.map(({ unit, pool }) => keyOf(unit, pool)));
	const common = documents.find(({ unit }) => unit === COMMON_UNIT);
	return documents.flatMap((own) => {
		// Of a hundred thousand zones few are steered.
		if (own.document.names.size === 0) return [];
		const leads = leadsOf(own, common, wanted);
		return [...own.document.names].flatMap(([name, { policy, ttl }]) =>
			leads(policy, own) ? [{ unit: own.unit, name, ttl }] : [],
		);
	});
}

/** @returns 0..1 */
export function remainingShare(ttlsSec: readonly number[], elapsedSec: number): number {
	if (ttlsSec.length === 0) return 0;
	const shares = ttlsSec.map((ttlSec) => (ttlSec <= 0 ? 0 : Math.max(0, Math.min(1, 1 - elapsedSec / ttlSec))));
	return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

/** Whether a use in a unit leads to a pool that is wanted; each definition is looked at once. */
function leadsOf(zone: UnitDocument, common: UnitDocument | undefined, wanted: ReadonlySet<string>) {
	const known = new Map<string, boolean>();
	const leads = (use: Use, from: UnitDocument): boolean => {
		if (typeof use !== 'string') return usesOf(use).some((one) => leads(one, from));
		for (const at of from === common || common === undefined ? [from] : [from, common]) {
			if (at.document.pools.has(use)) return wanted.has(keyOf(at.unit, use));
			const policy = at.document.policies.get(use);
			if (policy === undefined) continue;
			const key = keyOf(at.unit, use);
			const before = known.get(key);
			if (before !== undefined) return before;
			// A cycle is no way to anywhere; the build refuses it.
			known.set(key, false);
			const found = leads(policy, at);
			known.set(key, found);
			return found;
		}
		return false;
	};
	return (use: Use, from: UnitDocument = zone) => leads(use, from);
}

function keyOf(unit: string, name: string): string {
	return `${unit} ${name}`;
}
