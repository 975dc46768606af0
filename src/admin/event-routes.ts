/**
 * Events as they happen (server-sent events). A listener that reads too slowly is cut off, and catches up by the id of
 * what it heard last; one whose token is good no more is ended at the next heartbeat.
 */

import type { FastifyPluginCallback, FastifyRequest } from 'fastify';
import { EventHeadersShape, EventTextShape } from '../model/operating-shapes.ts';
import { bearerOf } from './auth.ts';
import type { TokenBook } from './auth-tokens.ts';
import type { EventFeed, FeedEvent } from './event-feed.ts';
import { ApiProblem } from './problem.ts';

export interface EventParts {
	readonly feed: EventFeed;
	readonly tokens: TokenBook;
	readonly counts: { listeners: number };
	readonly heartbeatMs?: number;
}

const LISTENERS_MAX = 64;
const LISTENERS_OF_TOKEN_MAX = 8;
/** What may wait for a listener to read. */
const UNREAD_OCTETS_MAX = 1024 * 1024;
const HEARTBEAT_MS = 15_000;
const RETRY_MS = 2000;

export function eventRoutes({ feed, tokens, counts, heartbeatMs = HEARTBEAT_MS }: EventParts): FastifyPluginCallback {
	const listeners = new Map<string, number>();
	const count = (name: string) => listeners.get(name) ?? 0;
	const enter = (name: string) => {
		const all = [...listeners.values()].reduce((sum, one) => sum + one, 0);
		if (all >= LISTENERS_MAX || count(name) >= LISTENERS_OF_TOKEN_MAX)
			throw new ApiProblem('rate-limited', 'Cannot take more listeners', { headers: { 'retry-after': '15' } });
		listeners.set(name, count(name) + 1);
	};
	const leave = (name: string) => {
		if (count(name) <= 1) listeners.delete(name);
		else listeners.set(name, count(name) - 1);
	};
	const isGood = ({ headers }: FastifyRequest) => tokens.check(bearerOf(headers.authorization) ?? '').kind === 'known';
	return (app, _options, done) => {
		app.addHook('onClose', (_app, end) => {
			feed.close();
			end();
		});
		app.get('/v1/events', {
			schema: {
				operationId: 'listenEvents',
				summary: 'Generations, turns of health and alarms, as they happen (server-sent events)',
				tags: ['events'],
				headersTaken: EventHeadersShape,
				replyType: 'text/event-stream',
				response: { 200: EventTextShape },
			},
			config: { access: 'viewer', problems: ['rate-limited'] },
			handler: (request, reply) => {
				const { author } = request;
				enter(author);
				counts.listeners++;
				reply.hijack();
				const { raw } = reply;
				raw.writeHead(200, {
					'content-type': 'text/event-stream',
					'cache-control': 'no-store',
					'x-accel-buffering': 'no',
					'x-request-id': request.id,
				});
				const send = (text: string) => {
					raw.write(text);
					if (raw.writableLength > UNREAD_OCTETS_MAX) raw.destroy();
				};
				send(`retry: ${RETRY_MS}\n\n`);
				const lastId = request.headers['last-event-id'];
				const forget = feed.listen(typeof lastId === 'string' ? lastId : undefined, (event) => send(textOf(event)));
				const beat = setInterval(() => (isGood(request) ? send(': alive\n\n') : raw.end()), heartbeatMs);
				raw.once('close', () => {
					clearInterval(beat);
					forget();
					leave(author);
					counts.listeners--;
				});
			},
		});
		done();
	};
}

/** JSON holds no line break, so one line of data is all. */
function textOf({ id, kind, data }: FeedEvent): string {
	return `id: ${id}\nevent: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
}
