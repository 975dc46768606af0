/**
 * What users write in steering files: the shapes, their limits, their defaults.
 *
 * The shapes are JSON Schema (TypeBox), so one description checks YAML, gives the types and documents the keys.
 * `description` completes the sentence "expected ..." of an error message.
 *
 * Policies nest, and each kind has its own shape: a place that takes a policy is `Unknown` here, and
 * `check-document.ts` picks the shape by `kind`, so that one mistake gives one message.
 */

import Type, { type Static, type TSchema } from 'typebox';
import type { MonitorDocument } from './monitor-shapes.ts';
import { duration, exact, nameList, port } from './shape-parts.ts';

const weight = Type.Integer({ minimum: 0, maximum: 65535, default: 1, description: 'an integer 0..65535' });
const state = Type.Enum(['auto', 'up', 'down', 'drain'], { default: 'auto', description: 'auto, up, down or drain' });

const RegionShape = Type.Object(
	{
		latitude: Type.Number({ minimum: -90, maximum: 90, description: 'degrees north, -90..90' }),
		longitude: Type.Number({ minimum: -180, maximum: 180, description: 'degrees east, -180..180' }),
	},
	{ ...exact, description: 'a region: latitude and longitude' },
);

const continents = Type.Array(
	Type.Enum(['AF', 'AN', 'AS', 'EU', 'NA', 'OC', 'SA'], { description: 'a continent: AF, AN, AS, EU, NA, OC or SA' }),
	{ minItems: 1, description: 'a list of continents' },
);
const countries = Type.Array(
	Type.String({ pattern: '^[A-Z]{2}$', description: 'an ISO 3166 country code such as DE' }),
	{ minItems: 1, description: 'a list of country codes' },
);
const subdivisions = Type.Array(
	Type.String({ pattern: '^[A-Z]{2}-[A-Z0-9]{1,3}$', description: 'an ISO 3166-2 code such as US-CA' }),
	{ minItems: 1, description: 'a list of subdivision codes' },
);
const asns = Type.Array(Type.Integer({ minimum: 1, maximum: 4294967295, description: 'an autonomous system number' }), {
	minItems: 1,
	description: 'a list of autonomous system numbers',
});

const PlaceSetShape = Type.Object(
	{
		subdivisions: Type.Optional(subdivisions),
		countries: Type.Optional(countries),
		continents: Type.Optional(continents),
		asns: Type.Optional(asns),
	},
	{ ...exact, minProperties: 1, description: 'a place: subdivisions, countries, continents, asns' },
);

export const EndpointShape = Type.Object(
	{
		name: Type.String({ minLength: 1, maxLength: 63, description: 'a name' }),
		// One of the two: check-document.ts.
		addresses: Type.Optional(
			Type.Array(Type.String({ description: 'an IPv4 or IPv6 address' }), {
				minItems: 1,
				maxItems: 64,
				description: 'a list of addresses',
			}),
		),
		cname: Type.Optional(
			Type.String({
				pattern: '^([!-~]{1,63}\\.)+$',
				maxLength: 254,
				description: 'a host name with its final dot, such as d1.cdn.example.',
			}),
		),
		weight,
		state,
		check: Type.Optional(
			Type.Object(
				{
					address: Type.Optional(Type.String({ description: 'an address to probe instead' })),
					port: Type.Optional(port),
				},
				{ ...exact, description: 'where to probe instead: address, port' },
			),
		),
	},
	{ ...exact, description: 'an endpoint: name, addresses or cname, weight, state, check' },
);

const ENDPOINTS_MAX = 255;
const MEMBERS_MAX = 64;
export const DEPTH_MAX = 16;

const failback = Type.Enum(['auto', 'manual'], { default: 'auto', description: 'auto or manual' });

const PoolShape = Type.Object(
	{
		region: Type.Optional(Type.String({ minLength: 1, description: 'the name of a region' })),
		monitor: Type.Optional(
			Type.Union(
				[Type.String({ minLength: 1 }), Type.Array(Type.String({ minLength: 1 }), { minItems: 1, maxItems: 8 })],
				{
					description: 'the name of a monitor, or a list of names',
				},
			),
		),
		minHealthy: Type.Union(
			[Type.Integer({ minimum: 1, maximum: ENDPOINTS_MAX }), Type.String({ pattern: '^([1-9][0-9]?|100)%$' })],
			{ default: 1, description: 'a number of endpoints from 1, or a share such as "50%"' },
		),
		onAllDown: Type.Enum(['all', 'nodata', 'servfail'], { default: 'all', description: 'all, nodata or servfail' }),
		noAddress: Type.Enum(['nodata', 'pass'], { default: 'nodata', description: 'nodata or pass' }),
		answers: Type.Integer({
			minimum: 1,
			maximum: 8,
			default: 1,
			description: 'a number of addresses per answer, 1..8',
		}),
		by: Type.Enum(['query', 'client'], { default: 'query', description: 'query or client' }),
		rampUp: duration('0s'),
		state,
		failback,
		endpoints: Type.Array(EndpointShape, {
			minItems: 1,
			maxItems: ENDPOINTS_MAX,
			description: 'a list of 1..255 endpoints',
		}),
	},
	{ ...exact, description: 'a pool' },
);

const use = Type.Unknown({ title: 'Use', description: 'the name of a pool or policy, or a policy' });
const members = Type.Array(use, { minItems: 1, maxItems: MEMBERS_MAX, description: 'a list of 1..64 members' });

const MatchShape = Type.Object(
	{
		networks: Type.Optional(nameList('names of networks')),
		places: Type.Optional(nameList('names of places')),
		subdivisions: Type.Optional(subdivisions),
		countries: Type.Optional(countries),
		continents: Type.Optional(continents),
		asns: Type.Optional(asns),
	},
	{ ...exact, minProperties: 1, description: 'a match: networks, places, subdivisions, countries, continents, asns' },
);

export const POLICY_SHAPES = {
	geo: Type.Object(
		{
			kind: Type.Literal('geo'),
			rules: Type.Array(
				Type.Object(
					{
						match: MatchShape,
						use,
						fence: Type.Boolean({ default: false, description: 'true or false' }),
					},
					{ ...exact, description: 'a rule: match, use, fence' },
				),
				{ default: [], maxItems: 1024, description: 'a list of rules' },
			),
			default: Type.Optional(use),
		},
		exact,
	),
	weighted: Type.Object(
		{
			kind: Type.Literal('weighted'),
			by: Type.Enum(['query', 'client'], { default: 'query', description: 'query or client' }),
			members: Type.Array(Type.Object({ use, weight }, { ...exact, description: 'a member: use, weight' }), {
				minItems: 1,
				maxItems: MEMBERS_MAX,
				description: 'a list of 1..64 members',
			}),
		},
		exact,
	),
	failover: Type.Object(
		{
			kind: Type.Literal('failover'),
			members,
			trickle: Type.Optional(
				Type.String({ pattern: '^[0-9]{1,2}(\\.[0-9]{1,4})?%$', description: 'a share below 100% such as "1%"' }),
			),
			failback,
		},
		exact,
	),
	proximity: Type.Object({ kind: Type.Literal('proximity'), members }, exact),
	latency: Type.Object({ kind: Type.Literal('latency'), members }, exact),
	all: Type.Object({ kind: Type.Literal('all'), members }, exact),
} as const;

/** A member of `proximity` that is more than what it uses. */
export const NEAR_MEMBER_SHAPE = Type.Object(
	{
		use,
		weight,
		bias: Type.Integer({ minimum: -99, maximum: 99, default: 0, description: 'an integer -99..99' }),
		region: Type.Optional(Type.String({ minLength: 1, description: 'the name of a region' })),
	},
	{ ...exact, description: 'a member: use, weight, bias, region' },
);

/** Types that a policy can answer; the list is open (DESIGN: refused with "not yet"). */
export const STEERED_TYPES = ['A', 'AAAA'] as const;

const NameShape = Type.Object(
	{
		policy: use,
		ttl: duration('30s'),
		types: Type.Array(Type.String({ minLength: 1, description: 'a type such as A' }), {
			minItems: 1,
			default: [...STEERED_TYPES],
			description: 'a list of types',
		}),
	},
	{ ...exact, description: 'a steered name: policy, ttl, types' },
);

const table = <T extends TSchema>(shape: T, what: string) =>
	Type.Optional(Type.Record(Type.String(), shape, { description: what }));

const commonKeys = {
	regions: table(RegionShape, 'regions by name'),
	networks: table(
		Type.Array(Type.String({ description: 'a prefix such as 198.51.100.0/24' }), {
			minItems: 1,
			maxItems: 65536,
			description: 'a list of prefixes',
		}),
		'lists of prefixes by name',
	),
	places: table(PlaceSetShape, 'places by name'),
	monitors: table(Type.Unknown(), 'monitors by name'),
	pools: table(PoolShape, 'pools by name'),
	policies: table(Type.Unknown(), 'policies by name'),
};

export const CommonShape = Type.Object(commonKeys, { ...exact, description: 'a steering document' });
export const ZoneShape = Type.Object(
	{ ...commonKeys, names: table(NameShape, 'steered names by owner') },
	{ ...exact, description: 'a steering document' },
);

export type Region = Static<typeof RegionShape>;
export type PlaceSet = Static<typeof PlaceSetShape>;
export type Match = Static<typeof MatchShape>;
export type EndpointDocument = Static<typeof EndpointShape>;
export type PoolDocument = Static<typeof PoolShape>;
export type NearMember = Use | (Omit<Static<typeof NEAR_MEMBER_SHAPE>, 'use'> & { readonly use: Use });

/** What stands where a policy is taken: a name, or a policy in place. */
export type Use = string | PolicyDocument;

export type PolicyDocument =
	| {
			readonly kind: 'geo';
			readonly rules: readonly { readonly match: Match; readonly use: Use; readonly fence: boolean }[];
			readonly default?: Use;
	  }
	| {
			readonly kind: 'weighted';
			readonly by: 'query' | 'client';
			readonly members: readonly { readonly use: Use; readonly weight: number }[];
	  }
	| {
			readonly kind: 'failover';
			readonly members: readonly Use[];
			readonly trickle?: string;
			readonly failback: 'auto' | 'manual';
			/** Positions of members that have tripped: set by what is switched (config/overrides.ts), never written. */
			readonly tripped?: readonly number[];
	  }
	| { readonly kind: 'proximity'; readonly members: readonly NearMember[] }
	| { readonly kind: 'latency'; readonly members: readonly Use[] }
	| { readonly kind: 'all'; readonly members: readonly Use[] };

export interface NameDocument {
	readonly policy: Use;
	readonly ttl: string;
	readonly types: readonly string[];
}

/** A steering file with its defaults filled in; tables that were absent are empty. */
export interface SteeringDocument {
	readonly regions: ReadonlyMap<string, Region>;
	readonly networks: ReadonlyMap<string, readonly string[]>;
	readonly places: ReadonlyMap<string, PlaceSet>;
	readonly monitors: ReadonlyMap<string, MonitorDocument>;
	readonly pools: ReadonlyMap<string, PoolDocument>;
	readonly policies: ReadonlyMap<string, PolicyDocument>;
	/** Empty in the document that is common to all zones. */
	readonly names: ReadonlyMap<string, NameDocument>;
}
