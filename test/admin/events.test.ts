import assert from 'node:assert/strict';
import { get, type IncomingMessage } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import Fastify from 'fastify';
import { addDoor } from '../../src/admin/auth.ts';
import { EventFeed, type FeedEvent } from '../../src/admin/event-feed.ts';
import { eventRoutes } from '../../src/admin/event-routes.ts';
import type { TargetReport } from '../../src/admin/reports.ts';
import type { Head } from '../../src/store/ports.ts';
import { commitTo } from '../contract/store-parts.ts';
import { until } from '../roles/meridian-process.ts';
import { bearer, openScene, SHOWN, tokenOfRole } from './operating-parts.ts';

/** What an instance tells, to be turned by a test. */
function world() {
	const state = {
		generation: 1,
		degraded: [] as string[],
		verdicts: { '192.0.2.1': 'unknown' } as Record<string, 'up' | 'down' | 'unknown'>,
		head: undefined as Head | undefined,
		condition: { kind: 'ready' } as { kind: 'ready' } | { kind: 'lost'; reason: string },
	};
	const target = (address: string) =>
		({ address, port: 80, kind: 'http', pools: ['a. eu'], reason: 'status 500' }) as unknown as TargetReport;
	const sources = {
		ready: () => ({ ...SHOWN.ready(), generation: state.generation, degraded: state.degraded }),
		targets: () => Object.entries(state.verdicts).map(([address, verdict]) => ({ ...target(address), verdict })),
		store: {
			get condition() {
				return state.condition;
			},
			get configuration() {
				return { head: state.head, items: new Map() };
			},
		},
	};
	return { state, sources };
}

const head = (generation: number): Head => ({ epoch: 1, generation, hash: String(generation), parent: '' });

function openFeed(t: TestContext, lingerMs?: number) {
	const { state, sources } = world();
	const feed = new EventFeed(sources, { mark: 'm', everyMs: 5, ...(lingerMs === undefined ? {} : { lingerMs }) });
	t.after(() => feed.close());
	const heard: FeedEvent[] = [];
	return { state, feed, heard, listen: (lastId?: string) => feed.listen(lastId, (event) => heard.push(event)) };
}

describe('EventFeed', () => {
	for (const { what, turn, tells } of [
		{ what: 'a generation', turn: { generation: 2 }, tells: ['generation {"generation":2,"zones":1}'] },
		{
			what: 'the store',
			turn: { head: head(4) },
			tells: ['store {"epoch":1,"generation":4,"condition":{"kind":"ready"}}'],
		},
		{
			what: 'a store that is lost',
			turn: { condition: { kind: 'lost' as const, reason: 'x' } },
			tells: ['store {"condition":{"kind":"lost","reason":"x"}}'],
		},
		{
			what: 'health',
			turn: { verdicts: { '192.0.2.1': 'down' as const, '192.0.2.2': 'up' as const, '192.0.2.3': 'unknown' as const } },
			tells: [
				'health {"pools":["a. eu"],"address":"192.0.2.1","port":80,"kind":"http","verdict":"down","was":"unknown","reason":"status 500"}',
				'health {"pools":["a. eu"],"address":"192.0.2.2","port":80,"kind":"http","verdict":"up","was":"unknown","reason":"status 500"}',
			],
		},
		{ what: 'an alarm', turn: { degraded: ['it burns'] }, tells: ['alarm {"alarm":"it burns","isRaised":true}'] },
		{ what: 'nothing', turn: { generation: 1 }, tells: [] },
	]) {
		it(`tells of ${what}, once`, async (t) => {
			const { state, heard, listen } = openFeed(t);
			listen();
			Object.assign(state, turn);
			await until('all', 1000, () => heard.length === tells.length);
			Object.assign(state, { generation: state.generation + 1 });
			await until('one more', 1000, () => heard.length === tells.length + 1);
			assert.deepEqual(
				heard.slice(0, -1).map(({ kind, data }) => `${kind} ${JSON.stringify(data)}`),
				tells,
			);
			assert.deepEqual(
				heard.map(({ id }) => id),
				heard.map((_, i) => `m-${i + 1}`),
			);
		});
	}

	it('tells when an alarm is over', async (t) => {
		const { state, heard, listen } = openFeed(t);
		state.degraded = ['it burns'];
		listen();
		state.degraded = [];
		await until('it', 1000, () => heard.length === 1);
		assert.deepEqual(heard[0]?.data, { alarm: 'it burns', isRaised: false });
	});

	it('tells who comes back what was missed, and who comes too late to start anew', async (t) => {
		const { state, feed, heard, listen } = openFeed(t, 50);
		const forget = listen();
		for (const generation of [2, 3]) {
			state.generation = generation;
			await until('it', 1000, () => heard.length === generation - 1);
		}
		const again: FeedEvent[] = [];
		feed.listen('m-1', (event) => again.push(event))();
		assert.deepEqual(
			again.map(({ id }) => id),
			['m-2'],
		);
		for (const lastId of ['m-9', 'm-x', 'other-1', '']) {
			const reset: FeedEvent[] = [];
			feed.listen(lastId, (event) => reset.push(event))();
			assert.deepEqual(
				reset.map(({ kind }) => kind),
				['reset'],
				lastId,
			);
		}
		forget();
		await new Promise((resolve) => setTimeout(resolve, 200));
		const late: FeedEvent[] = [];
		feed.listen('m-1', (event) => late.push(event));
		assert.deepEqual(
			late.map(({ kind }) => kind),
			['reset'],
		);
	});
});

async function openEvents(t: TestContext) {
	const scene = await openScene(t);
	const { state, sources } = world();
	const app = Fastify({ forceCloseConnections: true });
	t.after(() => app.close());
	addDoor(app, scene.parts.door);
	const feed = new EventFeed(sources, { mark: 'm', everyMs: 5 });
	app.register(eventRoutes({ feed, tokens: scene.parts.door.tokens, counts: { listeners: 0 }, heartbeatMs: 50 }));
	const url = await app.listen({ host: '127.0.0.1', port: 0 });
	const open = (role: 'viewer' | 'admin', headers: Readonly<Record<string, string>> = {}) =>
		new Promise<IncomingMessage & { said: string }>((resolve) => {
			const asked = get(`${url}/v1/events`, { headers: { ...bearer(tokenOfRole(role)), ...headers } }, (response) => {
				const told = Object.assign(response, { said: '' });
				response.setEncoding('utf8').on('data', (text: string) => {
					told.said += text;
				});
				response.on('error', () => {});
				resolve(told);
			});
			asked.on('error', () => {});
			t.after(() => asked.destroy());
		});
	return { ...scene, state, open };
}

describe('/v1/events', () => {
	it('is a dialogue: what happens, a heartbeat, and what was missed', async (t) => {
		const { state, open } = await openEvents(t);
		const first = await open('viewer');
		assert.equal(first.statusCode, 200);
		assert.equal(first.headers['content-type'], 'text/event-stream');
		state.generation = 2;
		await until('the event', 2000, () => first.said.includes('event: generation'));
		await until('a heartbeat', 2000, () => first.said.includes(': alive\n\n'));
		assert.match(
			first.said,
			/^retry: 2000\n\n[\s\S]*id: m-1\nevent: generation\ndata: \{"generation":2,"zones":1\}\n\n/,
		);
		first.destroy();
		state.generation = 3;
		const second = await open('viewer', { 'last-event-id': 'm-1' });
		await until('the next', 2000, () => second.said.includes('id: m-2\n'));
		assert.doesNotMatch(second.said, /id: m-1\n/);
	});

	it('takes eight listeners of a token, and another when one has gone', async (t) => {
		const { open } = await openEvents(t);
		const all = [];
		for (let i = 0; i < 8; i++) all.push(await open('viewer'));
		const refused = await open('viewer');
		assert.deepEqual([refused.statusCode, refused.headers['retry-after']], [429, '15']);
		assert.equal((await open('admin')).statusCode, 200);
		all[0]?.destroy();
		await until('room', 2000, async () => (await open('viewer')).statusCode === 200);
	});

	it('ends when the token is revoked', async (t) => {
		const { open, store } = await openEvents(t);
		const heard = await open('viewer');
		await commitTo(store, [{ kind: 'token', name: 'viewer', content: undefined }]);
		await until('the end', 2000, () => heard.complete);
	});

	it('cuts off who does not read', async (t) => {
		const { open, state } = await openEvents(t);
		const slow = await open('viewer');
		slow.pause();
		const reader = await open('viewer');
		let isCut = false;
		slow.on('close', () => {
			isCut = true;
		});
		for (let round = 0; !isCut; round++) {
			state.degraded = Array.from({ length: 5 }, (_, i) => `${round} ${i} ${'x'.repeat(40_000)}`);
			await until('the reader', 5000, () => reader.said.includes(`"${round} 4 `));
			reader.said = '';
			assert(round < 200, 'it was never cut off');
			// The kernel tells by a reset, which a paused stream sees when it is looked at.
			if (round % 20 === 19) slow.resume();
		}
		assert(!slow.complete);
	});
});
