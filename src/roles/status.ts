/**
 * `meridian status`: what the store holds, and which instances and probers live. Asks the store itself: Redis where `redis.url` names
 * one, else that of the state directory, which no other process may be using.
 */

import type { InstanceReport } from '../admin/fleet-report.ts';
import type { Head, ProberView, Store } from '../store/ports.ts';
import type { Command } from './command.ts';
import { counted } from './counted.ts';
import { fleetReport } from './fleet-report.ts';
import { withStore } from './with-store.ts';

/** @returns the exit code: 1 when the store is lost, unreachable, or cannot be read */
export function runStatus({ settings, isJson, print, printError }: Command): Promise<number> {
	return withStore({ settings, printError }, async (store) => {
		const status = await statusOf(store);
		print(isJson ? JSON.stringify(status, undefined, 2) : printStatus(status));
		return store.condition.kind === 'ready' ? 0 : 1;
	});
}

interface Status extends Pick<Store, 'condition' | 'refused'> {
	readonly head: Head | null;
	readonly units: readonly { readonly name: string; readonly owner: string; readonly etag: string }[];
	readonly overrides: number;
	readonly tokens: number;
	readonly instances: readonly InstanceReport[];
	readonly probers: readonly ProberStatus[];
}

interface ProberStatus extends Pick<ProberView, 'instance' | 'incarnation' | 'sequence' | 'leaseLeftMs'> {
	readonly region: string;
	readonly isAlive: boolean;
	readonly ageMs: number;
	readonly votes: number;
	readonly down: number;
}

async function statusOf(store: Store): Promise<Status> {
	const { condition, refused } = store;
	const { head, items } = store.configuration;
	const all = [...items.values()];
	const nowMs = performance.now();
	const { instances } = await fleetReport(store, undefined, nowMs);
	return {
		condition,
		head: head ?? null,
		units: all
			.flatMap((item) =>
				item.kind === 'unit' ? [{ name: item.name, owner: item.content.owner, etag: item.etag }] : [],
			)
			.sort((a, b) => (a.name < b.name ? -1 : 1)),
		overrides: all.filter(({ kind }) => kind === 'override').length,
		tokens: all.filter(({ kind }) => kind === 'token').length,
		instances,
		probers: store.probers().map(({ instance, incarnation, sequence, leaseLeftMs, publishedMs, report }) => ({
			...{ instance, incarnation, sequence, region: report.region, isAlive: report.isAlive },
			leaseLeftMs: Math.round(leaseLeftMs),
			ageMs: Math.round(nowMs - publishedMs),
			votes: report.votes.size,
			down: [...report.votes.values()].filter(({ vote }) => vote === 'down').length,
		})),
		refused,
	};
}

function printStatus({ condition, head, units, overrides, tokens, instances, probers, refused }: Status): string {
	const lines = [
		`store    ${condition.kind}${condition.kind === 'ready' ? '' : `: ${condition.reason}`}`,
		`head     ${head === null ? 'nothing has been committed' : `epoch ${head.epoch}, generation ${head.generation}`}`,
		`holds    ${counted(units.length, 'unit')}, ${counted(overrides, 'override')}, ${counted(tokens, 'token')}`,
	];
	for (const { name, owner, etag } of units) lines.push(`  unit   ${name} (owner ${owner}, etag ${etag.slice(0, 12)})`);
	lines.push(`instances ${instances.length}`);
	for (const {
		instance,
		role,
		region,
		version,
		epoch,
		generation,
		alive,
		seenSecAgo,
		generationsBehind,
	} of instances) {
		const behind = generationsBehind === 0 ? '' : `, ${counted(generationsBehind, 'generation')} behind`;
		const seen = `${alive ? 'seen' : 'silent, last seen'} ${seconds(seenSecAgo * 1000)} ago`;
		lines.push(`  ${instance} (${role} ${version}) in ${region}: ${seen}, serves ${epoch}.${generation}${behind}`);
	}
	lines.push(`probers  ${probers.length}`);
	for (const prober of probers) {
		const lease = prober.isAlive ? `lease for ${seconds(prober.leaseLeftMs)}` : 'no lease';
		const votes = `${counted(prober.votes, 'vote')}, ${prober.down} down`;
		lines.push(`  ${prober.instance} in ${prober.region}: ${lease}, published ${seconds(prober.ageMs)} ago, ${votes}`);
	}
	for (const [refusal, count] of Object.entries(refused)) if (count > 0) lines.push(`refused  ${count} ${refusal}`);
	return lines.join('\n');
}

function seconds(ms: number): string {
	return `${(ms / 1000).toFixed(1)} s`;
}
