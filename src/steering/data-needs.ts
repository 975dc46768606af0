/**
 * What policies need to know of a client, so that it can be said which of them suffer from what the loaded databases
 * lack.
 */

import type { GeoField } from '../geo/place.ts';
import type { Path } from '../lib/result.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import type { PlaceSet, Use } from '../model/steering.ts';
import type { SteeringUnit } from './compile.ts';

export interface DataNeed {
	readonly unit: string;
	/** Of the policy's part that needs it: a list of a match, or the policy. */
	readonly path: Path;
	readonly needs: GeoField;
}

/** What comes of data that no database has. */
export const LACK_EFFECTS: Readonly<Record<GeoField, string>> = {
	country: 'no client is known to be in a country: these never match',
	continent: 'no client is known to be on a continent: these never match',
	subdivision: 'no client is known to be in a subdivision: these never match',
	coordinates: 'every client counts as being where the people of its country are on average',
	asn: 'no client is known to be in an autonomous system: these never match',
};

const FIELD_OF = { asns: 'asn', subdivisions: 'subdivision', countries: 'country', continents: 'continent' } as const;

/** @param units  the zones' documents and the common one, which their places may stand in */
export function dataNeeds(units: readonly SteeringUnit[]): readonly DataNeed[] {
	const common = units.find(({ unit }) => unit === COMMON_UNIT)?.document;
	return units.flatMap(({ unit, document }) => {
		const placeNamed = (name: string) => document.places.get(name) ?? common?.places.get(name);
		const roots: readonly (readonly [Path, Use])[] = [
			...[...document.policies].map(([name, policy]) => [['policies', name], policy] as const),
			...[...document.names].map(([owner, { policy }]) => [['names', owner, 'policy'], policy] as const),
		];
		return roots.flatMap(([path, use]) => needsOf(use, path, placeNamed)).map((need) => ({ unit, ...need }));
	});
}

type Need = Omit<DataNeed, 'unit'>;
type PlaceNamed = (name: string) => PlaceSet | undefined;

function needsOf(use: Use, path: Path, placeNamed: PlaceNamed): readonly Need[] {
	// A name stands for a policy that is seen where it is defined.
	if (typeof use === 'string') return [];
	const own: readonly Need[] = use.kind === 'proximity' ? [{ path, needs: 'coordinates' }] : [];
	if (use.kind !== 'geo') {
		const members = use.members.flatMap((member, i) => {
			const isPlain = typeof member === 'string' || !('use' in member);
			const memberPath = [...path, 'members', i];
			return needsOf(isPlain ? member : member.use, isPlain ? memberPath : [...memberPath, 'use'], placeNamed);
		});
		return [...own, ...members];
	}
	const rules = use.rules.flatMap(({ match, use: inner }, i) => {
		const rulePath = [...path, 'rules', i];
		const named = (match.places ?? []).flatMap((name, at) =>
			fieldsOf(placeNamed(name) ?? {}).map(([, needs]) => ({ path: [...rulePath, 'match', 'places', at], needs })),
		);
		const listed = fieldsOf(match).map(([key, needs]) => ({ path: [...rulePath, 'match', key], needs }));
		return [...listed, ...named, ...needsOf(inner, [...rulePath, 'use'], placeNamed)];
	});
	return [
		...own,
		...rules,
		...(use.default === undefined ? [] : needsOf(use.default, [...path, 'default'], placeNamed)),
	];
}

function fieldsOf(set: PlaceSet): readonly (readonly [key: string, needs: GeoField])[] {
	return Object.entries(FIELD_OF).filter(([key]) => set[key as keyof PlaceSet] !== undefined);
}
