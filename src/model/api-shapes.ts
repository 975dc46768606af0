/**
 * What goes over the admin API beside steering documents: parameters, headers, bodies and replies of its operations.
 * A shape with a title becomes a component of the OpenAPI document.
 */

import Type, { type TSchema } from 'typebox';
import { exact } from './shape-parts.ts';

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
