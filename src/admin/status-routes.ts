/**
 * What the store holds, and which probers live: `meridian status`.
 */

import type { FastifyPluginCallback } from 'fastify';
import { StoreStatusShape } from '../model/operating-shapes.ts';
import type { Head, ProberView, Store } from '../store/ports.ts';
import type { InstanceReport } from './fleet-report.ts';
import type { StateParts } from './state-routes.ts';

export interface StoreStatus extends Pick<Store, 'condition' | 'refused'> {
	readonly head: Head | null;
	readonly units: readonly { readonly name: string; readonly owner: string; readonly etag: string }[];
	/** Those that count now. */
	readonly overrides: number;
	readonly trips: number;
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

export interface StatusParts extends Pick<StateParts, 'fleet'> {
	readonly store: Store;
}

/** @param nowMs  of the monotonic clock of this process */
export function statusOf(store: Store, instances: readonly InstanceReport[], nowMs: number): StoreStatus {
	const { condition, refused } = store;
	const { head, items } = store.configuration;
	const all = [...items.values()];
	return {
		condition,
		head: head ?? null,
		units: all
			.flatMap((item) =>
				item.kind === 'unit' ? [{ name: item.name, owner: item.content.owner, etag: item.etag }] : [],
			)
			.sort((a, b) => (a.name < b.name ? -1 : 1)),
		overrides: all.filter((item) => item.kind === 'override' && item.content.untilMs > store.nowMs()).length,
		trips: all.filter(({ kind }) => kind === 'trip').length,
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

export function statusRoutes({ store, fleet }: StatusParts): FastifyPluginCallback {
	return (app, _options, done) => {
		app.get('/v1/store', {
			schema: {
				operationId: 'getStore',
				summary: 'What the store holds, whether it can be reached, and which probers live',
				tags: ['history'],
				response: { 200: StoreStatusShape },
			},
			config: { access: 'viewer' },
			handler: async () => statusOf(store, (await fleet()).instances, performance.now()),
		});
		done();
	};
}
