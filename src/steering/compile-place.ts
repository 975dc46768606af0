/**
 * Rankings by place: which member is nearest to each client, and which vantage its round-trip times are taken from.
 *
 *     regions -> where members are -> for each place of the databases an order -> merged ranges
 */

import { type GeoData, mergeDecisions } from '../geo/decide.ts';
import { type Coordinates, NOWHERE, type Place } from '../geo/place.ts';
import type { Ranges } from '../geo/ranges.ts';
import type { Path } from '../lib/result.ts';
import type { NearMember, PolicyDocument, Region } from '../model/steering.ts';
import type { Compiler, SteeringUnit } from './compile.ts';
import type { LatencyNode, LatencyRanking, PoolNode, ProximityNode, ProximityRanking } from './nodes.ts';

type PolicyOf<K extends PolicyDocument['kind']> = Extract<PolicyDocument, { kind: K }>;
type Point = Pick<Coordinates, 'latitude' | 'longitude'>;

const EARTH_RADIUS_KM = 6371;
/** What is so much farther than the nearest, or so many kilometres, is as near. */
const TIE_SHARE = 0.05;
const TIE_KM = 100;

/** The node, or undefined after a mistake, which has been reported. */
export function compileProximity(
	compiler: Compiler,
	unit: SteeringUnit,
	policy: PolicyOf<'proximity'>,
	path: Path,
	name: string,
): ProximityNode | undefined {
	const before = compiler.mistakes;
	const entries = policy.members.map((member, i) => nearEntry(compiler, unit, member, [...path, 'members', i]));
	if (compiler.mistakes > before) return undefined;
	const places = entries.flatMap(({ point }) => (point === undefined ? [] : [point]));
	const members = entries.flatMap(({ node }) => (node === undefined ? [] : [node]));
	if (places.length < entries.length || members.length < entries.length) return undefined;
	const biases = entries.map(({ bias }) => bias);
	const key = `proximity ${compiler.geo.version} ${JSON.stringify([places, biases])}`;
	const placed = compiler.merges.get(key, () =>
		rankPlaces(compiler.geo, (client) => proximityRanking(places, biases, client)),
	);
	const weights = entries.map(({ weight }) => weight);
	return { kind: 'proximity', name, looksAtClient: true, members, weights, points: places, biases, ...placed };
}

/** A member with its node and its place; either is undefined after a mistake, which has been reported. */
function nearEntry(compiler: Compiler, unit: SteeringUnit, member: NearMember, path: Path) {
	if (typeof member === 'string' || 'kind' in member) {
		const node = compiler.use(unit, member, path);
		return { node, point: pointOf(compiler, unit, undefined, node, path), weight: 1, bias: 0 };
	}
	const node = compiler.use(unit, member.use, [...path, 'use']);
	const point = pointOf(compiler, unit, member.region, node, path);
	return { node, point, weight: member.weight, bias: member.bias };
}

/** Where a member is: the region that it names, else the one region of all pools that it reaches. */
function pointOf(
	compiler: Compiler,
	unit: SteeringUnit,
	named: string | undefined,
	node: number | undefined,
	path: Path,
): Region | undefined {
	if (node === undefined) return undefined;
	const region = named ?? soleRegion(compiler, node);
	const point = compiler.regions.get(region ?? '');
	if (point !== undefined) return point;
	if (named === undefined) {
		const hint = 'expected a pool with a region, pools of one region, or a "region" beside "use"';
		compiler.report(unit, path, `Cannot tell where this member is: ${hint}`);
	} else {
		compiler.reportUnknown(unit, [...path, 'region'], 'the region', named, compiler.regions.keys());
	}
	return undefined;
}

function soleRegion(compiler: Compiler, member: number): string | undefined {
	const regions = new Set(compiler.poolsOf([member]).map(({ region }) => region));
	return regions.size === 1 ? [...regions][0] : undefined;
}

export function compileLatency(
	compiler: Compiler,
	unit: SteeringUnit,
	policy: PolicyOf<'latency'>,
	path: Path,
	name: string,
): LatencyNode | undefined {
	const members = compiler.members(unit, policy.members, path);
	if (members === undefined) return undefined;
	const points = members.map((member) => compiler.regions.get(soleRegion(compiler, member) ?? ''));
	const vantages = compiler.vantages.map((region) => compiler.regions.get(region));
	const isPlaced = placedCount(points) > 1 || placedCount(vantages) > 1;
	const rank = (client: Point | undefined) => latencyRanking(points, vantages, client);
	const key = `latency ${compiler.geo.version} ${JSON.stringify([points, vantages])}`;
	const placed = isPlaced
		? compiler.merges.get(key, () => rankPlaces(compiler.geo, rank))
		: { decisions: compiler.nowhere, rankings: [rank(undefined)], unknownRanking: 0 };
	return {
		kind: 'latency',
		name,
		looksAtClient: isPlaced || compiler.looksAtClient(members),
		isPlaced,
		members,
		memoryAt: compiler.takeMemory(2 * Math.max(1, vantages.length)),
		...placed,
	};
}

/** The vantage of each client; undefined where all have the first one. */
export function placeVantages({ vantages, regions, merges, geo }: Compiler): PoolNode['vantages'] {
	const points = vantages.map((region) => regions.get(region));
	if (placedCount(points) < 2) return undefined;
	const key = `vantages ${geo.version} ${JSON.stringify(points)}`;
	return merges.get(key, () => rankPlaces(geo, (client) => nearestFirst(points, client)[0] ?? 0));
}

/** How many points there are that differ. */
function placedCount(points: readonly (Point | undefined)[]): number {
	return new Set(points.flatMap((point) => (point === undefined ? [] : [`${point.latitude} ${point.longitude}`]))).size;
}

function rankPlaces<R>(
	geo: GeoData,
	rank: (client: Point | undefined) => R,
): { readonly decisions: Ranges; readonly rankings: readonly R[]; readonly unknownRanking: number } {
	const rankings: R[] = [];
	const numbers = new Map<string, number>();
	const decide = ({ coordinates }: Place) => {
		const ranking = rank(coordinates);
		const key = JSON.stringify(ranking);
		const before = numbers.get(key);
		if (before !== undefined) return before;
		numbers.set(key, rankings.length);
		rankings.push(ranking);
		return rankings.length - 1;
	};
	const unknownRanking = decide(NOWHERE);
	return { decisions: mergeDecisions(geo, [], decide), rankings, unknownRanking };
}

/** Members from the nearest on; in the order in which they stand where the client's place is unknown. */
function proximityRanking(
	points: readonly Point[],
	biases: readonly number[],
	client: Point | undefined,
): ProximityRanking {
	if (client === undefined) return { order: [...points.keys()], tieEnds: [...points.keys()] };
	const distancesKm = points.map((point, i) => biasedKm(distanceKm(client, point), biases[i] ?? 0));
	const order = [...points.keys()].sort((a, b) => (distancesKm[a] ?? 0) - (distancesKm[b] ?? 0));
	const tieEnds = order.map((member) => {
		const km = distancesKm[member] ?? 0;
		const tieKm = Math.max(km * (1 + TIE_SHARE), km + TIE_KM);
		return order.findLastIndex((other) => (distancesKm[other] ?? 0) <= tieKm);
	});
	return { order, tieEnds };
}

/** As Route 53 has it: a positive bias draws clients in, a negative one keeps them off. */
function biasedKm(km: number, bias: number): number {
	return bias >= 0 ? km * (1 - bias / 100) : km / (1 + bias / 100);
}

function latencyRanking(
	points: readonly (Point | undefined)[],
	vantages: readonly (Point | undefined)[],
	client: Point | undefined,
): LatencyRanking {
	const [vantage = 0] = nearestFirst(vantages, client);
	return { vantage, order: nearestFirst(points, client) };
}

/** Positions of points by distance; points without a place come last, in the order in which they stand. */
function nearestFirst(points: readonly (Point | undefined)[], client: Point | undefined): readonly number[] {
	const km = points.map((point) =>
		point === undefined || client === undefined ? Number.MAX_VALUE : distanceKm(client, point),
	);
	return [...points.keys()].sort((a, b) => (km[a] ?? 0) - (km[b] ?? 0));
}

/** Great-circle distance (haversine). */
export function distanceKm(a: Point, b: Point): number {
	const radians = (degrees: number) => (degrees * Math.PI) / 180;
	const latitude = Math.sin(radians(b.latitude - a.latitude) / 2) ** 2;
	const longitude = Math.sin(radians(b.longitude - a.longitude) / 2) ** 2;
	const h = latitude + Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * longitude;
	return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}
