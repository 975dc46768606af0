/**
 * One call of an operation, and what comes of it: the form of the tables that exercise the API.
 */

import assert from 'node:assert/strict';
import type { InjectedRequest } from '../../src/admin/app.ts';
import type { Scene } from './operating-parts.ts';

export interface OperationRow extends Pick<InjectedRequest, 'method' | 'url' | 'headers'> {
	readonly name: string;
	readonly operation: string;
	readonly status: number;
	/** JSON. */
	readonly body?: unknown;
	/** Members of the reply. */
	readonly says?: object;
	/** What comes before it. */
	readonly before?: (scene: Pick<Scene, 'store'>) => Promise<void> | void;
}

/** Ask, and compare. @returns the reply's JSON */
export async function tryRow(scene: Scene, row: OperationRow, token: string): Promise<unknown> {
	await row.before?.(scene);
	const { method, url, headers = {}, body, status, says } = row;
	const reply = await scene.surface.inject({
		method,
		url,
		headers: {
			...(token === '' ? {} : { authorization: `Bearer ${token}` }),
			...(body === undefined ? {} : { 'content-type': 'application/json' }),
			...headers,
		},
		...(body === undefined ? {} : { body: JSON.stringify(body) }),
	});
	assert.equal(reply.status, status, reply.body);
	if (status >= 400) assert.match(reply.type, /^application\/problem\+json/);
	const told: unknown = reply.body === '' ? undefined : JSON.parse(reply.body);
	if (says !== undefined) assert.partialDeepStrictEqual(told, says);
	return told;
}
