/**
 * What stands in steering documents, each entry a resource of its own: under a zone, and under common for all zones.
 */

import type { FastifyInstance, FastifyPluginCallback } from 'fastify';
import { etagAtPlace, type Place } from '../config/change.ts';
import { TABLES, type Table } from '../config/edit-steering.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import {
	ENTRY_SHAPES,
	EndpointEntryShape,
	ListQueryShape,
	listShape,
	NamedShape,
	OPEN_SHAPES,
} from '../model/api-shapes.ts';
import { isRecord, listAt, valueAt } from '../model/shape-walk.ts';
import { type ListQuery, pageOf } from './paging.ts';
import { notFound, type Params, resourceRoutes } from './resource-routes.ts';
import { zoneUnit } from './unit-names.ts';
import type { Writer } from './writer.ts';

const NOUNS: Readonly<Record<Table, readonly [one: string, many: string, title: string]>> = {
	regions: ['Region', 'Regions', 'a region'],
	networks: ['Network', 'Networks', 'a list of prefixes'],
	places: ['Place', 'Places', 'a set of places'],
	monitors: ['Monitor', 'Monitors', 'a monitor'],
	pools: ['Pool', 'Pools', 'a pool'],
	policies: ['Policy', 'Policies', 'a policy'],
	names: ['Name', 'Names', 'a steered name'],
};

/** What is in use cannot be removed at all. */
const GUARDED: Readonly<Record<Table, readonly ('put' | 'patch' | 'delete')[]>> = {
	regions: [],
	networks: ['put', 'patch'],
	places: ['put', 'patch'],
	monitors: [],
	pools: ['put', 'patch'],
	policies: ['put', 'patch'],
	names: ['put', 'patch', 'delete'],
};

interface Scope {
	readonly prefix: string;
	readonly noun: string;
	readonly title: string;
	readonly unitOf: (params: Params) => string;
	readonly tables: readonly Table[];
}

const SCOPES: readonly Scope[] = [
	{ prefix: '/v1/zones/:apex', noun: 'Zone', title: 'of a zone', unitOf: zoneUnit, tables: TABLES },
	{
		prefix: '/v1/common',
		noun: 'Common',
		title: 'that all zones share',
		unitOf: () => COMMON_UNIT,
		tables: TABLES.filter((table) => table !== 'names'),
	},
];

export function steeringRoutes(writer: Writer): FastifyPluginCallback {
	return (app, _options, done) => {
		for (const scope of SCOPES) {
			for (const table of scope.tables) tableRoutes(app, writer, scope, table);
			endpointRoutes(app, writer, scope);
			resourceRoutes(app, writer, {
				url: `${scope.prefix}/steering`,
				noun: `${scope.noun}Steering`,
				title: `the whole steering document ${scope.title}`,
				tag: 'steering',
				unitOf: scope.unitOf,
				placeOf: () => ({ kind: 'document' }),
				shape: OPEN_SHAPES['SteeringDocument'] ?? {},
				operations: ['get', 'put', 'patch'],
				hasUnit: scope.noun === 'Common',
				isPartOfUnit: true,
				guarded: ['put', 'patch'],
			});
		}
		done();
	};
}

function tableRoutes(app: FastifyInstance, writer: Writer, scope: Scope, table: Table): void {
	const { prefix, unitOf } = scope;
	const [one, many, title] = NOUNS[table];
	const placeOf = (name: string): Place => ({ kind: 'steering', table, name });
	listRoute(app, writer, scope, {
		url: `${prefix}/${table}`,
		operationId: `list${scope.noun}${many}`,
		summary: `${table} ${scope.title}`,
		tag: table,
		namesOf: (document) => {
			const entries = document[table];
			return isRecord(entries) ? Object.keys(entries) : [];
		},
		placeOf: (_params, name) => placeOf(name),
		valueOf: (document, _params, name) => valueAt(document, [table, name]),
	});
	resourceRoutes(app, writer, {
		url: `${prefix}/${table}/:name`,
		noun: `${scope.noun}${one}`,
		title: `${title} ${scope.title}`,
		tag: table,
		unitOf,
		placeOf: ({ name = '' }) => placeOf(name),
		shape: ENTRY_SHAPES[table],
		hasUnit: scope.noun === 'Common',
		guarded: GUARDED[table],
		removesFreely: table === 'names',
	});
}

function endpointRoutes(app: FastifyInstance, writer: Writer, scope: Scope): void {
	const { prefix, unitOf } = scope;
	const placeOf = (name: string, endpoint: string): Place => ({ kind: 'steering', table: 'pools', name, endpoint });
	const endpointsOf = (document: unknown, { name = '' }: Params) =>
		listAt(valueAt(document, ['pools', name]), 'endpoints');
	listRoute(app, writer, scope, {
		url: `${prefix}/pools/:name/endpoints`,
		operationId: `list${scope.noun}Endpoints`,
		summary: `The endpoints of a pool ${scope.title}`,
		tag: 'endpoints',
		isThere: (document, { name = '' }) => valueAt(document, ['pools', name]) !== undefined,
		namesOf: (document, params) => endpointsOf(document, params).map((endpoint) => String(valueAt(endpoint, ['name']))),
		placeOf: ({ name = '' }, endpoint) => placeOf(name, endpoint),
		valueOf: (document, params, name) =>
			endpointsOf(document, params).find((endpoint) => valueAt(endpoint, ['name']) === name),
	});
	resourceRoutes(app, writer, {
		url: `${prefix}/pools/:name/endpoints/:endpoint`,
		noun: `${scope.noun}Endpoint`,
		title: `an endpoint of a pool ${scope.title}`,
		tag: 'endpoints',
		unitOf,
		placeOf: ({ name = '', endpoint = '' }) => placeOf(name, endpoint),
		shape: EndpointEntryShape,
		guarded: ['put', 'patch', 'delete'],
		hasUnit: scope.noun === 'Common',
	});
}

interface ListRoute {
	readonly url: string;
	readonly operationId: string;
	readonly summary: string;
	readonly tag: string;
	/** Of a list that lies in something that need not be there. */
	readonly isThere?: (document: Readonly<Record<string, unknown>>, params: Params) => boolean;
	readonly namesOf: (document: Readonly<Record<string, unknown>>, params: Params) => readonly string[];
	readonly placeOf: (params: Params, name: string) => Place;
	readonly valueOf: (document: Readonly<Record<string, unknown>>, params: Params, name: string) => unknown;
}

function listRoute(app: FastifyInstance, writer: Writer, { noun, unitOf }: Scope, route: ListRoute): void {
	const isSure = noun === 'Common' && route.isThere === undefined;
	app.get(route.url, {
		schema: {
			operationId: route.operationId,
			summary: route.summary,
			tags: [route.tag],
			querystring: ListQueryShape,
			response: { 200: listShape(NamedShape) },
		},
		config: { access: 'viewer', unitOf, problems: isSure ? ['malformed'] : ['malformed', 'not-found'] },
		handler: async (request) => {
			const params = request.params as Params;
			const content = (await writer.view()).unit(unitOf(params))?.content;
			if (content === undefined) throw notFound(request);
			const { document } = content;
			if (route.isThere?.(document, params) === false) throw notFound(request);
			return pageOf(route.namesOf(document, params), request.query as ListQuery, (name) => ({
				name,
				etag: etagAtPlace(content, route.placeOf(params, name)),
				value: route.valueOf(document, params, name),
			}));
		},
	});
}
