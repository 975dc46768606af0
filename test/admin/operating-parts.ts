/**
 * The admin surface with a store of its own, a clock that a test turns, and tokens of every role.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type AdminParts, type AdminSurface, createAdminSurface, type OperatingParts } from '../../src/admin/app.ts';
import { AuditLog } from '../../src/admin/audit-log.ts';
import { hashOfToken, type Role, TokenBook } from '../../src/admin/auth-tokens.ts';
import { AdminCounts } from '../../src/admin/counts.ts';
import { TokenUse } from '../../src/admin/token-use.ts';
import type { UnitDocument } from '../../src/config/drain.ts';
import { readYaml } from '../../src/config/yaml-document.ts';
import { readSteering } from '../../src/model/check-document.ts';
import { openEmbeddedStore } from '../../src/store/embedded-store.ts';
import type { Change, Token } from '../../src/store/item.ts';
import type { Store } from '../../src/store/ports.ts';
import { commitTo, memoryLog } from '../contract/store-parts.ts';
import { scratch } from '../roles/scratch.ts';

/** Of the settings: admin, for all zones. */
export const SETTING_TOKEN = 'a-token-of-the-settings';

/** A store that holds nothing, and takes nothing. */
const NO_STORE = { configuration: { head: undefined, items: new Map() }, nowMs: () => 0 } as unknown as Store;

/** Pools and names of a.example. and of common. */
const DOCUMENTS = [
	documentOf(
		'common',
		'regions: { eu: { latitude: 50, longitude: 8 } }\npools:\n  shared: { region: eu, endpoints: [{ name: s1, addresses: [192.0.2.9] }] }\n',
	),
	documentOf(
		'a.example.',
		[
			'pools:',
			'  eu: { region: eu, endpoints: [{ name: e1, addresses: [192.0.2.1] }, { name: e2, addresses: [192.0.2.2] }] }',
			'  us: { endpoints: [{ name: u1, addresses: [192.0.2.3] }] }',
			'policies:',
			'  both: { kind: failover, members: [eu, us] }',
			'names:',
			'  www: { policy: both, ttl: 30s }',
			'  api: { policy: { kind: weighted, members: [{ use: both }] }, ttl: 60s }',
			'  us: { policy: us, ttl: 300s }',
			'',
		].join('\n'),
	),
];

function documentOf(unit: string, text: string): UnitDocument {
	const read = readSteering(readYaml(text).value, unit === 'common' ? 'common' : 'zone');
	assert(read.ok, JSON.stringify(read));
	return { unit, document: read.value };
}

/** What a surface needs beside what it shows. */
export function operatingParts(
	store: Store = NO_STORE,
	more: Partial<OperatingParts['door']> = {},
	auditDirectory = '/nowhere/audit',
): OperatingParts {
	const use = new TokenUse({ read: () => undefined, write: () => {} }, () => 0);
	const tokens = new TokenBook(store, SETTING_TOKEN);
	const door = { tokens, use, clock: { nowMs: () => 0 }, ratePerSec: 0, isTls: false, ...more };
	const { clock } = door;
	const audit = new AuditLog(auditDirectory);
	const onAuditFault = () => {};
	const documents = () => Promise.resolve(DOCUMENTS);
	const shared = {
		counts: new AdminCounts(),
		observe: () => {},
		tls: undefined,
		hasSettingToken: true,
		wallMs: () => 0,
	};
	return { ...shared, store, use, door, audit, clock, onAuditFault, documents };
}

export interface Scene {
	readonly store: Store;
	readonly surface: AdminSurface;
	/** The clock of the process. */
	nowMs: number;
	readonly parts: OperatingParts;
	readonly auditDirectory: string;
}

export function bearer(token: string): { readonly authorization: string } {
	return { authorization: `Bearer ${token}` };
}

/** The token of a role that `tokensOf` has put into the store. */
export function tokenOfRole(role: Role, zone = ''): string {
	return `token-of-${role}${zone}`;
}

export function tokenChange(name: string, token: string, more: Partial<Token> = {}): Change {
	const content = {
		...{ hash: hashOfToken(token), role: 'admin' as const, zones: undefined },
		...{ createdMs: 0, createdBy: 'a test', expiresMs: undefined },
		...more,
	};
	return { kind: 'token', name, content };
}

/** A token for each role, for all zones and for a.example. alone. */
export const ROLE_TOKENS = (['viewer', 'operator', 'editor', 'admin'] as const).flatMap((role) => [
	tokenChange(role, tokenOfRole(role), { role }),
	tokenChange(`${role}-a`, tokenOfRole(role, 'a.example.'), { role, zones: ['a.example.'] }),
]);

export const SHOWN = {
	ready: () => ({
		...{ ready: true, degraded: [], generation: 1, zones: 1, problems: [], refusedUnits: [], geo: [] },
		...{ workers: { wanted: 1, running: 1 }, loadedSecAgo: 1 },
	}),
	targets: () => [],
	fleet: async () => ({
		...{ store: { kind: 'ready' as const }, epoch: 1, generation: 1, refused: {}, instances: [], probers: [] },
	}),
	latency: () => ({ regions: [], addresses: [] }),
	geo: async () => ({ databases: [], lacks: [], suffering: [] }),
	explain: async ({ name }: { readonly name: string }) => ({ name }),
	metrics: { contentType: 'text/plain', text: () => Promise.resolve('meridian_zones 1\n') },
	version: '1.2.3',
} as const;

export async function openScene(
	t: Pick<TestContext, 'after'>,
	more: Partial<OperatingParts['door']> = {},
	shown: Partial<AdminParts> = {},
): Promise<Scene> {
	const store = await openEmbeddedStore(scratch(t), memoryLog());
	await commitTo(store, ROLE_TOKENS);
	const scene = { nowMs: 0 };
	const auditDirectory = join(scratch(t), 'audit');
	const parts = operatingParts(store, { clock: { nowMs: () => scene.nowMs }, ...more }, auditDirectory);
	const surface = createAdminSurface({
		...SHOWN,
		...parts,
		onFault: (error) => {
			throw error;
		},
		...shown,
	});
	t.after(async () => {
		await surface.close();
		parts.use.close();
		await parts.audit.close();
		await store.close();
	});
	return Object.assign(scene, { store, surface, parts, auditDirectory });
}
