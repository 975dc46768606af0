/**
 * `meridian token create NAME | list | revoke NAME`: who may use the admin API.
 */

import type { TokenReport } from '../model/operating-shapes.ts';
import { ApiClient } from './api-client.ts';
import { failureOf, misunderstood, timeLeft } from './api-command.ts';
import type { Command } from './command.ts';
import { tableLines } from './table-lines.ts';

type MadeToken = TokenReport & { readonly token: string };

/** @returns the exit code */
export async function runToken(command: Command): Promise<number> {
	const { operands, settings, options, isJson, print, printError } = command;
	const [action = 'list', name, ...more] = operands;
	if (more.length > 0 || (action === 'list') !== (name === undefined) || !['list', 'create', 'revoke'].includes(action))
		return misunderstood(command, 'it takes create NAME, list, or revoke NAME');
	for (const option of action === 'create' ? [] : ['role', 'zones', 'expires'])
		if (options.has(option)) return misunderstood(command, `--${option} goes with create`);
	const api = new ApiClient(settings);
	const place = `/v1/tokens/${encodeURIComponent(name ?? '')}`;
	try {
		if (action === 'revoke') {
			await api.ask('DELETE', place);
			print(isJson ? JSON.stringify({ name, revoked: true }) : `The token ${name} is revoked`);
		} else if (action === 'list') {
			const { tokens } = (await api.ask('GET', '/v1/tokens')).body as { readonly tokens: readonly TokenReport[] };
			print(isJson ? JSON.stringify(tokens, undefined, 2) : printTokens(tokens));
		} else {
			const role = options.get('role');
			if (role === undefined) return misunderstood(command, '--role viewer, operator, editor or admin is missing');
			const zones = options
				.get('zones')
				?.split(',')
				.filter((zone) => zone !== '');
			const body = { name, role, zones, expiresIn: options.get('expires') };
			const made = (await api.ask('POST', '/v1/tokens', { body })).body as MadeToken;
			if (!isJson) printError(`A token with the role ${role}, which is told only now:`);
			print(isJson ? JSON.stringify(made, undefined, 2) : made.token);
		}
		return 0;
	} catch (error) {
		return failureOf(command, error);
	}
}

function printTokens(tokens: readonly TokenReport[]): string {
	const rows = tokens.map(({ name, role, zones, expiresAt, isExpired, lastUsedAt, lastUsedFrom }) => [
		name,
		role,
		zones?.join(',') ?? 'all zones',
		isExpired ? 'expired' : expiresAt === undefined ? 'never' : `in ${timeLeft(expiresAt)}`,
		lastUsedAt === undefined ? '-' : `${lastUsedAt} from ${lastUsedFrom}`,
	]);
	return tableLines([['NAME', 'ROLE', 'FOR', 'EXPIRES', 'LAST USED'], ...rows]).join('\n');
}
