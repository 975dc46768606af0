/**
 * Zones and common as wholes: the list, what each is made of, its master file, SOA settings and record sets.
 */

import type { FastifyInstance, FastifyPluginCallback } from 'fastify';
import { etagAtPlace } from '../config/change.ts';
import { recordKey, recordSets, soaOf } from '../config/edit-records.ts';
import { relativeName } from '../config/print-zone.ts';
import type { UnitContent } from '../config/unit-content.ts';
import { printName } from '../dns/name.ts';
import { typeText } from '../dns/rr-type.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import {
	listShape,
	RecordListQueryShape,
	RecordSetItemShape,
	RecordSetShape,
	SoaShape,
	TextShape,
	UnitItemShape,
	UnitShape,
	ZoneListQueryShape,
	ZoneShape,
	ZoneSummaryShape,
} from '../model/api-shapes.ts';
import { isRecord } from '../model/shape-walk.ts';
import type { HeldUnit } from './configuration.ts';
import { type ListQuery, pageOf } from './paging.ts';
import { ApiProblem } from './problem.ts';
import { LARGE_BODY_OCTETS_MAX, notFound, type Params, resourceRoutes } from './resource-routes.ts';
import { zoneApex, zoneUnit } from './unit-names.ts';
import type { Writer } from './writer.ts';

export function zoneRoutes(writer: Writer): FastifyPluginCallback {
	const summaryOf = async (unit: string) => summary((await writer.view()).unit(unit));
	return (app, _options, done) => {
		app.get('/v1/zones', {
			schema: {
				operationId: 'listZones',
				summary: 'All zones',
				tags: ['zones'],
				querystring: ZoneListQueryShape,
				response: { 200: listShape(UnitItemShape) },
			},
			config: { access: 'viewer', problems: ['malformed'] },
			handler: async (request) => {
				const query = request.query as ListQuery & { readonly owner?: string };
				const view = await writer.view();
				const zones = view.names().filter((name) => name !== COMMON_UNIT);
				const own = query.owner === undefined ? zones : zones.filter((name) => view.unit(name)?.owner === query.owner);
				return pageOf(own, query, (name) => {
					const held = view.unit(name);
					return { name, owner: held?.owner, etag: held?.content.etag };
				});
			},
		});
		resourceRoutes(app, writer, {
			url: '/v1/zones/:apex',
			noun: 'Zone',
			title: 'a zone',
			tag: 'zones',
			unitOf: zoneUnit,
			placeOf: () => ({ kind: 'zone' }),
			shape: ZoneShape,
			operations: ['get', 'put', 'delete'],
			isWhole: true,
			removesFreely: true,
			guarded: ['put', 'delete'],
			get: { shape: ZoneSummaryShape, value: (params) => summaryOf(zoneUnit(params)) },
		});
		app.get('/v1/common', {
			schema: {
				operationId: 'getCommon',
				summary: 'What all zones share',
				tags: ['zones'],
				response: { 200: ZoneSummaryShape },
			},
			config: { access: 'viewer', unitOf: () => COMMON_UNIT },
			handler: async (_request, reply) => {
				const held = (await writer.view()).unit(COMMON_UNIT);
				reply.header('etag', `"${held?.content.etag}"`);
				return summary(held);
			},
		});
		unitRoutes(app, writer);
		recordRoutes(app, writer);
		done();
	};
}

/** As it stands in files. */
function unitRoutes(app: FastifyInstance, writer: Writer): void {
	for (const [prefix, noun, unitOf] of [
		['/v1/zones/:apex', 'Zone', zoneUnit],
		['/v1/common', 'Common', () => COMMON_UNIT],
	] as const) {
		resourceRoutes(app, writer, {
			url: `${prefix}/unit`,
			noun: `${noun}Unit`,
			title: `all of ${noun === 'Zone' ? 'a zone' : 'common'} as it stands in files`,
			tag: 'zones',
			unitOf,
			placeOf: () => ({ kind: 'unit' }),
			shape: UnitShape,
			operations: ['get', 'put'],
			isWhole: noun === 'Zone',
			guarded: ['put'],
			hasUnit: noun === 'Common',
			isPartOfUnit: noun === 'Common',
			bodyOctetsMax: LARGE_BODY_OCTETS_MAX,
		});
	}
}

function recordRoutes(app: FastifyInstance, writer: Writer): void {
	resourceRoutes(app, writer, {
		url: '/v1/zones/:apex/zonefile',
		noun: 'ZoneFile',
		title: 'the master file of a zone',
		tag: 'records',
		unitOf: zoneUnit,
		placeOf: () => ({ kind: 'zone-file' }),
		shape: TextShape,
		mediaType: 'text/dns',
		operations: ['get', 'put'],
		isWhole: true,
		guarded: ['put'],
		bodyOctetsMax: LARGE_BODY_OCTETS_MAX,
	});
	resourceRoutes(app, writer, {
		url: '/v1/zones/:apex/soa',
		noun: 'Soa',
		title: 'the SOA settings of a zone',
		tag: 'records',
		unitOf: zoneUnit,
		placeOf: () => ({ kind: 'soa' }),
		shape: SoaShape,
		operations: ['get', 'put', 'patch'],
		isPartOfUnit: true,
		guarded: [],
	});
	app.get('/v1/zones/:apex/records', {
		schema: {
			operationId: 'listRecordSets',
			summary: 'The record sets of a zone',
			tags: ['records'],
			querystring: RecordListQueryShape,
			response: { 200: listShape(RecordSetItemShape) },
		},
		config: { access: 'viewer', unitOf: zoneUnit, problems: ['malformed', 'not-found'] },
		handler: async (request) => {
			const content = (await writer.view()).unit(zoneUnit(request.params as Params))?.content;
			if (content === undefined) throw notFound(request);
			return listRecordSets(content, request.query as RecordListQuery);
		},
	});
	resourceRoutes(app, writer, {
		url: '/v1/zones/:apex/records/:name/:type',
		noun: 'RecordSet',
		title: 'a record set',
		tag: 'records',
		unitOf: zoneUnit,
		placeOf: (params) => {
			const { name = '', type = '' } = params;
			const key = recordKey(zoneApex(zoneUnit(params)), name, type);
			if (typeof key === 'string')
				throw new ApiProblem('malformed', key, { errors: [{ pointer: '/params/name', message: key }] });
			return { kind: 'record-set', name, type };
		},
		shape: RecordSetShape,
		guarded: ['put', 'patch', 'delete'],
	});
}

function summary(held: HeldUnit | undefined) {
	if (held === undefined) return undefined;
	const { content, owner } = held;
	const steering = Object.entries(content.document).map(([table, entries]) => [
		table,
		isRecord(entries) ? Object.keys(entries).length : 0,
	]);
	return {
		name: content.unit,
		owner,
		etag: content.etag,
		...(content.unit === COMMON_UNIT ? {} : { soa: soaOf(content), records: content.records.count }),
		steering: Object.fromEntries(steering),
	};
}

interface RecordListQuery extends ListQuery {
	readonly name?: string;
	readonly type?: string;
}

function listRecordSets(content: UnitContent, query: RecordListQuery) {
	const { apex } = content;
	const key = recordKey(apex, query.name ?? '@', query.type ?? 'A');
	if (typeof key === 'string')
		throw new ApiProblem('malformed', key, { errors: [{ pointer: '/query', message: key }] });
	const name = query.name === undefined ? undefined : relativeName(key.owner, apex);
	const type = query.type === undefined ? undefined : typeText(key.type);
	const sets = recordSets(content);
	const wanted = [...sets].filter(
		([, set]) => (name === undefined || set.name === name) && (type === undefined || set.type === type),
	);
	return pageOf(
		wanted.map(([own]) => own),
		query,
		(own) => {
			const set = sets.get(own);
			if (set === undefined) throw new Error(`${printName(apex)} has no ${own}`);
			return { ...set, etag: etagAtPlace(content, { kind: 'record-set', name: set.name, type: set.type }) };
		},
	);
}
