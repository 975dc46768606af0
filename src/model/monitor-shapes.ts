/**
 * What users write under `monitors`: one shape for each kind, picked by `kind` in `check-document.ts`.
 */

import Type, { type Static } from 'typebox';
import { duration, exact, nameList, port } from './shape-parts.ts';

const monitorCommon = {
	port: Type.Optional(port),
	interval: duration('10s'),
	timeout: duration('4s'),
	fall: Type.Integer({ minimum: 1, maximum: 100, default: 3, description: 'a number of failures in a row, 1..100' }),
	rise: Type.Integer({ minimum: 1, maximum: 100, default: 5, description: 'a number of successes in a row, 1..100' }),
	consensus: Type.Optional(
		Type.Object(
			{
				mode: Type.Enum(['majority', 'any-up', 'all-up', 'at-least'], {
					default: 'majority',
					description: 'majority, any-up, all-up or at-least',
				}),
				k: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'a number of regions' })),
				minProbers: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'a number of probers' })),
			},
			{ ...exact, description: 'a consensus: mode, k, minProbers' },
		),
	),
	from: Type.Optional(nameList('region names')),
};

const STATUS_PATTERN = '^[1-5][0-9]{2}(-[1-5][0-9]{2})?$';

export const MONITOR_SHAPES = {
	http: Type.Object(
		{
			kind: Type.Literal('http'),
			...monitorCommon,
			path: Type.String({ pattern: '^/[!-~]*$', default: '/', description: 'a path that starts with /' }),
			host: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9._:\\[\\]-]{1,260}$', description: 'a host name' })),
			expect: Type.Object(
				{
					status: Type.Array(
						Type.Union([Type.Integer({ minimum: 100, maximum: 599 }), Type.String({ pattern: STATUS_PATTERN })], {
							description: 'a status such as 200 or a range such as 200-399',
						}),
						{ minItems: 1, default: ['200-399'], description: 'a list of statuses and ranges' },
					),
					body: Type.Optional(
						Type.String({ minLength: 1, maxLength: 1024, description: 'text that the body contains' }),
					),
				},
				{ ...exact, default: {}, description: 'an expectation: status, body' },
			),
		},
		exact,
	),
	tcp: Type.Object({ kind: Type.Literal('tcp'), ...monitorCommon }, exact),
} as const;

export const MONITOR_KINDS_TO_COME = ['https', 'tls', 'dns', 'grpc', 'icmp'] as const;

export type MonitorDocument = Static<(typeof MONITOR_SHAPES)[keyof typeof MONITOR_SHAPES]>;
