/**
 * The room that a walk over the policy graph works in: what it was asked, what it has found, what it remembers.
 *
 * A node is *up* with a pick, *down* with a last resort, or *none*. It is visited once per query: its state, its
 * draw and every health word stay as they were first seen, so a flip in mid-walk cannot be seen half-way, and a
 * node that many parents share costs no more than one. All room is taken in advance; a walk allocates nothing.
 */

import { Client } from '../geo/client.ts';
import type { HealthWords } from '../health/verdict-table.ts';
import type { Family } from '../lib/address.ts';
import type { Chance } from '../lib/ports.ts';
import type { SteeringTable } from './nodes.ts';

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
	/** The resolver's address decides for clients in special-purpose space. */
	readonly resolver = new Client();

	/** Rises with each query: what was remembered under another number is forgotten. */
	epoch = 0;
	level = -1;
	/** Of the node visited last: the pool of its pick or last resort. */
	pool = -1;
	/** Of the node visited last, when it is down: whether its last resort has a healthy endpoint. */
	hasHealthy = false;
	/** Some pool that was visited has a probed endpoint down. */
	hasSeenDown = false;
	/** Octet offsets of the addresses picked. */
	readonly picked = new Int32Array(ANSWERS_MAX);
	pickedCount = 0;
	ttlSec = 0;

	/** By node: state, pool and health as found in this epoch. */
	readonly nodeEpochs: Int32Array;
	readonly nodeStates: Uint8Array;
	readonly nodePools: Int32Array;
	readonly nodeHasHealthy: Uint8Array;
	/** By geo node: where the client is in its ranges. */
	readonly geoEpochs: Int32Array;
	readonly geoRankings: Int32Array;
	readonly geoScopes: Uint8Array;
	/** By node: its scope. */
	readonly scopeEpochs: Int32Array;
	readonly scopes: Uint8Array;
	/** By target: its verdict word, read once. */
	readonly targetEpochs: Int32Array;
	readonly targetWords: Uint8Array;
	/** For nodes that look at all their members: rows of MEMBERS_MAX words for each level. */
	readonly scratch = new Int32Array(LEVELS * ROWS * MEMBERS_MAX);
	/** By endpoint of the pool that is drawn from: addresses that may still be picked. */
	readonly left = new Uint8Array(ENDPOINTS_MAX);
	/** Round-trip times of one pool while its median is taken. */
	readonly samples: Int32Array;

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
		this.nodePools = new Int32Array(nodes);
		this.nodeHasHealthy = new Uint8Array(nodes);
		this.geoEpochs = new Int32Array(nodes);
		this.geoRankings = new Int32Array(nodes);
		this.geoScopes = new Uint8Array(nodes);
		this.scopeEpochs = new Int32Array(nodes);
		this.scopes = new Uint8Array(nodes);
		this.targetEpochs = new Int32Array(table.targetCount);
		this.targetWords = new Uint8Array(table.targetCount);
		this.samples = new Int32Array(mostAddresses(table));
	}

	/** Forget the last query. */
	begin(family: Family): void {
		this.epoch = (this.epoch + 1) | 0;
		if (this.epoch === 0) {
			// After 2^32 queries old marks would count again.
			for (const marks of [this.nodeEpochs, this.geoEpochs, this.scopeEpochs, this.targetEpochs]) marks.fill(0);
			this.epoch = 1;
		}
		this.family = family;
		this.level = -1;
		this.pool = -1;
		this.hasHealthy = false;
		this.hasSeenDown = false;
		this.pickedCount = 0;
	}
}

/** The most addresses of one family that any pool has. */
function mostAddresses(table: SteeringTable): number {
	let most = 1;
	for (const node of table.nodes) {
		if (node.kind !== 'pool') continue;
		for (const { endpoints } of [node.ipv4, node.ipv6]) {
			most = Math.max(
				most,
				endpoints.reduce((sum, endpoint) => sum + endpoint.addresses.length, 0),
			);
		}
	}
	return most;
}

/** First word of one of this level's three scratch rows. */
export function scratchRow(walk: Walk, row: number): number {
	return (walk.level * ROWS + row) * MEMBERS_MAX;
}
