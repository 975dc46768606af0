/**
 * The commands: what each is called, takes, tells of itself and runs.
 */

import type { Command } from './command.ts';
import type { Usage } from './usage.ts';

export interface Role extends Usage {
	/** 0 unless said. */
	readonly operandsMax?: number;
	/** Its modules are loaded when it is asked for. */
	readonly run: (command: Command) => Promise<number>;
}

/** Of a command that builds from files. */
const FILE_SETTINGS = ['zonesDir', 'geodb'] as const;
/** Of a command that asks the admin API. */
const API_SETTINGS = ['admin.url', 'admin.listen', 'admin.token', 'admin.tls.cert', 'stateDir'] as const;

export const ROLES: Readonly<Record<string, Role>> = {
	start: {
		summary: 'all in one: answer, probe, admin surface',
		operands: '',
		switches: ['demo'],
		force: 'take an empty zones directory, or one that drops most zones',
		examples: ['--zones-dir /etc/meridian/zones --dns-listen 0.0.0.0:53,[::]:53', '--demo'],
		run: async (command) => (await import('./run-instance.ts')).runInstance(command),
	},
	serve: {
		summary: 'answer only',
		operands: '',
		force: 'take an empty zones directory, or one that drops most zones',
		examples: ['--redis-url redis://redis.example.net:6379 --dns-listen 0.0.0.0:53,[::]:53'],
		run: async (command) => (await import('./run-instance.ts')).runInstance(command),
	},
	admin: {
		summary: 'the admin API of a fleet, which shares its state through Redis',
		operands: '',
		examples: ['--redis-url redis://redis.example.net:6379'],
		run: async (command) => (await import('./admin.ts')).runAdmin(command),
	},
	probe: {
		summary: 'probe for a fleet, from one region; with --once: check every target, or those of one pool, and print it',
		operands: '[POOL]',
		operandsMax: 1,
		switches: ['once', 'json'],
		force: 'take an empty zones directory',
		examples: ['--region eu-west --redis-url redis://redis.example.net:6379', '--once example.org/europe'],
		run: async (command) => (await import('./probe.ts')).runProbe(command),
	},
	check: {
		summary: 'validate a zones directory: file:line:column: message',
		operands: '[DIR]',
		operandsMax: 1,
		switches: ['strict'],
		force: 'take an empty zones directory',
		settings: FILE_SETTINGS,
		examples: ['my-zones', '--strict my-zones'],
		run: async (command) => (await import('./check.ts')).runCheck(command),
	},
	explain: {
		summary: 'which answer a client gets, and why',
		operands: 'NAME [TYPE]',
		operandsMax: 2,
		switches: ['json'],
		options: ['client', 'resolver'],
		settings: [...FILE_SETTINGS, ...API_SETTINGS],
		examples: ['www.example.org A --client 84.128.0.0/24', 'www.example.org AAAA --resolver 2001:db8::53'],
		run: async (command) => (await import('./explain.ts')).runExplain(command),
	},
	geo: {
		summary: 'what databases, networks and places say of addresses',
		operands: 'IP [IP...]',
		operandsMax: Number.POSITIVE_INFINITY,
		switches: ['json'],
		settings: FILE_SETTINGS,
		examples: ['8.8.8.8 2003::1'],
		run: async (command) => (await import('./geo.ts')).runGeo(command),
	},
	plan: {
		summary: 'what apply would change',
		operands: '[DIR]',
		operandsMax: 1,
		switches: ['json'],
		settings: ['zonesDir', ...API_SETTINGS],
		examples: ['my-zones'],
		run: async (command) => (await import('./plan.ts')).runPlan(command),
	},
	apply: {
		summary: 'make the store hold what a zones directory holds',
		operands: '[DIR]',
		operandsMax: 1,
		force: 'though a guard refuses it',
		settings: ['zonesDir', ...API_SETTINGS],
		examples: ['my-zones'],
		run: async (command) => (await import('./apply.ts')).runApply(command),
	},
	export: {
		summary: 'write the store out as a zones directory',
		operands: 'DIR',
		operandsMax: 1,
		force: 'over what is there',
		settings: API_SETTINGS,
		examples: ['/var/backups/zones'],
		run: async (command) => (await import('./export.ts')).runExport(command),
	},
	drain: {
		summary: 'keep new answers from a pool, an endpoint or a region',
		operands: 'TARGET',
		operandsMax: 1,
		switches: ['json'],
		options: ['for', 'reason'],
		settings: API_SETTINGS,
		examples: [
			'shop.example/eu --for 2h --reason "a new kernel"',
			'shop.example/eu/eu-1 --reason disk',
			'region:eu-west --reason "power works"',
		],
		run: async (command) => (await import('./override.ts')).runOverride(command),
	},
	override: {
		summary: 'show what is overridden, or switch a TARGET up, down, drain, or end that; clear a pool that tripped',
		operands: '[TARGET up|down|drain|end|clear]',
		operandsMax: 2,
		switches: ['json'],
		options: ['for', 'reason'],
		settings: API_SETTINGS,
		examples: ['', 'shop.example/eu down --for 30m --reason "bad release"', 'shop.example/eu end'],
		run: async (command) => (await import('./override.ts')).runOverride(command),
	},
	token: {
		summary: 'tokens of the admin API',
		operands: 'create NAME | list | revoke NAME',
		operandsMax: 2,
		switches: ['json'],
		options: ['role', 'zones', 'expires'],
		settings: API_SETTINGS,
		examples: ['create ci --role editor --zones shop.example --expires 90d', 'list', 'revoke ci'],
		run: async (command) => (await import('./token.ts')).runToken(command),
	},
	release: {
		summary: 'give a zone that the store owns back to its files',
		operands: 'ZONE',
		operandsMax: 1,
		switches: ['json'],
		options: ['reason'],
		force: 'though a guard refuses it',
		settings: API_SETTINGS,
		examples: ['shop.example', 'common'],
		run: async (command) => (await import('./release.ts')).runRelease(command),
	},
	restore: {
		summary: 'write the newest known state over a store that was lost',
		operands: '',
		switches: ['json'],
		options: ['reason'],
		settings: API_SETTINGS,
		examples: ['--reason "Redis was emptied"'],
		run: async (command) => (await import('./release.ts')).runRestore(command),
	},
	status: {
		summary: 'what the store holds, and which instances and probers live; exit 1 when it is lost or unreachable',
		operands: '',
		switches: ['json'],
		examples: ['', '--json'],
		run: async (command) => (await import('./status.ts')).runStatus(command),
	},
};
