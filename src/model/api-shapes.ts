/**
 * What goes over the admin API beside steering documents: parameters, headers, bodies and replies of its operations.
 * A shape with a title becomes a component of the OpenAPI document.
 */

import Type, { type TSchema } from 'typebox';
import { MONITOR_SHAPES } from './monitor-shapes.ts';
import { exact } from './shape-parts.ts';
import { EndpointShape, POLICY_SHAPES, ZoneShape as SteeringShape } from './steering.ts';

export type { TSchema };

const text = (description: string) => Type.String({ description });
const maybe = (description: string) => Type.Optional(text(description));

/** RFC 9457. */
export const ProblemShape = Type.Object(
	{
		type: text('urn:meridian:problem: and the code'),
		code: text('what went wrong, in a word that stays the same'),
		title: text('the same for people'),
		status: Type.Integer({ description: 'the HTTP status' }),
		detail: text('what could not be done, and what was expected'),
		requestId: text('as the log has it'),
		errors: Type.Optional(
			Type.Array(
				Type.Object({
					pointer: text('JSON pointer into the request; empty for all of it'),
					message: text('one mistake'),
					unit: maybe('the unit in which it lies, outside of what was sent'),
					path: maybe('the place in that unit'),
					line: Type.Optional(Type.Integer({ description: 'the line of the master file' })),
				}),
			),
		),
	},
	{ title: 'Problem' },
);

/** A reply that is described and not fixed. */
export const AnyObjectShape = Type.Object({}, { description: 'an object' });
export const TextShape = Type.String({ description: 'text' });

export const StrictQueryShape = Type.Object({ strict: maybe('take what is degraded for unready') });

export const ExplainQueryShape = Type.Object(
	{
		name: Type.String({ minLength: 1, description: 'a domain name' }),
		type: maybe('a type such as A'),
		client: maybe('an address or a prefix'),
		resolver: maybe('an address'),
	},
	exact,
);

const SEC_MAX = 0x7fffffff;
const seconds = (what: string, fallback: number) =>
	Type.Integer({ minimum: 0, maximum: SEC_MAX, default: fallback, description: `${what} in seconds, below 2^31` });

export const RecordSetShape = Type.Object(
	{
		ttl: seconds('a TTL', 3600),
		records: Type.Array(Type.String({ minLength: 1, maxLength: 200_000, description: 'RDATA in presentation form' }), {
			minItems: 1,
			maxItems: 10_000,
			description: 'a list of records, such as ["192.0.2.1"]',
		}),
	},
	{ ...exact, title: 'RecordSet', description: 'a record set: ttl, records' },
);

const domainName = (what: string) => Type.String({ minLength: 1, maxLength: 1100, description: what });

export const SoaShape = Type.Object(
	{
		mname: domainName('the name of the primary server'),
		rname: domainName('the mailbox of who is responsible, as a name'),
		refresh: seconds('a time', 10_800),
		retry: seconds('a time', 3600),
		expire: seconds('a time', 1_209_600),
		minimum: seconds('the TTL of negative answers', 300),
		ttl: seconds('a TTL', 3600),
		serial: Type.Optional(
			Type.Integer({
				minimum: 0,
				maximum: 0xffffffff,
				description: 'a serial, which counts when it is greater than the one that is there',
			}),
		),
	},
	{ ...exact, title: 'Soa', description: 'SOA settings: mname, rname, refresh, retry, expire, minimum, ttl, serial' },
);

const { mname, rname, ...soaRest } = SoaShape.properties;

const steeringDocument = Type.Optional(Type.Unknown({ title: 'SteeringDocument', description: 'a steering document' }));

export const ZoneShape = Type.Object(
	{
		soa: Type.Object(
			{ mname: Type.Optional(mname), rname: Type.Optional(rname), ...soaRest },
			{
				...exact,
				default: {},
				description: 'SOA settings: mname, rname, refresh, retry, expire, minimum, ttl, serial',
			},
		),
		nameServers: Type.Array(domainName('the name of a server'), {
			minItems: 1,
			maxItems: 32,
			description: 'a list of the names of servers',
		}),
		recordSets: Type.Array(
			Type.Object(
				{
					name: domainName('an owner, such as www or @'),
					type: domainName('a type such as A'),
					...RecordSetShape.properties,
				},
				{ ...exact, description: 'a record set: name, type, ttl, records' },
			),
			{ default: [], maxItems: 10_000, description: 'a list of record sets' },
		),
		steering: steeringDocument,
	},
	{ ...exact, title: 'Zone', description: 'a zone: soa, nameServers, recordSets, steering' },
);

export const UnitShape = Type.Object(
	{
		zone: Type.Optional(
			Type.String({ description: 'a master file, one character (U+0000 to U+00FF) for each octet; none for common' }),
		),
		includes: Type.Optional(
			Type.Record(Type.String(), Type.String({ description: 'the text of a file' }), {
				description: 'texts of the files that the master file includes, by path',
			}),
		),
		steering: steeringDocument,
		steeringText: Type.Optional(Type.String({ description: 'a steering document as YAML, in the place of steering' })),
	},
	{ ...exact, title: 'Unit', description: 'a unit: zone, includes, steering or steeringText' },
);

const flag = (what: string) => Type.Optional(Type.Enum(['true', 'false'], { description: `true or false: ${what}` }));

export const WriteQueryShape = Type.Object(
	{
		dryRun: flag('tell what would change, and change nothing'),
		force: flag('do it although a guard refuses it'),
	},
	exact,
);

export const ListQueryShape = Type.Object(
	{
		limit: Type.Optional(Type.String({ pattern: '^([1-9][0-9]{0,2}|1000)$', description: 'a number 1..1000' })),
		after: maybe('the key that the page before ended with'),
		contains: maybe('a part of the key'),
	},
	exact,
);

export const ZoneListQueryShape = Type.Object(
	{
		...ListQueryShape.properties,
		owner: Type.Optional(Type.Enum(['store', 'directory'], { description: 'store or directory' })),
	},
	exact,
);

export const RecordListQueryShape = Type.Object(
	{ ...ListQueryShape.properties, name: maybe('an owner, such as www or @'), type: maybe('a type such as A') },
	exact,
);

/** Requests have other headers too. */
export const ConditionHeadersShape = Type.Object({
	'If-Match': maybe('the ETag of the resource, or * for any'),
	'If-None-Match': maybe('* to create it'),
	'Meridian-Reason': maybe('why; wanted with force and for a rollback'),
});

export const ReasonHeadersShape = Type.Object({ 'Meridian-Reason': maybe('why') });

const UnitMessages = (description: string) =>
	Type.Array(Type.Object({ unit: text('a unit'), message: text('what there is to say') }), { description });

const DiffShape = Type.Object(
	{
		unit: text('a unit'),
		kind: Type.Enum(['created', 'changed', 'removed']),
		records: Type.Object({
			removed: Type.Array(text('a line of a master file')),
			added: Type.Array(text('a line of a master file')),
			removedCount: Type.Integer(),
			addedCount: Type.Integer(),
		}),
		steering: Type.Array(
			Type.Object({
				path: text('a place of the steering document'),
				before: Type.Optional(Type.Unknown()),
				after: Type.Optional(Type.Unknown()),
			}),
		),
	},
	{ title: 'Diff' },
);

export const WriteReplyShape = Type.Object(
	{
		epoch: Type.Integer({ description: 'rises when a lost store is restored' }),
		generation: Type.Integer({ description: 'that the change made; the present one when nothing has changed' }),
		dryRun: Type.Boolean(),
		changed: Type.Array(DiffShape),
		takenOver: UnitMessages('units that belonged to the zones directory until now'),
		warnings: UnitMessages('what can be served and is hardly meant'),
		guards: Type.Array(
			Type.Object({ guard: text('which one'), unit: text('a unit'), message: text('what it refuses') }),
			{ description: 'what a dry run would be refused for, or what force has passed over' },
		),
		etag: maybe('of the resource as it is now; absent when it is gone'),
		value: Type.Optional(Type.Unknown({ description: 'the resource as it is now' })),
	},
	{ title: 'Written' },
);

export function listShape(item: TSchema): TSchema {
	return Type.Object({ items: Type.Array(item), next: maybe('what to give as ?after= for the next page') });
}

export const NamedShape = Type.Object({
	name: text('its name'),
	etag: text('its ETag'),
	value: Type.Unknown({ description: 'the resource' }),
});

export const RecordSetItemShape = Type.Object({
	name: text('an owner, relative to the apex'),
	type: text('a type'),
	ttl: Type.Integer(),
	records: Type.Array(text('RDATA')),
	etag: text('its ETag'),
});

export const UnitItemShape = Type.Object(
	{
		name: text('common, or the apex with its dot'),
		owner: Type.Enum(['store', 'directory']),
		etag: text('of all that it holds'),
	},
	{ title: 'UnitItem' },
);

export const ZoneSummaryShape = Type.Object(
	{
		name: text('common, or the apex with its dot'),
		owner: Type.Enum(['store', 'directory']),
		etag: maybe('of all that it holds'),
		soa: Type.Optional(SoaShape),
		records: Type.Optional(Type.Integer({ description: 'how many there are' })),
		steering: Type.Record(Type.String(), Type.Integer(), { description: 'how many entries each table has' }),
	},
	{ title: 'UnitSummary' },
);

const GenerationShape = Type.Object({
	epoch: Type.Integer(),
	generation: Type.Integer(),
	at: text('when, by the clock of the store'),
	author: text('who'),
	reason: text('why'),
	changed: Type.Array(text('a unit, or another item')),
});

export const GenerationListQueryShape = Type.Object(
	{
		limit: ListQueryShape.properties.limit,
		before: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$', description: 'a generation' })),
		unit: maybe('common, or the apex with its dot'),
	},
	exact,
);

export const GenerationParamsShape = Type.Object({
	generation: Type.String({ pattern: '^[0-9]{1,15}$', description: 'a number' }),
});

export const RestoreReplyShape = Type.Object({ epoch: Type.Integer(), generation: Type.Integer() });

export const GenerationListShape = listShape(GenerationShape);
export const GenerationDiffShape = Type.Object({
	...GenerationShape.properties,
	diff: Type.Optional(Type.Array(DiffShape)),
});

export const RollbackShape = Type.Object(
	{ generation: Type.Integer({ minimum: 0, description: 'the number of a generation' }) },
	{ ...exact, description: 'an object with the key "generation"' },
);

const changeList = Type.Array(
	Type.Object(
		{
			op: Type.Enum(['put', 'patch', 'delete'], { description: 'put, patch or delete' }),
			resource: Type.String({ pattern: '^/', description: 'a path without /v1, such as /zones/example.org./pools/eu' }),
			value: Type.Optional(Type.Unknown({ description: 'what a request to the resource itself has as its body' })),
		},
		{ ...exact, description: 'a change: op, resource, value' },
	),
	{ minItems: 1, maxItems: 10_000, description: 'a list of changes' },
);

export const ChangesShape = Type.Object(
	{
		units: Type.Record(
			Type.String(),
			Type.Union([Type.String(), Type.Null()], {
				description: 'the ETag of the unit, or null for one that must not exist',
			}),
			{ description: 'the ETag of each unit that is touched' },
		),
		changes: changeList,
	},
	{ ...exact, description: 'changes: units, changes' },
);

export const DraftExplainShape = Type.Object(
	{ ...ExplainQueryShape.properties, changes: Type.Optional(changeList) },
	{ ...exact, description: 'a question: name, type, client, resolver, changes' },
);

export const DraftExplainReplyShape = Type.Object({
	live: Type.Object({}, { description: 'the answer as it is' }),
	draft: Type.Optional(Type.Object({}, { description: 'the answer as it would be' })),
});

const entries = (shape: TSchema): TSchema =>
	Object.values((shape as { patternProperties: object }).patternProperties)[0];
const tables = SteeringShape.properties;

/** What stands in each table of a steering document, by its key. */
export const ENTRY_SHAPES = {
	regions: titled(entries(tables.regions), 'Region'),
	networks: titled(entries(tables.networks), 'Network'),
	places: titled(entries(tables.places), 'PlaceSet'),
	monitors: Type.Union(Object.values(MONITOR_SHAPES), { title: 'Monitor' }),
	pools: titled(entries(tables.pools), 'Pool'),
	policies: Type.Union(Object.values(POLICY_SHAPES), { title: 'Policy' }),
	names: titled(entries(tables.names), 'SteeredName'),
} as const;

export const EndpointEntryShape = titled(EndpointShape, 'Endpoint');

/** What shapes of the program leave open, for the document: where a policy is taken, and whole documents. */
export const OPEN_SHAPES: Readonly<Record<string, TSchema>> = {
	Use: Type.Union([Type.String({ description: 'the name of a pool or policy' }), ENTRY_SHAPES.policies]),
	SteeringDocument: Type.Object(
		Object.fromEntries(
			Object.entries(ENTRY_SHAPES).map(([key, shape]) => [key, Type.Optional(Type.Record(Type.String(), shape))]),
		),
		exact,
	),
};

function titled(shape: TSchema, title: string): TSchema {
	return { ...shape, title };
}
