/**
 * Tokens: list, create, revoke. The token itself is in the reply to its creation and nowhere else.
 */

import type { FastifyPluginCallback } from 'fastify';
import { lowerName, printName, scanName } from '../dns/name.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import { durationMs } from '../model/duration.ts';
import {
	MadeTokenShape,
	NameParamsShape,
	type NewToken,
	NewTokenShape,
	TokenListShape,
	type TokenReport,
	TokenShape,
} from '../model/operating-shapes.ts';
import type { Item } from '../store/item.ts';
import type { Store } from '../store/ports.ts';
import { hashOfToken, makeToken } from './auth-tokens.ts';
import { ApiProblem } from './problem.ts';
import { CHANGE_PROBLEMS, changeItems } from './store-items.ts';
import type { TokenUse } from './token-use.ts';

export interface TokenRouteParts {
	readonly store: Store;
	readonly use: TokenUse;
	/** The settings have a token, so that nobody can lock everybody out. */
	readonly hasSettingToken: boolean;
}

type TokenItem = Item & { readonly kind: 'token' };

export function tokenRoutes({ store, use, hasSettingToken }: TokenRouteParts): FastifyPluginCallback {
	const all = (items = store.configuration.items) =>
		[...items.values()].filter((item) => item.kind === 'token').sort((a, b) => (a.name < b.name ? -1 : 1));
	const find = (name: string, items = store.configuration.items): TokenItem => {
		const item = items.get(`token:${name}`);
		if (item?.kind !== 'token') throw new ApiProblem('not-found', `There is no token "${name}"`);
		return item;
	};
	const report = (item: TokenItem) => reportOf(item, use, store.nowMs());
	return (app, _options, done) => {
		app.get('/v1/tokens', {
			schema: {
				operationId: 'listTokens',
				summary: 'All tokens, without what is secret about them',
				tags: ['tokens'],
				response: { 200: TokenListShape },
			},
			config: { access: 'admin' },
			handler: () => ({ tokens: all().map(report) }),
		});
		app.post('/v1/tokens', {
			schema: {
				operationId: 'createToken',
				summary: 'Make a token; the reply is the only place where it stands',
				tags: ['tokens'],
				body: NewTokenShape,
				response: { 201: MadeTokenShape },
			},
			config: { access: 'admin', problems: ['malformed', 'conflict', ...CHANGE_PROBLEMS] },
			handler: async (request, reply) => {
				const { name, role, zones, expiresIn } = request.body as NewToken;
				const apexes = zones?.map(apexOf);
				const token = makeToken();
				const createdMs = store.nowMs();
				const content = {
					...{ hash: hashOfToken(token), role, zones: apexes, createdMs, createdBy: request.author },
					expiresMs: expiresIn === undefined ? undefined : createdMs + durationMs(expiresIn),
				};
				const reason = { author: request.author, reason: `token ${name} created` };
				const head = await changeItems(store, reason, (items) => {
					if (items.has(`token:${name}`))
						throw new ApiProblem('conflict', `Cannot make the token "${name}": there is one of that name`);
					return [{ kind: 'token', name, content }];
				});
				request.generation = head?.generation;
				return reply.code(201).send({ ...report(find(name)), token });
			},
		});
		app.get('/v1/tokens/:name', {
			schema: {
				operationId: 'getToken',
				summary: 'A token, without what is secret about it',
				tags: ['tokens'],
				params: NameParamsShape,
				response: { 200: TokenShape },
			},
			config: { access: 'admin', problems: ['not-found'] },
			handler: (request) => report(find((request.params as { name: string }).name)),
		});
		app.delete('/v1/tokens/:name', {
			schema: {
				operationId: 'revokeToken',
				summary: 'Revoke a token; the last one that may make others stays',
				tags: ['tokens'],
				params: NameParamsShape,
				response: { 204: TokenShape },
			},
			config: { access: 'admin', problems: ['not-found', 'conflict', ...CHANGE_PROBLEMS] },
			handler: async (request, reply) => {
				const { name } = request.params as { name: string };
				const reason = { author: request.author, reason: `token ${name} revoked` };
				const head = await changeItems(store, reason, (items) => {
					find(name, items);
					const others = all(items).filter((item) => item.name !== name);
					if (!hasSettingToken && !others.some((item) => isKey(item, store.nowMs())))
						throw new ApiProblem('conflict', `Cannot revoke "${name}": without it nobody could make a token any more`);
					return [{ kind: 'token', name, content: undefined }];
				});
				request.generation = head?.generation;
				return reply.code(204).send();
			},
		});
		done();
	};
}

/** Whether a token may make others. */
export function isKey({ content: { role, zones, expiresMs } }: TokenItem, nowMs: number): boolean {
	return role === 'admin' && zones === undefined && (expiresMs === undefined || expiresMs > nowMs);
}

/** @throws ApiProblem */
function apexOf(text: string, index: number): string {
	const apex = text === COMMON_UNIT ? 'it is for all zones' : scanName(text.endsWith('.') ? text : `${text}.`, ROOT);
	if (typeof apex !== 'string') return printName(lowerName(apex));
	const message = `Cannot use "${text}" as a zone: ${apex}`;
	throw new ApiProblem('malformed', message, { errors: [{ pointer: `/zones/${index}`, message }] });
}

const ROOT = Uint8Array.of(0);

function reportOf({ name, content }: TokenItem, use: TokenUse, nowMs: number): TokenReport {
	const { role, zones, createdMs, createdBy, expiresMs } = content;
	const last = use.of(name);
	return {
		name,
		role,
		...(zones === undefined ? {} : { zones: [...zones] }),
		createdAt: timeText(createdMs),
		createdBy,
		...(expiresMs === undefined ? {} : { expiresAt: timeText(expiresMs) }),
		isExpired: expiresMs !== undefined && expiresMs <= nowMs,
		...(last === undefined ? {} : { lastUsedAt: timeText(last.atMs), lastUsedFrom: last.address }),
	};
}

function timeText(ms: number): string {
	return new Date(ms).toISOString();
}
