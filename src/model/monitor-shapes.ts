/**
 * What users write under `monitors`: one shape for each kind, picked by `kind` in `check-document.ts`.
 */

import Type, { type Static } from 'typebox';
import { votingKeys } from './monitor-voting.ts';
import { duration, exact, nameList, port } from './shape-parts.ts';

const timing = {
	interval: duration('10s'),
	timeout: duration('4s'),
	fall: Type.Integer({ minimum: 1, maximum: 100, default: 3, description: 'a number of failures in a row, 1..100' }),
	rise: Type.Integer({ minimum: 1, maximum: 100, default: 5, description: 'a number of successes in a row, 1..100' }),
	from: Type.Optional(nameList('region names')),
	regional: Type.Boolean({ default: false, description: 'true or false' }),
	...votingKeys,
};

const monitorCommon = { port: Type.Optional(port), ...timing };

const STATUS_PATTERN = '^[1-5][0-9]{2}(-[1-5][0-9]{2})?$';
/** Labels of letters, digits, "_" and "-"; the last one starts with a letter, so that no address passes for a name. */
const HOST_NAME_PATTERN = '^([A-Za-z0-9_-]{1,63}\\.)*[A-Za-z][A-Za-z0-9_-]{0,62}$';

const host = Type.String({ pattern: '^[A-Za-z0-9._:\\[\\]-]{1,260}$', description: 'a host name' });

const httpKeys = {
	path: Type.String({ pattern: '^/[!-~]*$', default: '/', description: 'a path that starts with /' }),
	host: Type.Optional(host),
	redirects: Type.Integer({
		minimum: 0,
		maximum: 5,
		default: 0,
		description: 'a number of redirects to follow, 0..5',
	}),
	expect: Type.Object(
		{
			status: Type.Array(
				Type.Union([Type.Integer({ minimum: 100, maximum: 599 }), Type.String({ pattern: STATUS_PATTERN })], {
					description: 'a status such as 200 or a range such as 200-399',
				}),
				{ minItems: 1, default: ['200-399'], description: 'a list of statuses and ranges' },
			),
			body: Type.Optional(Type.String({ minLength: 1, maxLength: 1024, description: 'text that the body contains' })),
		},
		{ ...exact, default: {}, description: 'an expectation: status, body' },
	),
};

const tlsKeys = {
	serverName: Type.Optional(
		Type.String({
			pattern: HOST_NAME_PATTERN,
			maxLength: 253,
			description: 'a host name, as it stands in the certificate',
		}),
	),
	verify: Type.Boolean({ default: true, description: 'true or false' }),
	minDaysLeft: Type.Optional(Type.Integer({ minimum: 0, maximum: 398, description: 'a number of days, 0..398' })),
};

/** Labels without escapes, up to the root: `example.org`, `_sip._tcp.example.org.`, `.`. */
const QUERY_NAME_PATTERN = '^(\\.|([A-Za-z0-9_*/-]{1,63}\\.)*[A-Za-z0-9_*/-]{1,63}\\.?)$';
const QUERY_TYPES = ['A', 'AAAA', 'CAA', 'CNAME', 'DNSKEY', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT'] as const;
const QUERY_RCODES = ['NOERROR', 'NXDOMAIN', 'REFUSED', 'SERVFAIL', 'NOTIMP', 'FORMERR', 'NOTAUTH'] as const;

/** Text with escapes, which `escaped-text.ts` reads. */
const escapedText = (what: string) =>
	Type.String({ minLength: 1, maxLength: 1024, description: `${what} of 1..1024 characters` });

export const MONITOR_SHAPES = {
	http: Type.Object({ kind: Type.Literal('http'), ...monitorCommon, ...httpKeys }, exact),
	https: Type.Object({ kind: Type.Literal('https'), ...monitorCommon, ...httpKeys, ...tlsKeys }, exact),
	tcp: Type.Object(
		{
			kind: Type.Literal('tcp'),
			...monitorCommon,
			send: Type.Optional(escapedText('text to send')),
			expect: Type.Optional(escapedText('text that the answer contains')),
		},
		exact,
	),
	dns: Type.Object(
		{
			kind: Type.Literal('dns'),
			...monitorCommon,
			port: Type.Integer({ ...port, default: 53 }),
			query: Type.Object(
				{
					name: Type.String({ pattern: QUERY_NAME_PATTERN, maxLength: 254, description: 'a domain name' }),
					type: Type.Enum(QUERY_TYPES, { default: 'A', description: `one of ${QUERY_TYPES.join(', ')}` }),
				},
				{ ...exact, description: 'a query: name, type' },
			),
			transport: Type.Enum(['udp', 'tcp'], { default: 'udp', description: 'udp or tcp' }),
			expect: Type.Object(
				{
					rcode: Type.Enum(QUERY_RCODES, { default: 'NOERROR', description: `one of ${QUERY_RCODES.join(', ')}` }),
					contains: Type.Optional(
						Type.String({ minLength: 1, maxLength: 1024, description: 'text that an answer record holds' }),
					),
				},
				{ ...exact, default: {}, description: 'an expectation: rcode, contains' },
			),
		},
		exact,
	),
	tls: Type.Object({ kind: Type.Literal('tls'), ...monitorCommon, ...tlsKeys }, exact),
	grpc: Type.Object(
		{
			kind: Type.Literal('grpc'),
			...monitorCommon,
			service: Type.Optional(
				Type.String({ minLength: 1, maxLength: 256, description: 'the name of a service, such as shop.v1.Cart' }),
			),
			host: Type.Optional(host),
			tls: Type.Boolean({ default: false, description: 'true or false' }),
			...tlsKeys,
		},
		exact,
	),
	icmp: Type.Object({ kind: Type.Literal('icmp'), ...timing }, exact),
} as const;

export type MonitorDocument = Static<(typeof MONITOR_SHAPES)[keyof typeof MONITOR_SHAPES]>;
