import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AdminParts, createAdminSurface } from '../../src/admin/app.ts';
import type { FleetReport } from '../../src/admin/fleet-report.ts';
import type { GeoReport, LatencyReport, ReadyReport } from '../../src/admin/reports.ts';
import { bearer, operatingParts, SETTING_TOKEN } from './operating-parts.ts';

const fine: ReadyReport = {
	ready: true,
	degraded: [],
	generation: 7,
	zones: 1,
	problems: [],
	refusedUnits: [],
	geo: [],
	workers: { wanted: 2, running: 2 },
	loadedSecAgo: 3,
};

const target = {
	pools: ['example.org. eu'],
	address: '192.0.2.1',
	port: 8080,
	kind: 'http',
	vote: 'down',
	verdict: 'down',
	run: 0,
	sinceSec: 4,
	checkedSecAgo: 1.5,
	reason: 'status 500',
	rttMs: 1.25,
	tlsMs: 3.5,
	firstByteMs: 8,
	resolvedAddress: undefined,
	tlsProtocol: 'TLSv1.3',
	certificateExpiresAt: '2030-01-01T00:00:00.000Z',
	certificateDaysLeft: 100,
	warning: undefined,
	flapping: { held: false, heldSec: undefined },
	frozen: false,
	stale: false,
	guarded: false,
	votes: [],
	freshVotes: 1,
	votesNeeded: 1,
	history: [{ secAgo: 4, vote: 'down', reason: 'status 500' }],
} as const;

const geo: GeoReport = {
	databases: [],
	lacks: ['asn'],
	suffering: [{ unit: 'example.org.', path: 'policies.www', needs: 'asn', effect: 'never matches' }],
};

const latency: LatencyReport = {
	regions: ['eu-west', 'us-east'],
	addresses: [
		{
			address: '192.0.2.1',
			pools: ['example.org. eu'],
			roundTrips: [{ region: 'eu-west', ms: 12.5, ageSec: 3 }],
		},
	],
};

const degraded: ReadyReport = { ...fine, degraded: ['the new version of example.org. was refused'] };
const unready: ReadyReport = { ...fine, ready: false, degraded: ['starting'] };

const broken = (): never => {
	throw new Error('the disk is on fire');
};

type Row = {
	readonly name: string;
	readonly parts?: Partial<AdminParts>;
	readonly method?: 'GET' | 'POST';
	readonly url: string;
	readonly status: number;
	/** Members of the body, or its whole text. */
	readonly body: object | string;
};

describe('the admin surface', () => {
	for (const { name, parts = {}, method = 'GET', url, status, body } of [
		{ name: '/livez is 200', url: '/livez', status: 200, body: { alive: true } },
		{
			name: '/livez is 200 whatever the instance does',
			parts: { ready: broken },
			url: '/livez',
			status: 200,
			body: {},
		},
		{ name: '/readyz is 200 when all is well', url: '/readyz', status: 200, body: fine },
		{ name: '/readyz?strict is 200 when all is well', url: '/readyz?strict', status: 200, body: fine },
		{
			name: '/readyz is 200 when degraded, and says how',
			parts: { ready: () => degraded },
			url: '/readyz',
			status: 200,
			body: degraded,
		},
		{
			name: '/readyz?strict is 503 when degraded',
			parts: { ready: () => degraded },
			url: '/readyz?strict',
			status: 503,
			body: degraded,
		},
		{
			name: '/readyz?strict=1 is the same',
			parts: { ready: () => degraded },
			url: '/readyz?strict=1',
			status: 503,
			body: degraded,
		},
		{
			name: '/readyz?other is /readyz',
			parts: { ready: () => degraded },
			url: '/readyz?other',
			status: 200,
			body: degraded,
		},
		{
			name: '/readyz is 503 when it cannot answer',
			parts: { ready: () => unready },
			url: '/readyz',
			status: 503,
			body: unready,
		},
		{ name: '/metrics is the page of the metrics', url: '/metrics', status: 200, body: 'meridian_zones 1\n' },
		{
			name: '/v1/health tells of every target',
			url: '/v1/health',
			status: 200,
			body: JSON.parse(JSON.stringify({ targets: [target] })),
		},
		{ name: '/v1/geo tells of the geo databases', url: '/v1/geo', status: 200, body: geo },
		{ name: '/v1/latency tells of round-trip times', url: '/v1/latency', status: 200, body: latency },
	] as readonly Row[]) {
		it(name, async () => {
			const answer = await ask(parts, method, url);
			assert.equal(answer.status, status);
			if (typeof body === 'string') {
				assert.equal(answer.body, body);
				assert.match(answer.type, /^text\/plain; version=/);
			} else {
				assert.match(answer.type, /^application\/json/);
				assert.partialDeepStrictEqual(JSON.parse(answer.body), body);
			}
		});
	}

	for (const { name, parts = {}, method = 'GET', url, status, body } of [
		{
			name: 'a path that is not there',
			url: '/v2',
			status: 404,
			body: {
				type: 'urn:meridian:problem:not-found',
				code: 'not-found',
				title: 'Not found',
				detail: 'There is no GET /v2',
			},
		},
		{
			name: 'a method that is not there',
			method: 'POST',
			url: '/livez',
			status: 405,
			body: { code: 'method-not-allowed', detail: 'Cannot POST /livez: expected GET, HEAD' },
		},
		{
			name: 'a method that is not there, of a path with a parameter',
			method: 'POST',
			url: '/v1/tokens/ops',
			status: 405,
			body: { code: 'method-not-allowed', detail: 'Cannot POST /v1/tokens/ops: expected DELETE, GET, HEAD' },
		},
		{
			name: 'an empty parameter',
			method: 'POST',
			url: '/v1/tokens/',
			status: 404,
			body: { code: 'not-found', detail: 'There is no POST /v1/tokens/' },
		},
		{ name: 'a path that cannot be decoded', url: '/%zz', status: 400, body: { title: 'Bad request' } },
		{
			name: 'a fault, which it keeps to itself',
			parts: { ready: broken },
			url: '/readyz',
			status: 500,
			body: { title: 'Internal error', detail: 'See the log' },
		},
		{
			name: 'a fault while metrics are read',
			parts: { metrics: { contentType: 'text/plain', text: broken } },
			url: '/metrics',
			status: 500,
			body: { detail: 'See the log' },
		},
	] as readonly Row[]) {
		it(`answers ${name} with a problem`, async () => {
			const answer = await ask(parts, method, url);
			assert.equal(answer.status, status);
			assert.match(answer.type, /^application\/problem\+json/);
			assert.partialDeepStrictEqual(JSON.parse(answer.body), { status, ...Object(body) });
			assert.deepEqual(answer.faults, status === 500 ? ['the disk is on fire'] : []);
		});
	}

	for (const { query, status, says } of [
		{ query: '?name=www.example.org', status: 200, says: { name: 'www.example.org' } },
		{ query: '?name=bad', status: 400, says: { detail: 'Cannot explain that' } },
		{ query: '', status: 400, says: { errors: [{ pointer: '/query' }] } },
		{ query: '?name=a&client=1.2.3.4&client=5.6.7.8', status: 400, says: { errors: [{ pointer: '/query/client' }] } },
	]) {
		it(`answers /v1/explain${query} with ${status}`, async () => {
			const answer = await ask({}, 'GET', `/v1/explain${query}`);
			assert.equal(answer.status, status);
			assert.partialDeepStrictEqual(JSON.parse(answer.body), says);
		});
	}

	it('gives its document, in which every route stands', async () => {
		const answer = await ask({}, 'GET', '/v1/openapi.json');
		assert.equal(answer.status, 200);
		const document = JSON.parse(answer.body);
		assert.equal(document.openapi, '3.1.0');
		const explain = document.paths['/v1/explain'].get;
		assert.equal(explain.operationId, 'explain');
		assert.equal(explain['x-access'], 'viewer');
		assert.deepEqual(Object.keys(explain.responses), ['200', '400', 'default']);
		assert.deepEqual(explain.parameters[0], {
			name: 'name',
			in: 'query',
			required: true,
			description: 'a domain name',
			schema: { type: 'string', minLength: 1 },
		});
		assert.equal(document.components.schemas.Problem.type, 'object');
	});

	for (const { given, isTaken } of [
		{ given: 'abc-1.2', isTaken: true },
		{ given: 'a b', isTaken: false },
		{ given: 'x'.repeat(65), isTaken: false },
	]) {
		it(`${isTaken ? 'takes' : 'replaces'} the request id "${given}"`, async () => {
			const surface = createAdminSurface(partsWith({}));
			const { headers, body } = await surface.inject({ method: 'GET', url: '/v2', headers: { 'x-request-id': given } });
			await surface.close();
			assert.equal(headers['x-request-id'] === given, isTaken);
			assert.equal(JSON.parse(body).requestId, headers['x-request-id']);
		});
	}

	it('listens where it is told, and no longer when it is closed', async () => {
		const surface = createAdminSurface(partsWith({}));
		const url = await surface.listen({ host: '127.0.0.1', port: 0 });
		const response = await fetch(`${url}/livez`);
		assert.equal(response.status, 200);
		await response.body?.cancel();
		await surface.close();
		await assert.rejects(fetch(`${url}/livez`));
	});
});

async function ask(parts: Partial<AdminParts>, method: 'GET' | 'POST', url: string) {
	const faults: string[] = [];
	const surface = createAdminSurface(partsWith({ ...parts, onFault: ({ message }) => faults.push(message) }));
	const answer = await surface.inject({ method, url, headers: bearer(SETTING_TOKEN) });
	await surface.close();
	return { ...answer, faults };
}

const FLEET: FleetReport = {
	store: { kind: 'ready' },
	epoch: 1,
	generation: 7,
	refused: { forged: 0 },
	instances: [],
	probers: [],
};

function partsWith(parts: Partial<AdminParts>): AdminParts {
	return {
		...operatingParts(),
		version: '1.2.3',
		ready: () => fine,
		targets: () => [target],
		fleet: async () => FLEET,
		geo: async () => geo,
		latency: () => latency,
		explain: async ({ name }) => (name === 'bad' ? 'Cannot explain that' : { name }),
		metrics: {
			contentType: 'text/plain; version=0.0.4; charset=utf-8',
			text: () => Promise.resolve('meridian_zones 1\n'),
		},
		onFault: () => {},
		...parts,
	};
}
