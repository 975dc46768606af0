/**
 * A fleet on one machine: a redis-server, instances, a prober in each of three regions, a backend for each endpoint, and
 * a load whose every answer is looked at.
 *
 *     backends 127.x  <--- probers eu, us, ap ---> Redis <--- instances <--- load
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { applyToFleet } from '../roles/apply-to-fleet.ts';
import {
	fetchJson,
	type Instance,
	type Meridian,
	runMeridian,
	startInstance,
	until,
} from '../roles/meridian-process.ts';
import { GOOD_ZONE, scratch } from '../roles/scratch.ts';
import { freePort } from '../setup/free-port.ts';
import { type QueryLoad, startLoad, type Tally } from './query-load.ts';

export const REGIONS = ['eu', 'us', 'ap'] as const;
export type Region = (typeof REGIONS)[number];

/** Of the monitor of all endpoints. */
export const INTERVAL_MS = 200;
const TIMEOUT_MS = 150;
export const FALL = 3;
/** Within which a fleet is well again, whatever it went through. */
export const HEAL_MS_MAX = 20_000;
/** From the death of an endpoint until it is in no answer, with three probers in three regions. */
export const LEAVE_MS = FALL * INTERVAL_MS + TIMEOUT_MS + 2000;
export const LEASE_MS = 10_000;
export const GUARD_HOLD_MS = 1000;
/** Until an instance answers again, whatever has become of Redis. */
const BOOT_MS_MAX = 5000;
export const FLEET_KEY = 'the-key-of-a-fleet-under-test';
const SETTLE_MS_MAX = 30_000;
export const NAME = 'www.example.org';

const ADDRESSES: Readonly<Record<Region, readonly string[]>> = {
	eu: ['127.61.1.1', '127.61.1.2'],
	us: ['127.61.2.1', '127.61.2.2'],
	ap: ['127.61.3.1', '127.61.3.2'],
};

export interface Prober extends Meridian {
	readonly region: Region;
	readonly admin: string;
}

export interface FleetOptions {
	/** What processes are told of Redis. */
	readonly url: string;
	/** What instances are told, and who changes the configuration; the same by default. */
	readonly serveUrl?: string;
	readonly adminUrl?: string;
	/** Settings of all of them. */
	readonly env?: Readonly<Record<string, string>>;
	/** By name of an instance, or region of a prober: folders of their own for others. */
	readonly stateDirs?: Readonly<Record<string, string>>;
	readonly rate: number;
	/** Redis by another way, for some probers. */
	readonly proberUrls?: Partial<Record<Region, string>>;
	/** With a prober; the endpoints are those of all. */
	readonly regions?: readonly Region[];
	/** What `dns-1` and the prober of `eu` take for the time of day: `+3600` in it is an hour later. */
	readonly clockFile?: string;
}

/** Lies between a process and the clock of its machine. */
export const [FAKETIME] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1');

export class Fleet {
	readonly #t: TestContext;
	readonly #options: FleetOptions;
	readonly #port: number;
	readonly #backends = new Map<string, Backend>();
	readonly #stateDirs: Map<string, string>;
	readonly #lost: string[] = [];
	instances: Instance[] = [];
	/** What a start takes on this machine, beside all else that starts. */
	#usualMs = 0;
	readonly probers = new Map<Region, Prober>();
	load: QueryLoad = undefined as unknown as QueryLoad;

	private constructor(t: TestContext, options: FleetOptions, port: number) {
		this.#t = t;
		this.#options = options;
		this.#port = port;
		this.#stateDirs = new Map(Object.entries(options.stateDirs ?? {}));
	}

	/** Everything up, every endpoint in the answers of both instances, and the load begun. */
	static async start(t: TestContext, options: FleetOptions): Promise<Fleet> {
		const { regions = REGIONS } = options;
		const fleet = new Fleet(t, options, await freePort());
		for (const address of fleet.addresses) await fleet.revive(address);
		await fleet.apply();
		const startMs = performance.now();
		const starts = regions.map((region) => fleet.startProber(region));
		fleet.instances = await Promise.all(['dns-1', 'dns-2'].map((name) => fleet.startInstance(name)));
		fleet.#usualMs = performance.now() - startMs;
		await Promise.all(starts);
		const ports = fleet.instances.map(({ port }) => port);
		await until('every prober to be heard', SETTLE_MS_MAX, async () =>
			(await fleet.reports()).every(({ probers }) => probers.filter(({ alive }) => alive).length === regions.length),
		);
		fleet.load = await startLoad(t, ports, NAME, options.rate);
		await fleet.untilServed(fleet.addresses);
		return fleet;
	}

	get addresses(): readonly string[] {
		return REGIONS.flatMap((region) => ADDRESSES[region]);
	}

	addressesOf(region: Region): readonly string[] {
		return ADDRESSES[region];
	}

	async apply({ ttl = '5s' } = {}): Promise<void> {
		const endpoints = this.addresses.map((address, i) => `{ name: e${i}, addresses: [${address}] }`);
		const zones = scratch(this.#t, {
			'example.org.zone': GOOD_ZONE.replace(/^www.*$/m, ''),
			'example.org.yaml': `
monitors: { web: { kind: tcp, port: ${this.#port}, interval: ${INTERVAL_MS}ms, timeout: ${TIMEOUT_MS}ms, fall: ${FALL}, rise: 2, maxFlips: 1000 } }
pools: { www: { monitor: web, answers: 2, endpoints: [${endpoints.join(', ')}] } }
names: { www: { policy: www, ttl: ${ttl} } }
`,
		});
		const { url, adminUrl = url } = this.#options;
		await applyToFleet(this.#t, zones, { url: adminUrl, env: this.#environment(false) });
	}

	/** @param port  undefined for any */
	async startInstance(name: string, port?: number): Promise<Instance> {
		const { url, serveUrl = url } = this.#options;
		return startInstance(this.#t, {
			zonesDir: '/nowhere',
			stateDir: this.#stateDirOf(name),
			command: 'serve',
			...(port === undefined ? {} : { port }),
			more: ['--redis-url', serveUrl, '--instance', name, '--health-guard-hold', `${GUARD_HOLD_MS}ms`],
			env: this.#environment(name === 'dns-1'),
		});
	}

	#environment(hasOwnClock: boolean): Readonly<Record<string, string>> {
		const { clockFile, env = {} } = this.#options;
		const key = { MERIDIAN_FLEET_KEY: FLEET_KEY, ...env };
		if (clockFile === undefined || FAKETIME === undefined || !hasOwnClock) return key;
		const faked = { FAKETIME_TIMESTAMP_FILE: clockFile, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
		return { ...key, ...faked, LD_PRELOAD: FAKETIME };
	}

	/** @param more  settings of this one alone */
	async startProber(region: Region, more: Readonly<Record<string, string>> = {}): Promise<Prober> {
		const { url, proberUrls = {} } = this.#options;
		const args = ['probe', '--region', region, '--instance', `${region}-1`, '--redis-url', proberUrls[region] ?? url];
		const state = ['--state-dir', this.#stateDirOf(region), '--admin-listen', '127.0.0.1:0'];
		const env = { ...this.#environment(region === 'eu'), ...more };
		const process = runMeridian(this.#t, [...args, ...state, '--probe-allow', '127.0.0.0/8'], { env });
		await until(`the prober of ${region}`, SETTLE_MS_MAX, () => / ends; what it has/.test(process.stdout));
		const admin = /(http:\/\/\S+)\/readyz/.exec(process.stdout)?.[1] ?? '';
		const prober = Object.defineProperties(
			{},
			{
				...Object.getOwnPropertyDescriptors(process),
				...Object.getOwnPropertyDescriptors({ region, admin }),
			},
		) as Prober;
		this.probers.set(region, prober);
		return prober;
	}

	async killProber(region: Region): Promise<void> {
		const prober = this.prober(region);
		prober.signal('SIGKILL');
		await prober.exit;
	}

	prober(region: Region): Prober {
		const prober = this.probers.get(region);
		assert(prober !== undefined, `there is no prober of ${region}`);
		return prober;
	}

	/** Kill an instance, and start it again: it answers within BOOT_MS_MAX, or in what a start takes here anyway. */
	async restartInstance(index: number): Promise<void> {
		const before = this.instances[index];
		assert(before !== undefined);
		await this.load.pause(before.port);
		before.signal('SIGKILL');
		await before.exit;
		const startMs = performance.now();
		this.instances[index] = await this.startInstance(`dns-${index + 1}`, before.port);
		const tookMs = performance.now() - startMs;
		await this.load.resume(before.port);
		assert(tookMs < Math.max(BOOT_MS_MAX, this.#usualMs), `it answered after ${tookMs} ms`);
	}

	#stateDirOf(name: string): string {
		const directory = this.#stateDirs.get(name) ?? join(scratch(this.#t), 'state');
		this.#stateDirs.set(name, directory);
		return directory;
	}

	async die(...addresses: readonly string[]): Promise<void> {
		await Promise.all(addresses.map((address) => this.#backends.get(address)?.close()));
	}

	async revive(...addresses: readonly string[]): Promise<void> {
		for (const address of addresses) this.#backends.set(address, await startBackend(this.#t, address, this.#port));
	}

	async reports(): Promise<readonly FleetReportBody[]> {
		const bodies = await Promise.all(this.instances.map(({ admin }) => fetchJson(`${admin}/v1/fleet`)));
		return bodies.map(({ body }) => body as FleetReportBody);
	}

	/** What has been answered since the last look; nothing may have been lost or empty, and nobody else's address told. */
	async look(): Promise<Tally> {
		const tally = await this.load.tally();
		if (tally.lost > 0) this.#lost.push(`${tally.lost} lost at ${[...tally.lostAt].join()} after ${performance.now()}`);
		if (tally.empty > 0) this.#lost.push(`${tally.empty} of ${tally.answered} empty`);
		for (const key of tally.seen.keys())
			if (!this.addresses.includes(key.split(' ')[1] ?? '')) this.#lost.push(`a foreign address: ${key}`);
		return tally;
	}

	/** @throws AssertionError when a query was lost, or an answer was empty, since the start */
	async assertNothingLost(): Promise<void> {
		await this.look();
		assert.deepEqual(this.#lost, []);
	}

	/** Every one of these is in the answers of every instance. */
	async untilServed(addresses: readonly string[], limitMs = SETTLE_MS_MAX): Promise<void> {
		const missing = new Set(this.#keysOf(addresses));
		await until(`${addresses.join(', ')} to be served`, limitMs, async () => {
			for (const key of (await this.look()).seen.keys()) missing.delete(key);
			return missing.size === 0;
		});
	}

	/** An endpoint that dies leaves in time, and comes back: all that a fleet is for works. */
	async assertWorks(): Promise<void> {
		const [first = ''] = this.addresses;
		await this.die(first);
		await this.assertLeaves([first], LEAVE_MS);
		await this.revive(first);
		await this.untilServed(this.addresses);
	}

	/** As every instance tells. */
	async untilStoreIs(kind: string): Promise<void> {
		await until(`the store to be ${kind}`, HEAL_MS_MAX, async () =>
			(await this.reports()).every(({ store }) => store.kind === kind),
		);
	}

	/**
	 * None of these is in an answer any more, `limitMs` from now; a machine that stood still meanwhile has so much longer.
	 * @returns when the last of them was seen, counted from now
	 */
	async assertLeaves(addresses: readonly string[], limitMs: number): Promise<number> {
		const keys = this.#keysOf(addresses);
		const startMs = performance.now();
		let stallMs = 0;
		let lastMs = startMs;
		// Gone for half a second: an address is a third of the answers.
		while (performance.now() - lastMs < 500) {
			await pause(50);
			const { seen, stallMs: now } = await this.look();
			stallMs += now > 100 ? now : 0;
			if (keys.some((key) => seen.has(key))) lastMs = performance.now();
			const tookMs = lastMs - startMs;
			assert(tookMs <= limitMs + stallMs, `still answered after ${tookMs} ms, expected ${limitMs} + ${stallMs} ms`);
		}
		return lastMs - startMs;
	}

	/** All of these, and no others, are in the answers of every instance, again and again. */
	async assertServes(addresses: readonly string[], forMs: number): Promise<void> {
		const others = this.#keysOf(this.addresses.filter((address) => !addresses.includes(address)));
		const endMs = performance.now() + forMs;
		await this.look();
		while (performance.now() < endMs) {
			const missing = new Set(this.#keysOf(addresses));
			await until('every address that is up', SETTLE_MS_MAX, async () => {
				const { seen } = await this.look();
				for (const key of others) assert(!seen.has(key), `${key} is answered`);
				for (const key of seen.keys()) missing.delete(key);
				return missing.size === 0;
			});
			await pause(200);
		}
	}

	#keysOf(addresses: readonly string[]): readonly string[] {
		return this.instances.flatMap(({ port }) => addresses.map((address) => `${port} ${address}`));
	}
}

export interface FleetReportBody {
	readonly store: { readonly kind: string };
	readonly generation: number;
	readonly instances: readonly { readonly instance: string; readonly alive: boolean; readonly generation: number }[];
	readonly probers: readonly {
		readonly instance: string;
		readonly alive: boolean;
		readonly isolated: boolean;
		readonly lagSec: number;
	}[];
}

interface Backend {
	close(): Promise<void>;
}

/** Takes connections. */
async function startBackend(t: TestContext, address: string, port: number): Promise<Backend> {
	const sockets = new Set<Socket>();
	const server: Server = createServer((socket) => {
		sockets.add(socket);
		socket.on('error', () => {}).on('close', () => sockets.delete(socket));
	});
	server.listen(port, address);
	await once(server, 'listening');
	const close = async () => {
		if (!server.listening) return;
		for (const socket of sockets) socket.destroy();
		server.close();
		await once(server, 'close');
	};
	t.after(close);
	return { close };
}

export function pause(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}
