/**
 * Every operation of the API with every status that it documents: a row each. The last test holds the table and the
 * document together: what one names, the other names.
 */

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { type Api, type ApiReply, type AskOptions, openApi, READY } from './api-ground.ts';
import { OPERATING_ROWS, STORE_AWAY_ROWS } from './operating-rows.ts';
import type { OperationRow } from './operation-rows.ts';

const ZONE = `$TTL 300
@ SOA ns1 hostmaster 1 2h 30m 14d 5m
@ NS ns1
ns1 A 192.0.2.53
many A 192.0.2.1
many A 192.0.2.2
many A 192.0.2.3
many A 192.0.2.4
many A 192.0.2.5
many A 192.0.2.6
many A 192.0.2.7
`;

/** Entries of every table: in use, spare; and with their prefix alike in common. */
function tables(prefix: string) {
	const endpoints = [
		{ name: 'one', addresses: ['192.0.2.10'], weight: 100 },
		{ name: 'two', addresses: ['192.0.2.11'] },
	];
	return {
		regions: { [`${prefix}r`]: { latitude: 1, longitude: 2 }, [`${prefix}spare-r`]: { latitude: 3, longitude: 4 } },
		networks: { [`${prefix}n`]: ['20.1.0.0/16'], [`${prefix}spare-n`]: ['192.0.2.0/24'] },
		places: { [`${prefix}pl`]: { countries: ['SE'] }, [`${prefix}spare-pl`]: { countries: ['DE'] } },
		monitors: { [`${prefix}m`]: { kind: 'tcp', port: 80 }, [`${prefix}spare-m`]: { kind: 'tcp', port: 81 } },
		pools: {
			[`${prefix}p`]: { region: `${prefix}r`, monitor: `${prefix}m`, endpoints },
			[`${prefix}q`]: { endpoints: [{ name: 'only', addresses: ['192.0.2.20'] }] },
			[`${prefix}spare-p`]: { endpoints },
		},
		policies: {
			[`${prefix}g`]: {
				kind: 'geo',
				rules: [
					{ match: { networks: [`${prefix}n`] }, use: `${prefix}p` },
					{ match: { places: [`${prefix}pl`] }, use: `${prefix}q` },
				],
			},
			[`${prefix}spare-g`]: { kind: 'all', members: [`${prefix}p`] },
		},
	};
}

const COMMON = {
	...tables('c-'),
	pools: { ...tables('c-').pools, 'c-files': { endpoints: [{ name: 'only', addresses: ['192.0.2.30'] }] } },
};

const GROUND = {
	units: {
		'example.org.': {
			zone: ZONE,
			steering: {
				...tables(''),
				names: { www: { policy: 'g' }, pool: { policy: 'p' }, cwww: { policy: 'c-g' }, cpool: { policy: 'c-p' } },
			},
		},
		common: { steering: COMMON },
	},
	directory: {
		common: { steering: JSON.stringify(COMMON) },
		'files.example.': { zone: ZONE, steering: JSON.stringify({ names: { x: { policy: 'c-files' } } }) },
	},
	geo: { '25.0.0.0/8': { country: 'SE' } },
};

interface Row extends AskOptions {
	readonly op: string;
	readonly status: number;
	/** Method and path. */
	readonly ask: string;
	/** Take the ETag that the resource has, for If-Match. */
	readonly isFresh?: boolean;
	readonly code?: string;
	/** What stands in the way of the store. */
	readonly isLost?: boolean;
	readonly condition?: 'lost';
	/** The process cannot answer yet. */
	readonly isUnready?: boolean;
	readonly before?: (api: Api) => Promise<unknown>;
}

interface ResourceCase {
	readonly noun: string;
	readonly path: string;
	/** There is nothing of that name. */
	readonly missing?: string;
	/** Its whole unit is missing. */
	readonly noUnit?: string;
	readonly badPath?: string;
	readonly fresh?: { readonly path: string; readonly body: unknown };
	/** What is there can be replaced by this. */
	readonly good: unknown;
	readonly bad: unknown;
	readonly patch?: { readonly good: unknown; readonly bad: unknown; readonly guarded?: unknown };
	/** What a guard refuses. */
	readonly guarded?: unknown;
	readonly remove?: { readonly spare: string; readonly used?: string; readonly guarded?: string };
	readonly type?: string;
	readonly sizeMax?: number;
}

const TABLES = [
	{
		table: 'regions',
		one: 'Region',
		key: 'r',
		good: { latitude: 5, longitude: 6 },
		bad: { latitude: 500, longitude: 6 },
	},
	{
		table: 'networks',
		one: 'Network',
		key: 'n',
		good: ['20.1.0.0/16', '192.0.2.0/24'],
		bad: ['nonsense'],
		guarded: ['192.0.2.0/24'],
	},
	{
		table: 'places',
		one: 'Place',
		key: 'pl',
		good: { countries: ['SE', 'NO'] },
		bad: { countries: ['sweden'] },
		guarded: { countries: ['NO'] },
	},
	{ table: 'monitors', one: 'Monitor', key: 'm', good: { kind: 'tcp', port: 82 }, bad: { kind: 'tcp', port: 'x' } },
	{
		table: 'pools',
		one: 'Pool',
		key: 'p',
		good: { region: 'r', endpoints: [{ name: 'one', addresses: ['192.0.2.10'], weight: 101 }] },
		bad: { region: 'r', endpoints: [] },
		guarded: { region: 'r', state: 'down', endpoints: [{ name: 'one', addresses: ['192.0.2.10'] }] },
	},
	{
		table: 'policies',
		one: 'Policy',
		key: 'g',
		good: { kind: 'failover', members: ['p', 'q'] },
		patch: { default: 'q' },
		bad: { kind: 'failover', members: ['nobody'] },
		guarded: { kind: 'geo', rules: [{ match: { networks: ['n'] }, use: 'p' }] },
	},
] as const;

/** Names in a value as they are in common. */
function prefixed(value: unknown, prefix: string): unknown {
	if (prefix === '') return value;
	return JSON.parse(JSON.stringify(value).replaceAll(/"(r|p|q|n|g)"/g, `"${prefix}$1"`));
}

const RESOURCES: readonly ResourceCase[] = [
	...[
		{ scope: 'Zone', root: '/v1/zones/example.org', prefix: '' },
		{ scope: 'Common', root: '/v1/common', prefix: 'c-' },
	].flatMap(({ scope, root, prefix }): ResourceCase[] => {
		const ofZone =
			scope === 'Zone'
				? (rest: string) => ({ noUnit: `/v1/zones/missing.example/${rest}`, badPath: `/v1/zones/a..b/${rest}` })
				: () => ({});
		return [
			...TABLES.map(({ table, one, key, good, bad, ...rest }): ResourceCase => {
				const guarded = 'guarded' in rest ? prefixed(rest.guarded, prefix) : undefined;
				return {
					noun: `${scope}${one}`,
					path: `${root}/${table}/${prefix}${key}`,
					missing: `${root}/${table}/nothing`,
					...ofZone(`${table}/x`),
					fresh: {
						path: `${root}/${table}/fresh`,
						body: table === 'regions' ? { latitude: 9, longitude: 9 } : prefixed(good, prefix),
					},
					good: prefixed(good, prefix),
					bad: prefixed(bad, prefix),
					patch: {
						good: prefixed('patch' in rest ? rest.patch : good, prefix),
						bad: prefixed(bad, prefix),
						...(guarded === undefined ? {} : { guarded }),
					},
					...(guarded === undefined ? {} : { guarded }),
					remove: {
						spare: `${root}/${table}/${prefix}spare-${key}`,
						used: `${root}/${table}/${prefix}${key}`,
					},
				};
			}),
			{
				noun: `${scope}Endpoint`,
				path: `${root}/pools/${prefix}p/endpoints/one`,
				missing: `${root}/pools/${prefix}p/endpoints/nothing`,
				...ofZone('pools/p/endpoints/x'),
				fresh: { path: `${root}/pools/${prefix}p/endpoints/three`, body: { addresses: ['192.0.2.12'] } },
				good: { addresses: ['192.0.2.10'], weight: 99 },
				bad: { addresses: ['192.0.2.300'] },
				guarded: { addresses: ['192.0.2.10'], weight: 1 },
				patch: { good: { weight: 98 }, bad: { weight: -1 }, guarded: { state: 'drain' } },
				remove: {
					spare: `${root}/pools/${prefix}p/endpoints/two`,
					used: `${root}/pools/${prefix}q/endpoints/only`,
					guarded: `${root}/pools/${prefix}p/endpoints/one`,
				},
			},
		];
	}),
	{
		noun: 'ZoneName',
		path: '/v1/zones/example.org/names/pool',
		missing: '/v1/zones/example.org/names/nothing',
		noUnit: '/v1/zones/missing.example/names/x',
		badPath: '/v1/zones/a..b/names/x',
		fresh: { path: '/v1/zones/example.org/names/fresh', body: { policy: 'p' } },
		good: { policy: 'p', ttl: '20s' },
		bad: { policy: 'nobody' },
		guarded: { policy: 'g' },
		patch: { good: { ttl: '10s' }, bad: { ttl: 5 }, guarded: { policy: 'g' } },
		remove: { spare: '/v1/zones/example.org/names/fresh', guarded: '/v1/zones/example.org/names/www' },
	},
	{
		noun: 'RecordSet',
		path: '/v1/zones/example.org/records/many/A',
		missing: '/v1/zones/example.org/records/nothing/A',
		noUnit: '/v1/zones/missing.example/records/x/A',
		badPath: '/v1/zones/example.org/records/x/WRONG',
		fresh: { path: '/v1/zones/example.org/records/fresh/TXT', body: { records: ['"text"'] } },
		good: { ttl: 60, records: ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4', '192.0.2.5'] },
		bad: { records: ['192.0.2.300'] },
		guarded: { records: ['192.0.2.1'] },
		patch: { good: { ttl: 61 }, bad: { ttl: -1 }, guarded: { records: ['192.0.2.1'] } },
		remove: {
			spare: '/v1/zones/example.org/records/fresh/TXT',
			used: '/v1/zones/example.org/records/@/NS',
			guarded: '/v1/zones/example.org/records/many/A',
		},
	},
	{
		noun: 'Soa',
		path: '/v1/zones/example.org/soa',
		noUnit: '/v1/zones/missing.example/soa',
		badPath: '/v1/zones/a..b/soa',
		good: { mname: 'ns1', rname: 'root' },
		bad: { mname: 'ns1' },
		patch: { good: { minimum: 60 }, bad: { minimum: -1 } },
	},
];

/** The rows of a resource, for all of its operations. */
function rowsOf(one: ResourceCase): readonly Row[] {
	const {
		noun,
		path,
		missing,
		noUnit,
		badPath,
		fresh,
		good,
		bad,
		patch,
		guarded,
		remove,
		type,
		sizeMax = 1024 * 1024,
	} = one;
	const typed = type === undefined ? {} : { type };
	const rows: Row[] = [{ op: `get${noun}`, status: 200, ask: `GET ${path}` }];
	if (badPath !== undefined) rows.push({ op: `get${noun}`, status: 400, ask: `GET ${badPath}` });
	const gone = missing ?? noUnit;
	if (gone !== undefined) rows.push({ op: `get${noun}`, status: 404, ask: `GET ${gone}` });
	const write = (method: string, value: unknown, wrong: unknown): Row[] => {
		const op = `${method.toLowerCase()}${noun}`;
		return [
			{ op, status: 200, ask: `${method} ${path}`, isFresh: true, body: value, ...typed },
			{ op, status: 400, ask: `${method} ${path}`, isFresh: true, body: '{', type: 'application/json' },
			{
				op,
				status: 400,
				ask: `${method} ${path}?force=true`,
				isFresh: true,
				body: value,
				...typed,
				code: 'reason-required',
			},
			{ op, status: 412, ask: `${method} ${path}`, match: 'stale', body: value, ...typed },
			{ op, status: 413, ask: `${method} ${path}`, isFresh: true, body: 'x'.repeat(sizeMax + 1), ...typed },
			{ op, status: 415, ask: `${method} ${path}`, isFresh: true, body: 'x', type: 'image/png' },
			{ op, status: 422, ask: `${method} ${path}`, isFresh: true, body: wrong, ...typed },
			{ op, status: 428, ask: `${method} ${path}`, body: value, ...typed },
			{ op, status: 503, ask: `${method} ${path}`, isFresh: true, body: value, ...typed, isLost: true },
		];
	};
	rows.push(...write('PUT', good, bad));
	if (fresh !== undefined)
		rows.push({ op: `put${noun}`, status: 201, ask: `PUT ${fresh.path}`, isNew: true, body: fresh.body, ...typed });
	if (noUnit !== undefined)
		rows.push({ op: `put${noun}`, status: 404, ask: `PUT ${noUnit}`, isNew: true, body: good, ...typed });
	if (guarded !== undefined)
		rows.push({ op: `put${noun}`, status: 409, ask: `PUT ${path}`, isFresh: true, body: guarded, ...typed });
	if (patch !== undefined) {
		rows.push(...write('PATCH', patch.good, patch.bad));
		if (gone !== undefined)
			rows.push({ op: `patch${noun}`, status: 404, ask: `PATCH ${gone}`, match: '*', body: patch.good });
		if (patch.guarded !== undefined)
			rows.push({ op: `patch${noun}`, status: 409, ask: `PATCH ${path}`, isFresh: true, body: patch.guarded });
	}
	if (remove !== undefined) rows.push(...removals(one, remove));
	return rows;
}

function removals(
	{ noun, missing = '', fresh }: ResourceCase,
	remove: NonNullable<ResourceCase['remove']>,
): readonly Row[] {
	const op = `delete${noun}`;
	const create =
		fresh?.path === remove.spare
			? { before: (api: Api) => api.ask(`PUT ${fresh.path}`, { isNew: true, body: fresh.body }) }
			: {};
	const at = `DELETE ${remove.spare}`;
	const rows: Row[] = [
		{ op, status: 200, ask: noun === 'ZoneName' ? `${at}?force=true` : at, reason: 'tidy', isFresh: true, ...create },
		{ op, status: 400, ask: `${at}?dryRun=perhaps`, isFresh: true, ...create },
		{ op, status: 404, ask: `DELETE ${missing}`, match: '*' },
		{ op, status: 412, ask: at, match: 'stale', ...create },
		{ op, status: 428, ask: at, ...create },
		{ op, status: 503, ask: at, isFresh: true, isLost: true, ...create },
	];
	if (remove.used !== undefined) rows.push({ op, status: 422, ask: `DELETE ${remove.used}`, isFresh: true });
	if (remove.guarded !== undefined) rows.push({ op, status: 409, ask: `DELETE ${remove.guarded}`, isFresh: true });
	return rows;
}

const LARGE_OCTETS_MAX = 32 * 1024 * 1024;
const SMALL_ZONE = '@ 300 SOA ns1 hostmaster 1 2h 30m 14d 5m\n@ 300 NS ns1\nns1 300 A 192.0.2.53\n';
const GIVEN_ZONE = { nameServers: ['ns1'], recordSets: [{ name: 'ns1', type: 'A', records: ['192.0.2.53'] }] };

const WHOLES: readonly ResourceCase[] = [
	{
		noun: 'Zone',
		path: '/v1/zones/example.org',
		missing: '/v1/zones/missing.example',
		badPath: '/v1/zones/a..b',
		fresh: { path: '/v1/zones/fresh.example', body: GIVEN_ZONE },
		good: {
			...GIVEN_ZONE,
			recordSets: [
				...GIVEN_ZONE.recordSets,
				{ name: 'many', type: 'A', records: [1, 2, 3, 4, 5].map((n) => `192.0.2.${n}`) },
			],
			steering: GROUND.units['example.org.'].steering,
		},
		bad: { ...GIVEN_ZONE, nameServers: ['a..b'] },
		guarded: GIVEN_ZONE,
	},
	{
		noun: 'ZoneFile',
		path: '/v1/zones/example.org/zonefile',
		missing: '/v1/zones/missing.example/zonefile',
		badPath: '/v1/zones/a..b/zonefile',
		fresh: { path: '/v1/zones/fresh.example/zonefile', body: SMALL_ZONE },
		good: `${ZONE}more A 192.0.2.9\n`,
		bad: `${ZONE}more A 192.0.2.900\n`,
		guarded: SMALL_ZONE,
		type: 'text/dns',
		sizeMax: LARGE_OCTETS_MAX,
	},
	{
		noun: 'ZoneUnit',
		path: '/v1/zones/example.org/unit',
		missing: '/v1/zones/missing.example/unit',
		badPath: '/v1/zones/a..b/unit',
		fresh: { path: '/v1/zones/fresh.example/unit', body: { zone: SMALL_ZONE } },
		good: { zone: ZONE, steeringText: JSON.stringify(GROUND.units['example.org.'].steering) },
		bad: { zone: ZONE, steeringText: 'a: [' },
		guarded: { zone: SMALL_ZONE },
		sizeMax: LARGE_OCTETS_MAX,
	},
	{
		noun: 'CommonUnit',
		path: '/v1/common/unit',
		good: { steering: COMMON },
		bad: { zone: ZONE },
		guarded: { steering: { ...COMMON, policies: { 'c-g': { kind: 'geo' } } } },
		sizeMax: LARGE_OCTETS_MAX,
	},
	...[
		{ noun: 'ZoneSteering', root: '/v1/zones/example.org', document: GROUND.units['example.org.'].steering, key: 'g' },
		{ noun: 'CommonSteering', root: '/v1/common', document: COMMON, key: 'c-g' },
	].map(({ noun, root, document, key }): ResourceCase => {
		const emptied = { policies: { ...document.policies, [key]: { kind: 'geo' } } };
		return {
			noun,
			path: `${root}/steering`,
			...(noun === 'ZoneSteering'
				? { noUnit: '/v1/zones/missing.example/steering', badPath: '/v1/zones/a..b/steering' }
				: {}),
			good: document,
			bad: { wrong: 1 },
			guarded: { ...document, ...emptied },
			patch: {
				good: { regions: { other: { latitude: 9, longitude: 9 } } },
				bad: { wrong: 1 },
				guarded: { policies: { [key]: { rules: null } } },
			},
		};
	}),
];

const ZONE_REMOVALS: readonly Row[] = [
	{ op: 'deleteZone', status: 200, ask: 'DELETE /v1/zones/example.org?force=true', reason: 'gone', isFresh: true },
	{
		op: 'deleteZone',
		status: 400,
		ask: 'DELETE /v1/zones/example.org?force=true',
		isFresh: true,
		code: 'reason-required',
	},
	{ op: 'deleteZone', status: 404, ask: 'DELETE /v1/zones/missing.example', match: '*' },
	{ op: 'deleteZone', status: 409, ask: 'DELETE /v1/zones/example.org', isFresh: true, code: 'guarded' },
	{ op: 'deleteZone', status: 409, ask: 'DELETE /v1/zones/files.example', isFresh: true, code: 'conflict' },
	{ op: 'deleteZone', status: 412, ask: 'DELETE /v1/zones/example.org', match: 'stale' },
	{ op: 'deleteZone', status: 428, ask: 'DELETE /v1/zones/example.org' },
	{ op: 'deleteZone', status: 503, ask: 'DELETE /v1/zones/example.org', isFresh: true, isLost: true },
];

/** Lists: what they hold, a page that is none, a unit that is not there. */
const LISTS: readonly Row[] = [
	...['Zone', 'Common'].flatMap((scope) =>
		['Regions', 'Networks', 'Places', 'Monitors', 'Pools', 'Policies', 'Names', 'Endpoints'].flatMap((many): Row[] => {
			if (scope === 'Common' && many === 'Names') return [];
			const op = `list${scope}${many}`;
			const pool = scope === 'Zone' ? 'p' : 'c-p';
			const pathOf = (root: string, own: string) =>
				`GET ${root}/${many === 'Endpoints' ? `pools/${own}/endpoints` : many.toLowerCase()}`;
			const root = scope === 'Zone' ? '/v1/zones/example.org' : '/v1/common';
			return [
				{ op, status: 200, ask: pathOf(root, pool) },
				{ op, status: 400, ask: `${pathOf(root, pool)}?limit=0` },
				...(scope === 'Zone' ? [{ op, status: 404, ask: pathOf('/v1/zones/missing.example', pool) }] : []),
				...(many === 'Endpoints' ? [{ op, status: 404, ask: pathOf(root, 'nothing') }] : []),
			];
		}),
	),
	{ op: 'listZones', status: 200, ask: 'GET /v1/zones?owner=store&contains=example' },
	{ op: 'listZones', status: 400, ask: 'GET /v1/zones?owner=nobody' },
	{ op: 'getCommon', status: 200, ask: 'GET /v1/common' },
	{ op: 'listRecordSets', status: 200, ask: 'GET /v1/zones/example.org/records?type=A' },
	{ op: 'listRecordSets', status: 400, ask: 'GET /v1/zones/example.org/records?type=WRONG' },
	{ op: 'listRecordSets', status: 404, ask: 'GET /v1/zones/missing.example/records' },
	{ op: 'listGenerations', status: 200, ask: 'GET /v1/generations' },
	{ op: 'listGenerations', status: 400, ask: 'GET /v1/generations?before=yesterday' },
	{ op: 'listGenerations', status: 503, ask: 'GET /v1/generations', isLost: true },
	{ op: 'getGeneration', status: 200, ask: 'GET /v1/generations/1' },
	{ op: 'getGeneration', status: 400, ask: 'GET /v1/generations/last' },
	{ op: 'getGeneration', status: 404, ask: 'GET /v1/generations/99' },
	{ op: 'getGeneration', status: 503, ask: 'GET /v1/generations/1', isLost: true },
];

const STATE: readonly Row[] = [
	{ op: 'getLiveness', status: 200, ask: 'GET /livez' },
	{ op: 'getReadiness', status: 200, ask: 'GET /readyz' },
	{ op: 'getReadiness', status: 503, ask: 'GET /readyz', isUnready: true },
	{ op: 'getMetrics', status: 200, ask: 'GET /metrics' },
	{ op: 'listTargets', status: 200, ask: 'GET /v1/health' },
	{ op: 'getFleet', status: 200, ask: 'GET /v1/fleet' },
	{ op: 'getLatency', status: 200, ask: 'GET /v1/latency' },
	{ op: 'getGeo', status: 200, ask: 'GET /v1/geo' },
	{ op: 'getOpenApi', status: 200, ask: 'GET /v1/openapi.json' },
	{ op: 'explain', status: 200, ask: 'GET /v1/explain?name=www.example.org' },
	{ op: 'explain', status: 400, ask: 'GET /v1/explain?name=bad' },
];

const put = (resource: string, value: unknown) => ({ op: 'put', resource, value });
const changes = (list: readonly object[], unit: string | null) => ({ units: { 'example.org.': unit }, changes: list });
const region = put('/zones/example.org/regions/more', { latitude: 1, longitude: 1 });

/** `ETAG` in a body stands for the ETag of the unit. */
const CHANGES: readonly Row[] = [
	{ op: 'makeChanges', status: 200, ask: 'POST /v1/changes', body: changes([region], 'ETAG') },
	{ op: 'makeChanges', status: 400, ask: 'POST /v1/changes', body: changes([{ op: 'rub' }], 'ETAG') },
	{
		op: 'makeChanges',
		status: 400,
		ask: 'POST /v1/changes?force=true',
		body: changes([region], 'ETAG'),
		code: 'reason-required',
	},
	{
		op: 'makeChanges',
		status: 404,
		ask: 'POST /v1/changes',
		body: changes([{ op: 'delete', resource: '/zones/example.org/pools/x' }], 'ETAG'),
	},
	{
		op: 'makeChanges',
		status: 409,
		ask: 'POST /v1/changes',
		body: changes([put('/zones/example.org/names/pool', { policy: 'g' })], 'ETAG'),
		code: 'guarded',
	},
	{
		op: 'makeChanges',
		status: 409,
		ask: 'POST /v1/changes',
		body: { units: { 'files.example.': 'FILES' }, changes: [{ op: 'delete', resource: '/zones/files.example' }] },
		code: 'conflict',
	},
	{ op: 'makeChanges', status: 412, ask: 'POST /v1/changes', body: changes([region], 'stale') },
	{ op: 'makeChanges', status: 413, ask: 'POST /v1/changes', body: 'x'.repeat(LARGE_OCTETS_MAX + 1) },
	{ op: 'makeChanges', status: 415, ask: 'POST /v1/changes', body: 'x', type: 'image/png' },
	{
		op: 'makeChanges',
		status: 422,
		ask: 'POST /v1/changes',
		body: changes([put('/zones/example.org/pools/p', {})], 'ETAG'),
	},
	{ op: 'makeChanges', status: 428, ask: 'POST /v1/changes', body: { units: {}, changes: [region] } },
	{ op: 'makeChanges', status: 503, ask: 'POST /v1/changes', body: changes([region], 'ETAG'), isLost: true },
	{ op: 'explainDraft', status: 200, ask: 'POST /v1/explain', body: { name: 'www.example.org', changes: [region] } },
	{ op: 'explainDraft', status: 400, ask: 'POST /v1/explain', body: { name: 'bad' } },
	{
		op: 'explainDraft',
		status: 409,
		ask: 'POST /v1/explain',
		body: { name: 'a', changes: [{ op: 'delete', resource: '/zones/files.example' }] },
	},
	{ op: 'explainDraft', status: 413, ask: 'POST /v1/explain', body: 'x'.repeat(1024 * 1024 + 1) },
	{ op: 'explainDraft', status: 415, ask: 'POST /v1/explain', body: 'x', type: 'image/png' },
	{
		op: 'explainDraft',
		status: 422,
		ask: 'POST /v1/explain',
		body: { name: 'a', changes: [put('/zones/example.org/pools/p', {})] },
	},
];

/** Take the directory's zone over, and the store's back by one generation. */
const takeOver = (api: Api) =>
	api.ask('PUT /v1/zones/files.example/records/more/A', { isNew: true, body: { records: ['192.0.2.1'] } });
const changeCommon = (api: Api) =>
	api.ask('PUT /v1/common/regions/more', { isNew: true, body: { latitude: 1, longitude: 1 } });
const addName = (api: Api) => api.ask('PUT /v1/zones/example.org/names/late', { isNew: true, body: { policy: 'p' } });

const WAYS_BACK: readonly Row[] = [
	...[
		{ noun: 'Zone', root: '/v1/zones/example.org', prepare: addName },
		{ noun: 'Common', root: '/v1/common', prepare: changeCommon },
	].flatMap(({ noun, root, prepare }): Row[] => {
		const op = `rollback${noun}`;
		const ask = `POST ${root}/rollback`;
		const row = { op, ask, before: prepare, reason: 'as it was', body: { generation: 1 } };
		return [
			{ ...row, ask: `${ask}?force=true`, status: 200, isFresh: true },
			{ op, ask, status: 400, before: prepare, body: { generation: 1 }, isFresh: true, code: 'reason-required' },
			{ ...row, status: 400, body: { generation: 'one' }, isFresh: true },
			{ ...row, status: 409, body: { generation: 77 }, isFresh: true, code: 'conflict' },
			{ ...row, status: 412, match: 'stale' },
			{ ...row, status: 413, body: 'x'.repeat(1024 * 1024 + 1), isFresh: true },
			{ ...row, status: 415, body: 'x', type: 'image/png', isFresh: true },
			{ ...row, status: 428 },
			{ ...row, status: 503, isFresh: true, isLost: true },
		];
	}),
	{
		op: 'rollbackZone',
		status: 404,
		ask: 'POST /v1/zones/missing.example/rollback',
		body: { generation: 1 },
		reason: 'r',
		match: '*',
	},
	{
		op: 'rollbackZone',
		status: 409,
		ask: 'POST /v1/zones/example.org/rollback',
		before: addName,
		body: { generation: 1 },
		reason: 'r',
		isFresh: true,
		code: 'guarded',
	},
	{
		op: 'rollbackZone',
		status: 422,
		ask: 'POST /v1/zones/example.org/rollback',
		before: useAndDropPool,
		body: { generation: 3 },
		reason: 'r',
		isFresh: true,
	},
	{
		op: 'rollbackCommon',
		status: 422,
		ask: 'POST /v1/common/rollback',
		before: useNewPool,
		body: { generation: 1 },
		reason: 'r',
		isFresh: true,
	},
	{
		op: 'releaseZone',
		status: 422,
		ask: 'POST /v1/zones/files.example/release',
		before: dropPoolOfFiles,
		isFresh: true,
	},
	{ op: 'releaseCommon', status: 422, ask: 'POST /v1/common/release', before: useNewPool, isFresh: true },
	{ op: 'releaseCommon', status: 200, ask: 'POST /v1/common/release', before: changeCommon, isFresh: true },
	{
		op: 'releaseCommon',
		status: 400,
		ask: 'POST /v1/common/release?force=true',
		before: changeCommon,
		isFresh: true,
		code: 'reason-required',
	},
	{
		op: 'releaseCommon',
		status: 409,
		ask: 'POST /v1/common/release',
		before: weakenFiles,
		isFresh: true,
		code: 'guarded',
	},
	{ op: 'releaseCommon', status: 412, ask: 'POST /v1/common/release', match: 'stale' },
	{ op: 'releaseCommon', status: 428, ask: 'POST /v1/common/release' },
	{ op: 'releaseCommon', status: 503, ask: 'POST /v1/common/release', isFresh: true, isLost: true },
	{ op: 'restoreStore', status: 200, ask: 'POST /v1/store/restore', reason: 'it was emptied', condition: 'lost' },
	{ op: 'restoreStore', status: 400, ask: 'POST /v1/store/restore', condition: 'lost', code: 'reason-required' },
	{ op: 'restoreStore', status: 409, ask: 'POST /v1/store/restore', reason: 'why not', code: 'conflict' },
	{ op: 'restoreStore', status: 503, ask: 'POST /v1/store/restore', reason: 'it was emptied', isLost: true },
	{ op: 'releaseZone', status: 200, ask: 'POST /v1/zones/files.example/release', before: takeOver, isFresh: true },
	{ op: 'releaseZone', status: 400, ask: 'POST /v1/zones/a..b/release', match: '*' },
	{ op: 'releaseZone', status: 404, ask: 'POST /v1/zones/missing.example/release', match: '*' },
	{ op: 'releaseZone', status: 409, ask: 'POST /v1/zones/example.org/release', isFresh: true, code: 'conflict' },
	{ op: 'releaseZone', status: 412, ask: 'POST /v1/zones/files.example/release', before: takeOver, match: 'stale' },
	{ op: 'releaseZone', status: 428, ask: 'POST /v1/zones/files.example/release', before: takeOver },
	{
		op: 'releaseZone',
		status: 503,
		ask: 'POST /v1/zones/files.example/release',
		before: takeOver,
		isFresh: true,
		isLost: true,
	},
];

const ROWS: readonly Row[] = [
	...[...RESOURCES, ...WHOLES].flatMap(rowsOf),
	...ZONE_REMOVALS,
	...LISTS,
	...STATE,
	...CHANGES,
	...WAYS_BACK,
	...OPERATING_ROWS.map(rowOf),
	...STORE_AWAY_ROWS.map((row) => ({ ...rowOf(row), isLost: true })),
];

function rowOf({ operation, method, url, headers, status, body, before }: OperationRow): Row {
	const reason = headers?.['meridian-reason'];
	return {
		...{ op: operation, status, ask: `${method} ${url}`, body },
		...(reason === undefined ? {} : { reason }),
		...(before === undefined ? {} : { before: async (api: Api) => before(api) }),
	};
}

/** Replies that do not end (events.test.ts), and a process without a token in its settings (tokens.test.ts). */
const ELSEWHERE = ['listenEvents 200', 'listenEvents 429', 'revokeToken 409'];

describe('operations', () => {
	let shared: Promise<Api> | undefined;
	const closers: (() => unknown)[] = [];
	const seen = new Set<string>();
	after(async () => {
		for (const close of closers.reverse()) await close();
	});

	for (const row of ROWS) {
		const { op, status, ask, code } = row;
		it(`${op} answers ${status}${code === undefined ? '' : ` ${code}`}: ${ask.slice(0, 100)}`, async (t) => {
			// What changes nothing needs no ground of its own.
			const isHarmless = row.before === undefined && (status >= 400 || ask.startsWith('GET'));
			const isUsual = isHarmless && !row.isUnready;
			if (isUsual) shared ??= openApi({ after: (close) => closers.push(close as () => unknown) }, GROUND);
			const unready = row.isUnready ? { ready: { ...READY, ready: false } } : {};
			const api = await (isUsual && shared !== undefined ? shared : openApi(t, { ...GROUND, ...unready }));
			const prepared = await row.before?.(api);
			if (prepared !== undefined)
				assert.equal(Math.floor((prepared as ApiReply).status / 100), 2, (prepared as ApiReply).text);
			const reply = await askRow(api, row);
			assert.equal(reply.status, status, reply.text.slice(0, 2000));
			seen.add(`${op} ${status}`);
			if (status >= 400 && !row.isUnready) assertProblem(reply, row);
		});
	}

	it('are those of the document, each with its statuses', async (t) => {
		const document = (await (await openApi(t, GROUND)).ask('GET /v1/openapi.json')).body;
		const documented = Object.values<Record<string, { operationId: string; responses: object }>>(document.paths)
			.flatMap((operations) => Object.values(operations))
			.flatMap(({ operationId, responses }) =>
				Object.keys(responses).flatMap((status) => (status === 'default' ? [] : [`${operationId} ${status}`])),
			);
		assert.deepEqual([...seen, ...ELSEWHERE].sort(), documented.sort());
	});

	it('have names of their own, and a document without loose ends', async (t) => {
		const { body, text } = await (await openApi(t, GROUND)).ask('GET /v1/openapi.json');
		const paths = Object.entries<
			Record<string, { operationId: string; parameters?: readonly { name: string; in: string }[] }>
		>(body.paths);
		const names = paths.flatMap(([, operations]) => Object.values(operations).map(({ operationId }) => operationId));
		assert.equal(new Set(names).size, names.length);
		for (const [path, operations] of paths) {
			const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
			for (const { operationId, parameters = [] } of Object.values(operations)) {
				const given = parameters.filter((one) => one.in === 'path').map(({ name }) => name);
				assert.deepEqual(given, wanted, operationId);
			}
		}
		for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
			assert(Object.hasOwn(body.components.schemas, name ?? ''), name);
	});

	it('take no body for what it is, whatever type it is said to have', async (t) => {
		const api = await openApi(t, GROUND);
		const gone = await api.ask('DELETE /v1/zones/example.org/regions/spare-r', { match: '*', body: '' });
		assert.equal(gone.status, 200, gone.text);
		const nothing = await api.ask('PUT /v1/zones/example.org/regions/r', { match: '*', body: '' });
		assert.deepEqual([nothing.status, nothing.body.detail], [400, 'Cannot do without a body']);
		assert.equal((await api.ask('POST /v1/changes', { body: '' })).status, 400);
	});

	it('change nothing when they are refused', async () => {
		assert.equal((await shared)?.store.configuration.head?.generation, 1);
	});
});

async function askRow(api: Api, row: Row): Promise<ApiReply> {
	const url = row.ask.split(' ')[1] ?? '';
	const resource = url.replace(/\?.*/, '').replace(/\/(rollback|release)$/, '');
	const { etag } = row.isFresh ? await api.ask(`GET ${resource}`) : { etag: undefined };
	let { body } = row;
	if (typeof body === 'object' && JSON.stringify(body).includes('ETAG"'))
		body = JSON.parse(JSON.stringify(body).replace('ETAG', (await api.ask('GET /v1/zones/example.org')).etag));
	if (typeof body === 'object' && JSON.stringify(body).includes('"FILES"'))
		body = JSON.parse(JSON.stringify(body).replace('FILES', (await api.ask('GET /v1/zones/files.example')).etag));
	if (row.isLost) api.setCondition({ kind: 'unreachable', reason: 'nobody answers' });
	if (row.condition === 'lost') api.setCondition({ kind: 'lost', reason: 'it is empty' });
	const reply = await api.ask(row.ask, { ...row, body, ...(etag === undefined ? {} : { match: etag }) });
	api.setCondition({ kind: 'ready' });
	return reply;
}

function assertProblem({ headers, body, status }: ApiReply, { code }: Row): void {
	assert.match(String(headers['content-type']), /^application\/problem\+json/);
	assert.equal(body.status, status);
	assert.equal(body.type, `urn:meridian:problem:${body.code}`);
	assert.equal(body.requestId, headers['x-request-id']);
	if (code !== undefined) assert.equal(body.code, code);
}

async function useNewPool(api: Api): Promise<ApiReply> {
	const pool = { endpoints: [{ name: 'a', addresses: ['192.0.2.77'] }] };
	await api.ask('PUT /v1/common/pools/c-new', { isNew: true, body: pool });
	return api.ask('PUT /v1/zones/example.org/names/late', { isNew: true, body: { policy: 'c-new' } });
}

async function useAndDropPool(api: Api): Promise<ApiReply> {
	await useNewPool(api);
	await api.ask('DELETE /v1/zones/example.org/names/late?force=true', { match: '*', reason: 'tidy' });
	return api.ask('DELETE /v1/common/pools/c-new', { match: '*' });
}

async function dropPoolOfFiles(api: Api): Promise<ApiReply> {
	await api.ask('DELETE /v1/zones/files.example/names/x?force=true', { match: '*', reason: 'tidy' });
	return api.ask('DELETE /v1/common/pools/c-files', { match: '*' });
}

/** The files of common say less than the store does by now. */
async function weakenFiles(api: Api): Promise<ApiReply> {
	return api.ask('PATCH /v1/common/pools/c-p/endpoints/one', { match: '*', body: { weight: 5000 } });
}
