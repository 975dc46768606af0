/**
 * What is answered is among what may be answered: worlds of pools and nested policies drawn at random, each with its
 * health, each name asked for by clients of several places in both families, beside the outcomes of plain-outcomes.ts.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Message } from '../../src/dns/message-text.ts';
import type { Place } from '../../src/geo/place.ts';
import { createChance } from '../../src/lib/chance.ts';
import type { Chance } from '../../src/lib/ports.ts';
import { replyText } from '../serve/reply-text.ts';
import { responderOf } from '../serve/responder-of.ts';
import {
	type Outcome,
	outcomesOf,
	type PlainClient,
	type PlainPolicy,
	type PlainPool,
	type Use,
} from './plain-outcomes.ts';

const WORLDS = 60;
/** Of each name by each client: a draw may come out in several ways. */
const ASKED = 4;
/** MINIMUM of the zone. */
const NEGATIVE_SEC = 60;

const at = (latitude: number, longitude: number) => ({
	coordinates: { latitude, longitude, precision: 'database' as const },
});
const PLACES: Readonly<Record<string, Partial<Place>>> = {
	'1.0.0.0/8': { country: 'DE', continent: 'EU', ...at(51, 9) },
	'2.0.0.0/8': { country: 'FR', continent: 'EU', ...at(46, 2) },
	'3.0.0.0/8': { country: 'US', continent: 'NA', subdivision: 'US-CA', ...at(37, -120) },
	'4.0.0.0/8': { country: 'US', continent: 'NA', ...at(39, -77) },
	'5.0.0.0/8': { country: 'JP', continent: 'AS', asn: 64500, ...at(35, 139) },
};
const REGIONS = {
	eu: { latitude: 53, longitude: -6 },
	rhine: { latitude: 50, longitude: 8 },
	us: { latitude: 39, longitude: -77 },
	ap: { latitude: 35, longitude: 139 },
};
const NETWORKS = { wide: ['1.2.0.0/16'], narrow: ['1.2.3.0/24', '3.4.0.0/16'], private: ['10.0.0.0/8'] };
const CLIENTS: Readonly<Record<string, PlainClient>> = {
	'1.9.9.0': { place: PLACES['1.0.0.0/8'] ?? {}, networks: [] },
	'1.2.9.0': { place: PLACES['1.0.0.0/8'] ?? {}, networks: ['wide'] },
	'1.2.3.0': { place: PLACES['1.0.0.0/8'] ?? {}, networks: ['narrow', 'wide'] },
	'2.1.1.0': { place: PLACES['2.0.0.0/8'] ?? {}, networks: [] },
	'3.1.1.0': { place: PLACES['3.0.0.0/8'] ?? {}, networks: [] },
	'3.4.1.0': { place: PLACES['3.0.0.0/8'] ?? {}, networks: ['narrow'] },
	'4.4.4.0': { place: PLACES['4.0.0.0/8'] ?? {}, networks: [] },
	'5.5.5.0': { place: PLACES['5.0.0.0/8'] ?? {}, networks: [] },
	'9.9.9.0': { place: {}, networks: [] },
	'10.1.1.0': { place: {}, networks: ['private'] },
};
const CLAIMS = [
	{ networks: ['wide'] },
	{ networks: ['narrow'] },
	{ networks: ['private'] },
	{ countries: ['DE'] },
	{ countries: ['US'] },
	{ continents: ['EU'] },
	{ continents: ['NA'] },
	{ subdivisions: ['US-CA'] },
	{ asns: [64500] },
];

describe('what a steered name gives', () => {
	it(`is what may come of it, in ${WORLDS} drawn worlds`, () => {
		for (let seed = 1; seed <= WORLDS; seed++) checkWorld(seed);
	});
});

function checkWorld(seed: number): void {
	const drawn = new Drawn(createChance(Math.imul(seed, 0x9e3779b1)));
	const pools = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, drawn.pool()]));
	const policies = { p: drawn.policy(2), q: drawn.policy(2) };
	const ttlSec = drawn.pick([3, 6, 30, 300]);
	const names = Object.fromEntries(Object.keys(policies).map((name) => [name, { policy: name, ttl: `${ttlSec}s` }]));
	const monitors = { m: { kind: 'tcp', port: 80 } };
	const steering = { regions: REGIONS, networks: NETWORKS, monitors, pools, policies, names };
	const responder = responderOf({ zones: [{ apex: 'example.org.', text: '', steering }], geo: PLACES });
	Object.defineProperty(responder, 'draw', { get: () => drawn.chance.below(1_000_000) / 1_000_000 });

	for (const downOfTen of [0, 3, 7, 10]) {
		const down = new Set(probedOf(pools).filter(() => drawn.isOneOf(downOfTen, 10)));
		for (const address of probedOf(pools)) responder.setHealth(address, down.has(address) ? 'down' : 'up');
		const world = { pools, policies, regions: REGIONS, down };
		for (const { name, client, family } of questionsAbout(Object.keys(names))) {
			const outcomes = outcomesOf(world, name, family, CLIENTS[client] ?? { place: {}, networks: [] }, ttlSec);
			const type = family === 4 ? 'A' : 'AAAA';
			for (let i = 0; i < ASKED; i++) {
				const reply = responder.ask({ name: `${name}.example.org.`, type, edns: { subnet: `${client}/24` } });
				if (outcomes.some((outcome) => isSame(outcome, reply))) continue;
				const may = outcomes.map((outcome) => JSON.stringify({ ...outcome, among: [...outcome.among] }));
				const told = JSON.stringify({ pools, policies, down: [...down] });
				assert.fail(`seed ${seed}, ${name} ${type} for ${client}:\n${replyText(reply)}\n${may.join('\n')}\n${told}`);
			}
		}
	}
}

function probedOf(pools: Readonly<Record<string, PlainPool>>): readonly string[] {
	const probed = Object.values(pools).filter(({ monitor }) => monitor !== undefined);
	return probed.flatMap(({ endpoints }) => endpoints.flatMap(({ addresses }) => addresses));
}

function questionsAbout(names: readonly string[]) {
	return names.flatMap((name) =>
		Object.keys(CLIENTS).flatMap((client) => ([4, 6] as const).map((family) => ({ name, client, family }))),
	);
}

function isSame({ kind, ttlSec, count, among }: Outcome, { rcode, answer, authority }: Message): boolean {
	if (kind === 'servfail') return rcode === 'SERVFAIL';
	if (rcode !== 'NOERROR' || answer.length !== count) return false;
	if (kind === 'nodata') return authority[0]?.ttlSec === Math.min(NEGATIVE_SEC, ttlSec);
	const given = new Set(answer.map(({ rdataText }) => rdataText));
	return given.size === count && answer.every((one) => one.ttlSec === ttlSec && among.has(one.rdataText));
}

class Drawn {
	readonly chance: Chance;
	#addresses = 0;

	constructor(chance: Chance) {
		this.chance = chance;
	}

	isOneOf(some: number, all: number): boolean {
		return this.chance.below(all) < some;
	}

	pick<T>(from: readonly T[]): T {
		return from[this.chance.below(from.length)] as T;
	}

	pool(): PlainPool {
		const families = this.pick([['4'], ['6'], ['4', '6', '46', '446']]);
		const state = () => (this.isOneOf(1, 8) ? { state: this.pick(['up', 'down', 'drain'] as const) } : {});
		const endpoints = Array.from({ length: 1 + this.chance.below(4) }, (_, i) => ({
			name: `e${i}`,
			addresses: [...this.pick(families)].map((family) => this.#address(family)),
			...(this.isOneOf(1, 2) ? { weight: this.chance.below(3) } : {}),
			...state(),
		}));
		return {
			region: this.pick(Object.keys(REGIONS)),
			endpoints,
			...(this.isOneOf(4, 5) ? { monitor: 'm' } : {}),
			...(this.isOneOf(2, 5) ? { minHealthy: this.pick([2, 3, 4, '1%', '34%', '50%', '100%']) } : {}),
			...(this.isOneOf(1, 2) ? { onAllDown: this.pick(['all', 'nodata', 'servfail'] as const) } : {}),
			...(this.isOneOf(1, 3) ? { noAddress: 'pass' } : {}),
			...(this.isOneOf(1, 2) ? { answers: 1 + this.chance.below(8) } : {}),
			...(this.isOneOf(1, 3) ? { by: 'client' } : {}),
			...state(),
		};
	}

	#address(family: string): string {
		const number = ++this.#addresses;
		return family === '4' ? `203.0.113.${number}` : `2001:db8::${number.toString(16)}`;
	}

	policy(depth: number): PlainPolicy {
		const kind = this.pick(['failover', 'weighted', 'geo', 'all', 'proximity', 'latency', 'failover', 'geo'] as const);
		const some = <T>(make: () => T): T[] => Array.from({ length: 1 + this.chance.below(3) }, make);
		switch (kind) {
			case 'latency':
				return { kind, members: some(() => this.#poolName()) };
			case 'proximity': {
				const bias = () => this.pick([0, 0, 50, -50]);
				return { kind, members: some(() => ({ use: this.#poolName(), weight: this.chance.below(3), bias: bias() })) };
			}
			case 'weighted': {
				const by = this.pick(['query', 'client']);
				return { kind, by, members: some(() => ({ use: this.#use(depth), weight: this.chance.below(3) })) };
			}
			case 'geo': {
				const claims = CLAIMS.filter(() => this.isOneOf(1, 2));
				const rules = claims.map((match) => ({ match, use: this.#use(depth), fence: this.isOneOf(1, 4) }));
				return { kind, rules, ...(this.isOneOf(2, 3) ? { default: this.#use(depth) } : {}) };
			}
			default: {
				const trickle = kind === 'failover' && this.isOneOf(1, 5) ? { trickle: '30%' } : {};
				return { kind, members: some(() => this.#use(depth)), ...trickle };
			}
		}
	}

	#poolName(): string {
		return this.pick(['a', 'b', 'c', 'd', 'e']);
	}

	#use(depth: number): Use {
		return depth === 0 || this.isOneOf(1, 2) ? this.#poolName() : this.policy(depth - 1);
	}
}
