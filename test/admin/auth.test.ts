import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import Fastify, { type FastifyContextConfig } from 'fastify';
import { addDoor, addressKey } from '../../src/admin/auth.ts';
import { hashOfToken, makeToken, type Role, TokenBook } from '../../src/admin/auth-tokens.ts';
import { commitTo } from '../contract/store-parts.ts';
import { bearer, openScene, operatingParts, SETTING_TOKEN, tokenChange, tokenOfRole } from './operating-parts.ts';

const ROLES: readonly Role[] = ['viewer', 'operator', 'editor', 'admin'];

describe('the door of the API', () => {
	for (const { what, headers, url = '/v1/health', status, code } of [
		{ what: 'no token', headers: {}, status: 401, code: 'unauthenticated' },
		{ what: 'another scheme', headers: { authorization: 'Basic YTpi' }, status: 401, code: 'unauthenticated' },
		{ what: 'an empty token', headers: { authorization: 'Bearer ' }, status: 401, code: 'unauthenticated' },
		{ what: 'a wrong token', headers: bearer('wrong'), status: 401, code: 'unauthenticated' },
		{ what: 'two tokens', headers: bearer(`${SETTING_TOKEN} x`), status: 401, code: 'unauthenticated' },
		{ what: 'the hash of a token', headers: bearer(hashOfToken(SETTING_TOKEN)), status: 401, code: 'unauthenticated' },
		{ what: 'the token of the settings', headers: bearer(SETTING_TOKEN), status: 200 },
		{ what: 'a scheme in capitals', headers: { authorization: `BEARER ${SETTING_TOKEN}` }, status: 200 },
		{ what: 'a token of the store', headers: bearer(tokenOfRole('viewer')), status: 200 },
		{ what: 'no token where none is needed', headers: {}, url: '/livez', status: 200 },
		{ what: 'a wrong token where none is needed', headers: bearer('wrong'), url: '/readyz', status: 200 },
		{ what: 'no token for metrics from loopback', headers: {}, url: '/metrics', status: 200 },
		{
			what: 'no token for metrics through a proxy',
			headers: { 'x-forwarded-for': '192.0.2.1' },
			url: '/metrics',
			status: 401,
		},
		{ what: 'no token for a path that is not there', headers: {}, url: '/v1/nothing', status: 404 },
		{
			what: 'a name that was led here',
			headers: { host: 'evil.example' },
			url: '/livez',
			status: 421,
			code: 'misdirected',
		},
		{
			what: 'a name that was led here, with its port',
			headers: { host: 'evil.example:8053' },
			url: '/metrics',
			status: 421,
		},
		{ what: 'a name like localhost', headers: { host: 'localhost.evil.example' }, url: '/livez', status: 421 },
		{ what: 'any name with a token', headers: { host: 'dns.example', ...bearer(SETTING_TOKEN) }, status: 200 },
		{ what: 'localhost', headers: { host: 'localhost:8053' }, url: '/livez', status: 200 },
		{ what: 'an IPv6 address', headers: { host: '[::1]:8053' }, url: '/livez', status: 200 },
	] as readonly {
		what: string;
		headers: Readonly<Record<string, string>>;
		url?: string;
		status: number;
		code?: string;
	}[]) {
		it(`answers ${what} with ${status}`, async (t) => {
			const { surface } = await openScene(t);
			const reply = await surface.inject({ method: 'GET', url, headers });
			assert.equal(reply.status, status, reply.body);
			if (status === 401) assert.equal(reply.headers['www-authenticate'], 'Bearer realm="meridian"');
			if (code !== undefined) assert.equal(JSON.parse(reply.body).code, code);
			assert.doesNotMatch(reply.body, /a-token-of-the-settings/);
		});
	}

	it('tells strangers whether it is ready, and nothing more', async (t) => {
		const { surface } = await openScene(t);
		const ask = async (headers: Readonly<Record<string, string>>) =>
			JSON.parse((await surface.inject({ method: 'GET', url: '/readyz', headers })).body);
		assert.deepEqual(await ask({ forwarded: 'for=192.0.2.1' }), { ready: true });
		assert.equal((await ask({})).zones, 1);
		assert.equal((await ask({ forwarded: 'for=192.0.2.1', ...bearer(tokenOfRole('viewer')) })).zones, 1);
	});
});

type Declared = FastifyContextConfig & { readonly method: 'GET' | 'POST' };

/** Routes of every kind of declaration, behind the door. */
// biome-ignore format: a table
const ROUTES: Readonly<Record<string, Declared>> = {
	...Object.fromEntries(ROLES.map((access) => [`/for/${access}`, { method: 'POST', access }])),
	'/read/zones/:apex': { method: 'GET', access: 'viewer', unitOf: ({ apex = '' }) => apex },
	'/write/zones/:apex': { method: 'POST', access: 'editor', unitOf: ({ apex = '' }) => apex },
	'/read/common': { method: 'GET', access: 'viewer', unitOf: () => 'common' },
	'/write/common': { method: 'POST', access: 'editor', unitOf: () => 'common' },
	'/read/all': { method: 'GET', access: 'viewer' },
	'/read/secrets': { method: 'GET', access: 'admin' },
	'/write/all': { method: 'POST', access: 'operator' },
	'/write/body': { method: 'POST', access: 'operator', unitsOfBody: (body) => body as string[] },
};

async function askRoute(t: TestContext, route: string, url: string, token: string, body?: object): Promise<number> {
	const { parts } = await openScene(t);
	const app = Fastify();
	t.after(() => app.close());
	addDoor(app, parts.door);
	const { method, ...config } = ROUTES[route] as Declared;
	app.route({ method, url: route, config, handler: ({ author }) => ({ author }) });
	return (await app.inject({ method, url, headers: bearer(token), ...(body && { payload: body }) })).statusCode;
}

describe('roles', () => {
	for (const access of ROLES) {
		for (const role of ROLES) {
			const isLet = ROLES.indexOf(role) >= ROLES.indexOf(access);
			it(`${isLet ? 'let' : 'do not let'} ${role} do what takes ${access}`, async (t) => {
				const url = `/for/${access}`;
				assert.equal(await askRoute(t, url, url, tokenOfRole(role)), isLet ? 200 : 403);
			});
		}
	}

	it('are declared by every route', () => {
		const app = Fastify();
		addDoor(app, operatingParts().door);
		assert.throws(() => app.get('/open', () => 'x'), /Cannot register \/open: it does not say who may ask/);
	});
});

describe('scopes', () => {
	for (const { route, url = route, role = 'editor', body, status } of [
		{ route: '/read/zones/:apex', url: '/read/zones/a.example.', status: 200 },
		{ route: '/read/zones/:apex', url: '/read/zones/b.example.', status: 403 },
		{ route: '/write/zones/:apex', url: '/write/zones/a.example.', status: 200 },
		{ route: '/write/zones/:apex', url: '/write/zones/a.example.', role: 'operator', status: 403 },
		{ route: '/write/zones/:apex', url: '/write/zones/b.example.', status: 403 },
		{ route: '/write/zones/:apex', url: '/write/zones/b.example.', role: 'admin', status: 403 },
		{ route: '/read/common', status: 200 },
		{ route: '/write/common', status: 403 },
		{ route: '/write/common', role: 'admin', status: 403 },
		{ route: '/read/all', status: 200 },
		{ route: '/read/secrets', role: 'admin', status: 403 },
		{ route: '/write/all', status: 403 },
		{ route: '/write/all', role: 'admin', status: 403 },
		{ route: '/write/body', body: ['a.example.'], status: 200 },
		{ route: '/write/body', body: ['a.example.', 'common'], status: 403 },
	] as readonly { route: string; url?: string; role?: Role; body?: object; status: number }[]) {
		it(`answer ${status} to a scoped ${role} at ${url}`, async (t) => {
			assert.equal(await askRoute(t, route, url, tokenOfRole(role, 'a.example.'), body), status);
		});
	}
});

describe('limits', () => {
	const health = (headers: Readonly<Record<string, string>>, from = '192.0.2.1') =>
		({ method: 'GET', url: '/v1/health', headers, from }) as const;

	it('hold a token to its rate, and say when to come again', async (t) => {
		const scene = await openScene(t, { ratePerSec: 10 });
		const ask = (token: string) => scene.surface.inject(health(bearer(token)));
		for (let i = 0; i < 40; i++) assert.equal((await ask(tokenOfRole('viewer'))).status, 200);
		const refused = await ask(tokenOfRole('viewer'));
		assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '1']);
		assert.equal((await ask(tokenOfRole('admin'))).status, 200, 'another token');
		scene.nowMs += 100;
		assert.equal((await ask(tokenOfRole('viewer'))).status, 200, 'a tenth of a second later');
	});

	it('hold an address to twice the rate, whatever it shows', async (t) => {
		const scene = await openScene(t, { ratePerSec: 1 });
		const statuses = [];
		for (let i = 0; i < 9; i++) statuses.push((await scene.surface.inject({ method: 'GET', url: '/livez' })).status);
		assert.deepEqual(statuses, [...Array(8).fill(200), 429]);
		assert.equal((await scene.surface.inject({ ...health(bearer(SETTING_TOKEN)), from: '192.0.2.2' })).status, 200);
	});

	it('take no more wrong tokens from an address, and lock nobody out by that', async (t) => {
		const scene = await openScene(t);
		const ask = async (token: string, from?: string) =>
			(await scene.surface.inject(health(bearer(token), from))).status;
		assert.equal(await ask(tokenOfRole('viewer')), 200);
		for (let i = 0; i < 20; i++) assert.equal(await ask(`wrong-${i}`), 401);
		assert.equal(await ask('wrong'), 429, 'one more');
		assert.equal(await ask(tokenOfRole('editor')), 429, 'a good one that is new there');
		assert.equal(await ask(tokenOfRole('viewer')), 200, 'a good one that has been there');
		assert.equal(await ask(tokenOfRole('viewer'), '192.0.2.2'), 200, 'the same from elsewhere');
		assert.equal(await ask(tokenOfRole('editor'), '2001:db8::1'), 200, 'another from elsewhere');
		scene.nowMs += 3000;
		assert.equal(await ask(tokenOfRole('editor')), 200, 'a good one after a while');
	});

	for (const { text, key } of [
		{ text: '192.0.2.1', key: '192.0.2.1/32' },
		{ text: '::ffff:192.0.2.1', key: '192.0.2.1/32' },
		{ text: '2001:db8:1:2:3:4:5:6', key: '2001:db8:1:2::/64' },
		{ text: 'fe80::1%eth0', key: 'fe80::/64' },
		{ text: undefined, key: 'unknown' },
	])
		it(`count ${text} as ${key}`, () => assert.equal(addressKey(text), key));
});

describe('tokens', () => {
	it('are random, and recognised when they leak', () => {
		const tokens = Array.from({ length: 100 }, makeToken);
		assert.equal(new Set(tokens).size, 100);
		for (const token of tokens) assert.match(token, /^mrd_[A-Za-z0-9_-]{43}$/);
	});

	it('are good until they expire by the clock of the store, or are revoked', async (t) => {
		const { store } = await openScene(t);
		const clock = { nowMs: 1000 };
		const book = new TokenBook({ nowMs: () => clock.nowMs, configuration: store.configuration }, '');
		const live = new TokenBook(store, '');
		await commitTo(store, [tokenChange('short', 'short-lived', { expiresMs: 2000 })]);
		assert.deepEqual(book.check('short-lived'), { kind: 'unknown' }, 'the generation before');
		assert.deepEqual(live.check('short-lived'), { kind: 'expired', name: 'short' });
		const then = new TokenBook({ nowMs: () => 1999, configuration: store.configuration }, '');
		assert.equal(then.check('short-lived').kind, 'known');
		await commitTo(store, [{ kind: 'token', name: 'short', content: undefined }]);
		assert.deepEqual(live.check('short-lived'), { kind: 'unknown' });
	});

	// A comparison that ends at the first difference takes longer for what begins like a token: tens of nanoseconds
	// more for each octet, against a look-up of some microseconds.
	it('take as long to refuse when they begin like a good one', () => {
		const good = makeToken();
		const store = { nowMs: () => 0, configuration: { head: undefined, items: new Map() } };
		const book = new TokenBook(store, good);
		const near = `${good.slice(0, -1)}!`;
		const far = `!${good.slice(1)}`;
		const times: { readonly near: number[]; readonly far: number[] } = { near: [], far: [] };
		for (let round = 0; round < 20_000; round++) {
			for (const kind of round % 2 === 0 ? (['near', 'far'] as const) : (['far', 'near'] as const)) {
				const startMs = performance.now();
				book.check(kind === 'near' ? near : far);
				times[kind].push(performance.now() - startMs);
			}
		}
		const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >>> 1] ?? 0;
		const difference = Math.abs(median(times.near) - median(times.far));
		assert(difference < 0.0005, `the medians are ${difference * 1e6} ns apart`);
	});
});
