/**
 * Bad input for each resource: refused with the place of every mistake, one message each, and nothing changed.
 */

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { type Api, type AskOptions, openApi } from './api-ground.ts';

const ZONE = '$TTL 300\n@ SOA ns1 hostmaster 1 2h 30m 14d 5m\n@ NS ns1\nns1 A 192.0.2.53\n';
const POOL = { endpoints: [{ name: 'one', addresses: ['192.0.2.10'] }] };
const GROUND = {
	units: {
		'example.org.': {
			zone: ZONE,
			steering: {
				pools: { p: POOL },
				policies: { a: { kind: 'all', members: ['p'] } },
				names: { www: { policy: 'a' } },
			},
		},
	},
};

const ROOT = '/v1/zones/example.org';

function nested(depth: number): unknown {
	let value: unknown = 'p';
	for (let i = 0; i < depth; i++) value = { kind: 'all', members: [value] };
	return value;
}

interface Row extends AskOptions {
	readonly name: string;
	readonly path: string;
	readonly status: number;
	/** Pointer and part of the message of each mistake, in any order. */
	readonly errors: readonly (readonly [pointer: string, says: RegExp])[];
}

const ROWS: readonly Row[] = [
	...[
		{ path: 'regions/x', value: { latitude: 1, longitude: 2, latitud: 3 }, pointer: '/latitud' },
		{ path: 'places/x', value: { countries: ['SE'], country: 'SE' }, pointer: '/country' },
		{ path: 'monitors/x', value: { kind: 'tcp', port: 80, prot: 81 }, pointer: '/prot' },
		{ path: 'pools/x', value: { ...POOL, endpoint: [] }, pointer: '/endpoint' },
		{ path: 'pools/p/endpoints/x', value: { addresses: ['192.0.2.1'], wieght: 1 }, pointer: '/wieght' },
		{ path: 'policies/x', value: { kind: 'all', members: ['p'], rule: 1 }, pointer: '/rule' },
		{ path: 'names/x', value: { policy: 'p', tll: '30s' }, pointer: '/tll' },
		{ path: 'records/x/A', value: { records: ['192.0.2.1'], tll: 30 }, pointer: '/tll' },
	].map(({ path, value, pointer }): Row => {
		return { name: 'an unknown key', path, body: value, status: 422, errors: [[pointer, /unknown key/]] };
	}),
	...[
		{ path: 'regions/x', value: { latitude: 'north', longitude: 2 }, pointer: '/latitude' },
		{ path: 'networks/x', value: [5], pointer: '/0' },
		{ path: 'places/x', value: { asns: ['x'] }, pointer: '/asns/0' },
		{ path: 'monitors/x', value: { kind: 'http', port: '80' }, pointer: '/port' },
		{ path: 'pools/x', value: { ...POOL, answers: '1' }, pointer: '/answers' },
		{ path: 'pools/x', value: [], pointer: '' },
		{ path: 'pools/p/endpoints/x', value: { addresses: '192.0.2.1' }, pointer: '/addresses' },
		{
			path: 'policies/x',
			value: { kind: 'weighted', members: [{ use: 'p', weight: '5' }] },
			pointer: '/members/0/weight',
		},
		{ path: 'names/x', value: { policy: 'p', ttl: 30 }, pointer: '/ttl' },
		{ path: 'records/x/A', value: { records: '192.0.2.1' }, pointer: '/records' },
		{ path: 'records/x/A', value: { records: ['192.0.2.1'], ttl: '1h' }, pointer: '/ttl' },
	].map(({ path, value, pointer }): Row => {
		return { name: 'a wrong type', path, body: value, status: 422, errors: [[pointer, /^Cannot use/]] };
	}),
	...['regions', 'networks', 'places', 'monitors', 'pools', 'policies', 'names', 'pools/p/endpoints'].flatMap(
		(table): Row[] => [
			{ name: 'a body of another type', path: `${table}/x`, body: '"text"', status: 422, errors: [['', /^Cannot/]] },
			{ name: 'no body', path: `${table}/x`, status: 400, errors: [] },
			{ name: 'null', path: `${table}/x`, body: 'null', status: 422, errors: [['', /^Cannot/]] },
			{ name: 'JSON that ends early', path: `${table}/x`, body: '{"a":', status: 400, errors: [] },
			{
				name: 'a key twice',
				path: `${table}/x`,
				body: '{"a":{"b":1,"b":2}}',
				status: 400,
				errors: [['/a/b', /twice/]],
			},
			{
				name: '__proto__',
				path: `${table}/x`,
				body: '{"a":[{"__proto__":{}}]}',
				status: 400,
				errors: [['/a/0/__proto__', /__proto__/]],
			},
			{
				name: 'deep nesting',
				path: `${table}/x`,
				body: '['.repeat(50_000) + ']'.repeat(50_000),
				status: 400,
				errors: [['/0'.repeat(64), /deeper than 64/]],
			},
			{ name: 'a huge body', path: `${table}/x`, body: ' '.repeat(1024 * 1024 + 1), status: 413, errors: [] },
		],
	),
	{
		name: 'all that is wrong, of form and of records,',
		path: 'records/x/A',
		body: { records: ['192.0.2.1', 'here', '192.0.2.1'], ttl: '5m', z: 1 },
		status: 422,
		errors: [
			['/ttl', /a TTL in seconds/],
			['/z', /unknown key/],
			['/records/1', /an IPv4 address/],
			['/records/2', /twice/],
		],
	},
	{
		name: 'deep policies',
		path: 'policies/x',
		body: nested(17),
		status: 422,
		errors: [['/members/0'.repeat(16), /deeper than 16/]],
	},
	{ name: 'a bad name', path: 'pools/a%20b', body: POOL, status: 422, errors: [['', /as a name/]] },
	{ name: 'a name of Object', path: 'pools/__proto__', body: POOL, status: 422, errors: [['', /as a name/]] },
	{ name: 'a bad owner', path: 'names/a..b', body: { policy: 'p' }, status: 422, errors: [['', /empty label/]] },
	{
		name: 'an owner elsewhere',
		path: 'names/www.example.net.',
		body: { policy: 'p' },
		status: 422,
		errors: [['', /not in the zone/]],
	},
	{
		name: 'a bad address',
		path: 'pools/x',
		body: { endpoints: [{ name: 'a', addresses: ['192.0.2.300'] }] },
		status: 422,
		errors: [['/endpoints/0/addresses/0', /IPv4 or IPv6/]],
	},
	{
		name: 'a bad prefix',
		path: 'networks/x',
		body: ['192.0.2.1/24'],
		status: 422,
		errors: [['/0', /bits set behind/]],
	},
	{
		name: 'a bad country',
		path: 'places/x',
		body: { countries: ['UK'] },
		status: 422,
		errors: [['/countries/0', /did you mean GB/]],
	},
	{
		name: 'bad RDATA',
		path: 'records/x/AAAA',
		body: { records: ['::1', '192.0.2.1'] },
		status: 422,
		errors: [['/records/1', /Cannot use/]],
	},
	{
		name: 'RDATA of two lines',
		path: 'records/x/A',
		body: { records: ['192.0.2.1\nevil A 192.0.2.2'] },
		status: 422,
		errors: [['/records/0', /several lines/]],
	},
	{
		name: 'a cycle',
		path: 'policies/a',
		match: '*',
		body: { kind: 'all', members: [{ kind: 'failover', members: ['a'] }] },
		status: 422,
		errors: [['/members/0/members/0', /leads back to itself/]],
	},
	{
		name: 'an unknown name',
		path: 'policies/x',
		body: { kind: 'all', members: ['nobody'] },
		status: 422,
		errors: [['/members/0', /Cannot find/]],
	},
	{
		name: 'an endpoint twice',
		path: 'pools/x',
		body: { endpoints: [POOL.endpoints[0], POOL.endpoints[0]] },
		status: 422,
		errors: [['/endpoints/1/name', /twice/]],
	},
	{
		name: 'a record twice',
		path: 'records/x/A',
		body: { records: ['192.0.2.1', '192.0.2.1'] },
		status: 422,
		errors: [['/records/1', /twice/]],
	},
	{
		name: 'a name of pool and policy',
		path: 'pools/a',
		body: POOL,
		status: 422,
		errors: [['', /a pool and a policy/]],
	},
	{
		name: 'a CNAME beside other data',
		path: 'records/ns1/CNAME',
		body: { records: ['www'] },
		status: 422,
		errors: [['', /CNAME/]],
	},
	{
		name: 'static data of a steered type',
		path: 'records/www/A',
		body: { records: ['192.0.2.1'] },
		status: 422,
		errors: [['', /www/]],
	},
	{
		name: 'several mistakes',
		path: 'pools/x',
		body: { answers: 9, onAllDown: 'panic', endpoints: [{ name: '', addresses: ['x'] }, { name: 'b' }] },
		status: 422,
		errors: [
			['/answers', /1\.\.8/],
			['/onAllDown', /all, nodata or servfail/],
			['/endpoints/0/name', /a name/],
			['/endpoints/0/addresses/0', /an IPv4 or IPv6 address/],
			['/endpoints/1', /addresses/],
		],
	},
];

describe('bad input', () => {
	let shared: Promise<Api> | undefined;
	const closers: (() => unknown)[] = [];
	after(async () => {
		for (const close of closers.reverse()) await close();
	});

	for (const row of ROWS) {
		it(`${row.name} is refused at ${row.path}`, async () => {
			shared ??= openApi({ after: (close) => closers.push(close as () => unknown) }, GROUND);
			const api = await shared;
			const reply = await api.ask(`PUT ${ROOT}/${row.path}`, row.match === undefined ? { ...row, isNew: true } : row);
			assert.equal(reply.status, row.status, reply.text.slice(0, 500));
			const errors: { readonly pointer: string; readonly message: string }[] = reply.body.errors ?? [];
			const told = errors.map(({ pointer, message }) => `${pointer} ${message}`);
			assert.deepEqual(
				errors.map(({ pointer }) => pointer).sort(),
				row.errors.map(([pointer]) => pointer).sort(),
				told.join('\n'),
			);
			for (const [pointer, says] of row.errors)
				assert(
					errors.some((error) => error.pointer === pointer && says.test(error.message)),
					`${pointer}: ${told}`,
				);
		});
	}

	it('has changed nothing', async () => {
		assert.equal((await shared)?.store.configuration.head?.generation, 1);
	});
});
