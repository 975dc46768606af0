/**
 * The same geo map and the same database on Meridian and on gdnsd, Knot and PowerDNS: every client network gets the same
 * answer, from gdnsd with the same scope too, or the difference is a row in geo-differences.ts. GEO_PEER_SEED draws others.
 */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readMessage } from '../../src/dns/message-text.ts';
import { readMmdbFile } from '../../src/geo/mmdb-file.ts';
import { createChance } from '../../src/lib/chance.ts';
import type { Prefix } from '../../src/lib/prefix.ts';
import { defaultGeodbPath } from '../../src/roles/geodb.ts';
import { makeQuery } from '../dns/make-query.ts';
import { prefix } from '../geo/oracle.ts';
import { GEO_DIFFERENCES, type GeoReply } from './geo-differences.ts';
import { APEX, type MapName, networksOf } from './geo-map.ts';
import { type ClientNetwork, randomNetworks } from './geo-networks.ts';
import { startGeoPeer, startOurs, writePeersDatabase } from './geo-servers.ts';
import { askAll, type Peer } from './servers.ts';

const SEED_USUAL = 1;
const SEED = Number(process.env['GEO_PEER_SEED'] ?? SEED_USUAL);
const NETWORKS = 20_000;

interface Comparison {
	readonly peer: string;
	readonly names: readonly MapName[];
	/** Of NETWORKS, how many are asked about. */
	readonly count: number;
	readonly isScopeCompared: boolean;
	/** Of all comparisons, at most this share may fall under the rows. */
	readonly shareMax: number;
}

const COMPARISONS: readonly Comparison[] = [
	{ peer: 'gdnsd', names: ['world'], count: NETWORKS, isScopeCompared: true, shareMax: 0.12 },
	{ peer: 'knot', names: ['continents', 'countries'], count: 5000, isScopeCompared: false, shareMax: 0.03 },
	{ peer: 'pdns', names: ['continents', 'countries'], count: 5000, isScopeCompared: false, shareMax: 0.03 },
];

describe(`a geo map asked by ${NETWORKS} client networks, seed ${SEED},`, () => {
	const directory = mkdtempSync(join(tmpdir(), 'meridian-geo-'));
	const geodb = join(directory, 'country.mmdb');
	let networks: readonly ClientNetwork[] = [];
	let ours: Peer | undefined;

	before(async () => {
		writePeersDatabase(geodb);
		networks = randomNetworks(NETWORKS, readMmdbFile(defaultGeodbPath()).ranges, createChance(SEED));
		ours = await startOurs(directory);
	});
	after(async () => {
		await ours?.stop();
		rmSync(directory, { recursive: true, force: true });
	});

	for (const { peer: name, names, count, isScopeCompared, shareMax } of COMPARISONS) {
		const what = isScopeCompared ? 'answer and scope are' : 'the answer is';
		it(`${what} that of ${name} for ${count} networks, or differ in a way that is written down`, async (test) => {
			const peer = await startGeoPeer(name, directory, geodb);
			if (peer === undefined) return test.skip(`${name} is not on this machine`);
			const asked = names.flatMap((map) => networks.slice(0, count).map((client) => ({ map, client })));
			const queries = asked.map(({ map, client }) =>
				makeQuery({ name: `${map}.${APEX}`, flags: 0, edns: { subnet: client.text } }),
			);
			let theirs: readonly GeoReply[];
			try {
				theirs = (await askAll(peer.port, queries)).map(geoReply);
			} finally {
				await peer.stop();
			}
			const own = (await askAll(ours?.port ?? 0, queries)).map(geoReply);
			const pairs = asked.map((question, i) => ({
				...question,
				ours: own[i] ?? UNREADABLE,
				theirs: theirs[i] ?? UNREADABLE,
			}));
			const { tally, unexplained } = explain(name, isScopeCompared, pairs);
			assert.deepEqual(unexplained, []);
			const differing = [...tally.values()].reduce((sum, one) => sum + one, 0);
			test.diagnostic(`${asked.length - differing} of ${asked.length} are equal`);
			for (const [row, times] of tally) test.diagnostic(`${times}: ${row}`);
			assert.ok(differing <= shareMax * asked.length, `${differing} of ${asked.length} differ`);
			// Other seeds may miss a row that few networks fall under.
			if (SEED !== SEED_USUAL) return;
			for (const [row, times] of tally) assert.notEqual(times, 0, `Out of date, for it explains nothing: ${row}`);
		});
	}
});

const prefixes: Readonly<Record<MapName, readonly Prefix[]>> = {
	world: networksOf('world').map(prefix),
	countries: networksOf('countries').map(prefix),
	continents: networksOf('continents').map(prefix),
};
interface Pair {
	readonly map: MapName;
	readonly client: ClientNetwork;
	readonly ours: GeoReply;
	readonly theirs: GeoReply;
}

/** How many pairs that differ fall under each row, and those that fall under none. */
function explain(peer: string, isScopeCompared: boolean, pairs: readonly Pair[]) {
	const rows = GEO_DIFFERENCES.filter(({ peers }) => peers.includes(peer));
	const tally = new Map(rows.map(({ what }) => [what, 0]));
	const unexplained: string[] = [];
	for (const { map, client, ours, theirs } of pairs) {
		if (ours.answer === theirs.answer && (!isScopeCompared || ours.scope === theirs.scope)) continue;
		const row = rows.find(({ explains }) => explains(client.network, ours, theirs, prefixes[map]));
		if (row === undefined) unexplained.push(`${map} ${client.text}: ${print(ours)}, ${peer} ${print(theirs)}`);
		else tally.set(row.what, (tally.get(row.what) ?? 0) + 1);
	}
	return { tally, unexplained };
}

const UNREADABLE: GeoReply = { answer: 'unreadable', scope: -1 };

function geoReply(octets: Uint8Array): GeoReply {
	const message = readMessage(octets);
	if (typeof message === 'string') return UNREADABLE;
	const answer = [message.rcode, ...message.answer.map(({ type, rdataText }) => `${type} ${rdataText}`)].join(' ');
	return { answer, scope: message.opt?.subnet?.scope ?? -1 };
}

function print({ answer, scope }: GeoReply): string {
	return `${answer} scope ${scope}`;
}
