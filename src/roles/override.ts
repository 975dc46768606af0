/**
 * `meridian drain TARGET` and `meridian override [TARGET up|down|drain|end|clear]`: what an operator switches beside the
 * configuration, with a reason and an end.
 *
 * | TARGET                 | names                                   |
 * |------------------------|-----------------------------------------|
 * | example.org/eu         | a pool of a zone                        |
 * | common/eu              | a pool that is common to all zones      |
 * | example.org/eu/eu-1    | an endpoint                             |
 * | region:eu-west         | all pools of a region                   |
 * | example.org/www/eu     | for `clear`: a member of a failover policy that has tripped |
 */

import { isDeepStrictEqual } from 'node:util';
import type { OverrideReport } from '../model/operating-shapes.ts';
import { ApiClient } from './api-client.ts';
import { failureOf, misunderstood, timeLeft } from './api-command.ts';
import type { Command } from './command.ts';
import { counted } from './counted.ts';
import { tableLines } from './table-lines.ts';

type Target = OverrideReport['target'];

interface Trip {
	readonly unit: string;
	readonly pool?: string;
	readonly policy?: string;
	readonly member?: string;
	readonly trippedAt: string;
	readonly reason: string;
}

const STATES = ['up', 'down', 'drain'];
/** Of `--for`. */
const LASTING = '1h';

/** @returns the exit code */
export async function runOverride(command: Command): Promise<number> {
	const { name, operands } = command;
	const [text, action = name === 'drain' ? 'drain' : undefined] = operands;
	try {
		const api = new ApiClient(command.settings);
		if (text === undefined)
			return name === 'drain' ? misunderstood(command, 'it takes a TARGET') : await list(command, api);
		const target = readTarget(text);
		if (target === undefined)
			return misunderstood(command, `"${text}" is no target: expected ZONE/POOL, ZONE/POOL/ENDPOINT or region:NAME`);
		if (action === 'end') return await end(command, api, target, text);
		if (action === 'clear') return await clear(command, api, target, text);
		if (action === undefined || !STATES.includes(action))
			return misunderstood(command, `"${action ?? ''}" is none of up, down, drain, end and clear`);
		return await set(command, api, target, action);
	} catch (error) {
		return failureOf(command, error);
	}
}

async function set(command: Command, api: ApiClient, target: Target, state: string): Promise<number> {
	const { options, isJson, print } = command;
	const reason = options.get('reason');
	if (reason === undefined) return misunderstood(command, 'it takes --reason TEXT');
	const body = { state, target, for: options.get('for') ?? LASTING };
	const reply = await api.ask('POST', '/v1/overrides', { body, reason });
	const made = reply.body as OverrideReport;
	print(isJson ? JSON.stringify(made, undefined, 2) : printMade(made));
	return 0;
}

async function list({ isJson, print }: Command, api: ApiClient): Promise<number> {
	const [{ overrides }, { trips }] = await Promise.all([overridesOf(api), tripsOf(api)]);
	if (isJson) print(JSON.stringify({ overrides, trips }, undefined, 2));
	else if (overrides.length + trips.length === 0) print('Nothing is overridden, and nothing has tripped');
	else
		print(
			tableLines([
				['TARGET', 'STATE', 'ENDS', 'HELD BY', 'BY', 'REASON'],
				...overrides.map((one) => [
					printTarget(one.target),
					one.state,
					one.isActive ? `in ${timeLeft(one.until)}` : 'ended',
					one.drain === undefined ? '-' : `${percent(one.drain.remainingShare)} of clients`,
					one.author,
					one.reason,
				]),
				...trips.map((one) => [printTrip(one), 'tripped', 'when cleared', '-', '-', one.reason]),
			]).join('\n'),
		);
	return 0;
}

async function end(command: Command, api: ApiClient, target: Target, text: string): Promise<number> {
	const { options, isJson, print, printError } = command;
	const { overrides } = await overridesOf(api);
	const found = overrides.find((one) => isDeepStrictEqual(keyOf(one.target), keyOf(target)));
	if (found === undefined) {
		printError(`Cannot end an override of ${text}: there is none`);
		return 1;
	}
	await api.ask('DELETE', `/v1/overrides/${found.id}`, { reason: options.get('reason') });
	print(isJson ? JSON.stringify({ ...found, isActive: false }, undefined, 2) : `The override of ${text} has ended`);
	return 0;
}

async function clear(command: Command, api: ApiClient, target: Target, text: string): Promise<number> {
	const { options, isJson, print } = command;
	const { unit = '', pool = '', endpoint: member } = target;
	if (unit === '') return misunderstood(command, `"${text}" cannot trip: expected ZONE/POOL or ZONE/POLICY/MEMBER`);
	const place = unit === 'common' ? '/v1/common' : `/v1/zones/${encodeURIComponent(unit)}`;
	const name = encodeURIComponent(pool);
	const what = member === undefined ? `pools/${name}` : `policies/${name}/members/${encodeURIComponent(member)}`;
	await api.ask('DELETE', `${place}/${what}/trip`, { reason: options.get('reason') });
	const cleared = member === undefined ? { unit, pool } : { unit, policy: pool, member };
	print(isJson ? JSON.stringify({ ...cleared, cleared: true }) : `${text} may serve again`);
	return 0;
}

function printTrip({ unit, pool, policy, member }: Trip): string {
	return [unit, ...(pool === undefined ? [policy, member] : [pool])].join('/');
}

async function overridesOf(api: ApiClient) {
	return (await api.ask('GET', '/v1/overrides')).body as { readonly overrides: readonly OverrideReport[] };
}

async function tripsOf(api: ApiClient) {
	return (await api.ask('GET', '/v1/trips')).body as { readonly trips: readonly Trip[] };
}

function readTarget(text: string): Target | undefined {
	if (text.startsWith('region:')) return { kind: 'region', region: text.slice('region:'.length) };
	const [unit, pool, endpoint, ...more] = text.split('/');
	if (unit === undefined || unit === '' || pool === undefined || pool === '' || more.length > 0) return undefined;
	return endpoint === undefined ? { kind: 'pool', unit, pool } : { kind: 'endpoint', unit, pool, endpoint };
}

function printTarget({ kind, unit, pool, endpoint, region }: Target): string {
	if (kind === 'region') return `region:${region}`;
	return [unit, pool, ...(kind === 'endpoint' ? [endpoint] : [])].join('/');
}

/** A zone with and without its dot is the same. */
function keyOf({ kind, unit, pool, endpoint, region }: Target): readonly unknown[] {
	return [kind, unit?.toLowerCase().replace(/\.$/, ''), pool, endpoint, region];
}

function printMade({ target, state, until, pools, drain }: OverrideReport): string {
	const lines = [`${printTarget(target)} is ${STATE_WORDS[state]} for ${timeLeft(until)}, until ${until}`];
	if (target.kind === 'region') lines.push(`  pools ${pools.map(({ unit, pool }) => `${unit}/${pool}`).join(', ')}`);
	if (drain !== undefined)
		lines.push(
			`  ${counted(drain.names.length, 'steered name')} ${drain.names.length === 1 ? 'leads' : 'lead'} there; by their TTLs ${percent(drain.remainingShare)} of the clients that were told it hold it now, none after ${drain.overAt} (in ${timeLeft(drain.overAt)})`,
		);
	return lines.join('\n');
}

const STATE_WORDS = { up: 'held up', down: 'down', drain: 'drained' } as const;

function percent(share: number): string {
	return `${Math.round(share * 100)} %`;
}
