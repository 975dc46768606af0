/**
 * The room that a walk over the policy graph works in: what it was asked, what it has found, what it remembers.
 *
 * A node is *up* with a pick, *down* with a last resort, or *none*. It is visited once per query: its state, its
 * draw and every health word stay as they were first seen, so a flip in mid-walk cannot be seen half-way, and a
 * node that many parents share costs no more than one. All room is taken in advance; a walk allocates nothing.
 */

import { Client, setClient } from '../geo/client.ts';
import type { HealthWords } from '../health/verdict-table.ts';
import type { Family } from '../lib/address.ts';
import type { Chance } from '../lib/ports.ts';
import type { SteeringTable } from './nodes.ts';
import type { Roster } from './roster.ts';
import type { Standing } from './standing.ts';

/** What an explanation hears of a walk; what it does not hear it reads from the walk afterwards. */
export interface Trace {
	/** A steered name is decided for. */
	begin(name: number): void;
	/** It is decided: the state of its root, and one of PICK. */
	chosen(state: number, pick: number): void;
	/** A node begins to be visited; what comes until it leaves is by its order. */
	enter(node: number): void;
	/** It has its state. */
	leave(node: number, state: number): void;
	/** A node that was visited before, in this query, is asked again. */
	again(node: number): void;
	/** Out of the turn of its members: a share that trickles, a tie drawn by weight, a last winner that is kept. */
	note(node: number, what: 'trickle' | 'tie' | 'kept'): void;
}

/** The state of a node in one query. */
export const STATE = { none: 0, down: 1, up: 2 } as const;

/** Most addresses in one answer. */
const ANSWERS_MAX = 8;
/** Policies nest 16 deep (model); the pool below them is one level more. */
const LEVELS = 17;
const MEMBERS_MAX = 64;
const ENDPOINTS_MAX = 255;
const ROWS = 3;

/** One for each worker and snapshot. */
export class Walk {
	readonly table: SteeringTable;
	readonly health: HealthWords;
	/** Slot of each target in the health words. */
	readonly slots: Int32Array;
	readonly chance: Chance;
	/** How a node visits its members; given from outside, since the kinds must not know one another. */
	readonly visit: (walk: Walk, node: number) => number;

	family: Family = 4;
	readonly client = new Client();
	/** The resolver's own address, which decides for clients in special-purpose space. */
	resolverFamily: Family = 4;
	resolverWords: Uint32Array = new Uint32Array(4);
	readonly #resolver = new Client();

	/** Rises with each query: what was remembered under another number is forgotten. */
	epoch = 0;
	/** The same for health words, which chains read once over all their links: rises when some have changed. */
	worldEpoch = 0;
	/** A word of a region's own was read: it is the client's, and no other query's. */
	hasSeenRegional = false;
	level = -1;
	/** The node that is being visited. */
	node = -1;
	/** Of the node visited last: its pick or last resort, a pool or a union of them. */
	pick = -1;
	/** Of the node visited last, when it is down: whether its last resort has a healthy endpoint. */
	hasHealthy = false;
	/** Some pool that was visited has a probed endpoint down. */
	hasSeenDown = false;
	/** Some verdict that this query has looked at rests on votes that are too old. */
	hasSeenStale = false;
	/** Octet offsets of the addresses picked. */
	readonly picked = new Int32Array(ANSWERS_MAX);
	/** Whose they are: indexes of endpoints. */
	readonly pickedEndpoints = new Int32Array(ANSWERS_MAX);
	pickedCount = 0;
	/** Of the root, one of STATE. */
	state: number = STATE.none;
	ttlSec = 0;
	/** The client's, once a pool has been visited that asks for it. */
	vantage = 0;

	/** By node: state, pick and health as found in this epoch. */
	readonly nodeEpochs: Int32Array;
	readonly nodeStates: Uint8Array;
	readonly nodePicks: Int32Array;
	readonly nodeHasHealthy: Uint8Array;
	/** By node that looks where the client is: its ranking there. */
	readonly placeEpochs: Int32Array;
	readonly placeRankings: Int32Array;
	readonly placeScopes: Uint8Array;
	/** By node: its scope. */
	readonly scopeEpochs: Int32Array;
	readonly scopes: Uint8Array;
	/** By target: its word, read once. */
	readonly targetEpochs: Int32Array;
	readonly targetWords: Int32Array;
	/** For nodes that look at all their members: rows of MEMBERS_MAX words for each level. */
	readonly scratch = new Int32Array(LEVELS * ROWS * MEMBERS_MAX);
	readonly scores = new Float64Array(LEVELS * MEMBERS_MAX);
	/** By level: the best last resort among the members that were not up. */
	readonly resortPicks = new Int32Array(LEVELS);
	readonly resortHasHealthy = new Uint8Array(LEVELS);
	/** By pool and family, from the first query on that comes there. */
	readonly rosters: (Roster | undefined)[];
	/** By geo node: by ranking and family, from the first query on that comes there. */
	readonly standings: ((Standing | undefined)[] | undefined)[];
	/** By endpoint of the roster that is drawn from: addresses that may still be picked. */
	readonly left = new Uint8Array(ENDPOINTS_MAX);
	/** Round-trip times of one pick while their median is taken, or the addresses of a union while it is drawn from. */
	readonly samples: Int32Array;
	/** Endpoints of the addresses of a union. */
	readonly sampleEndpoints: Int32Array;
	/** Set while an answer is explained. */
	trace: Trace | undefined;
	/** Of the health words, when this world began. */
	#changes = 0;

	constructor(
		table: SteeringTable,
		health: HealthWords,
		slots: Int32Array,
		chance: Chance,
		visit: (walk: Walk, node: number) => number,
	) {
		const nodes = table.nodes.length;
		this.table = table;
		this.health = health;
		this.slots = slots;
		this.chance = chance;
		this.visit = visit;
		this.nodeEpochs = new Int32Array(nodes);
		this.nodeStates = new Uint8Array(nodes);
		this.nodePicks = new Int32Array(nodes);
		this.nodeHasHealthy = new Uint8Array(nodes);
		this.placeEpochs = new Int32Array(nodes);
		this.placeRankings = new Int32Array(nodes);
		this.placeScopes = new Uint8Array(nodes);
		this.scopeEpochs = new Int32Array(nodes);
		this.scopes = new Uint8Array(nodes);
		this.targetEpochs = new Int32Array(table.targetCount);
		this.targetWords = new Int32Array(table.targetCount);
		this.rosters = new Array(2 * nodes);
		this.standings = new Array(nodes);
		this.samples = new Int32Array(table.addressesMax);
		this.sampleEndpoints = new Int32Array(table.addressesMax);
	}

	/**
	 * Forget the last name.
	 * @param isFirst  the first name of a query, whose links see one world
	 */
	begin(family: Family, isFirst: boolean): void {
		this.epoch = (this.epoch + 1) | 0;
		if (this.epoch === 0) {
			// After 2^32 of them old marks would count again.
			for (const marks of [this.nodeEpochs, this.placeEpochs, this.scopeEpochs]) marks.fill(0);
			this.epoch = 1;
		}
		if (isFirst) {
			this.hasSeenStale = false;
			// Nothing is read on the strength of this look, so it need not wait for other threads' stores.
			const isOld = this.health.changes[0] !== this.#changes;
			if (isOld || this.hasSeenRegional || this.worldEpoch === 0) this.#beginWorld();
		}
		this.family = family;
		this.level = -1;
		this.node = -1;
		this.pick = -1;
		this.hasHealthy = false;
		this.hasSeenDown = false;
		this.pickedCount = 0;
		this.vantage = 0;
	}

	/** The resolver as a client; few queries need it. */
	resolver(): Client {
		setClient(this.#resolver, this.resolverFamily, this.resolverWords);
		return this.#resolver;
	}

	#beginWorld(): void {
		// Before any word is read: one that changes later is read again by the next query.
		this.#changes = Atomics.load(this.health.changes, 0);
		this.hasSeenRegional = false;
		this.worldEpoch = (this.worldEpoch + 1) | 0;
		if (this.worldEpoch !== 0) return;
		this.targetEpochs.fill(0);
		this.rosters.fill(undefined);
		this.standings.fill(undefined);
		this.worldEpoch = 1;
	}
}

/** First word of one of this level's three scratch rows. */
export function scratchRow(walk: Walk, row: number): number {
	return (walk.level * ROWS + row) * MEMBERS_MAX;
}

/** First score of this level's row. */
export function scoreRow(walk: Walk): number {
	return walk.level * MEMBERS_MAX;
}

/** No last resort yet. */
export function beginResort(walk: Walk): void {
	walk.resortPicks[walk.level] = -1;
	walk.resortHasHealthy[walk.level] = 0;
}

/** A member was visited and is not up: keep its last resort when it is the first, or the first with a healthy endpoint. */
export function noteResort(walk: Walk, state: number): void {
	const { level } = walk;
	if (state !== STATE.down) return;
	const isFirst = (walk.resortPicks[level] ?? -1) < 0;
	if (!isFirst && (walk.resortHasHealthy[level] === 1 || !walk.hasHealthy)) return;
	walk.resortPicks[level] = walk.pick;
	walk.resortHasHealthy[level] = walk.hasHealthy ? 1 : 0;
}

/** Nobody is up: hand the last resort on. */
export function endResort(walk: Walk): number {
	walk.pick = walk.resortPicks[walk.level] ?? -1;
	walk.hasHealthy = walk.resortHasHealthy[walk.level] === 1;
	return walk.pick < 0 ? STATE.none : STATE.down;
}
