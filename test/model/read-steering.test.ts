import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { printPath } from '../../src/lib/result.ts';
import { readSteering } from '../../src/model/check-document.ts';
import type { SteeringDocument } from '../../src/model/steering.ts';

/** The document of the design, without what is not built yet. */
const DESIGN_DOCUMENT = {
	regions: { 'us-east': { latitude: 39.0, longitude: -77.5 }, 'eu-west': { latitude: 53.3, longitude: -6.3 } },
	networks: { office: ['198.51.100.0/24', '2001:db8:40::/48'] },
	places: { nordics: { countries: ['SE', 'NO', 'DK', 'FI', 'IS'] } },
	monitors: {
		web: {
			kind: 'http',
			port: 8080,
			path: '/healthz',
			host: 'www.example.org',
			redirects: 0,
			expect: { status: ['200-399'], body: 'ok' },
			interval: '10s',
			timeout: '4s',
			fall: 3,
			rise: 5,
			consensus: { mode: 'majority', minProbers: 1 },
			from: ['us-east', 'eu-west'],
			regional: true,
			maxFlips: 5,
			flapWindow: '5m',
		},
	},
	pools: {
		eu: {
			region: 'eu-west',
			monitor: 'web',
			minHealthy: 1,
			onAllDown: 'all',
			noAddress: 'nodata',
			answers: 1,
			by: 'query',
			rampUp: '0s',
			state: 'auto',
			failback: 'auto',
			endpoints: [
				{ name: 'eu-1', addresses: ['203.0.113.10', '2001:db8:2::10'], weight: 10 },
				{ name: 'eu-2', addresses: ['203.0.113.11'], state: 'drain', check: { address: '10.0.0.11', port: 9000 } },
			],
		},
	},
	policies: {
		www: {
			kind: 'geo',
			rules: [
				{ match: { networks: ['office'] }, use: 'us' },
				{ match: { subdivisions: ['US-CA'], countries: ['MX'] }, use: 'us' },
				{ match: { places: ['nordics'] }, use: 'eu', fence: true },
				{ match: { continents: ['EU', 'AF'] }, use: { kind: 'failover', failback: 'auto', members: ['eu', 'us'] } },
			],
			default: { kind: 'latency', members: ['us', 'eu'] },
		},
	},
	names: {
		www: { policy: 'www', ttl: '30s' },
		api: {
			policy: {
				kind: 'weighted',
				members: [
					{ use: 'us', weight: 95 },
					{ use: 'eu', weight: 5 },
				],
			},
		},
	},
};

function readGood(value: unknown): SteeringDocument {
	const result = readSteering(value, 'zone');
	return result.ok ? result.value : assert.fail(JSON.stringify(result.problems));
}

/** `path: message`, in the order reported. */
function problemsOf(value: unknown, kind: 'common' | 'zone' = 'zone'): readonly string[] {
	const result = readSteering(value, kind);
	return result.ok ? [] : result.problems.map(({ path, message }) => `${printPath(path)}: ${message}`);
}

/** Without prototypes, which the reader's tables lack. */
function plain(value: unknown): unknown {
	return JSON.parse(JSON.stringify(value));
}

const endpoint = { name: 'a', addresses: ['192.0.2.1'] };
const inPool = (keys: object) => ({ pools: { eu: { endpoints: [endpoint], ...keys } } });
const inEndpoint = (keys: object) => ({ pools: { eu: { endpoints: [{ ...endpoint, ...keys }] } } });
const inMonitor = (keys: object) => ({ monitors: { web: { kind: 'http', ...keys } } });
const inPolicy = (policy: unknown) => ({ policies: { p: policy } });
const inMatch = (match: unknown) => inPolicy({ kind: 'geo', rules: [{ match, use: 'x' }] });
const inName = (keys: object) => ({ names: { www: { policy: 'x', ...keys } } });
const many = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i));

/** Something inside of something, `depth` times. */
function deep(depth: number, around: (inner: unknown) => unknown): unknown {
	let value: unknown = 'x';
	for (let i = 0; i < depth; i++) value = around(value);
	return value;
}

const failoverOf = (inner: unknown) => ({ kind: 'failover', members: [inner] });

function tableThatHoldsItself(): unknown {
	const table: Record<string, unknown> = { kind: 'failover' };
	table['members'] = [table];
	return { ...inPolicy(table), regions: table };
}

describe('readSteering() takes', () => {
	it('the document of the design, changing nothing in it and leaving nothing out', () => {
		const before = structuredClone(DESIGN_DOCUMENT);
		const document = readGood(DESIGN_DOCUMENT);
		assert.deepEqual(DESIGN_DOCUMENT, before);
		const { monitors, pools, policies, names } = DESIGN_DOCUMENT;
		const [first, second] = pools.eu.endpoints;
		for (const key of ['regions', 'networks', 'places', 'monitors'] as const)
			assert.deepEqual(plain([...document[key]]), Object.entries(DESIGN_DOCUMENT[key]), key);
		assert.equal(monitors.web.kind, document.monitors.get('web')?.kind);
		assert.deepEqual(plain(document.pools.get('eu')), {
			...pools.eu,
			endpoints: [
				{ ...first, state: 'auto' },
				{ ...second, weight: 1 },
			],
		});
		assert.deepEqual(plain(document.policies.get('www')), {
			...policies.www,
			rules: policies.www.rules.map((rule) => ({ fence: false, ...rule })),
		});
		const types = ['A', 'AAAA'];
		assert.deepEqual(plain(document.names.get('www')), { policy: 'www', ttl: '30s', types });
		assert.deepEqual(plain(document.names.get('api')), {
			policy: { by: 'query', ...names.api.policy },
			ttl: '30s',
			types,
		});
	});

	it('the least that can be written, with the defaults', () => {
		const document = readGood({
			monitors: { http: { kind: 'http' }, tcp: { kind: 'tcp', port: 1 } },
			...inPool({}),
			policies: {
				geo: { kind: 'geo' },
				spread: { kind: 'weighted', members: [{ use: 'eu' }] },
				first: { kind: 'failover', members: ['eu'] },
			},
			names: { '@': { policy: 'eu' } },
		});
		const timing = { interval: '10s', timeout: '4s', fall: 3, rise: 5, regional: false, maxFlips: 7 };
		assert.deepEqual(plain(Object.fromEntries(document.monitors)), {
			http: { kind: 'http', ...timing, path: '/', redirects: 0, expect: { status: ['200-399'] } },
			tcp: { kind: 'tcp', port: 1, ...timing },
		});
		assert.deepEqual(plain(document.pools.get('eu')), {
			minHealthy: 1,
			onAllDown: 'all',
			noAddress: 'nodata',
			answers: 1,
			by: 'query',
			rampUp: '0s',
			state: 'auto',
			failback: 'auto',
			endpoints: [{ ...endpoint, weight: 1, state: 'auto' }],
		});
		assert.deepEqual(plain(Object.fromEntries(document.policies)), {
			geo: { kind: 'geo', rules: [] },
			spread: { kind: 'weighted', by: 'query', members: [{ use: 'eu', weight: 1 }] },
			first: { kind: 'failover', members: ['eu'], failback: 'auto' },
		});
		assert.deepEqual(plain(document.names.get('@')), { policy: 'eu', ttl: '30s', types: ['A', 'AAAA'] });
	});

	for (const { name, value } of [
		{ name: 'no document at all', value: undefined },
		{ name: 'an empty file', value: null },
		{ name: 'an empty table', value: {} },
	]) {
		it(name, () => {
			for (const table of Object.values(readGood(value))) assert.equal(table.size, 0);
		});
	}

	for (const { name, value } of [
		{ name: 'a list of monitors', value: inPool({ monitor: ['a', 'b'] }) },
		{ name: 'a share of endpoints', value: inPool({ minHealthy: '100%' }) },
		{ name: '255 endpoints', value: inPool({ endpoints: many(255, (i) => ({ ...endpoint, name: `e${i}` })) }) },
		{ name: '8 answers', value: inPool({ answers: 8 }) },
		{ name: 'no slow start', value: inPool({ rampUp: '0s' }) },
		{ name: 'a slow start of a day', value: inPool({ rampUp: '1d' }) },
		{ name: 'weight 0', value: inEndpoint({ weight: 0 }) },
		{ name: 'weight 65535', value: inEndpoint({ weight: 65535 }) },
		{ name: '64 members', value: inPolicy({ kind: 'failover', members: many(64, (i) => `m${i}`) }) },
		{ name: 'policies 16 deep', value: inPolicy(deep(16, failoverOf)) },
		{ name: 'policies 16 deep in a name', value: inName({ policy: deep(16, failoverOf) }) },
		{ name: 'the shortest interval', value: inMonitor({ interval: '101ms', timeout: '100ms' }) },
		{ name: 'a consensus of at least two', value: inMonitor({ consensus: { mode: 'at-least', k: 2 } }) },
		{ name: 'each form of a status', value: inMonitor({ expect: { status: [200, '301', '200-200'] } }) },
		{ name: 'a TTL of 0', value: inName({ ttl: '0s' }) },
		{ name: 'the longest TTL in days', value: inName({ ttl: '24855d' }) },
		{ name: 'an owner name of any form, which the zone judges', value: { names: { '*.a b': { policy: 'x' } } } },
		{ name: 'the pole and the date line', value: { regions: { p: { latitude: -90, longitude: 180 } } } },
		{ name: 'the largest ASN', value: inMatch({ asns: [4294967295] }) },
	]) {
		it(name, () => assert.deepEqual(problemsOf(value), []));
	}

	for (const name of ['constructor', 'toString', 'hasOwnProperty', 'a.b', 'A-1_x', 'a'.repeat(63)]) {
		it(`"${name}" as a name like any other`, () =>
			assert.deepEqual([...readGood({ pools: { [name]: { endpoints: [endpoint] } } }).pools.keys()], [name]));
	}
});

const MONITOR_KINDS = 'http, https, tcp, dns, tls, grpc, icmp';
const KEYS = 'regions, networks, places, monitors, pools, policies';
const ENDPOINT_KEYS = 'name, addresses, cname, weight, state, check';
const NAME_RULE = 'expected up to 63 letters, digits, "_", "." or "-"';
const USE_RULE = 'expected the name of a pool or policy, or a policy';
const POLICY_KINDS = 'geo, weighted, failover, proximity, latency, all';

interface Mistake {
	readonly name: string;
	readonly kind?: 'common';
	readonly value: unknown;
	/** The problems; a text that ends in an ellipsis is a beginning. */
	readonly says: readonly string[];
}

const IN_FORM: readonly Mistake[] = [
	{ name: 'a number', value: 5, says: [': Cannot use 5: expected a steering document'] },
	{ name: 'a list', value: [], says: [': Cannot use []: expected a steering document'] },
	{ name: 'a text', value: 'x', says: [': Cannot use "x": expected a steering document'] },
	{
		name: 'a key that is near another',
		value: { pols: {} },
		says: ['pols: Cannot use the unknown key "pols": did you mean "pools"?'],
	},
	{
		name: 'a key that is near none',
		value: inEndpoint({ colour: 'red' }),
		says: [`pools.eu.endpoints[0].colour: Cannot use the unknown key "colour": expected one of ${ENDPOINT_KEYS}`],
	},
	{
		name: 'a key __proto__',
		value: JSON.parse('{"__proto__": {"pools": 1}}'),
		says: [`__proto__: Cannot use the unknown key "__proto__": expected one of ${KEYS}, names`],
	},
	{
		name: 'a key constructor deep down',
		value: inEndpoint({ constructor: 1 }),
		says: [
			`pools.eu.endpoints[0].constructor: Cannot use the unknown key "constructor": expected one of ${ENDPOINT_KEYS}`,
		],
	},
	{
		name: 'a pool __proto__',
		value: JSON.parse('{"pools": {"__proto__": {"endpoints": [{"name": "a", "addresses": ["192.0.2.1"]}]}}}'),
		says: [`pools.__proto__: Cannot use "__proto__" as a name: ${NAME_RULE}`],
	},
	{
		name: 'a kind __proto__',
		value: { monitors: { a: { kind: '__proto__' } } },
		says: [`monitors.a.kind: Cannot use kind "__proto__": expected one of ${MONITOR_KINDS}`],
	},
	{
		name: 'a kind constructor',
		value: inPolicy({ kind: 'constructor' }),
		says: [`policies.p.kind: Cannot use kind "constructor": expected one of ${POLICY_KINDS}`],
	},
	{
		name: 'a name of 64 letters',
		value: { pools: { ['a'.repeat(64)]: { endpoints: [endpoint] } } },
		says: [`pools.${'a'.repeat(64)}: Cannot use "${'a'.repeat(64)}" as a name: ${NAME_RULE}`],
	},
	{
		name: 'a name with a blank',
		value: { networks: { 'a b': ['10.0.0.0/8'] } },
		says: [`networks["a b"]: Cannot use "a b" as a name: ${NAME_RULE}`],
	},
	{ name: 'a table that is none', value: { pools: 5 }, says: ['pools: Cannot use 5: expected pools by name'] },
	{ name: 'an entry that is none', value: { pools: { eu: 'x' } }, says: ['pools.eu: Cannot use "x": expected a pool'] },
	{
		name: 'a key with nothing behind it',
		value: { pools: { eu: null } },
		says: ['pools.eu: Cannot use null: expected a pool'],
	},
	{
		name: 'degrees that are none',
		value: { regions: { a: { latitude: Number.NaN, longitude: 180.1 } } },
		says: [
			'regions.a.latitude: Cannot use NaN: expected degrees north, -90..90',
			'regions.a.longitude: Cannot use 180.1: expected degrees east, -180..180',
		],
	},
	{
		name: 'names in the common document',
		kind: 'common',
		value: { names: { www: {} } },
		says: [`names: Cannot use the unknown key "names": expected one of ${KEYS}`],
	},
];

const IN_POOLS: readonly Mistake[] = [
	{
		name: 'a pool without endpoints',
		value: { pools: { eu: {} } },
		says: ['pools.eu: Cannot do without "endpoints": expected a list of 1..255 endpoints'],
	},
	{
		name: 'an empty list of endpoints',
		value: inPool({ endpoints: [] }),
		says: ['pools.eu.endpoints: Cannot use []: expected a list of 1..255 endpoints'],
	},
	{
		name: '256 endpoints, quoting not all of them',
		value: inPool({ endpoints: many(256, (i) => ({ ...endpoint, name: `e${i}` })) }),
		says: ['pools.eu.endpoints: Cannot use [{"name":"e0","addresses":["192.0.2.1"]…'],
	},
	{
		name: 'an endpoint twice',
		value: inPool({ endpoints: [endpoint, { ...endpoint, addresses: ['192.0.2.2'] }] }),
		says: ['pools.eu.endpoints[1].name: Cannot use "a" twice in one pool'],
	},
	{
		name: 'an address twice in other words',
		value: inEndpoint({ addresses: ['2001:db8::1', '2001:DB8:0::1'] }),
		says: ['pools.eu.endpoints[0].addresses[1]: Cannot use 2001:DB8:0::1 twice in one endpoint'],
	},
	{
		name: 'addresses that are none',
		value: inEndpoint({ addresses: ['192.0.2', 5] }),
		says: [
			'pools.eu.endpoints[0].addresses[1]: Cannot use 5: expected an IPv4 or IPv6 address',
			'pools.eu.endpoints[0].addresses[0]: Cannot use "192.0.2": expected an IPv4 or IPv6 address',
		],
	},
	{
		name: 'no addresses',
		value: { pools: { eu: { endpoints: [{ name: 'a' }] } } },
		says: ['pools.eu.endpoints[0]: Cannot do without "addresses": expected a list of addresses, or a "cname"'],
	},
	{
		name: '65 addresses of one endpoint',
		value: inEndpoint({ addresses: many(65, (i) => `192.0.2.${i}`) }),
		says: ['pools.eu.endpoints[0].addresses: Cannot use ["192.0.2.0"…'],
	},
	{
		name: 'a check elsewhere that is nowhere',
		value: inEndpoint({ check: { address: 'x', port: 65536 } }),
		says: [
			'pools.eu.endpoints[0].check.port: Cannot use 65536: expected a port number 1..65535',
			'pools.eu.endpoints[0].check.address: Cannot use "x": expected an IPv4 or IPv6 address',
		],
	},
	...[-1, 65536, 0.5, '5', null].map((weight) => ({
		name: `weight ${JSON.stringify(weight)}`,
		value: inEndpoint({ weight }),
		says: [`pools.eu.endpoints[0].weight: Cannot use ${JSON.stringify(weight)}: expected an integer 0..65535`],
	})),
	...['50ms', '25h', '2d'].map((rampUp) => ({
		name: `rampUp ${rampUp}`,
		value: inPool({ rampUp }),
		says: [`pools.eu.rampUp: Cannot use ${rampUp}: expected 0s for none, or 100ms to 1d`],
	})),
	{
		name: 'rampUp that is no duration',
		value: inPool({ rampUp: 60 }),
		says: ['pools.eu.rampUp: Cannot use 60: expected a duration such as 500ms, 10s, 5m or 1h, did you mean 60s?'],
	},
	...[0, 9].map((answers) => ({
		name: `${answers} answers`,
		value: inPool({ answers }),
		says: [`pools.eu.answers: Cannot use ${answers}: expected a number of addresses per answer, 1..8`],
	})),
	...[0, 256, '0%', '101%', '50'].map((minHealthy) => ({
		name: `minHealthy ${minHealthy}`,
		value: inPool({ minHealthy }),
		says: [
			`pools.eu.minHealthy: Cannot use ${JSON.stringify(minHealthy)}: ` +
				'expected a number of endpoints from 1, or a share such as "50%"',
		],
	})),
	{
		name: 'words that are none of a few',
		value: inPool({ state: 'off', onAllDown: 'drop', noAddress: 'x', by: 'day' }),
		says: [
			'pools.eu.onAllDown: Cannot use "drop": expected all, nodata or servfail',
			'pools.eu.noAddress: Cannot use "x": expected nodata or pass',
			'pools.eu.by: Cannot use "day": expected query or client',
			'pools.eu.state: Cannot use "off": expected auto, up, down or drain',
		],
	},
	{
		name: 'monitors without a name, once',
		value: inPool({ monitor: ['', ''] }),
		says: ['pools.eu.monitor: Cannot use ["",""]: expected the name of a monitor, or a list of names'],
	},
];

const IN_MONITORS: readonly Mistake[] = [
	{
		name: 'a monitor without a kind',
		value: { monitors: { a: {} } },
		says: [`monitors.a: Cannot do without "kind": expected one of ${MONITOR_KINDS}`],
	},
	{
		name: 'a monitor that is a text',
		value: { monitors: { a: 'http' } },
		says: [`monitors.a: Cannot use "http": expected a table with a key "kind" (${MONITOR_KINDS})`],
	},
	{
		name: 'durations below 100 ms',
		value: inMonitor({ interval: '99ms', timeout: '98ms' }),
		says: [
			'monitors.web.timeout: Cannot use 98ms: expected 100ms or more',
			'monitors.web.interval: Cannot use 99ms: expected 100ms or more',
		],
	},
	{
		name: 'an interval without a unit',
		value: inMonitor({ interval: 10 }),
		says: ['monitors.web.interval: Cannot use 10: expected a duration such as 500ms, 10s, 5m or 1h, did you mean 10s?'],
	},
	{
		name: 'a timeout as long as the interval',
		value: inMonitor({ interval: '4s' }),
		says: ['monitors.web.timeout: Cannot use timeout 4s: expected less than the interval 4s'],
	},
	{
		name: 'fall 0 and rise 101',
		value: inMonitor({ fall: 0, rise: 101 }),
		says: [
			'monitors.web.fall: Cannot use 0: expected a number of failures in a row, 1..100',
			'monitors.web.rise: Cannot use 101: expected a number of successes in a row, 1..100',
		],
	},
	{
		name: 'no turns at all, in no time',
		value: inMonitor({ maxFlips: 0, flapWindow: '50ms' }),
		says: [
			'monitors.web.maxFlips: Cannot use 0: expected a number of turns, 1..1000',
			'monitors.web.flapWindow: Cannot use 50ms: expected 100ms or more',
		],
	},
	{
		name: 'a path and a host with line feeds, which would be headers',
		value: inMonitor({ path: '/\r\nX: y', host: 'a\nb' }),
		says: [
			'monitors.web.path: Cannot use "/\\r\\nX: y": expected a path that starts with /',
			'monitors.web.host: Cannot use "a\\nb": expected a host name',
		],
	},
	{
		name: 'statuses that are none',
		value: inMonitor({ expect: { status: [600, 'ok', '399-200'] } }),
		says: [
			'monitors.web.expect.status[0]: Cannot use 600: expected a status such as 200 or a range such as 200-399',
			'monitors.web.expect.status[1]: Cannot use "ok": expected a status such as 200 or a range such as 200-399',
			'monitors.web.expect.status[2]: Cannot use "399-200": expected the lower status first',
		],
	},
	{
		name: 'at-least without a number',
		value: inMonitor({ consensus: { mode: 'at-least' } }),
		says: ['monitors.web.consensus: Cannot use at-least without "k": expected a number of regions'],
	},
	{
		name: 'redirects without end',
		value: inMonitor({ redirects: 6 }),
		says: ['monitors.web.redirects: Cannot use 6: expected a number of redirects to follow, 0..5'],
	},
	{
		name: 'keys of another kind',
		value: { monitors: { web: { kind: 'tls', path: '/' }, plain: { kind: 'http', verify: false } } },
		says: [
			'monitors.web.path: Cannot use the unknown key "path": expected one of kind, port, interval, timeout, fall, rise, from, regional, consensus, maxFlips, flapWindow, serverName, verify, minDaysLeft',
			'monitors.plain.verify: Cannot use the unknown key "verify": expected one of kind, port, interval, timeout, fall, rise, from, regional, consensus, maxFlips, flapWindow, path, host, redirects, expect',
		],
	},
	{
		name: 'what is no way to look at a certificate',
		value: { monitors: { web: { kind: 'https', serverName: '192.0.2.1', verify: 'no', minDaysLeft: -1 } } },
		says: [
			'monitors.web.serverName: Cannot use "192.0.2.1": expected a host name, as it stands in the certificate',
			'monitors.web.verify: Cannot use "no": expected true or false',
			'monitors.web.minDaysLeft: Cannot use -1: expected a number of days, 0..398',
		],
	},
	{
		name: 'escapes that are none',
		value: { monitors: { web: { kind: 'tcp', send: 'a\\q', expect: '\\x4' } } },
		says: [
			'monitors.web.send: Cannot read "\\q" in "a\\\\q": expected \\r, \\n, \\t, \\xNN, or \\\\ for a backslash',
			'monitors.web.expect: Cannot read "\\x" in "\\\\x4": expected \\r, \\n, \\t, \\xNN, or \\\\ for a backslash',
		],
	},
	{
		name: 'a question that is none',
		value: {
			monitors: {
				web: { kind: 'dns' },
				name: { kind: 'dns', query: { name: 'a..b', type: 'a' }, transport: 'doh', expect: { rcode: 'OK' } },
			},
		},
		says: [
			'monitors.web: Cannot do without "query": expected a query: name, type',
			'monitors.name.query.name: Cannot use "a..b": expected a domain name',
			'monitors.name.query.type: Cannot use "a": expected one of A, AAAA, CAA, CNAME, DNSKEY, MX, NS, PTR, SOA, SRV, TXT',
			'monitors.name.transport: Cannot use "doh": expected udp or tcp',
			'monitors.name.expect.rcode: Cannot use "OK": expected one of NOERROR, NXDOMAIN, REFUSED, SERVFAIL, NOTIMP, FORMERR, NOTAUTH',
		],
	},
	{
		name: 'a certificate where there is no TLS',
		value: { monitors: { web: { kind: 'grpc', verify: false, serverName: 'a.example', minDaysLeft: 7 } } },
		says: [
			'monitors.web.serverName: Cannot use serverName without TLS: expected tls: true beside it',
			'monitors.web.minDaysLeft: Cannot use minDaysLeft without TLS: expected tls: true beside it',
			'monitors.web.verify: Cannot use verify without TLS: expected tls: true beside it',
		],
	},
	{
		name: 'a port where there is none',
		value: { monitors: { web: { kind: 'icmp', port: 7 } } },
		says: [
			'monitors.web.port: Cannot use the unknown key "port": expected one of kind, interval, timeout, fall, rise, from, regional, consensus, maxFlips, flapWindow',
		],
	},
	{
		name: 'nothing to send',
		value: { monitors: { web: { kind: 'tcp', send: '' } } },
		says: ['monitors.web.send: Cannot use "": expected text to send of 1..1024 characters'],
	},
];

const IN_POLICIES: readonly Mistake[] = [
	{
		name: 'a policy that is a name',
		value: inPolicy('eu'),
		says: [`policies.p: Cannot use "eu": expected a table with a key "kind" (${POLICY_KINDS})`],
	},
	{
		name: 'no members',
		value: inPolicy({ kind: 'failover', members: [] }),
		says: ['policies.p.members: Cannot use []: expected a list of 1..64 members'],
	},
	{
		name: '65 members',
		value: inPolicy({ kind: 'latency', members: many(65, () => 'x') }),
		says: ['policies.p.members: Cannot use ["x","x"…'],
	},
	{
		name: 'members that are none',
		value: inPolicy({ kind: 'failover', members: [5, null, ''] }),
		says: ['5', 'null', '""'].map((text, i) => `policies.p.members[${i}]: Cannot use ${text}: ${USE_RULE}`),
	},
	{
		name: 'a weighted member without a use',
		value: inPolicy({ kind: 'weighted', members: [{ weight: 1 }] }),
		says: [`policies.p.members[0]: Cannot do without "use": ${USE_RULE}`],
	},
	{
		name: 'a rule without a match',
		value: inPolicy({ kind: 'geo', rules: [{ use: 'x' }] }),
		says: ['policies.p.rules[0]: Cannot do without "match": expected a match: …'],
	},
	{
		name: 'an empty match',
		value: inMatch({}),
		says: ['policies.p.rules[0].match: Cannot use {}: expected a match: …'],
	},
	{
		name: 'places that are none',
		value: inMatch({
			countries: ['de'],
			subdivisions: ['CA'],
			continents: ['UK'],
			asns: [0, 4294967296],
			networks: [],
		}),
		says: [
			'policies.p.rules[0].match.networks: Cannot use []: expected a list of names of networks',
			'policies.p.rules[0].match.subdivisions[0]: Cannot use "CA": expected an ISO 3166-2 code such as US-CA',
			'policies.p.rules[0].match.countries[0]: Cannot use "de": expected an ISO 3166 country code such as DE',
			'policies.p.rules[0].match.continents[0]: Cannot use "UK": expected a continent: AF, AN, AS, EU, NA, OC or SA',
			'policies.p.rules[0].match.asns[0]: Cannot use 0: expected an autonomous system number',
			'policies.p.rules[0].match.asns[1]: Cannot use 4294967296: expected an autonomous system number',
		],
	},
	{
		name: 'policies 17 deep',
		value: inPolicy(deep(17, failoverOf)),
		says: [`policies.p${'.members[0]'.repeat(16)}: Cannot nest policies deeper than 16`],
	},
];

const IN_NAMES: readonly Mistake[] = [
	{
		name: 'a steered name without a policy',
		value: { names: { www: {} } },
		says: [`names.www: Cannot do without "policy": ${USE_RULE}`],
	},
	{
		name: 'a policy that is a number',
		value: inName({ policy: 5 }),
		says: [`names.www.policy: Cannot use 5: ${USE_RULE}`],
	},
	...['500ms', '24856d'].map((ttl) => ({
		name: `a TTL of ${ttl}`,
		value: inName({ ttl }),
		says: [`names.www.ttl: Cannot use TTL ${ttl}: expected whole seconds below 2^31`],
	})),
	{
		name: 'no types',
		value: inName({ types: [] }),
		says: ['names.www.types: Cannot use []: expected a list of types'],
	},
];

const OF_KINDS: readonly Mistake[] = [
	{
		name: 'an endpoint with neither addresses nor a CNAME',
		value: inPool({ endpoints: [{ name: 'a' }] }),
		says: ['pools.eu.endpoints[0]: Cannot do without "addresses": expected a list of addresses, or a "cname"'],
	},
	{
		name: 'an endpoint with both',
		value: inPool({ endpoints: [{ ...endpoint, cname: 'x.example.' }] }),
		says: ['pools.eu.endpoints[0].cname: Cannot have a CNAME beside addresses: expected one of the two'],
	},
	{
		name: 'a pool of both',
		value: inPool({ endpoints: [endpoint, { name: 'b', cname: 'x.example.' }] }),
		says: ['pools.eu.endpoints: Cannot hold addresses and CNAMEs in one pool'],
	},
	{
		name: 'more than one CNAME in an answer',
		value: inPool({ endpoints: [{ name: 'b', cname: 'x.example.' }], answers: 2 }),
		says: ['pools.eu.answers: Cannot answer 2 CNAMEs: expected 1'],
	},
	{
		name: 'a CNAME that might be meant below the apex',
		value: inPool({ endpoints: [{ name: 'b', cname: 'www' }] }),
		says: [
			'pools.eu.endpoints[0].cname: Cannot use "www": expected a host name with its final dot, such as d1.cdn.example.',
		],
	},
	...['1', '100%', '-1%', '0.00001%'].map((trickle) => ({
		name: `a trickle of ${trickle}`,
		value: inPolicy({ ...failoverOf('eu'), trickle }),
		says: [`policies.p.trickle: Cannot use "${trickle}": expected a share below 100% such as "1%"`],
	})),
	{
		name: 'members of proximity',
		value: inPolicy({ kind: 'proximity', members: ['eu', { use: 'eu', bias: 100 }, { bias: 1 }, { kind: 'nope' }, 7] }),
		says: [
			'policies.p.members[1].bias: Cannot use 100: expected an integer -99..99',
			'policies.p.members[2]: Cannot do without "use": expected the name of a pool or policy, or a policy',
			`policies.p.members[3].kind: Cannot use kind "nope": expected one of ${POLICY_KINDS}`,
			'policies.p.members[4]: Cannot use 7: expected the name of a pool or policy, or a policy',
		],
	},
];

const TO_COME: readonly Mistake[] = [
	{
		name: 'type MX',
		value: inName({ types: ['A', 'MX'] }),
		says: ['names.www.types[1]: Cannot steer type MX: not yet (there are A, AAAA)'],
	},
	{
		name: 'reserved keys',
		value: { dnssec: {}, ...inPool({ capacity: 5 }) },
		says: ['dnssec: Cannot use the key "dnssec": not yet', 'pools.eu.capacity: Cannot use the key "capacity": not yet'],
	},
];

const ALL_AT_ONCE: readonly Mistake[] = [
	{
		name: 'each endpoint, although the shape of one is wrong',
		value: inPool({
			endpoints: [
				{ ...endpoint, weight: 'x' },
				{ name: 'a', addresses: ['x'] },
			],
		}),
		says: [
			'pools.eu.endpoints[0].weight: Cannot use "x": expected an integer 0..65535',
			'pools.eu.endpoints[1].name: Cannot use "a" twice in one pool',
			'pools.eu.endpoints[1].addresses[0]: Cannot use "x": expected an IPv4 or IPv6 address',
		],
	},
	{
		name: 'a policy inside another that is itself wrong',
		value: inPolicy({
			kind: 'geo',
			rules: [{ match: { countries: ['de'] }, use: { kind: 'failover', members: [] } }],
			defualt: 'x',
			default: { kind: 'nope' },
		}),
		says: [
			'policies.p.defualt: Cannot use the unknown key "defualt": did you mean "default"?',
			'policies.p.rules[0].match.countries[0]: Cannot use "de": expected an ISO 3166 country code such as DE',
			'policies.p.rules[0].use.members: Cannot use []: expected a list of 1..64 members',
			`policies.p.default.kind: Cannot use kind "nope": expected one of ${POLICY_KINDS}`,
		],
	},
	{
		name: 'a name with a bad TTL, a bad type and a bad policy',
		value: inName({ ttl: '1', types: ['TXT'], policy: { kind: 'weighted', members: [{ use: 'a', weight: -1 }] } }),
		says: [
			'names.www.ttl: Cannot use "1": expected a duration such as 500ms, 10s, 5m or 1h, did you mean 1s?',
			'names.www.types[0]: Cannot steer type TXT: not yet (there are A, AAAA)',
			'names.www.policy.members[0].weight: Cannot use -1: expected an integer 0..65535',
		],
	},
];

for (const [what, mistakes] of Object.entries({
	'of form': IN_FORM,
	'in pools': IN_POOLS,
	'in monitors': IN_MONITORS,
	'in policies': IN_POLICIES,
	'in names': IN_NAMES,
	'of each kind': OF_KINDS,
	'of what is to come': TO_COME,
	'all at once': ALL_AT_ONCE,
})) {
	describe(`readSteering() reports mistakes ${what}:`, () => {
		for (const { name, kind, value, says } of mistakes) {
			it(name, () => {
				const problems = problemsOf(value, kind).map((problem, i) => {
					const said = says[i];
					const isBeginning = said?.endsWith('…') === true && problem.startsWith(said.slice(0, -1));
					return isBeginning ? said : problem;
				});
				assert.deepEqual(problems, says);
			});
		}
	});
}

describe('readSteering()', () => {
	it('reports more mistakes than Typebox would count by itself, each once', () => {
		const endpoints = many(200, (i) => ({ ...endpoint, name: `e${i}`, weight: -i - 1 }));
		const problems = problemsOf(inPool({ endpoints }));
		assert.equal(problems.length, 200);
		assert.equal(new Set(problems).size, 200);
	});

	for (const { name, value } of [
		{ name: 'policies 100,000 deep', value: inPolicy(deep(100_000, failoverOf)) },
		{ name: 'lists 100,000 deep', value: { regions: deep(100_000, (inner) => [inner]) } },
		{ name: 'tables 100,000 deep', value: { regions: { r: deep(100_000, (inner) => ({ a: inner })) } } },
		{ name: 'an unknown key 100,000 deep', value: { x: deep(100_000, (inner) => [inner]) } },
		{ name: 'a table that holds itself', value: tableThatHoldsItself() },
		{
			name: 'a table without prototype in the place of a duration',
			value: { names: { a: { ttl: Object.create(null) } } },
		},
	]) {
		it(`refuses ${name}`, () => assert.ok(problemsOf(value).length > 0));
	}

	it('ends with a document or with problems, whatever it is given', () => {
		const keys = `kind pools policies monitors names regions a __proto__ members use weight endpoints addresses
			expect status rules match policy ttl types interval timeout default networks consensus mode check address`;
		const key = fc.constantFrom(...keys.split(/\s+/));
		const leaf = fc.constantFrom<unknown>(
			...['http', 'tcp', 'geo', 'weighted', 'failover', '10s', '192.0.2.1', '', 'DE', 'at-least'],
			...[0, -1, 200, Number.NaN, null, true, undefined],
		);
		const { tree } = fc.letrec((tie) => ({
			tree: fc.oneof(
				{ depthSize: 'medium' },
				leaf,
				fc.array(tie('tree'), { maxLength: 3 }),
				fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
			),
		}));
		fc.assert(
			fc.property(fc.dictionary(key, tree), (value) => {
				const result = readSteering(value, 'zone');
				assert.ok(result.ok || result.problems.length > 0);
			}),
			{ numRuns: 2000 },
		);
	});
});
