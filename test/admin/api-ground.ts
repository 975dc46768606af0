/**
 * The API in process, over an embedded store of its own and the very build that boots; nothing is answered by DNS.
 */

import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createAdminSurface, type InjectedRequest } from '../../src/admin/app.ts';
import type { ReadyReport } from '../../src/admin/reports.ts';
import type { UnitSource } from '../../src/config/unit-content.ts';
import { explain } from '../../src/explain/explain.ts';
import type { Place } from '../../src/geo/place.ts';
import { createHealthWords } from '../../src/health/verdict-table.ts';
import { createChance } from '../../src/lib/chance.ts';
import { directoryTexts, sourceOfText } from '../../src/roles/directory-units.ts';
import { DraftBuilder } from '../../src/roles/draft-builder.ts';
import { StoreFeed } from '../../src/roles/instance-store.ts';
import { MergedSource } from '../../src/roles/unit-source.ts';
import { UnitKeeper } from '../../src/roles/units.ts';
import { openEmbeddedStore } from '../../src/store/embedded-store.ts';
import type { Unit } from '../../src/store/item.ts';
import type { Condition, Store } from '../../src/store/ports.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { scratch } from '../roles/scratch.ts';
import { contextOf } from '../serve/responder-of.ts';
import { bearer, operatingParts, SETTING_TOKEN } from './operating-parts.ts';

export interface UnitSpec {
	/** Text of the master file; none for common. */
	readonly zone?: string;
	/** A document, or YAML. */
	readonly steering?: unknown;
}

export interface ApiSpec {
	/** Of the store, by name. */
	readonly units?: Readonly<Record<string, UnitSpec>>;
	/** Of the zones directory. */
	readonly directory?: Readonly<Record<string, UnitSpec>>;
	/** Networks with what the database says of them. */
	readonly geo?: Readonly<Record<string, Partial<Place>>>;
	readonly ready?: ReadyReport;
}

export interface ApiReply {
	readonly status: number;
	readonly etag: string;
	readonly headers: Readonly<Record<string, unknown>>;
	readonly text: string;
	// biome-ignore lint/suspicious/noExplicitAny: what a reply holds is for each test to say
	readonly body: any;
}

export interface AskOptions {
	readonly body?: unknown;
	readonly type?: string;
	/** Of the resource; `*` is any. */
	readonly match?: string;
	readonly isNew?: boolean;
	readonly reason?: string;
	/** In the place of one that may do everything. */
	readonly token?: string;
	readonly from?: string;
}

export interface Api {
	readonly store: Store;
	/** Names an operation as people do: `GET /v1/zones`. */
	ask(operation: string, options?: AskOptions): Promise<ApiReply>;
	/** What the store says of itself from now on. */
	setCondition(condition: Condition): void;
}

export const READY: ReadyReport = {
	ready: true,
	degraded: [],
	generation: 1,
	zones: 1,
	problems: [],
	refusedUnits: [],
	geo: [],
	workers: { wanted: 1, running: 1 },
	loadedSecAgo: 0,
};

export async function openApi(t: Pick<TestContext, 'after'>, spec: ApiSpec = {}): Promise<Api> {
	const { directory = {}, ready = READY } = spec;
	const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
	const own = await openEmbeddedStore(scratch(t), silent);
	const changes = Object.entries(spec.units ?? {}).map(
		([name, unit]) => ({ kind: 'unit', name, content: unitItem(unit) }) as const,
	);
	if (changes.length > 0) await own.commit({ expected: undefined, changes, author: 'test', reason: 'ground' });
	let condition: Condition = { kind: 'ready' };
	const store = new Proxy(own, {
		get: (target, key) => {
			if (key === 'condition') return condition;
			if (condition.kind === 'unreachable' && (key === 'history' || key === 'itemsAt'))
				return () => Promise.reject(new StoreError('STORE_UNREACHABLE', 'nobody answers'));
			const value = Reflect.get(target, key, target);
			return typeof value === 'function' ? value.bind(target) : value;
		},
	});
	const source = new MergedSource(scratch(t, filesOf(directory)));
	const feed = new StoreFeed(own, source);
	feed.update();
	const { geo } = contextOf({ geo: spec.geo ?? {} });
	const keeper = new UnitKeeper(source, undefined, []);
	let loaded = keeper.load(geo, true);
	keeper.accept(loaded);
	const drafts = new DraftBuilder({
		current: () => keeper.current(),
		context: () => keeper.context(geo),
		switched: () => keeper.switched,
	});
	let units: ReadonlyMap<string, UnitSource> = new Map();
	const operating = operatingParts(store, {}, join(scratch(t), 'audit'));
	const surface = createAdminSurface({
		...operating,
		version: '1.2.3',
		configuration: {
			store,
			directory: {
				names: () => units.keys(),
				unit: (name) => units.get(name),
				refresh: async () => {
					if (feed.update()) {
						loaded = keeper.load(geo, true, false);
						keeper.accept(loaded);
					} else if (units.size > 0) return;
					units = new Map([...directoryTexts(loaded, source.files)].map((text) => [text.unit, sourceOfText(text)]));
				},
			},
			validate: async (changes) => drafts.draft(changes),
			explainDraft: async (changes, question) => {
				const { snapshot, geoNotes } = drafts.draft(changes).built;
				if (snapshot === undefined) return 'Cannot explain';
				const slots = Int32Array.from(snapshot.targets.keys());
				const health = createHealthWords(slots.length);
				const chance = createChance(1);
				return explain(
					{ snapshot, geoNotes, geo, databases: [], health, slots, chance, vantages: [], noteOf: () => undefined },
					question,
				);
			},
			draw: () => 0.5,
		},
		ready: () => ready,
		targets: () => [],
		fleet: async () => ({ store: undefined, epoch: 0, generation: 0, refused: {}, instances: [], probers: [] }),
		latency: () => ({ regions: [], addresses: [] }),
		geo: async () => ({ databases: [], lacks: [], suffering: [] }),
		explain: async ({ name }) => (name === 'bad' ? 'Cannot explain that' : { name }),
		metrics: { contentType: 'text/plain', text: async () => '' },
		onFault: (error) => {
			throw error;
		},
	});
	t.after(async () => {
		await surface.close();
		operating.use.close();
		await operating.audit.close();
		await own.close();
	});
	return {
		store,
		ask: async (operation, options = {}) => {
			const { status, headers, body } = await surface.inject(requestOf(operation, options));
			const isJson = /json/.test(String(headers['content-type']));
			const etag = String(headers['etag'] ?? '').replaceAll('"', '');
			return { status, headers, etag, text: body, body: isJson ? JSON.parse(body) : undefined };
		},
		setCondition: (next) => {
			condition = next;
		},
	};
}

function requestOf(operation: string, options: AskOptions): InjectedRequest {
	const { body, type = 'application/json', match, isNew, reason, token = SETTING_TOKEN, from } = options;
	const [method = '', url = ''] = operation.split(' ');
	const isRaw = typeof body === 'string' || body instanceof Uint8Array;
	return {
		method: method as InjectedRequest['method'],
		url,
		headers: {
			...bearer(token),
			...(body === undefined ? {} : { 'content-type': type }),
			...(match === undefined ? {} : { 'if-match': match === '*' ? '*' : `"${match}"` }),
			...(isNew ? { 'if-none-match': '*' } : {}),
			...(reason === undefined ? {} : { 'meridian-reason': reason }),
		},
		...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
		...(from === undefined ? {} : { from }),
	};
}

function unitItem({ zone, steering }: UnitSpec): Unit {
	return { zone, includes: undefined, steering: steeringOf(steering), owner: 'store' };
}

function steeringOf(steering: unknown): Unit['steering'] {
	if (steering === undefined) return undefined;
	if (typeof steering === 'string') return { kind: 'text', text: steering };
	return { kind: 'document', document: JSON.parse(JSON.stringify(steering)) };
}

function filesOf(units: Readonly<Record<string, UnitSpec>>): Readonly<Record<string, string>> {
	const files: Record<string, string> = {};
	for (const [unit, { zone, steering }] of Object.entries(units)) {
		const name = unit.replace(/\.$/, '');
		if (zone !== undefined) files[`${name}.zone`] = zone;
		if (steering !== undefined) files[`${name}.yaml`] = String(steering);
	}
	return files;
}
