/**
 * Hears a walk and remembers each node as it was found: which members it looked at, what it knew of them, and
 * which of its rules decided. Nothing is looked up again afterwards, so what it tells is what the answer saw.
 */

import type { GeoData } from '../geo/decide.ts';
import { SPECIAL_DECISION } from '../geo/decide.ts';
import type { Place } from '../geo/place.ts';
import { familyRanges, findRange } from '../geo/ranges.ts';
import type { Target, Vote } from '../health/target.ts';
import { VERDICT_WORD } from '../health/verdict-table.ts';
import type { Family } from '../lib/address.ts';
import { distanceKm } from '../steering/compile-place.ts';
import { PICK } from '../steering/draw.ts';
import { medianRttUs } from '../steering/latency.ts';
import type { EndpointEntry, GeoNode, GeoNotes, PolicyNode, PoolNode, SteeringNode } from '../steering/nodes.ts';
import { addressWord, familyOf, rampPercent, targetWord } from '../steering/pool.ts';
import { STATE, type Trace, type Walk } from '../steering/walk.ts';
import { matchesOf, placeText } from './describe.ts';
import type {
	AddressExplanation,
	Decision,
	EndpointExplanation,
	MemberExplanation,
	NodeExplanation,
	State,
} from './explanation.ts';

export interface RecorderSources {
	readonly geo: GeoData;
	readonly geoNotes: ReadonlyMap<number, GeoNotes>;
	readonly targets: readonly Target[];
	/** Names of the regions that round-trip times are measured from. */
	readonly vantages: readonly string[];
	/** What the prober says of a target: since when it has its vote, and why. */
	readonly noteOf: (key: string) => string | undefined;
	/** RDATA as text: an address, or the target of a CNAME. */
	readonly rdataText: (octetsAt: number, as: Family | 'alias') => string;
}

/** A node while it is being visited. */
interface Open {
	readonly index: number;
	/** Explanations of the members that were visited, in their order. */
	readonly visited: { readonly index: number; readonly node: NodeExplanation }[];
	readonly notes: string[];
}

const STATE_NAMES: Readonly<Record<number, State>> = { [STATE.none]: 'none', [STATE.down]: 'down', [STATE.up]: 'up' };
const NOTES = {
	trickle: 'a trickle: this query goes to the next member that is up',
	tie: 'several are as near: drawn by weight',
	kept: 'within 10 ms of the best: the last winner stays',
} as const;

export class Recorder implements Trace {
	readonly decisions: Decision[] = [];
	readonly #walk: Walk;
	readonly #sources: RecorderSources;
	readonly #open: Open[] = [];
	readonly #known = new Map<number, NodeExplanation>();
	#root: NodeExplanation | undefined;
	#name = -1;

	constructor(walk: Walk, sources: RecorderSources) {
		this.#walk = walk;
		this.#sources = sources;
	}

	begin(name: number): void {
		this.#name = name;
		this.#known.clear();
		this.#root = undefined;
	}

	enter(index: number): void {
		this.#open.push({ index, visited: [], notes: [] });
	}

	again(index: number): void {
		const node = this.#known.get(index);
		if (node === undefined) return;
		const above = this.#open.at(-1);
		// A tie visits its members twice, which is no second place for them.
		if (above?.visited.some((one) => one.index === index) === true) return;
		above?.visited.push({ index, node: { ...node, isRepeated: true, why: [], members: [], endpoints: [] } });
	}

	note(_index: number, what: keyof typeof NOTES): void {
		this.#open.at(-1)?.notes.push(NOTES[what]);
	}

	leave(index: number, state: number): void {
		const open = this.#open.pop();
		const node = this.#walk.table.nodes[index];
		if (open === undefined || node === undefined) return;
		const explained = node.kind === 'pool' ? this.#pool(node, state) : this.#policy(open, node, state);
		this.#known.set(index, explained);
		const above = this.#open.at(-1);
		if (above === undefined) this.#root = explained;
		else above.visited.push({ index, node: explained });
	}

	chosen(state: number, pick: number): void {
		const { table, ttlSec, hasSeenStale } = this.#walk;
		const steered = table.names[this.#name];
		if (steered === undefined || this.#root === undefined) return;
		this.decisions.push({
			steered: steered.name,
			ttlSec,
			ownTtlSec: steered.ttlSec,
			state: STATE_NAMES[state] ?? 'none',
			isStale: hasSeenStale,
			gives: this.#gives(pick),
			root: this.#withPicks(this.#root),
		});
	}

	#gives(pick: number): string {
		if (pick === PICK.nodata) return 'NODATA';
		if (pick === PICK.servfail) return 'SERVFAIL';
		return `${pick === PICK.alias ? 'CNAME ' : ''}${this.#picked(pick === PICK.alias).join(', ')}`;
	}

	#picked(isAlias: boolean): readonly string[] {
		const { picked, pickedCount, family } = this.#walk;
		return Array.from(picked.subarray(0, pickedCount), (at) => this.#sources.rdataText(at, isAlias ? 'alias' : family));
	}

	#base(node: SteeringNode, state: number): Pick<NodeExplanation, 'kind' | 'name' | 'state' | 'isRepeated'> {
		return { kind: node.kind, name: node.name, state: STATE_NAMES[state] ?? 'none', isRepeated: false };
	}

	#policy({ index, visited, notes }: Open, node: PolicyNode, state: number): NodeExplanation {
		const tried = new Set(visited.map((one) => one.index));
		const members: MemberExplanation[] = visited.map((one) => ({
			name: one.node.name,
			about: this.#about(index, node, one.index),
			refused: this.#refusal(node, one.index, one.node, state),
			node: one.node,
		}));
		for (const member of new Set(candidates(node, this.#walk, index))) {
			if (tried.has(member)) continue;
			members.push({
				name: this.#walk.table.nodes[member]?.name ?? '',
				about: this.#about(index, node, member),
				refused: hasTripped(node, member) ? TRIPPED : untriedBecause(node, visited.at(-1)?.node.name ?? ''),
				node: undefined,
			});
		}
		return {
			...this.#base(node, state),
			why: [...this.#place(index, node), ...notes],
			members,
			endpoints: [],
		};
	}

	/** Why a member that was visited is not the one. */
	#refusal(node: PolicyNode, member: number, { state }: NodeExplanation, parent: number): string | undefined {
		const walk = this.#walk;
		const isPick = walk.nodePicks[member] === walk.pick;
		if (state === 'none') return 'none: no rule of it matches, or operators have switched it off';
		if (state === 'down') {
			if (parent === STATE.down && isPick) return undefined;
			return parent === STATE.down ? 'down, and another last resort comes first' : 'down';
		}
		if (node.kind === 'all' || isPick) return undefined;
		if (node.kind === 'latency')
			return 'another comes first: less time, the last winner, or without times the nearer one';
		return node.kind === 'failover' ? 'passed over by a trickle' : 'not drawn';
	}

	/** What the policy knows of a member. */
	#about(index: number, node: PolicyNode, member: number): string {
		const walk = this.#walk;
		if (node.kind === 'geo') return matchText(this.#matches(index, node), member);
		const position = node.members.indexOf(member);
		if (node.kind === 'weighted') {
			const total = node.weights.reduce((sum, weight) => sum + weight, 0);
			return `weight ${node.weights[position] ?? 0} of ${total}`;
		}
		if (node.kind === 'latency') {
			const vantage = node.rankings[node.isPlaced ? (walk.placeRankings[index] ?? 0) : 0]?.vantage ?? 0;
			const isVisited = walk.nodeEpochs[member] === walk.epoch;
			const rttUs = isVisited ? medianRttUs(walk, walk.nodePicks[member] ?? -1, vantage) : 0;
			return rttUs === 0 ? 'no round-trip time' : `${(rttUs / 1000).toFixed(1)} ms`;
		}
		if (node.kind !== 'proximity') return '';
		const { coordinates } = this.#clientPlace(node).place;
		const point = node.points[position];
		if (coordinates === undefined || point === undefined) return 'distance unknown';
		const bias = node.biases[position] ?? 0;
		return `${Math.round(distanceKm(coordinates, point))} km${bias === 0 ? '' : `, bias ${bias}`}`;
	}

	#matches(index: number, node: GeoNode): readonly { readonly what: string; readonly member: number }[] {
		const notes = this.#sources.geoNotes.get(index);
		if (notes === undefined) return [];
		const { place, client } = this.#clientPlace(node);
		return matchesOf(notes, place, client, this.#isSpecial(node));
	}

	#isSpecial({ decisions }: Pick<GeoNode, 'decisions'>): boolean {
		const ranges = familyRanges(decisions, this.#walk.client.family);
		return (ranges.values[findRange(ranges, this.#walk.client.words)] ?? 0) >= SPECIAL_DECISION;
	}

	/** The place that decides: the client's, or where that is special-purpose space the resolver's. */
	#clientPlace(node: Pick<GeoNode, 'decisions'>): { readonly place: Place; readonly client: Walk['client'] } {
		const { geo } = this.#sources;
		const client = this.#isSpecial(node) ? this.#walk.resolver() : this.#walk.client;
		const ranges = familyRanges(geo.ranges, client.family);
		const place = geo.places[ranges.values[findRange(ranges, client.words)] ?? 0] ?? geo.places[0];
		if (place === undefined) throw new Error('Geo data without places');
		return { place, client };
	}

	#place(index: number, node: PolicyNode): readonly string[] {
		const looks = node.kind === 'geo' || node.kind === 'proximity' || (node.kind === 'latency' && node.isPlaced);
		if (node.kind === 'weighted' && node.seeds !== undefined)
			return ['by client: one of a network gets what all of it get'];
		if (node.kind === 'latency') {
			const ranking = node.rankings[node.isPlaced ? (this.#walk.placeRankings[index] ?? 0) : 0];
			const vantage = this.#sources.vantages[ranking?.vantage ?? 0];
			if (vantage !== undefined) return [`round-trip times as seen from ${vantage}`];
		}
		if (!looks) return [];
		const isSpecial = this.#isSpecial(node);
		const who = isSpecial
			? 'the client is in special-purpose space, so the resolver decides, which is'
			: 'the client is';
		const { place } = this.#clientPlace(node);
		return [`${who} ${placeText(place)}`];
	}

	#pool(pool: PoolNode, state: number): NodeExplanation {
		const family = familyOf(pool, this.#walk.family);
		const own = this.#walk.family === 4 ? pool.ipv4 : pool.ipv6;
		const why: string[] = [];
		if (!own.hasAddresses) {
			const text = `it has no IPv${this.#walk.family} address`;
			why.push(pool.noAddress === 'pass' ? `${text} and is passed over` : `${text}: its other family says how it is`);
		}
		const vantage = pool.vantages === undefined ? undefined : this.#sources.vantages[this.#walk.vantage];
		if (vantage !== undefined) why.push(`health as seen from ${vantage}, where that has a verdict of its own`);
		if (family.endpoints.length === 0) why.push('operators have switched off all of it');
		else {
			const healthy = family.endpoints.filter((endpoint) => this.#isHealthy(endpoint)).length;
			why.push(`${healthy} of ${family.endpoints.length} healthy, ${family.requiredHealthy} needed`);
		}
		const idle = pool.idle.map(({ name, state: why }) => ({
			name,
			weight: 0,
			rampPercent: 100,
			isPicked: false,
			refused: why === 'drain' ? 'drained by an operator' : 'switched down by an operator',
			addresses: [],
		}));
		const endpoints = family.endpoints.map((endpoint) => this.#endpoint(pool, endpoint));
		return { ...this.#base(pool, state), why, members: [], endpoints: [...endpoints, ...idle] };
	}

	#isHealthy(endpoint: EndpointEntry): boolean {
		return endpoint.addresses.some((address) => addressWord(this.#walk, endpoint, address) !== VERDICT_WORD.down);
	}

	#endpoint(pool: PoolNode, endpoint: EndpointEntry): EndpointExplanation {
		const { family } = this.#walk;
		const other = family === 4 ? 6 : 4;
		const own = family === 4 ? pool.ipv4 : pool.ipv6;
		const as = pool.holds === 'aliases' ? 'alias' : own.hasAddresses ? family : other;
		const addresses: AddressExplanation[] = endpoint.addresses.map((address) => ({
			address: this.#sources.rdataText(address.octetsAt, as),
			isUp: addressWord(this.#walk, endpoint, address) !== VERDICT_WORD.down,
			checks: address.targets.flatMap((target) => this.#check(target)),
		}));
		const words = endpoint.addresses.map((address) => addressWord(this.#walk, endpoint, address));
		const isWaiting = words.every((word) => word === VERDICT_WORD.waiting || word === VERDICT_WORD.down);
		const refused = !this.#isHealthy(endpoint) ? 'down' : isWaiting ? 'new, and waits for its first check' : undefined;
		const { rampUpTenths } = pool;
		const isRamped = rampUpTenths > 0 && this.#isHealthy(endpoint);
		const ramped = isRamped ? rampPercent(this.#walk, rampUpTenths, endpoint) : 100;
		return { name: endpoint.name, weight: endpoint.weight, rampPercent: ramped, isPicked: false, refused, addresses };
	}

	#check(target: number): AddressExplanation['checks'] {
		const found = this.#sources.targets[target];
		if (found === undefined) return [];
		const { address, port, monitor, key } = found;
		const word = targetWord(this.#walk, target);
		const verdict: Vote = word === VERDICT_WORD.up ? 'up' : word === VERDICT_WORD.down ? 'down' : 'unknown';
		return [{ address, port, kind: monitor.kind, verdict, note: this.#sources.noteOf(key) }];
	}

	/** Mark the endpoints that the draw came upon, under every node that shows them. */
	#withPicks(node: NodeExplanation): NodeExplanation {
		const pick = this.#walk.table.nodes[this.#walk.pick];
		const names = new Set(this.#picked(pick?.kind === 'pool' && pick.holds === 'aliases'));
		const isDrawnFrom = (name: string) => pick?.kind !== 'pool' || pick.name === name;
		const mark = (one: NodeExplanation): NodeExplanation => ({
			...one,
			members: one.members.map((member) =>
				member.node === undefined ? member : { ...member, node: mark(member.node) },
			),
			endpoints: one.endpoints.map((endpoint) => ({
				...endpoint,
				isPicked: isDrawnFrom(one.name) && endpoint.addresses.some(({ address }) => names.has(address)),
			})),
		});
		return mark(node);
	}
}

/** Members that a node may look at for this client, in the order in which it would. */
function candidates(node: PolicyNode, walk: Walk, index: number): readonly number[] {
	return node.kind === 'geo' ? (node.rankings[walk.placeRankings[index] ?? 0] ?? []) : node.members;
}

const TRIPPED = 'it has tripped: out of service here until it is cleared';

function hasTripped(node: PolicyNode, member: number): boolean {
	return node.kind === 'failover' && node.trips?.[node.members.indexOf(member)]?.hasTripped === true;
}

function untriedBecause(node: PolicyNode, last: string): string {
	if (node.kind === 'weighted') return node.seeds === undefined ? 'not drawn' : 'not this client’s';
	return `not needed: ${last} is up`;
}

function matchText(matches: readonly { readonly what: string; readonly member: number }[], member: number): string {
	return matches
		.filter((match) => match.member === member)
		.map(({ what }) => what)
		.join(', ');
}
