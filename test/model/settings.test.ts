import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { printPrefix } from '../../src/lib/prefix.ts';
import { flagOf, keyOf, readSettings, SETTINGS, type SettingTexts, variableOf } from '../../src/model/settings.ts';

const layer = (source: string, texts: Readonly<Record<string, string>>): SettingTexts =>
	new Map(Object.entries(texts).map(([key, text]) => [key, { text, source }]));

const asItIs = (key: string) => key;

describe('flagOf() and variableOf()', () => {
	for (const { key, flag, variable } of [
		{ key: 'dns.listen', flag: '--dns-listen', variable: 'MERIDIAN_DNS_LISTEN' },
		{ key: 'dns.ecs.trust', flag: '--dns-ecs-trust', variable: 'MERIDIAN_DNS_ECS_TRUST' },
		{ key: 'zonesDir', flag: '--zones-dir', variable: 'MERIDIAN_ZONES_DIR' },
		{ key: 'geodb', flag: '--geodb', variable: 'MERIDIAN_GEODB' },
		{ key: 'probe.contact', flag: '--probe-contact', variable: 'MERIDIAN_PROBE_CONTACT' },
		{ key: 'probe.allow', flag: '--probe-allow', variable: 'MERIDIAN_PROBE_ALLOW' },
	]) {
		it(`spell ${key} as ${flag} and ${variable}`, () => {
			assert.equal(flagOf(key), flag);
			assert.equal(variableOf(key), variable);
		});
	}

	it('give each setting a spelling of its own, which keyOf() reads back', () => {
		const keys = Object.keys(SETTINGS);
		for (const spelling of [flagOf, variableOf, asItIs]) {
			assert.equal(new Set(keys.map(spelling)).size, keys.length);
			for (const key of keys) assert.deepEqual(keyOf(spelling(key), spelling), { key });
		}
	});
});

describe('keyOf()', () => {
	for (const { source, spelling, nearest } of [
		{ source: '--dns-listn', spelling: flagOf, nearest: '--dns-listen' },
		{ source: '--zones', spelling: flagOf, nearest: '--zones-dir' },
		{ source: 'MERIDIAN_ZONE_DIR', spelling: variableOf, nearest: 'MERIDIAN_ZONES_DIR' },
		{ source: 'zonesdir', spelling: asItIs, nearest: 'zonesDir' },
	]) {
		it(`names ${nearest} when there is no ${source}`, () =>
			assert.deepEqual(keyOf(source, spelling), {
				problem: `Cannot set ${source}: there is no such setting, did you mean ${nearest}?`,
			}));
	}

	for (const source of ['__proto__', 'constructor', 'toString', '']) {
		it(`takes ${JSON.stringify(source)} for no setting`, () => assert.ok('problem' in keyOf(source, asItIs)));
	}
});

describe('readSettings()', () => {
	it('has the defaults of the design', () => {
		const { settings, problems } = readSettings([]);
		assert.deepEqual(problems, []);
		assert.deepEqual(
			{ ...settings, 'dns.ecs.trust': settings['dns.ecs.trust'].map(printPrefix) },
			{
				'dns.listen': ['127.0.0.1:5300', '[::1]:5300'],
				'dns.workers': 0,
				'dns.transport': 'auto',
				'dns.ecs.trust': ['0.0.0.0/0', '::/0'],
				'dns.cookieSecrets': [],
				'dns.identity': '',
				'dns.rateLimit.rate': 0,
				'dns.rateLimit.slip': 1,
				'dns.rateLimit.exempt': [],
				'dns.queryLog.sample': 0,
				'dns.queryLog.file': '-',
				'dns.queryLog.clients': 'network',
				'admin.listen': '127.0.0.1:8053',
				'admin.url': '',
				'admin.token': '',
				'admin.tls.cert': '',
				'admin.tls.key': '',
				'admin.rateLimit': 100,
				zonesDir: './zones',
				stateDir: './state',
				geodb: [],
				region: 'local',
				instance: '',
				'redis.url': '',
				'redis.ca': '',
				'redis.prefix': 'meridian:',
				'fleet.key': [],
				'health.maxStale': 300_000,
				'health.guardHold': 60_000,
				'probe.deny': [],
				'probe.allow': [],
				'probe.anchors': [],
				'probe.contact': '',
				'log.level': 'info',
			},
		);
	});

	it('takes a flag before a variable, and a variable before the file', () => {
		const { settings } = readSettings([
			layer('flag', { region: 'a' }),
			layer('variable', { region: 'b', zonesDir: 'b' }),
			layer('file', { region: 'c', zonesDir: 'c', stateDir: 'c' }),
		]);
		assert.deepEqual([settings.region, settings.zonesDir, settings.stateDir], ['a', 'b', 'c']);
	});

	for (const { name, key, text, value } of [
		{
			name: 'a list with blanks',
			key: 'dns.listen',
			text: ' 127.0.0.1:53 ,, [::]:53,',
			value: ['127.0.0.1:53', '[::]:53'],
		},
		{ name: 'an empty list of databases', key: 'geodb', text: '', value: [] },
		{ name: 'databases in order', key: 'geodb', text: 'b.mmdb, a.mmdb', value: ['b.mmdb', 'a.mmdb'] },
		{ name: 'a number of workers', key: 'dns.workers', text: '16', value: 16 },
		{
			name: 'secrets of cookies',
			key: 'dns.cookieSecrets',
			text: '000102030405060708090a0b0c0d0eFF',
			value: [Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255)],
		},
		{ name: 'a share of all queries', key: 'dns.queryLog.sample', text: '1', value: 1 },
		{ name: 'a share without its zero', key: 'dns.queryLog.sample', text: '.01', value: 0.01 },
		{ name: 'a share of none', key: 'dns.queryLog.sample', text: '0.0', value: 0 },
		{ name: 'a transport', key: 'dns.transport', text: 'dgram', value: 'dgram' },
		{ name: 'a log level', key: 'log.level', text: 'silent', value: 'silent' },
	] as const) {
		it(`reads ${name}`, () => {
			const { settings, problems } = readSettings([layer('--x', { [key]: text })]);
			assert.deepEqual(problems, []);
			assert.deepEqual(settings[key], value);
		});
	}

	it('reads prefixes, and an address as its own', () => {
		const { settings } = readSettings([
			layer('--x', { 'probe.allow': '10.0.0.0/8, 127.0.0.1,::1/128', 'dns.ecs.trust': '' }),
		]);
		assert.deepEqual(settings['probe.allow'].map(printPrefix), ['10.0.0.0/8', '127.0.0.1/32', '::1/128']);
		assert.deepEqual(settings['dns.ecs.trust'], []);
	});

	for (const { key, text, expected } of [
		{ key: 'dns.listen', text: ' , ', expected: 'address:port or [address]:port, separated by commas' },
		{ key: 'dns.listen', text: 'localhost:53', expected: 'address:port or [address]:port, separated by commas' },
		{ key: 'dns.listen', text: '127.0.0.1', expected: 'address:port or [address]:port, separated by commas' },
		{
			key: 'dns.listen',
			text: '127.0.0.1:53,[::1]:99999',
			expected: 'address:port or [address]:port, separated by commas',
		},
		{ key: 'admin.listen', text: 'localhost', expected: 'address:port or [address]:port' },
		{ key: 'admin.url', text: 'admin.example.org', expected: 'http:// or https:// with a host, and a port if need be' },
		{
			key: 'admin.url',
			text: 'https://a:b@example.org',
			expected: 'http:// or https:// with a host, and a port if need be',
		},
		{ key: 'dns.workers', text: '-1', expected: 'a number 0..999' },
		{ key: 'dns.workers', text: '1000', expected: 'a number 0..999' },
		{ key: 'dns.workers', text: '', expected: 'a number 0..999' },
		{ key: 'dns.cookieSecrets', text: '00ff', expected: '32 hex digits each, separated by commas' },
		{ key: 'dns.identity', text: 'a\nb', expected: 'at most 255 printable ASCII characters' },
		{ key: 'dns.rateLimit.rate', text: '1000001', expected: 'a number 0..1000000' },
		{ key: 'dns.rateLimit.slip', text: '101', expected: 'a number 0..100' },
		...['1.1', '-1', '1%', '0.0000001', '1e-3', '', '.'].map((text) => ({
			key: 'dns.queryLog.sample',
			text,
			expected: '0, or a share from 0.000001 to 1',
		})),
		{ key: 'dns.queryLog.clients', text: 'all', expected: 'one of network, address' },
		{ key: 'dns.transport', text: 'tcp', expected: 'one of auto, batch, dgram' },
		{ key: 'region', text: '', expected: 'some text' },
		{ key: 'log.level', text: 'loud', expected: 'one of debug, info, warn, error, silent' },
		{
			key: 'probe.deny',
			text: '::1,10/8',
			expected:
				'prefixes, separated by commas ' +
				'(Cannot read "10/8" as a prefix: expected an IPv4 or IPv6 address, then /length)',
		},
	]) {
		it(`refuses ${JSON.stringify(text)} for ${key}`, () =>
			assert.deepEqual(readSettings([layer('--x', { [key]: text })]).problems, [
				{ source: '--x', message: `Cannot use "${text}" for --x: expected ${expected}` },
			]));
	}

	it('tells all problems at once, each with its source', () => {
		const { problems } = readSettings([
			layer('--a', { region: '' }),
			layer('B', { 'dns.workers': 'x', 'log.level': 'x' }),
		]);
		assert.deepEqual(problems.map(({ source }) => source).sort(), ['--a', 'B', 'B']);
	});
});
