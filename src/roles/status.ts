/**
 * `meridian status`: what the store holds, and which instances and probers live. Asks the process at `admin.listen`;
 * where there is none, the store itself: Redis where `redis.url` names one, else that of the state directory, which no
 * other process may be using.
 */

import { existsSync } from 'node:fs';
import { type StoreStatus, statusOf } from '../admin/status-routes.ts';
import type { Settings } from '../model/settings.ts';
import { ApiAbsent, ApiClient } from './api-client.ts';
import { hintOf } from './api-command.ts';
import type { Command } from './command.ts';
import { counted } from './counted.ts';
import { fleetReport } from './fleet-report.ts';
import { withStore } from './with-store.ts';

/** @returns the exit code: 1 when the store is lost, unreachable, or cannot be read */
export async function runStatus({ settings, isJson, print, printError }: Command): Promise<number> {
	const tell = (status: StoreStatus) => {
		print(isJson ? JSON.stringify(status, undefined, 2) : printStatus(status));
		return status.condition.kind === 'ready' ? 0 : 1;
	};
	try {
		const status = await askProcess(settings);
		if (status !== undefined) return tell(status);
	} catch (error) {
		printError((error as Error).message);
		const hint = hintOf(error);
		if (hint !== undefined) printError(hint);
		return 1;
	}
	const nobody = `No process answers at ${settings['admin.url'] || settings['admin.listen']}`;
	if (settings['redis.url'] === '' && !existsSync(settings.stateDir)) {
		printError(`${nobody}, and there is no state directory ${settings.stateDir}`);
		return 1;
	}
	printError(`${nobody}: this is the store of ${settings['redis.url'] === '' ? settings.stateDir : 'redis.url'}`);
	return withStore({ settings, printError }, async (store) => {
		const nowMs = performance.now();
		const { instances } = await fleetReport(store, undefined, nowMs);
		return tell(statusOf(store, instances, nowMs));
	});
}

/** @returns undefined where no process listens */
async function askProcess(settings: Settings): Promise<StoreStatus | undefined> {
	try {
		return (await new ApiClient(settings).ask('GET', '/v1/store')).body as StoreStatus;
	} catch (error) {
		if (error instanceof ApiAbsent) return undefined;
		throw error;
	}
}

function printStatus({
	condition,
	head,
	units,
	overrides,
	trips,
	tokens,
	instances,
	probers,
	refused,
}: StoreStatus): string {
	const lines = [
		`store    ${condition.kind}${condition.kind === 'ready' ? '' : `: ${condition.reason}`}`,
		`head     ${head === null ? 'nothing has been committed' : `epoch ${head.epoch}, generation ${head.generation}`}`,
		`holds    ${counted(units.length, 'unit')}, ${counted(overrides, 'override')}, ${counted(trips, 'trip')}, ${counted(tokens, 'token')}`,
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
