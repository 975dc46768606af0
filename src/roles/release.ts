/**
 * `meridian release ZONE`: gives a unit back to its files. `meridian restore`: writes the newest known state over a
 * store that was lost.
 */

import { ApiClient } from './api-client.ts';
import { failureOf, misunderstood } from './api-command.ts';
import type { Command } from './command.ts';

/** @returns the exit code */
export async function runRelease(command: Command): Promise<number> {
	const { operands, options, settings, isForced, isJson, print } = command;
	const [unit] = operands;
	if (unit === undefined) return misunderstood(command, 'it takes a ZONE, or common');
	const place = unit === 'common' ? '/v1/common' : `/v1/zones/${encodeURIComponent(unit)}`;
	try {
		const { body } = await new ApiClient(settings).ask('POST', `${place}/release`, {
			// Whatever it holds by now is what is given up.
			headers: { 'if-match': '*' },
			query: { force: isForced ? 'true' : undefined },
			reason: options.get('reason'),
		});
		print(isJson ? JSON.stringify(body, undefined, 2) : `${unit} belongs to its files again`);
		return 0;
	} catch (error) {
		return failureOf(command, error);
	}
}

/** @returns the exit code */
export async function runRestore(command: Command): Promise<number> {
	const { options, settings, isJson, print } = command;
	const reason = options.get('reason');
	if (reason === undefined) return misunderstood(command, 'it takes --reason TEXT');
	try {
		const { body } = await new ApiClient(settings).ask('POST', '/v1/store/restore', { reason });
		const { epoch, generation } = body as { readonly epoch: number; readonly generation: number };
		print(
			isJson ? JSON.stringify(body, undefined, 2) : `The store is restored: epoch ${epoch}, generation ${generation}`,
		);
		return 0;
	} catch (error) {
		return failureOf(command, error);
	}
}
