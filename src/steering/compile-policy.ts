/**
 * From a policy's document to its node, kind by kind.
 */

import { memberName } from '../lib/member-name.ts';
import type { Path } from '../lib/result.ts';
import type { PolicyDocument, Use } from '../model/steering.ts';
import type { Compiler, ModelReaders, SteeringUnit } from './compile.ts';
import { compileGeo } from './compile-geo.ts';
import { compileLatency, compileProximity } from './compile-place.ts';
import { TRICKLE_WHOLE } from './failover.ts';
import type { PolicyNode } from './nodes.ts';
import { seedOf } from './rendezvous.ts';

type PolicyOf<K extends PolicyDocument['kind']> = Extract<PolicyDocument, { kind: K }>;

/** The node, or undefined after a mistake, which has been reported. */
export function compilePolicy(
	compiler: Compiler,
	unit: SteeringUnit,
	policy: PolicyDocument,
	path: Path,
	name: string,
): PolicyNode | undefined {
	switch (policy.kind) {
		case 'geo':
			return compileGeo(compiler, unit, policy, path, name);
		case 'proximity':
			return compileProximity(compiler, unit, policy, path, name);
		case 'latency':
			return compileLatency(compiler, unit, policy, path, name);
		case 'weighted':
			return compileWeighted(compiler, unit, policy, path, name);
		case 'failover':
			return compileFailover(compiler, unit, policy, path, name);
		case 'all': {
			const members = compiler.members(unit, policy.members, path);
			if (members === undefined) return undefined;
			const aliases = compiler.poolsOf(members).filter(({ holds }) => holds === 'aliases');
			if (aliases[0] !== undefined) {
				compiler.report(unit, path, `Cannot unite the CNAME of ${aliases[0].name} with anything: a name has one`);
				return undefined;
			}
			return { kind: 'all', name, looksAtClient: compiler.looksAtClient(members), members };
		}
		default:
			return policy satisfies never;
	}
}

function compileFailover(
	compiler: Compiler,
	unit: SteeringUnit,
	policy: PolicyOf<'failover'>,
	path: Path,
	name: string,
): PolicyNode | undefined {
	const members = compiler.members(unit, policy.members, path);
	if (members === undefined) return undefined;
	const trickle = (Number.parseFloat(policy.trickle ?? '0') / 100) * TRICKLE_WHOLE;
	const tripped = new Set(policy.tripped);
	const trips = policy.members.map((use, i) => ({ member: memberName(use, i), hasTripped: tripped.has(i) }));
	return {
		kind: 'failover',
		name,
		looksAtClient: compiler.looksAtClient(members),
		members,
		tried: members.filter((_, i) => !tripped.has(i)),
		trickle: Math.round(trickle),
		...(policy.failback === 'manual' ? { trips } : {}),
	};
}

function compileWeighted(
	compiler: Compiler,
	unit: SteeringUnit,
	policy: PolicyOf<'weighted'>,
	path: Path,
	name: string,
): PolicyNode | undefined {
	const members = policy.members.map(({ use }, i) => compiler.use(unit, use, [...path, 'members', i, 'use']));
	if (!members.every((member) => member !== undefined)) return undefined;
	const isSticky = policy.by === 'client';
	return {
		kind: 'weighted',
		name,
		looksAtClient: isSticky || compiler.looksAtClient(members),
		members,
		weights: policy.members.map(({ weight }) => weight),
		seeds: isSticky ? memberSeeds(compiler, policy, path) : undefined,
	};
}

/**
 * Seeds by names, never by positions, so that a member keeps its clients when another comes or goes or when lists
 * are put into another order; where two members are the same, their order tells them apart.
 */
function memberSeeds({ model }: Compiler, policy: PolicyOf<'weighted'>, path: Path): readonly number[] {
	const place = path.filter((step) => typeof step === 'string').join('.');
	const counts = new Map<string, number>();
	return policy.members.map(({ use }) => {
		const own = nameOf(use, model);
		const before = counts.get(own) ?? 0;
		counts.set(own, before + 1);
		return seedOf(place, before === 0 ? own : `${own} ${before}`);
	});
}

/** A member that stands in place has no name: what it uses stands for it, in order where order means something. */
function nameOf(use: Use, model: ModelReaders): string {
	if (typeof use === 'string') return use;
	const names = model.usesOf(use).map((one) => nameOf(one, model));
	return `${use.kind}(${(use.kind === 'failover' ? names : names.sort()).join()})`;
}
