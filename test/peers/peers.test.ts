/**
 * The same generated zones and questions to Meridian, NSD, Knot and BIND: every answer is equal, or the difference is a
 * row in differences.ts. PEER_ZONES and PEER_SEED widen the run.
 */

import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createChance } from '../../src/lib/chance.ts';
import { makeQuery } from '../dns/make-query.ts';
import { ended } from '../setup/ended.ts';
import { freePort } from '../setup/free-port.ts';
import { essence } from './compare.ts';
import { DIFFERENCES } from './differences.ts';
import { askAll, type Peer, startMeridian, startPeer } from './servers.ts';
import { type GeneratedZone, generateZones } from './zone-generator.ts';

const ZONES = Number(process.env['PEER_ZONES'] ?? 20);
const SEED = Number(process.env['PEER_SEED'] ?? 1);
const QUESTIONS = 200;

describe(`answers to ${ZONES} generated zones with ${QUESTIONS} questions each, seed ${SEED}`, () => {
	const directory = mkdtempSync(join(tmpdir(), 'meridian-peers-'));
	const chance = createChance(SEED);
	const zones = generateZones(ZONES, chance, QUESTIONS);
	const questions = zones.flatMap((zone) => zone.questions.map((question) => ({ ...question, zone })));
	const queries = questions.map(({ name, type }) => makeQuery({ name, type, flags: 0, edns: {} }));
	const files = writeZones(directory, zones);
	let meridian: ChildProcess | undefined;
	let ours: readonly string[] = [];

	before(async () => {
		const port = await freePort();
		meridian = await startMeridian(directory, port);
		ours = (await askAll(port, queries)).map(essence);
	});
	after(async () => {
		if (meridian !== undefined) await ended(meridian);
		rmSync(directory, { recursive: true, force: true });
	});

	for (const name of ['nsd', 'knot', 'bind']) {
		it(`agree with ${name}, or differ in a way that is written down`, async (test) => {
			const peer: Peer | undefined = await startPeer(name, directory, files);
			if (peer === undefined) return test.skip(`${name} is not on this machine`);
			let theirs: readonly string[];
			try {
				theirs = (await askAll(peer.port, queries)).map(essence);
			} finally {
				await peer.stop();
			}
			const rows = DIFFERENCES.filter((row) => row.peer === name);
			const children = zones.filter((zone) => isBelowAnother(zone, zones)).map(({ apex }) => apex.toLowerCase());
			for (const [i, { name: asked, type, zone }] of questions.entries()) {
				// NSD keeps the names of all zones in one tree, and names of a parent exist in its child and the other way round.
				if (name === 'nsd' && hasRelative(zone, zones)) continue;
				const one = ours[i] ?? '';
				const other = theirs[i] ?? '';
				if (one === other || rows.some(({ explains }) => explains(one, other, children))) continue;
				assert.equal(one, other, `${asked} ${type}\n${zone.text}`);
			}
			assert.equal(theirs.length, ZONES * QUESTIONS);
		});
	}
});

function isBelowAnother({ apex }: GeneratedZone, zones: readonly GeneratedZone[]): boolean {
	return zones.some((other) => other.apex !== apex && apex.endsWith(`.${other.apex}`));
}

/** Whether another of the zones lies above or below one. */
function hasRelative({ apex }: GeneratedZone, zones: readonly GeneratedZone[]): boolean {
	return zones.some(
		(other) => other.apex !== apex && (other.apex.endsWith(`.${apex}`) || apex.endsWith(`.${other.apex}`)),
	);
}

/** Ours by the names of their apexes; the peers' by number, for they read % in a path in their own ways. */
function writeZones(directory: string, zones: readonly GeneratedZone[]): { apex: string; path: string }[] {
	mkdirSync(join(directory, 'zones'));
	mkdirSync(join(directory, 'peers'));
	return zones.map(({ apex, text }, i) => {
		// A dot inside a label stands as %2E in a file name.
		writeFileSync(join(directory, 'zones', `${apex.slice(0, -1).replaceAll('\\.', '%2E')}.zone`), text);
		const path = join(directory, 'peers', `${i}.zone`);
		writeFileSync(path, text);
		return { apex, path };
	});
}
