/**
 * From a pool's document to its node: what each address family has, and what is probed.
 */

import { type Target, targetKey } from '../health/target.ts';
import { type Family, parseAddress, printAddress } from '../lib/address.ts';
import type { Path } from '../lib/result.ts';
import type { Monitor } from '../model/monitor.ts';
import type { EndpointDocument, PoolDocument } from '../model/steering.ts';
import type { Compiler, SteeringUnit } from './compile.ts';
import { placeVantages } from './compile-place.ts';
import type { AddressEntry, EndpointEntry, PoolFamily, PoolNode } from './nodes.ts';
import { seedOf } from './rendezvous.ts';

/** A monitor with its port, which an endpoint may replace. */
interface PoolMonitor {
	readonly name: string;
	readonly port: number | undefined;
	readonly monitor: Monitor;
}

/** The node, or undefined after a mistake, which has been reported. */
export function compilePool(
	compiler: Compiler,
	unit: SteeringUnit,
	name: string,
	pool: PoolDocument,
): PoolNode | undefined {
	const path: Path = ['pools', name];
	const before = compiler.mistakes;
	const rampUpMs = compiler.model.durationMs(pool.rampUp);
	if (pool.region !== undefined && !compiler.regions.has(pool.region)) {
		compiler.reportUnknown(unit, [...path, 'region'], 'the region', pool.region, compiler.regions.keys());
	}
	const monitors = poolMonitors(compiler, unit, pool, path);
	const entries = pool.endpoints.map((endpoint, i) => ({
		endpoint,
		addresses: endpointAddresses(compiler, unit, name, { endpoint, monitors, rampUpMs }, [...path, 'endpoints', i]),
	}));
	if (compiler.mistakes > before) return undefined;
	const isSticky = pool.by === 'client';
	const isRegional = monitors.some(({ monitor }) => monitor.regional === true);
	const vantages = isRegional ? placeVantages(compiler) : undefined;
	const nodeName = `${unit.unit} ${name}`;
	const numbered = entries.map((entry) => ({
		...entry,
		index: compiler.endpoint({ pool: nodeName, name: entry.endpoint.name }),
	}));
	return {
		kind: 'pool',
		name: nodeName,
		looksAtClient: isSticky || vantages !== undefined,
		isSticky,
		...(vantages === undefined ? {} : { vantages }),
		holds: pool.endpoints[0]?.cname === undefined ? 'addresses' : 'aliases',
		region: pool.region,
		idle: pool.endpoints.flatMap((endpoint) => {
			const state = effectiveState(pool.state, endpoint.state);
			return state === 'down' || state === 'drain' ? [{ name: endpoint.name, state }] : [];
		}),
		onAllDown: pool.onAllDown,
		noAddress: pool.noAddress,
		answers: pool.answers,
		rampUpTenths: Math.ceil(rampUpMs / 100),
		ipv4: poolFamily(4, name, pool, numbered),
		ipv6: poolFamily(6, name, pool, numbered),
	};
}

function poolMonitors(compiler: Compiler, unit: SteeringUnit, pool: PoolDocument, path: Path): PoolMonitor[] {
	const names = pool.monitor === undefined ? [] : typeof pool.monitor === 'string' ? [pool.monitor] : pool.monitor;
	const monitors: PoolMonitor[] = [];
	for (const [i, name] of names.entries()) {
		const document = compiler.find(unit, 'monitors', name);
		if (document === undefined) {
			const at = typeof pool.monitor === 'string' ? [...path, 'monitor'] : [...path, 'monitor', i];
			compiler.reportUnknown(unit, at, 'the monitor', name, compiler.known(unit, 'monitors'));
			continue;
		}
		const port = document.kind === 'icmp' ? undefined : document.port;
		monitors.push({ name, port, monitor: compiler.model.monitorOf(document) });
	}
	return monitors;
}

interface FamilyAddress extends AddressEntry {
	/** Undefined for a CNAME, which serves both. */
	readonly family: Family | undefined;
}

interface ProbedEndpoint {
	readonly endpoint: EndpointDocument;
	readonly monitors: readonly PoolMonitor[];
	/** Of its pool. */
	readonly rampUpMs: number;
}

function endpointAddresses(
	compiler: Compiler,
	unit: SteeringUnit,
	pool: string,
	{ endpoint, monitors, rampUpMs }: ProbedEndpoint,
	path: Path,
): FamilyAddress[] {
	const targetsOf = (place: string, isFirst: boolean) =>
		monitors.flatMap(({ name, port, monitor }) => {
			const target = targetOf(endpoint, place, port, monitor);
			if (target !== undefined) return [compiler.target(target, rampUpMs)];
			if (isFirst) compiler.report(unit, path, `Cannot check "${endpoint.name}" with "${name}": neither has a port`);
			return [];
		});
	if (endpoint.cname !== undefined) {
		const name = compiler.nameOctets(endpoint.cname);
		if (typeof name === 'string') {
			compiler.report(unit, [...path, 'cname'], name);
			return [];
		}
		const host = endpoint.cname.slice(0, -1).toLowerCase();
		return [{ family: undefined, octetsAt: compiler.rdataAt(name), targets: targetsOf(host, true), seed: 0 }];
	}
	return (endpoint.addresses ?? []).flatMap((text, i) => {
		const address = parseAddress(text);
		if (address === undefined) return [];
		const own = printAddress(address);
		const targets = targetsOf(own, i === 0);
		const seed = seedOf(`${pool} ${endpoint.name}`, own);
		return [{ family: address.family, octetsAt: compiler.addressAt(address), targets, seed }];
	});
}

function targetOf(
	endpoint: EndpointDocument,
	own: string,
	port: number | undefined,
	monitor: Monitor,
): Target | undefined {
	const other = endpoint.check?.address === undefined ? undefined : parseAddress(endpoint.check.address);
	const address = other === undefined ? own : printAddress(other);
	const probedPort = monitor.kind === 'icmp' ? 0 : (endpoint.check?.port ?? port);
	if (probedPort === undefined) return undefined;
	return { key: targetKey(address, probedPort, monitor), address, port: probedPort, monitor };
}

/**
 * | state of an endpoint  | may be picked | counts towards what minHealthy asks for |
 * |-----------------------|---------------|-----------------------------------------|
 * | auto, up              | yes           | yes                                     |
 * | down                  | no            | yes, as failed                          |
 * | drain                 | no            | no, as if absent                        |
 */
function poolFamily(
	family: Family,
	name: string,
	pool: PoolDocument,
	entries: readonly {
		readonly endpoint: EndpointDocument;
		readonly addresses: readonly FamilyAddress[];
		readonly index: number;
	}[],
): PoolFamily {
	const endpoints: EndpointEntry[] = [];
	let present = 0;
	let hasAddresses = false;
	for (const { endpoint, addresses, index } of entries) {
		const own = addresses.filter((address) => address.family === family || address.family === undefined);
		if (own.length === 0) continue;
		hasAddresses = true;
		const state = effectiveState(pool.state, endpoint.state);
		if (state !== 'drain') present++;
		if (state === 'down' || state === 'drain') continue;
		endpoints.push({
			name: endpoint.name,
			weight: endpoint.weight,
			seed: seedOf(name, endpoint.name),
			isForcedUp: state === 'up',
			addresses: own.map(({ octetsAt, targets, seed }) => ({ octetsAt, targets, seed })),
			index,
		});
	}
	return { endpoints, requiredHealthy: Math.min(requiredHealthy(pool, present), present), hasAddresses };
}

type State = PoolDocument['state'];

/** The pool's state holds for all its endpoints; `drain` and `down` of either side leave new answers. */
function effectiveState(pool: State, endpoint: State): State {
	if (pool === 'drain' || endpoint === 'drain') return 'drain';
	if (pool === 'down' || endpoint === 'down') return 'down';
	return pool === 'up' || endpoint === 'up' ? 'up' : 'auto';
}

function requiredHealthy({ minHealthy }: PoolDocument, present: number): number {
	if (typeof minHealthy === 'number') return minHealthy;
	return Math.ceil((Number.parseInt(minHealthy, 10) * present) / 100);
}
