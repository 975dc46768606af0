/**
 * A responder in process for tests: zones as text and steering as plain objects in; bytes in, messages out.
 *
 *     zone texts, steering, geography -> units -> build() -> World -> Responder
 */

import { CookieJar } from '../../src/dns/cookie.ts';
import { scanMasterFile } from '../../src/dns/master-file.ts';
import { type Message, readMessage } from '../../src/dns/message-text.ts';
import { lowerName } from '../../src/dns/name.ts';
import { TCP_MESSAGE_OCTETS_MAX, UDP_PAYLOAD_OCTETS_MAX } from '../../src/dns/protocol.ts';
import { type GeoData, noGeoData } from '../../src/geo/decide.ts';
import { NOWHERE, type Place } from '../../src/geo/place.ts';
import { rangesOfPrefixes } from '../../src/geo/ranges.ts';
import type { Vote } from '../../src/health/target.ts';
import { createHealthWords, noteChange, VERDICT_WORD, WORD } from '../../src/health/verdict-table.ts';
import { type Address, type Family, parseAddress } from '../../src/lib/address.ts';
import { type Prefix, parsePrefix } from '../../src/lib/prefix.ts';
import { readSteering } from '../../src/model/check-document.ts';
import { durationMs } from '../../src/model/duration.ts';
import { monitorOf } from '../../src/model/monitor.ts';
import { usesOf } from '../../src/model/policy-uses.ts';
import { DEPTH_MAX, type SteeringDocument } from '../../src/model/steering.ts';
import { AnswerColumnBook } from '../../src/roles/answer-columns.ts';
import { COUNT, type Counters, createCounters } from '../../src/serve/counters.ts';
import { createRingMemory, QueryRing } from '../../src/serve/query-ring.ts';
import { QuerySampler } from '../../src/serve/query-sampler.ts';
import { createRateLimitTable, RateLimiter } from '../../src/serve/rate-limit.ts';
import { Responder, type Served, type Transport } from '../../src/serve/respond.ts';
import { World } from '../../src/snapshot/answer.ts';
import { type BuildContext, build, type Units, type ZoneUnit } from '../../src/snapshot/build.ts';
import { BuildCache } from '../../src/snapshot/build-cache.ts';
import type { AnswerColumns } from '../../src/snapshot/decisions.ts';
import { Holder, type Snapshot } from '../../src/snapshot/snapshot.ts';
import { MergeCache } from '../../src/steering/merge-cache.ts';
import { makeQuery, type QuerySpec, wireName } from '../dns/make-query.ts';

export interface ZoneSpec {
	readonly apex: string;
	/** Without an SOA it gets a default TTL of 300, an SOA whose MINIMUM is 60, and an NS record. */
	readonly text: string;
	/** A steering document as YAML would give it. */
	readonly steering?: unknown;
}

export interface ResponderSpec {
	readonly zones: readonly ZoneSpec[];
	readonly common?: unknown;
	/** Prefix to what a database says of it; the longest prefix counts. */
	readonly geo?: Readonly<Record<string, Partial<Place>>>;
	/** Regions that have had a prober. */
	readonly vantages?: readonly string[];
	readonly isSubnetTrusted?: (sender: Address) => boolean;
	/** The first one makes cookies; absent, there are none. */
	readonly cookieSecrets?: readonly Uint8Array[];
	/** Answers a second for one address; absent, there is no limit. */
	readonly rate?: number;
	readonly identity?: string;
	/** Log every query to the ring. */
	readonly isLogged?: boolean;
}

export interface AskSpec {
	/** 192.0.2.53 by default. */
	readonly from?: string;
	/** `udp` by default. */
	readonly transport?: Transport;
}

/** A responder with handles on all that it depends on. */
export class TestResponder {
	readonly snapshot: Snapshot;
	readonly world: World;
	readonly served: Holder<Served>;
	readonly book: AnswerColumnBook;
	readonly columns: AnswerColumns;
	readonly counters: Counters;
	readonly ring = new QueryRing(createRingMemory());
	readonly clock = { nowMs: () => this.nowMs, nowSec: () => this.nowSec, wallMs: () => 1000 * this.nowSec };
	readonly responder: Responder;
	/** What `onFault` was told. */
	readonly faults: unknown[] = [];
	/** What a draw gives: a share of its bound, in [0, 1). */
	draw = 0;
	/** Both clocks stand still until a test moves them. */
	nowMs = 0;
	nowSec = 1_700_000_000;
	readonly #health;
	readonly #outs = { udp: new Uint8Array(UDP_PAYLOAD_OCTETS_MAX), tcp: new Uint8Array(TCP_MESSAGE_OCTETS_MAX) };

	constructor(spec: Omit<ResponderSpec, 'zones'>, snapshot: Snapshot) {
		this.snapshot = snapshot;
		this.#health = createHealthWords(snapshot.targets.length);
		const slots = Int32Array.from(snapshot.targets, (_, i) => i);
		this.world = new World(snapshot, this.#health, slots, { below: (bound) => Math.floor(this.draw * bound) });
		this.counters = createCounters(1)[0] ?? new Float64Array(0);
		this.book = new AnswerColumnBook((column) => this.counters[column] ?? 0);
		this.columns = this.book.assign(snapshot.steering, 1, 1);
		this.served = new Holder({ world: this.world, columns: this.columns, generation: 1 });
		this.responder = new Responder({
			served: this.served,
			counters: this.counters,
			clock: this.clock,
			logging:
				spec.isLogged === true ? { sampler: new QuerySampler(1, { below: () => 0 }), ring: this.ring } : undefined,
			cookies: spec.cookieSecrets === undefined ? undefined : new CookieJar(spec.cookieSecrets),
			limiter:
				spec.rate === undefined
					? undefined
					: new RateLimiter({ rate: spec.rate, slip: 1, exempt: [] }, createRateLimitTable(), 1),
			identity: new TextEncoder().encode(spec.identity ?? ''),
			idleMs: 10_000,
			isSubnetTrusted: spec.isSubnetTrusted ?? (() => true),
			onFault: (error) => this.faults.push(error),
		});
	}

	/** Answer from another world whose steering table is this one's. */
	swapWorld(world: World): World {
		return this.served.swap({ world, columns: this.columns, generation: 1 }).world;
	}

	/** Set the verdict of every target at an address. */
	setHealth(address: string, vote: Vote, isStale = false): void {
		const at = this.snapshot.targets.flatMap((target, i) => (target.address === address ? [i] : []));
		if (at.length === 0) throw new Error(`Cannot set the health of ${address}: it is not probed`);
		for (const i of at) this.#health.verdicts[i] = VERDICT_WORD[vote] | (isStale ? WORD.stale : 0);
		noteChange(this.#health);
	}

	/** Set what a vantage says of every target at an address of its own. */
	setRegional(address: string, vote: 'up' | 'down', vantage: number): void {
		const { verdicts, regional } = this.#health;
		for (const [i, target] of this.snapshot.targets.entries()) {
			if (target.address !== address) continue;
			verdicts[i] = (verdicts[i] ?? 0) | WORD.regional;
			regional[vantage * verdicts.length + i] = VERDICT_WORD[vote];
		}
		noteChange(this.#health);
	}

	/** Set the round-trip time of every target at an address. */
	setRtt(address: string, ms: number): void {
		for (const [i, target] of this.snapshot.targets.entries()) {
			if (target.address === address) this.#health.rttUs[i] = 1000 * ms;
		}
	}

	/** The octets of the response, a view that the next query overwrites; empty for silence. */
	respond(request: Uint8Array, { from = '192.0.2.53', transport = 'udp' }: AskSpec = {}): Uint8Array {
		const out = this.#outs[transport];
		return out.subarray(0, this.responder.respond(request, request.length, addressOf(from), transport, out));
	}

	/** The response as a message; throws on silence and on what cannot be read. */
	ask(query: QuerySpec | Uint8Array, how: AskSpec = {}): Message {
		const octets = this.respond(query instanceof Uint8Array ? query : makeQuery(query), how);
		const message = readMessage(octets);
		if (typeof message === 'string') throw new Error(message);
		return message;
	}

	count(column: keyof typeof COUNT): number {
		return this.counters[COUNT[column]] ?? 0;
	}
}

export function responderOf(given: ResponderSpec | string): TestResponder {
	const spec = typeof given === 'string' ? { zones: [{ apex: 'example.org.', text: given }] } : given;
	const { snapshot, problems } = build(unitsOf(spec), contextOf(spec));
	if (snapshot === undefined) throw new Error(JSON.stringify(problems, undefined, 1));
	return new TestResponder(spec, snapshot);
}

export function unitsOf({ zones, common }: Pick<ResponderSpec, 'zones' | 'common'>): Units {
	return { common: steeringOf(common, 'common'), zones: zones.map(unitOf) };
}

export function unitOf({ apex, text, steering }: ZoneSpec): ZoneUnit {
	const wire = lowerName(wireName(apex));
	const head = '$TTL 300\n@ SOA ns.invalid. host.invalid. 1 1h 15m 1w 60\n@ NS ns.invalid.\n';
	const { records, problems } = scanMasterFile(/\sSOA\s/.test(text) ? text : `${head}${text}`, wire);
	if (problems.length > 0) throw new Error(JSON.stringify(problems));
	return { apex: wire, records, steering: steeringOf(steering, 'zone') };
}

export function steeringOf(value: unknown, kind: 'common' | 'zone'): SteeringDocument {
	const result = readSteering(value, kind);
	if (!result.ok) throw new Error(JSON.stringify(result.problems));
	return result.value;
}

export function contextOf({ geo, vantages = [] }: Pick<ResponderSpec, 'geo' | 'vantages'> = {}): BuildContext {
	const model = { depthMax: DEPTH_MAX, durationMs, monitorOf, usesOf };
	return { geo: geoOf(geo ?? {}), merges: new MergeCache(), cache: new BuildCache(), model, vantages };
}

function geoOf(networks: Readonly<Record<string, Partial<Place>>>): GeoData {
	const entries = Object.entries(networks);
	if (entries.length === 0) return noGeoData();
	const places = [NOWHERE, ...entries.map(([, place]) => ({ ...NOWHERE, ...place }))];
	const prefixes = entries.map(([text], i) => ({ prefix: prefixOf(text), place: i + 1 }));
	const rangesFor = (family: Family) => {
		const own = prefixes.filter(({ prefix }) => prefix.family === family);
		return rangesOfPrefixes(
			family,
			own.map(({ prefix }) => prefix),
			(covering) => own[covering.at(-1) ?? -1]?.place ?? 0,
		);
	};
	return { ranges: { ipv4: rangesFor(4), ipv6: rangesFor(6) }, places, version: 'test' };
}

function prefixOf(text: string): Prefix {
	const prefix = parsePrefix(text);
	if (typeof prefix === 'string') throw new Error(prefix);
	return prefix;
}

function addressOf(text: string): Address {
	const address = parseAddress(text);
	if (address === undefined) throw new Error(`Cannot read "${text}" as an address`);
	return address;
}
