/**
 * What is shipped for operators: every file parses, every setting, command and path in it exists, every log line and
 * metric that the runbook names is one that can be seen.
 */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { loadSettings } from '../../src/config/settings.ts';
import { SETTINGS, variableOf } from '../../src/model/settings.ts';
import { scratch } from '../roles/scratch.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
/** Processes of a fleet come with their settings, commands and log lines; what is told of them is true from then on. */
const HAS_FLEET = existsSync(join(ROOT, 'src/roles/prober.ts'));
const VARIABLES = new Set(Object.keys(SETTINGS).map(variableOf));
const OF_FLEET = { variables: new Set(['MERIDIAN_INSTANCE']), commands: new Set(['apply', 'export']) };

const USAGE = execFileSync(process.execPath, [join(ROOT, 'src/main.ts'), 'help'], { encoding: 'utf8' });

function assertCommand(command: string): void {
	if (!HAS_FLEET && OF_FLEET.commands.has(command)) return;
	assert.match(USAGE, new RegExp(`^ *(meridian )?${command}\\b`, 'm'), `there is no command ${command}`);
}

/** That each is a setting, and has a value that it takes. */
function assertEnvironment(environment: Readonly<Record<string, string>>): void {
	const known = Object.entries(environment).filter(([name]) => HAS_FLEET || !OF_FLEET.variables.has(name));
	for (const [name] of known) assert.ok(VARIABLES.has(name), `${name} is no setting`);
	assert.deepEqual(loadSettings(new Map(), Object.fromEntries(known), undefined).problems, []);
}

interface Unit {
	readonly name: string;
	readonly text: string;
	/** Every value of a key, in order. */
	readonly all: (key: string) => readonly string[];
}

const UNITS = globSync('deploy/*.service', { cwd: ROOT }).map((path): Unit => {
	const text = read(path);
	const lines = text.split('\n').filter((line) => /^\w+=/.test(line));
	const pairs = lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const);
	const all = (key: string) => pairs.filter(([one]) => one === key).map(([, value]) => value);
	return { name: basename(path), text, all };
});

describe('systemd units', () => {
	it('are there for every way to run it', () => {
		assert.deepEqual(UNITS.map(({ name }) => name).sort(), [
			'meridian-admin.service',
			'meridian-probe@.service',
			'meridian-serve.service',
			'meridian.service',
		]);
	});

	for (const { name, text, all } of UNITS) {
		it(`${name} runs a command with settings that there are`, () => {
			const [exec = ''] = all('ExecStart');
			const [node, main, command = ''] = exec.split(' ');
			assert.equal(node, '/opt/meridian/node_modules/.bin/node');
			assert.equal(main, '/opt/meridian/src/main.ts');
			assertCommand(command);
			const given = all('Environment').map((pair) => pair.replaceAll('%i', 'eu-west').split('='));
			assertEnvironment(Object.fromEntries(given));
			// In comments: what belongs into the file of the environment.
			for (const [variable] of text.matchAll(/MERIDIAN_\w+/g))
				assert.ok(VARIABLES.has(variable) || OF_FLEET.variables.has(variable), variable);
			const state = all('Environment').find((pair) => pair.startsWith('MERIDIAN_STATE_DIR=')) ?? '';
			assert.equal(state, `MERIDIAN_STATE_DIR=/var/lib/${all('StateDirectory')[0]}`);
		});

		it(`${name} is sandboxed as the others are`, () => {
			for (const line of [
				...['DynamicUser=yes', 'NoNewPrivileges=yes', 'ProtectSystem=strict', 'ProtectHome=yes', 'PrivateTmp=yes'],
				...['PrivateDevices=yes', 'ProtectKernelTunables=yes', 'ProtectKernelModules=yes', 'RestrictNamespaces=yes'],
				...['ProtectProc=invisible', 'SystemCallFilter=@system-service', 'LockPersonality=yes', 'UMask=0077'],
			])
				assert.ok(text.split('\n').includes(line), line);
			const mayBind = all('CapabilityBoundingSet');
			assert.deepEqual(mayBind, [/^meridian-(?:admin|probe)/.test(name) ? '' : 'CAP_NET_BIND_SERVICE']);
		});
	}

	const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
	const unlessSystemd = hasSystemd ? {} : { skip: 'systemd-analyze is not installed' };

	for (const { name, text } of UNITS) {
		it(`${name} pleases systemd-analyze`, unlessSystemd, (t) => {
			// What it runs must be there, so it is verified as if the checkout stood where it says.
			const directory = scratch(t);
			const path = join(directory, name.replace('@.', '@eu-west.'));
			writeFileSync(path, text.replaceAll('/opt/meridian/node_modules/.bin/node', process.execPath));
			const verified = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' });
			assert.deepEqual([verified.status, verified.stderr.trim()], [0, '']);
			// 252 and later tell the exposure of a file: 0 is none, 10 is all.
			const rated = spawnSync('systemd-analyze', ['security', '--offline=yes', '--threshold=25', path]);
			if (!String(rated.stderr).includes('unrecognized option')) assert.equal(rated.status, 0, String(rated.stdout));
		});
	}
});

describe('deploy/Containerfile', () => {
	const instructions = read('deploy/Containerfile')
		.replaceAll(/^#.*\n/gm, '')
		.replaceAll(/\\\n\s*/g, '')
		.split('\n')
		.filter((line) => line !== '')
		.map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)] as const);
	const all = (name: string) => instructions.filter(([one]) => one === name).map(([, rest]) => rest);

	it('has instructions that there are', () => {
		const known = [
			'FROM',
			'WORKDIR',
			'COPY',
			'RUN',
			'USER',
			'ENV',
			'VOLUME',
			'EXPOSE',
			'HEALTHCHECK',
			'ENTRYPOINT',
			'CMD',
		];
		for (const [name] of instructions) assert.ok(known.includes(name), name);
		assert.equal(instructions[0]?.[0], 'FROM');
	});

	it('copies what there is, and runs it as nobody special', () => {
		const sources = all('COPY').flatMap((rest) => rest.split(' ').slice(0, -1));
		for (const source of sources) assert.ok(existsSync(join(ROOT, source)), source);
		assert.deepEqual(JSON.parse(all('ENTRYPOINT')[0] ?? ''), ['node', '/opt/meridian/src/main.ts']);
		assertCommand(JSON.parse(all('CMD')[0] ?? '')[0]);
		assert.deepEqual(all('USER'), ['node']);
		const { engines } = JSON.parse(read('package.json'));
		assert.equal(`>=${/node:(\d+)/.exec(all('FROM')[0] ?? '')?.[1]}`, engines.node);
	});

	it('sets what there is to be set', () => {
		assertEnvironment(
			Object.fromEntries(
				(all('ENV')[0] ?? '')
					.trim()
					.split(/\s+/)
					.map((pair) => pair.split('=')),
			),
		);
	});
});

interface Service {
	readonly command?: readonly string[];
	readonly image?: string;
	readonly profiles?: readonly string[];
	readonly environment?: Readonly<Record<string, string>>;
	readonly ports?: readonly string[];
	readonly volumes?: readonly string[];
	readonly depends_on?: Readonly<Record<string, unknown>>;
}

const COMPOSE = parse(read('deploy/compose.yaml'), { merge: true }) as {
	readonly services: Readonly<Record<string, Service>>;
	readonly volumes: Readonly<Record<string, unknown>>;
};
const OURS = Object.entries(COMPOSE.services).filter(([, { image }]) => image === 'meridian');

describe('deploy/compose.yaml', () => {
	it('is Redis, the admin API, two DNS instances and three probers of three regions', () => {
		const run = OURS.filter(([, { profiles }]) => profiles === undefined).map(([, { command }]) => command?.join(' '));
		assert.deepEqual(run, ['admin', 'serve', 'serve', 'probe', 'probe', 'probe']);
		assert.ok(COMPOSE.services['redis'] !== undefined);
		const probers = OURS.flatMap(([, { command, environment = {} }]) =>
			command?.[0] === 'probe' ? [environment] : [],
		);
		for (const name of ['MERIDIAN_REGION', 'MERIDIAN_INSTANCE'])
			assert.equal(new Set(probers.map((environment) => environment[name])).size, 3, name);
		const ports = OURS.flatMap(([, { ports: own = [] }]) => own.map((port) => port.split(':').slice(0, 2).join(':')));
		assert.deepEqual(ports, ['127.0.0.1:5301', '127.0.0.1:5301', '127.0.0.1:5302', '127.0.0.1:5302']);
	});

	for (const [name, { command = [], environment = {}, volumes = [], depends_on: needs = {} }] of OURS) {
		it(`${name} runs a command with settings, volumes and services that there are`, () => {
			assertCommand(command[0] ?? '');
			const values = Object.entries(environment).map(([key, value]) => [
				key,
				value.replaceAll(/\$\{\w+(:\?)?\}/g, 'sixteen-and-more-characters'),
			]);
			assertEnvironment(Object.fromEntries(values));
			for (const volume of volumes) {
				const [source = ''] = volume.split(':');
				assert.ok(
					source.startsWith('.') ? existsSync(join(ROOT, 'deploy', source)) : source in COMPOSE.volumes,
					volume,
				);
			}
			for (const other of Object.keys(needs)) assert.ok(other in COMPOSE.services, other);
		});
	}

	it('has the admin API where other containers reach it, with the token that they show', () => {
		const { admin, apply } = COMPOSE.services;
		assert.equal(admin?.environment?.['MERIDIAN_ADMIN_LISTEN'], '0.0.0.0:8053');
		for (const service of [admin, apply])
			assert.equal(service?.environment?.['MERIDIAN_ADMIN_TOKEN'], `\${MERIDIAN_ADMIN_TOKEN:?}`);
	});

	it('gives every service the user of Redis that it goes by', (t) => {
		const users = redisUsers(t);
		for (const [name, { environment = {} }] of OURS) {
			// A command of the API goes to the service that has it.
			if (environment['MERIDIAN_REDIS_URL'] === undefined) {
				assert.equal(environment['MERIDIAN_ADMIN_URL'], 'http://admin:8053', name);
				continue;
			}
			const user = /^redis:\/\/([\w-]+):/.exec(environment['MERIDIAN_REDIS_URL'] ?? '')?.[1] ?? '';
			assert.ok(users.has(user), `${name}: there is no user ${user}`);
			const instance = environment['MERIDIAN_INSTANCE'];
			if (instance === undefined) continue;
			assert.equal(user, instance);
			assert.match(users.get(user) ?? '', new RegExp(` ~meridian:prober:${instance} ~meridian:lease:${instance} `));
		}
		for (const [user, rules] of users) {
			assert.ok(!rules.includes('SECRET'), user);
			assert.ok(user === 'default' || rules.includes(' >a-password '), user);
		}
	});
});

/** What the command of Redis makes of redis-users.acl, before it starts it. */
function redisUsers(t: TestContext): ReadonlyMap<string, string> {
	const directory = scratch(t);
	mkdirSync(join(directory, 'tmp'));
	const [shell, flags, script = ''] = COMPOSE.services['redis']?.command ?? [];
	assert.deepEqual([shell, flags], ['sh', '-ec']);
	const local = script
		// A dollar of the shell's own.
		.replaceAll('$$', '$')
		.replaceAll('/users.acl', `${directory}/users.acl`)
		.replaceAll(`/tmp${directory}`, `${directory}/tmp`)
		.replaceAll('/tmp/others', `${directory}/tmp/others`)
		.replace(/^exec .*$/m, '')
		.replace(/^chown .*$/m, '');
	writeFileSync(join(directory, 'users.acl'), read('deploy/redis-users.acl'));
	execFileSync('sh', ['-ec', local], { env: { ...process.env, REDIS_PASSWORD: 'a-password' } });
	const lines = readFileSync(join(directory, 'tmp/users.acl'), 'utf8').trim().split('\n');
	return new Map(lines.map((line) => [line.split(' ')[1] ?? '', line]));
}

describe('deploy/runbook.md', () => {
	const sources = globSync('src/**/*.ts', { cwd: ROOT }).map(read).join('\n');
	const sections = read('deploy/runbook.md').split(/^## /m);
	const told = sections.filter((section) => HAS_FLEET || !section.startsWith('A fleet'));
	const quoted = (section: string) => [...section.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);

	it('names metrics that there are', () => {
		const names = told.flatMap(quoted).flatMap((text) => /^meridian_(\w+)/.exec(text)?.[1] ?? []);
		assert.ok(names.length > 10);
		for (const name of names) assert.ok(sources.includes(`'${name}'`), name);
	});

	it('quotes log lines and sentences that there are', () => {
		const rows = told
			.filter((section) => !section.startsWith('Where to look'))
			.flatMap((section) => section.split('\n').filter((line) => line.startsWith('|')));
		// In the first column; a path or an option is none.
		const sentences = rows
			.flatMap((row) => quoted(row.split('|')[1] ?? ''))
			.filter((text) => /^[A-Za-z…]\S* /.test(text));
		assert.ok(sentences.length > 15);
		for (const sentence of sentences) {
			for (const part of sentence.split('…')) assert.ok(sources.includes(part.trim()), sentence);
		}
	});

	it('names commands and settings that there are', () => {
		for (const text of told.flatMap(quoted)) {
			const command = /^meridian (\w+)/.exec(text)?.[1];
			if (command !== undefined) assertCommand(command);
			const setting = /^((dns|probe|fleet|redis|admin)\.\w+(\.\w+)?)$/.exec(text)?.[1];
			if (setting !== undefined) assert.ok(setting in SETTINGS, setting);
		}
	});
});
