/**
 * What the comments in zones/examples promise to operators: each set-up is loaded, its health set, and clients ask.
 */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadDirectory } from '../../src/config/zones-directory.ts';
import { combineGeoData } from '../../src/geo/combine.ts';
import { geoDataOf } from '../geo/oracle.ts';
import { EXAMPLES, GEO, Setup, type SetupSpec } from './setup.ts';

interface Row {
	readonly says: string;
	/** Addresses that are down; all others are up. */
	readonly down?: readonly string[];
	/** Round-trip times in milliseconds. */
	readonly rtt?: Readonly<Record<string, number>>;
	/** The share of its bound that every draw gives. */
	readonly draw?: number;
	readonly ask: string;
	readonly gets: string;
}

const US = '8.8.8.0/24';
const DE = '84.128.0.0/24';
const JP = '133.11.0.0/24';
const DE6 = '2003::/48';

const ROWS: Readonly<Record<string, readonly Row[]>> = {
	'active-passive': [
		{ says: 'the primary', ask: `www A ${US}`, gets: 'A 192.0.2.10 ttl 30 scope 0' },
		{ says: 'over IPv6 too', ask: `www AAAA ${US}`, gets: 'AAAA 2001:db8:1::10 ttl 30 scope 0' },
		{
			says: 'the standby, sooner again, while the primary is down',
			down: ['192.0.2.10', '2001:db8:1::10'],
			ask: `www A ${US}`,
			gets: 'A 198.51.100.10 ttl 15 scope 0',
		},
		{
			says: 'the primary when both are down',
			down: ['192.0.2.10', '198.51.100.10'],
			ask: 'www A',
			gets: 'A 192.0.2.10 ttl 15',
		},
	],
	'geo-failover': [
		{ says: 'Europe to eu', ask: `www A ${DE}`, gets: 'A 198.51.100.10 ttl 30 scope 10' },
		{ says: 'Europe to eu over IPv6', ask: `www AAAA ${DE6}`, gets: 'AAAA 2001:db8:2::10 ttl 30 scope 29' },
		{ says: 'America to us', ask: `www A ${US}`, gets: 'A 192.0.2.10 ttl 30 scope 12' },
		{ says: 'Asia to ap', ask: `www A ${JP}`, gets: 'A 203.0.113.10 ttl 30 scope 8' },
		{ says: 'nobody knows this client', ask: 'www A 10.0.0.0/8', gets: 'A 203.0.113.10 ttl 30 scope 8' },
		{
			says: 'Europe to us, with the same scope, while eu is down',
			down: ['198.51.100.10'],
			ask: `www A ${DE}`,
			gets: 'A 192.0.2.10 ttl 15 scope 10',
		},
		{
			says: 'America notices nothing of that',
			down: ['198.51.100.10'],
			ask: `www A ${US}`,
			gets: 'A 192.0.2.10 ttl 30 scope 12',
		},
	],
	'sticky-canary': [],
	'blue-green': [
		{ says: 'blue', ask: 'www A', draw: 0.99, gets: 'A 192.0.2.10 ttl 30' },
		{ says: 'green to testers', ask: 'green A', gets: 'A 192.0.2.20 ttl 30' },
		{ says: 'green while blue is down', down: ['192.0.2.10'], ask: 'www A', gets: 'A 192.0.2.20 ttl 15' },
	],
	'eu-latency': [
		{
			says: 'the fastest European site to Europe',
			rtt: { '192.0.2.10': 80, '198.51.100.10': 30, '203.0.113.10': 5 },
			ask: `www A ${DE}`,
			gets: 'A 198.51.100.10 ttl 30 scope 10',
		},
		{
			says: 'the fastest site to others',
			rtt: { '192.0.2.10': 80, '198.51.100.10': 30, '203.0.113.10': 5 },
			ask: `www A ${US}`,
			gets: 'A 203.0.113.10 ttl 30 scope 12',
		},
		{
			says: 'the other European site',
			rtt: { '192.0.2.10': 80, '198.51.100.10': 30, '203.0.113.10': 5 },
			down: ['198.51.100.10'],
			ask: `www A ${DE}`,
			gets: 'A 192.0.2.10 ttl 15 scope 10',
		},
		{
			says: 'nothing outside of the fence',
			rtt: { '192.0.2.10': 80, '198.51.100.10': 30, '203.0.113.10': 5 },
			down: ['192.0.2.10', '198.51.100.10'],
			ask: `www A ${DE}`,
			gets: 'A 192.0.2.10 ttl 15 scope 10',
		},
	],
	'weighted-region': [
		{ says: '70 of 100 to Frankfurt', draw: 0.69, ask: `www A ${DE}`, gets: 'A 192.0.2.10 ttl 30 scope 10' },
		{ says: '30 of 100 to Amsterdam', draw: 0.7, ask: `www A ${DE}`, gets: 'A 198.51.100.10 ttl 30 scope 10' },
		{
			says: 'all to the one that is left',
			draw: 0.1,
			down: ['192.0.2.10'],
			ask: `www A ${DE}`,
			gets: 'A 198.51.100.10 ttl 15 scope 10',
		},
		{
			says: 'Virginia when both are down',
			down: ['192.0.2.10', '198.51.100.10'],
			ask: `www A ${DE}`,
			gets: 'A 203.0.113.10 ttl 15 scope 10',
		},
		{ says: 'Virginia to others', ask: `www A ${US}`, gets: 'A 203.0.113.10 ttl 30 scope 12' },
	],
	'two-cdns': [
		{
			says: 'CDN A inside the provider',
			ask: 'cdn A 85.10.0.0/16',
			gets: 'CNAME example-net.cdn-a.example. ttl 60 scope 16',
		},
		{
			says: 'the same for every type',
			ask: 'cdn TXT 85.10.0.0/16',
			gets: 'CNAME example-net.cdn-a.example. ttl 60 scope 16',
		},
		{ says: 'CDN B beside it', ask: 'cdn AAAA 85.11.0.0/16', gets: 'CNAME example-net.cdn-b.example. ttl 60 scope 16' },
		{
			says: 'CDN B while A is down',
			down: ['example-net.cdn-a.example'],
			ask: 'cdn A 85.10.0.0/16',
			gets: 'CNAME example-net.cdn-b.example. ttl 30 scope 16',
		},
	],
	'maintenance-drain': [
		{ says: 'what does not drain, at the whole TTL', draw: 0, ask: 'www A', gets: 'A 192.0.2.12 ttl 60' },
		{ says: 'the same at any draw', draw: 0.99, ask: 'www AAAA', gets: 'AAAA 2001:db8:1::12 ttl 60' },
		{ says: 'the other site when the rest fails', down: ['192.0.2.12'], ask: 'www A', gets: 'A 198.51.100.13 ttl 30' },
	],
	apex: [
		{ says: 'addresses by policy', ask: '@ A', gets: 'A 192.0.2.10 ttl 30' },
		{ says: 'of both families', ask: '@ AAAA', gets: 'AAAA 2001:db8:1::10 ttl 30' },
		{ says: 'other types from the file', ask: '@ MX', gets: 'MX 10 mail.example.net. ttl 3600' },
		{ says: 'its name servers', ask: '@ NS', gets: 'NS ns1.example.net., NS ns2.example.net. ttl 3600' },
		{ says: 'NODATA for the rest', ask: '@ SRV', gets: 'NODATA ttl 300' },
		{ says: 'www in one answer', ask: 'www A', gets: 'CNAME example.net., A 192.0.2.10 ttl 3600' },
		{ says: 'the standby', down: ['192.0.2.10'], ask: '@ A', gets: 'A 198.51.100.10 ttl 15' },
	],
	wildcard: [
		{ says: 'any name below app', ask: 'tenant.app A', gets: 'A 192.0.2.10 ttl 30' },
		{ says: 'deeper names too', ask: 'a.b.app AAAA', gets: 'AAAA 2001:db8:1::10 ttl 30' },
		{ says: 'not a name that exists', ask: 'status.app A', gets: 'A 203.0.113.80 ttl 3600' },
		{ says: 'not its other types', ask: 'status.app AAAA', gets: 'NODATA ttl 300' },
		{ says: 'not what is below it', ask: 'a.status.app A', gets: 'NXDOMAIN ttl 300' },
		{ says: 'a policy of its own', ask: 'vip.app A', gets: 'A 198.51.100.10 ttl 30' },
		{ says: 'app itself is empty', ask: 'app A', gets: 'NODATA ttl 300' },
	],
	'ipv6-only': [
		{ says: 'the AAAA', draw: 0.9, ask: 'new AAAA', gets: 'AAAA 2001:db8:6::11 ttl 30' },
		{ says: 'NODATA for A', ask: 'new A', gets: 'NODATA ttl 30' },
		{ says: 'IPv6 from the new machines', ask: 'www AAAA', gets: 'AAAA 2001:db8:6::10 ttl 30' },
		{ says: 'IPv4 from the old ones', ask: 'www A', gets: 'A 192.0.2.10 ttl 30' },
		{
			says: 'IPv6 from the old ones when need be',
			down: ['2001:db8:6::10', '2001:db8:6::11'],
			ask: 'www AAAA',
			gets: 'AAAA 2001:db8:1::10 ttl 15',
		},
	],
	'shared-pools': [{ says: 'the common policy', ask: `@ A ${DE}`, gets: 'A 198.51.100.10 ttl 30 scope 10' }],
	'staging-production': [
		{ says: 'staging to testers', ask: 'www A 198.51.100.0/25', gets: 'A 192.0.2.20 ttl 30 scope 24' },
		{ says: 'to testers over IPv6', ask: 'www AAAA 2001:db8:40:1::/64', gets: 'AAAA 2001:db8:1::20 ttl 30 scope 48' },
		{ says: 'production to others', ask: `www A ${US}`, gets: 'A 192.0.2.10 ttl 30 scope 7' },
		{
			says: 'production while staging is down',
			down: ['192.0.2.20'],
			ask: 'www A 198.51.100.0/25',
			gets: 'A 192.0.2.10 ttl 15 scope 24',
		},
		{ says: 'staging to all by its name', ask: `staging A ${US}`, gets: 'A 192.0.2.20 ttl 5 scope 0' },
	],
	'private-networks': [
		{ says: 'inside hq', ask: 'www A 10.1.7.0/24', gets: 'A 10.1.0.10 ttl 30 scope 16' },
		{ says: 'inside hq, over IPv6', ask: 'www AAAA fd00:db8:1:7::/64', gets: 'AAAA fd00:db8:1::10 ttl 30 scope 48' },
		{ says: 'inside the branch', ask: 'www A 192.168.7.9/32', gets: 'A 10.2.0.10 ttl 30 scope 24' },
		{ says: 'private, but not listed', ask: 'www A 10.9.0.0/16', gets: 'A 192.0.2.10 ttl 30 scope 13' },
		{ says: 'the world', ask: `www A ${US}`, gets: 'A 192.0.2.10 ttl 30 scope 7' },
		{
			says: 'the internal address although it is down',
			down: ['10.1.0.10'],
			ask: 'www A 10.1.7.0/24',
			gets: 'A 10.1.0.10 ttl 15 scope 16',
		},
	],
	'own-site-else-cdn': [
		{ says: 'two of the own machines', ask: 'www A', gets: 'A 192.0.2.11, A 192.0.2.12 ttl 30' },
		{ says: 'no other types then', ask: 'www TXT', gets: 'NODATA ttl 30' },
		{
			says: 'the two that are left',
			down: ['192.0.2.11'],
			ask: 'www A',
			gets: 'A 192.0.2.12, A 192.0.2.13 ttl 15',
		},
		{
			says: 'the CDN when one is left',
			down: ['192.0.2.11', '192.0.2.12'],
			ask: 'www A',
			gets: 'CNAME example-net.cdn.example. ttl 15',
		},
		{
			says: 'IPv6 as long as that is healthy',
			down: ['192.0.2.11', '192.0.2.12'],
			ask: 'www AAAA',
			gets: 'AAAA 2001:db8:1::11, AAAA 2001:db8:1::12 ttl 30',
		},
		{
			says: 'the CDN for every type',
			down: ['192.0.2.11', '192.0.2.12', '2001:db8:1::11', '2001:db8:1::12'],
			ask: 'www TXT',
			gets: 'CNAME example-net.cdn.example. ttl 15',
		},
	],
};

/** The database that comes along knows no autonomous systems. */
const WITH_ASNS = combineGeoData([GEO, geoDataOf({ '85.10.0.0/16': { asn: 64500 } })]);

/** What a set-up says it needs. */
function specOf(name: string): SetupSpec {
	return name === 'two-cdns' ? { geo: WITH_ASNS } : {};
}

describe('zones/examples', () => {
	it('holds the set-ups that are tested here and listed in its README, and no others', () => {
		const folders = readdirSync(EXAMPLES, { withFileTypes: true })
			.filter((entry) => entry.isDirectory())
			.map(({ name }) => name);
		assert.deepEqual(folders.sort(), Object.keys(ROWS).sort());
		const readme = readFileSync(join(EXAMPLES, 'README.md'), 'utf8');
		const listed = [...readme.matchAll(/^\| \[([a-z0-9-]+)\]\(\1\/\S+\)/gm)].map(([, name = '']) => name);
		assert.deepEqual(listed.sort(), folders);
	});

	it('is not loaded with the zones around it', () => {
		const { zones, problems } = loadDirectory(join(EXAMPLES, '..'));
		assert.deepEqual(problems, []);
		assert.deepEqual(
			zones.map(({ unit }) => unit),
			['example.org.'],
		);
	});

	for (const [name, rows] of Object.entries(ROWS)) {
		it(`${name} has neither errors nor warnings`, () => {
			assert.deepEqual(new Setup(name, specOf(name)).problems, []);
		});
		if (rows.length === 0) continue;
		const setup = new Setup(name, specOf(name));
		for (const row of rows) {
			it(`${name}: ${row.ask} gets ${row.says}`, () => {
				const { responder } = setup;
				for (const { address } of responder.snapshot.targets) responder.setHealth(address, 'up');
				for (const address of row.down ?? []) responder.setHealth(address, 'down');
				for (const [address, ms] of Object.entries(row.rtt ?? {})) responder.setRtt(address, ms);
				responder.draw = row.draw ?? 0;
				assert.equal(setup.ask(row.ask), row.gets);
			});
		}
	}
});
