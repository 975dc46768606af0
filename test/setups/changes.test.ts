/**
 * What the comments in zones/examples promise beyond single answers: shares, stickiness, changing over, many zones.
 */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createChance } from '../../src/lib/chance.ts';
import { replaceIn, Setup } from './setup.ts';

const CANARY = '192.0.2.20';
const CLIENTS = 20_000;

/** Different networks of one length, anywhere. */
function clientNetworks(seed: number): readonly string[] {
	const chance = createChance(seed);
	const networks = new Set<string>();
	while (networks.size < CLIENTS) {
		networks.add(`${1 + chance.below(223)}.${chance.below(256)}.${chance.below(256)}.0/24`);
	}
	return [...networks];
}

function canaryClients(setup: Setup, networks: readonly string[]): ReadonlySet<string> {
	return new Set(networks.filter((network) => setup.ask(`www A ${network}`).startsWith(`A ${CANARY} `)));
}

function isWithin(measured: number, expected: number): boolean {
	// Five standard deviations of a share of CLIENTS draws.
	return Math.abs(measured / CLIENTS - expected) < 5 * Math.sqrt((expected * (1 - expected)) / CLIENTS);
}

describe('sticky-canary', () => {
	const networks = clientNetworks(1);
	const setup = new Setup('sticky-canary');
	const clients = canaryClients(setup, networks);

	it('shows the canary to 5 of 100 networks', () => {
		assert.ok(isWithin(clients.size, 0.05), `${clients.size} of ${CLIENTS}`);
	});

	it('shows it to the same ones again, in another process too', () => {
		setup.responder.draw = 0.99;
		assert.deepEqual(canaryClients(setup, networks), clients);
		assert.deepEqual(canaryClients(new Setup('sticky-canary'), networks), clients);
	});

	it('treats all of a /24 and all of a /56 alike, and says so in the scope', () => {
		const [network = ''] = clients;
		const host = network.replace('.0/24', '.77/32');
		assert.equal(setup.ask(`www A ${network}`), `A ${CANARY} ttl 30 scope 24`);
		assert.equal(setup.ask(`www A ${host}`), `A ${CANARY} ttl 30 scope 24`);
		const [one, other] = ['2a00:1450:1:2200::/56', '2a00:1450:1:22ff::/64'].map((text) =>
			setup.ask(`www AAAA ${text}`),
		);
		assert.match(one ?? '', / ttl 30 scope 56$/);
		assert.equal(one, other);
	});

	it('moves only newcomers when the share grows', () => {
		const grown = new Setup('sticky-canary', {
			edit: (folder) => {
				replaceIn(folder, 'example.net.yaml', 'use: stable, weight: 95', 'use: stable, weight: 80');
				replaceIn(folder, 'example.net.yaml', 'use: canary, weight: 5', 'use: canary, weight: 20');
			},
		});
		const after = canaryClients(grown, networks);
		assert.ok(isWithin(after.size, 0.2), `${after.size} of ${CLIENTS}`);
		assert.deepEqual(
			[...clients].filter((client) => !after.has(client)),
			[],
		);
	});

	it('gives stable to all while the canary is down, and at weight 0 the canary to nobody', () => {
		const fallen = new Setup('sticky-canary');
		fallen.responder.setHealth(CANARY, 'down');
		const [network = ''] = clients;
		assert.equal(fallen.ask(`www A ${network}`), 'A 192.0.2.10 ttl 15 scope 24');
		assert.equal(canaryClients(fallen, networks).size, 0);
		const ended = new Setup('sticky-canary', {
			edit: (folder) => replaceIn(folder, 'example.net.yaml', 'use: canary, weight: 5', 'use: canary, weight: 0'),
		});
		assert.equal(canaryClients(ended, networks).size, 0);
		ended.responder.setHealth('192.0.2.10', 'down');
		assert.equal(canaryClients(ended, networks).size, CLIENTS);
	});
});

describe('changing over', () => {
	interface Change {
		readonly setup: string;
		readonly says: string;
		readonly edits: readonly (readonly [text: string, by: string])[];
		readonly ask: string;
		readonly before: string;
		readonly after: string;
	}
	const CHANGES: readonly Change[] = [
		{
			setup: 'blue-green',
			says: 'swapping the weights gives green to all',
			edits: [
				['use: blue, weight: 1', 'use: blue, weight: 0'],
				['use: green, weight: 0', 'use: green, weight: 1'],
			],
			ask: 'www A',
			before: 'A 192.0.2.10 ttl 30',
			after: 'A 192.0.2.20 ttl 30',
		},
		{
			setup: 'active-passive',
			says: 'state down at the primary moves all to the standby',
			edits: [['  primary:\n', '  primary:\n    state: down\n']],
			ask: 'www A',
			before: 'A 192.0.2.10 ttl 30',
			after: 'A 198.51.100.10 ttl 30',
		},
		{
			setup: 'maintenance-drain',
			says: 'state auto brings the machine back',
			edits: [['state: drain }', 'state: auto }']],
			ask: 'www A',
			before: 'A 192.0.2.12 ttl 60',
			after: 'A 192.0.2.11 ttl 60',
		},
		{
			setup: 'maintenance-drain',
			says: 'a whole site drains at its pool, at the whole TTL',
			edits: [['  site:\n', '  site:\n    state: drain\n']],
			ask: 'www A',
			before: 'A 192.0.2.12 ttl 60',
			after: 'A 198.51.100.13 ttl 60',
		},
		{
			setup: 'eu-latency',
			says: 'without the fence Europe leaves when all of it is down',
			edits: [['          fence: true\n', '']],
			ask: 'www A 84.128.0.0/24',
			before: 'A 192.0.2.10 ttl 15 scope 10',
			after: 'A 203.0.113.10 ttl 15 scope 10',
		},
	];
	for (const { setup, says, edits, ask, before, after } of CHANGES) {
		it(`${setup}: ${says}`, () => {
			const edit = (folder: string) => {
				for (const [text, by] of edits) replaceIn(folder, 'example.net.yaml', text, by);
			};
			const both = [new Setup(setup), new Setup(setup, { edit })];
			const europe = setup === 'eu-latency' ? ['192.0.2.10', '198.51.100.10'] : [];
			for (const { responder } of both) for (const address of europe) responder.setHealth(address, 'down');
			assert.deepEqual(
				both.map((one) => one.ask(ask)),
				[before, after],
			);
		});
	}
});

describe('private-networks', () => {
	it('counts the address of a resolver that sends no client subnet', () => {
		const setup = new Setup('private-networks');
		const addressFor = (resolver: string) => setup.message('www A', 'example.net', resolver).answer[0]?.rdataText;
		assert.equal(addressFor('10.1.0.53'), '10.1.0.10');
		assert.equal(addressFor('8.8.8.8'), '192.0.2.10');
	});
});

describe('two-cdns', () => {
	it('gives CDN B to all without a database that knows autonomous systems, and a warning', () => {
		const setup = new Setup('two-cdns');
		assert.equal(setup.ask('cdn A 85.10.0.0/16'), 'CNAME example-net.cdn-b.example. ttl 60 scope 3');
		assert.equal(setup.problems.length, 1);
		assert.match(setup.problems[0] ?? '', /warning: .*asns: No loaded database has data of asn/);
	});
});

describe('shared-pools', () => {
	const ZONES = 50;
	const apexes = Array.from({ length: ZONES }, (_, i) => `brand-${i}.example`);
	const setup = new Setup('shared-pools', {
		edit: (folder) => {
			for (const ending of ['zone', 'yaml']) {
				const text = readFileSync(join(folder, `example.net.${ending}`), 'utf8');
				for (const apex of apexes) writeFileSync(join(folder, `${apex}.${ending}`), text);
			}
		},
	});
	const all = ['example.net', 'example.com', ...apexes];
	const answers = (question: string) => new Set(all.map((apex) => setup.ask(question, apex)));

	it(`probes each machine once for ${ZONES} zones more`, () => {
		assert.deepEqual(setup.problems, []);
		assert.equal(setup.responder.snapshot.zones.zoneCount, ZONES + 2);
		assert.equal(setup.responder.snapshot.targets.length, new Setup('shared-pools').responder.snapshot.targets.length);
	});

	it('changes the answers of all zones at once', () => {
		assert.deepEqual(answers('www A 84.128.0.0/24'), new Set(['A 198.51.100.10 ttl 30 scope 10']));
		setup.responder.setHealth('198.51.100.10', 'down');
		assert.deepEqual(answers('www A 84.128.0.0/24'), new Set(['A 192.0.2.10 ttl 15 scope 10']));
		assert.deepEqual(answers('@ AAAA'), new Set(['AAAA 2001:db8:1::10 ttl 30']));
	});
});
