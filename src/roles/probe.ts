/**
 * `meridian probe --once [POOL]`: one round of checks from this machine, as a table or as JSON. Knows no votes: each
 * target is checked once, whatever its region, and shown as it was found.
 */

import { isIP } from 'node:net';
import { printFileProblem } from '../config/zones-directory.ts';
import { combineGeoData } from '../geo/combine.ts';
import type { Target } from '../health/target.ts';
import { nearestName } from '../lib/nearest-name.ts';
import type { CheckResult } from '../probe/check-result.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { createChecking } from './checking.ts';
import type { Command } from './command.ts';
import { readGeodb } from './geodb.ts';
import { type CheckUse, printChecks, printChecksJson } from './probe-table.ts';
import { runProber } from './prober.ts';
import { DirectorySource } from './unit-source.ts';
import { UnitKeeper } from './units.ts';

/** Checks under way at one time. */
const AT_ONCE = 64;

/**
 * Without `--once` the process of a prober that publishes its votes.
 * @returns the exit code: 1 when something is down, or could not be checked; 2 for a POOL that there is not
 */
export async function runProbe(command: Command): Promise<number> {
	const { operands, isOnce, isJson, print, printError } = command;
	if (!isOnce) return runProber(command);
	const loaded = load(command);
	if (loaded === undefined) return 1;
	const { snapshot, isWhole } = loaded;
	const uses = usesOf(snapshot);
	const [pool] = operands;
	const wanted = pool === undefined ? uses : uses.filter((use) => isCalled(use.pool, pool));
	if (pool !== undefined && !poolNames(snapshot).some((name) => isCalled(name, pool))) {
		printError(unknownPool(pool, snapshot));
		return 2;
	}
	const results = await checkAll(command, targetsOf(wanted, snapshot));
	const checks = wanted.map((use) => ({ ...use, result: results.get(use.target.key) ?? NOT_CHECKED }));
	print(isJson ? printChecksJson(checks) : printChecks(checks));
	return isWhole && checks.every(({ result }) => result.isUp === true) ? 0 : 1;
}

const NOT_CHECKED: CheckResult = { isUp: undefined, reason: 'not checked' };

/** What is good of the zones directory; undefined when there is nothing to go on with. Problems have been told. */
function load({ settings, isForced, printError }: Command): { snapshot: Snapshot; isWhole: boolean } | undefined {
	try {
		const geo = combineGeoData(readGeodb(settings.geodb));
		const { settled, problems } = new UnitKeeper(new DirectorySource(settings.zonesDir), undefined, []).load(
			geo,
			isForced,
		);
		const errors = problems.filter(({ isWarning }) => !isWarning);
		for (const problem of errors) printError(printFileProblem(problem));
		return { snapshot: settled.snapshot, isWhole: errors.length === 0 };
	} catch (error) {
		printError((error as Error).message);
		return undefined;
	}
}

/** Each check of each endpoint of each pool, in the order of the zones; one that two addresses share stands once. */
function usesOf({ steering, targets }: Snapshot): readonly CheckUse[] {
	const uses = new Map<string, CheckUse>();
	for (const node of steering.nodes) {
		if (node.kind !== 'pool') continue;
		const pool = shownName(node.name);
		for (const endpoint of [...node.ipv4.endpoints, ...node.ipv6.endpoints]) {
			for (const target of endpoint.addresses.flatMap((address) => targetsAt(address.targets, targets))) {
				const use = { pool, endpoint: endpoint.name, target };
				uses.set(`${pool}\n${endpoint.name}\n${target.key}`, use);
			}
		}
	}
	return [...uses.values()];
}

function targetsAt(indexes: readonly number[], targets: readonly Target[]): readonly Target[] {
	return indexes.flatMap((index) => targets[index] ?? []);
}

function targetsOf(uses: readonly CheckUse[], { targets }: Snapshot): readonly Target[] {
	const keys = new Set(uses.map(({ target }) => target.key));
	return targets.filter(({ key }) => keys.has(key));
}

async function checkAll(
	{ settings, showProgress }: Command,
	targets: readonly Target[],
): Promise<ReadonlyMap<string, CheckResult>> {
	const { guard, check } = await createChecking(settings, { nowMs: () => performance.now() });
	const results = new Map<string, CheckResult>();
	const left = [...targets];
	const never = new AbortController().signal;
	const work = async () => {
		for (let target = left.shift(); target !== undefined; target = left.shift()) {
			// As the prober does: an address that must not be probed is no failure of the target's.
			const denial = isIP(target.address) === 0 ? undefined : guard(target.address);
			const result =
				denial === undefined ? await check(target, never) : { isUp: undefined, reason: `denied: ${denial}` };
			results.set(target.key, result);
			showProgress(`Checked ${results.size} of ${targets.length}`);
		}
	};
	await Promise.all(Array.from({ length: AT_ONCE }, work));
	showProgress('');
	return results;
}

/** A pool as people name it, from the unit and the name: `example.org/eu`, `common/eu`. */
function shownName(name: string): string {
	const [unit = '', pool = ''] = name.split(' ');
	return `${unit.replace(/(?<=.)\.$/, '')}/${pool}`;
}

function poolNames({ steering }: Snapshot): readonly string[] {
	return steering.nodes.flatMap((node) => (node.kind === 'pool' ? [shownName(node.name)] : []));
}

/** `eu` is the pool of that name of every zone, `example.org/eu` that of one. */
function isCalled(name: string, wanted: string): boolean {
	return name === wanted || name.slice(name.indexOf('/') + 1) === wanted;
}

function unknownPool(wanted: string, snapshot: Snapshot): string {
	const names = poolNames(snapshot).flatMap((name) => [name, name.slice(name.indexOf('/') + 1)]);
	const nearest = nearestName(wanted, names);
	const shown = names.length === 0 ? 'there are none' : `there are ${poolNames(snapshot).slice(0, 20).join(', ')}`;
	return `Cannot find the pool "${wanted}": ${nearest === undefined ? shown : `did you mean "${nearest}"?`}`;
}
