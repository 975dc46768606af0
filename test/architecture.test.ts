/**
 * Holds src/ to its map: which room may import which, where each package lives,
 * and what a pure room must be handed instead of reaching for it.
 *
 *     source text -> scanTokens() -> scanImports() -> findings, one line each: file:line, what is wrong, what to do
 *
 * The rules are tried on small fixtures first, so that a rule which stopped catching its case fails here.
 */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Import, isSign, scanImports, scanTokens, type Token } from './setup/source-scan.ts';

// ---- the map --------------------------------------------------------------------------------------------------------

interface Room {
	/** Rooms it may import. */
	readonly values: readonly string[] | 'every';
	/** Rooms it may import by `import type` alone. */
	readonly types: readonly string[];
	/** node: modules it may import. */
	readonly builtins: readonly string[] | 'every';
	/** Knows no clock, chance, timer, process or console: they are arguments. */
	readonly isPure: boolean;
}

const ROOMS: Readonly<Record<string, Room>> = {
	'main.ts': { values: 'every', types: [], builtins: 'every', isPure: false },
	roles: { values: 'every', types: [], builtins: 'every', isPure: false },
	lib: pure(''),
	dns: pure('lib'),
	zone: pure('lib dns'),
	geo: pure('lib'),
	health: pure('lib', 'model'),
	steering: pure('lib health geo', 'model'),
	snapshot: pure('lib dns zone geo health steering', 'model'),
	explain: pure('lib dns zone geo health steering snapshot', 'model'),
	model: open('lib', '', ''),
	native: open('lib', '', 'buffer module net os process'),
	serve: open(
		'lib dns snapshot native',
		'zone health steering',
		'buffer crypto dgram events http2 https net os perf_hooks stream timers timers/promises tls worker_threads',
	),
	probe: open(
		'lib health native model',
		'',
		'buffer crypto dgram dns dns/promises events http2 net os perf_hooks stream timers timers/promises tls worker_threads',
	),
	config: open('lib dns model', '', 'crypto fs fs/promises path url'),
	store: open(
		'lib health model',
		'',
		'buffer crypto events fs fs/promises os path perf_hooks readline stream stream/promises timers timers/promises tls url',
	),
	admin: open(
		'lib dns model config',
		'store health snapshot explain',
		'buffer crypto events fs fs/promises http https net path stream stream/promises tls url',
	),
	telemetry: open('lib', '', 'events fs http os perf_hooks process stream v8 worker_threads'),
};

/** The one file of a pure room that touches the world, and who alone may import it. */
const OPEN_FILES: Readonly<
	Record<string, { readonly builtins: readonly string[]; readonly importers: readonly string[] }>
> = {
	'src/geo/mmdb-file.ts': { builtins: words('crypto fs fs/promises path url'), importers: words('main.ts roles') },
};

/** Where a package may be imported: `in` is a room or one file; `oneFile`: whichever file of the room, but one. */
const PACKAGES: Readonly<Record<string, { readonly in: string; readonly oneFile?: true }>> = {
	'@fastify/*': { in: 'admin' },
	'@prometheus-io/client': { in: 'telemetry' },
	dns2: { in: 'probe', oneFile: true },
	fastify: { in: 'admin' },
	ioredis: { in: 'store', oneFile: true },
	koffi: { in: 'native' },
	maxmind: { in: 'src/geo/mmdb-file.ts' },
	pino: { in: 'telemetry' },
	typebox: { in: 'model' },
	undici: { in: 'src/probe/http.ts' },
	yaml: { in: 'config', oneFile: true },
};

/** Words a pure room may not say, and what it takes instead. */
const IMPURE_WORDS: Readonly<Record<string, string>> = {
	Date: 'take the time as an argument, or a clock from src/lib/ports.ts',
	Temporal: 'take the time as an argument, or a clock from src/lib/ports.ts',
	performance: 'take the time as an argument, or a clock from src/lib/ports.ts',
	crypto: 'take the draw, or the digest, as an argument',
	setTimeout: 'let the caller decide when: take the time as an argument',
	setInterval: 'let the caller decide when: take the time as an argument',
	setImmediate: 'let the caller decide when: take the time as an argument',
	queueMicrotask: 'let the caller decide when: take the time as an argument',
	process: 'take what it tells as an argument',
	console: 'return the finding, or take a log from src/lib/ports.ts',
	Buffer: 'use Uint8Array and DataView',
	fetch: 'take what it would bring as an argument',
	globalThis: 'take what it holds as an argument',
};

/** The same, for one member of an object that is otherwise fine. */
const IMPURE_MEMBERS: Readonly<Record<string, string>> = {
	'Math.random': 'take the draw as an argument, or a chance from src/lib/ports.ts',
	'AbortSignal.timeout': 'take the signal as an argument',
	'Atomics.wait': 'let the caller wait',
	'Atomics.waitAsync': 'let the caller wait',
};

const FORBIDDEN_NAME = /^(?:utils?|helpers?)$/i;

/** Fewer files than this, or arrows from fewer rooms, and the test has looked past the code. */
const FILES_MIN = 40;
const ROOMS_WITH_ARROWS_MIN_SHARE = 0.75;

/** @param values, types  rooms, parted by spaces */
function pure(values: string, types = ''): Room {
	return { values: words(values), types: words(types), builtins: [], isPure: true };
}

/** @param builtins  node: modules beside `node:assert`, which every room that is not pure may use */
function open(values: string, types: string, builtins: string): Room {
	return {
		values: words(values),
		types: words(types),
		builtins: words(`assert assert/strict ${builtins}`),
		isPure: false,
	};
}

function words(text: string): readonly string[] {
	return text.split(' ').filter((word) => word !== '');
}

// ---- the rules ------------------------------------------------------------------------------------------------------

interface SourceFile {
	/** From the repository's root, with slashes: `src/dns/name.ts`. */
	readonly path: string;
	readonly tokens: readonly Token[];
	readonly imports: readonly Import[];
}

/** An import of another file, as rooms see it. */
interface Arrow {
	readonly from: string;
	readonly to: string;
}

const RULES = { rooms: checkRooms, packages: checkPackages, purity: checkPurity, shape: checkShape, names: checkNames };

function readSource(path: string, source: string): SourceFile {
	const tokens = scanTokens(source);
	return { path, tokens, imports: scanImports(tokens) };
}

/** @returns `main.ts`, a folder of src, or undefined outside of the map */
function roomOf(path: string): string | undefined {
	const [root, first] = path.split('/');
	return root === 'src' && first !== undefined && Object.hasOwn(ROOMS, first) ? first : undefined;
}

/** @returns the path an import aims at, undefined for packages and node: modules */
function target(path: string, specifier: string): string | undefined {
	if (!/^\.{1,2}(?:\/|$)/.test(specifier)) return undefined;
	return posix.join(posix.dirname(path), specifier.replace(/[?#].*$/, ''));
}

function arrowsOf({ path, imports }: SourceFile): readonly Arrow[] {
	return imports.flatMap(({ specifier }) => {
		const to = specifier === undefined ? undefined : target(path, specifier);
		return to?.startsWith('src/') ? [{ from: path, to }] : [];
	});
}

function checkRooms(file: SourceFile): readonly string[] {
	const room = roomOf(file.path);
	if (room === undefined)
		return [
			`${file.path}:1: no room of the map; move it into one, or add the room to ROOMS in test/architecture.test.ts`,
		];
	return file.imports.flatMap((one) => {
		const at = `${file.path}:${one.line}`;
		if (one.specifier === undefined)
			return [`${at}: imports what only the run will tell; name the module in a literal, one import() for each choice`];
		const to = target(file.path, one.specifier);
		const wrong = to === undefined ? undefined : wrongTarget(file.path, room, to, one.isTypeOnly);
		return wrong === undefined ? [] : [`${at}: ${wrong}`];
	});
}

function wrongTarget(path: string, room: string, to: string, isTypeOnly: boolean): string | undefined {
	if (!to.startsWith('src/')) {
		const isCode = /\.[cm]?[jt]sx?$/.test(to);
		if (!isCode && ROOMS[room]?.values === 'every') return undefined;
		return `${room} reaches ${to} outside of src; ${isCode ? 'move what it needs into a room' : 'let a role read it and pass it in'}`;
	}
	const importers = OPEN_FILES[to]?.importers;
	if (importers !== undefined && !importers.includes(room)) {
		return `only ${importers.join(' and ')} may import ${to}; take what it reads as an argument`;
	}
	const toRoom = roomOf(to);
	if (toRoom === undefined) return `${to} is in no room of the map; add the room to ROOMS in test/architecture.test.ts`;
	if (toRoom === 'main.ts') return `${room} imports main.ts, which is nobody's part; move what it needs into a room`;
	if (toRoom === room) return undefined;
	const { values, types } = ROOMS[room] ?? pure('');
	if (values === 'every' || values.includes(toRoom)) return undefined;
	if (types.includes(toRoom)) {
		if (isTypeOnly) return undefined;
		return `${room} may import only types from ${toRoom} (${path} takes values); write \`import type\`, or take the function as an argument`;
	}
	const may = [...values, ...types.map((name) => `types of ${name}`)].join(', ') || 'nothing';
	return `${room} may not import ${toRoom} (it may: ${may}); take what it needs as an argument, or move it to where both may reach`;
}

function checkPackages(file: SourceFile): readonly string[] {
	const room = roomOf(file.path) ?? '';
	const builtins = OPEN_FILES[file.path]?.builtins ?? ROOMS[room]?.builtins ?? [];
	return file.imports.flatMap(({ specifier, line }) => {
		if (specifier === undefined || target(file.path, specifier) !== undefined) return [];
		const at = `${file.path}:${line}`;
		if (isBuiltin(specifier)) {
			const name = specifier.replace(/^node:/, '');
			if (builtins === 'every' || builtins.includes(name)) return [];
			return [
				`${at}: ${room} may not import node:${name}; let a role hand in what it gives, or name it for the room in ROOMS`,
			];
		}
		const home = homeOf(packageName(specifier));
		if (home === undefined)
			return [
				`${at}: package ${specifier} has no home; give it one in PACKAGES of test/architecture.test.ts, or do without`,
			];
		if (home.in === room || home.in === file.path) return [];
		return [`${at}: package ${specifier} belongs to ${home.in}; import what ${home.in} makes of it`];
	});
}

function packageName(specifier: string): string {
	return specifier
		.split('/')
		.slice(0, specifier.startsWith('@') ? 2 : 1)
		.join('/');
}

function homeOf(name: string): { readonly in: string; readonly oneFile?: true } | undefined {
	return PACKAGES[name] ?? PACKAGES[name.replace(/\/.*$/, '/*')];
}

/** Over the whole of src: packages that one file of their room wraps. */
function checkOneFile(files: readonly SourceFile[]): readonly string[] {
	return Object.keys(PACKAGES).flatMap((name) => {
		if (PACKAGES[name]?.oneFile !== true) return [];
		const users = files.filter(({ imports }) => imports.some(({ specifier }) => packageName(specifier ?? '') === name));
		const [first, ...others] = users.map(({ path }) => path);
		return others.map(
			(path) => `${path}:1: package ${name} is imported in ${first} already; let that file wrap it for both`,
		);
	});
}

function checkPurity({ path, tokens }: SourceFile): readonly string[] {
	const room = roomOf(path);
	if (room === undefined || ROOMS[room]?.isPure !== true || Object.hasOwn(OPEN_FILES, path)) return [];
	return tokens.flatMap((token, i) => {
		if (token.kind !== 'word' || isMember(tokens, i)) return [];
		const member = `${token.text}.${tokens[i + 2]?.text}`;
		const isRead = isSign(tokens[i + 1], '.') || isSign(tokens[i + 1], '?.');
		const name = isRead && Object.hasOwn(IMPURE_MEMBERS, member) ? member : token.text;
		const remedy = name === member ? IMPURE_MEMBERS[name] : Object.hasOwn(IMPURE_WORDS, name) && IMPURE_WORDS[name];
		return remedy ? [`${path}:${token.line}: ${name} in the pure room ${room}; ${remedy}`] : [];
	});
}

/** `x.Date` and `{ Date: 1 }` are names of members, not the global. */
function isMember(tokens: readonly Token[], i: number): boolean {
	const previous = tokens[i - 1];
	if (isSign(previous, '.') || isSign(previous, '?.')) return true;
	const isKeyed = isSign(tokens[i + 1], ':') || (isSign(tokens[i + 1], '?') && isSign(tokens[i + 2], ':'));
	return isKeyed && !isSign(previous, '?');
}

function checkShape({ path, tokens, imports }: SourceFile): readonly string[] {
	const found: string[] = [];
	for (const [i, { text, line, depth, kind }] of tokens.entries()) {
		if (kind !== 'word' || isMember(tokens, i)) continue;
		const next = tokens[i + 1];
		if (text === 'default' && (tokens[i - 1]?.text === 'export' || isExportedAsDefault(tokens, i))) {
			found.push(`${path}:${line}: default export; export it by its name`);
		}
		if (
			depth === 0 &&
			(text === 'let' || text === 'var') &&
			(next?.kind === 'word' || isSign(next, '{') || isSign(next, '['))
		) {
			found.push(`${path}:${line}: module-level ${text}; keep the state in what a function makes and a role owns`);
		}
	}
	if (isBarrel(tokens, imports))
		found.push(`${path}:1: only re-exports; import from the files themselves and delete it`);
	return found;
}

/** `export { a as default }`, with or without `from`. */
function isExportedAsDefault(tokens: readonly Token[], i: number): boolean {
	if (tokens[i - 1]?.text !== 'as' || !(isSign(tokens[i + 1], '}') || isSign(tokens[i + 1], ','))) return false;
	let open = i;
	while (open > 0 && !isSign(tokens[open], '{')) open--;
	return tokens[open - 1]?.text === 'export';
}

/** Nothing is left beside imports, `export … from` and lists of names. */
function isBarrel(tokens: readonly Token[], imports: readonly Import[]): boolean {
	const isCovered = new Uint8Array(tokens.length);
	let hasExport = false;
	for (const { from, to, isReExport } of imports) {
		isCovered.fill(1, from, to);
		hasExport ||= isReExport;
	}
	for (const [i, token] of tokens.entries()) {
		if (isCovered[i] === 1) continue;
		if (isSign(token, ';')) isCovered[i] = 1;
		const list = tokens[i + 1]?.text === 'type' ? i + 2 : i + 1;
		if (token.text !== 'export' || token.depth !== 0 || !isSign(tokens[list], '{')) continue;
		const close = tokens.findIndex((other, k) => k > list && isSign(other, '}'));
		isCovered.fill(1, i, close + 1);
		hasExport = true;
	}
	return hasExport && !isCovered.includes(0);
}

function checkNames({ path }: SourceFile): readonly string[] {
	const bad = path.split(/[/.-]/).find((part) => FORBIDDEN_NAME.test(part));
	return bad === undefined ? [] : [`${path}:1: "${bad}" says nothing of what it holds; name the file for that`];
}

// ---- the tests ------------------------------------------------------------------------------------------------------

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: the fixtures are source text

/** Each must give one finding; the path is src/dns/wire.ts where none is named. */
// biome-ignore format: one case a line
const CAUGHT: readonly { name: string; rule: keyof typeof RULES; path?: string; source: string; finds: RegExp }[] = [
	{ name: 'a room that is not named', rule: 'rooms', source: "import { a } from '../zone/table.ts';", finds: /dns\/wire\.ts:1: dns may not import zone/ },
	{ name: 'the line, past comments', rule: 'rooms', source: "/* a\n b */\nimport { a } from '../zone/table.ts';", finds: /wire\.ts:3:/ },
	{ name: 'a type from a room that is not named', rule: 'rooms', source: "import type { A } from '../zone/table.ts';", finds: /may not import zone/ },
	{ name: 'a value where types are allowed', rule: 'rooms', path: 'src/steering/a.ts', source: "import { type A, b } from '../model/a.ts';", finds: /only types from model/ },
	{ name: 'a value that is called type', rule: 'rooms', path: 'src/steering/a.ts', source: "import type from '../model/a.ts';", finds: /only types from model/ },
	{ name: 'a namespace', rule: 'rooms', source: "import * as table from '../zone/table.ts';", finds: /may not import zone/ },
	{ name: 'an import for its effect', rule: 'rooms', source: "import '../zone/table.ts';", finds: /may not import zone/ },
	{ name: 'a re-export', rule: 'rooms', source: "export { a } from '../zone/table.ts';", finds: /may not import zone/ },
	{ name: 'a re-export of all', rule: 'rooms', source: "export * as table from '../zone/table.ts';", finds: /may not import zone/ },
	{ name: 'a dynamic import', rule: 'rooms', source: "const a = await import('../zone/table.ts');", finds: /may not import zone/ },
	{ name: 'a dynamic import inside a template', rule: 'rooms', source: "f(`${await import('../zone/table.ts')} text`);", finds: /may not import zone/ },
	{ name: 'a computed import', rule: 'rooms', path: 'src/roles/a.ts', source: 'await import(`./${role}.ts`);', finds: /only the run will tell/ },
	{ name: 'require()', rule: 'rooms', source: "require('../zone/table.ts');", finds: /may not import zone/ },
	{ name: 'a worker by URL', rule: 'rooms', path: 'src/serve/a.ts', source: "new Worker(new URL('../roles/w.ts', import.meta.url));", finds: /may not import roles/ },
	{ name: 'a worker by import.meta.resolve()', rule: 'rooms', path: 'src/serve/a.ts', source: "import.meta.resolve('../roles/w.ts');", finds: /may not import roles/ },
	{ name: 'an import of main.ts', rule: 'rooms', path: 'src/roles/a.ts', source: "import { a } from '../main.ts';", finds: /imports main\.ts/ },
	{ name: 'an import of a test', rule: 'rooms', path: 'src/roles/a.ts', source: "import { a } from '../../test/a.ts';", finds: /outside of src/ },
	{ name: 'the open file from its own room', rule: 'rooms', path: 'src/geo/a.ts', source: "import { a } from './mmdb-file.ts';", finds: /only main\.ts and roles/ },
	{ name: 'a room that is not in the map', rule: 'rooms', path: 'src/extra/a.ts', source: '', finds: /no room of the map/ },
	{ name: 'a file beside main.ts', rule: 'rooms', path: 'src/other.ts', source: '', finds: /no room of the map/ },
	{ name: 'a package in another room', rule: 'packages', path: 'src/serve/a.ts', source: "import { Agent } from 'undici';", finds: /belongs to src\/probe\/http\.ts/ },
	{ name: 'a package in another file of its room', rule: 'packages', path: 'src/probe/a.ts', source: "import { Agent } from 'undici';", finds: /belongs to src\/probe\/http\.ts/ },
	{ name: 'a type of a package in another room', rule: 'packages', path: 'src/serve/a.ts', source: "import type { Logger } from 'pino';", finds: /belongs to telemetry/ },
	{ name: 'a package part', rule: 'packages', source: "import { Compile } from 'typebox/compile';", finds: /belongs to model/ },
	{ name: 'a package without a home', rule: 'packages', path: 'src/roles/a.ts', source: "import x from 'left-pad';", finds: /has no home/ },
	{ name: 'a builtin in a pure room', rule: 'packages', source: "import { readFileSync } from 'node:fs';", finds: /may not import node:fs/ },
	{ name: 'a builtin without node:', rule: 'packages', source: "import { readFileSync } from 'fs';", finds: /may not import node:fs/ },
	{ name: 'a builtin beyond the list of a room', rule: 'packages', path: 'src/serve/a.ts', source: "import { exec } from 'node:child_process';", finds: /may not import node:child_process/ },
	{ name: 'a clock', rule: 'purity', source: 'const now = Date.now();', finds: /Date in the pure room dns/ },
	{ name: 'a clock as a type', rule: 'purity', source: 'function f(at: Date) {}', finds: /Date in the pure room/ },
	{ name: 'a clock in a template', rule: 'purity', source: 'f(`at ${new Date()} it was`);', finds: /Date in the pure room/ },
	{ name: 'a clock after a division', rule: 'purity', source: 'const a = b / 2; const c = Date.now() / 3;', finds: /Date in the pure room/ },
	{ name: 'a clock after a regular expression with a quote', rule: 'purity', source: 'const a = /[\'"`/*]/.test(b);\nDate.now();', finds: /wire\.ts:2: Date/ },
	{ name: 'performance.now', rule: 'purity', source: 'performance.now();', finds: /performance in/ },
	{ name: 'process.hrtime', rule: 'purity', source: 'process.hrtime();', finds: /process in/ },
	{ name: 'a destructured process', rule: 'purity', source: 'const { env } = process;', finds: /process in/ },
	{ name: 'chance', rule: 'purity', source: 'Math.random();', finds: /Math\.random in/ },
	{ name: 'crypto', rule: 'purity', source: 'crypto.randomUUID();', finds: /crypto in/ },
	{ name: 'a timer', rule: 'purity', source: 'setTimeout(f, 1);', finds: /setTimeout in/ },
	{ name: 'a timer behind a signal', rule: 'purity', source: 'AbortSignal.timeout(5);', finds: /AbortSignal\.timeout in/ },
	{ name: 'a timer through globalThis', rule: 'purity', source: "globalThis['setTimeout'](f);", finds: /globalThis in/ },
	{ name: 'a console', rule: 'purity', source: 'console.log(1);', finds: /console in/ },
	{ name: 'a Buffer', rule: 'purity', source: 'Buffer.from(a);', finds: /Buffer in/ },
	{ name: 'a default export', rule: 'shape', source: 'export default function f() {}', finds: /default export/ },
	{ name: 'a default export by name', rule: 'shape', source: 'const a = 1;\nexport { a as default };', finds: /:2: default export/ },
	{ name: 'a barrel', rule: 'shape', source: "/** All. */\nexport * from './a.ts';\nexport type { B } from './b.ts';", finds: /only re-exports/ },
	{ name: 'a barrel in two steps', rule: 'shape', source: "import { a } from './a.ts';\nexport { a };", finds: /only re-exports/ },
	{ name: 'a module-level let', rule: 'shape', source: 'let count = 0;\nf(count);', finds: /module-level let/ },
	{ name: 'an exported let', rule: 'shape', source: 'export let count = 0;', finds: /module-level let/ },
	{ name: 'a file of utils', rule: 'names', path: 'src/dns/wire-utils.ts', source: '', finds: /"utils"/ },
	{ name: 'a folder of helpers', rule: 'names', path: 'src/dns/helpers/wire.ts', source: '', finds: /"helpers"/ },
];

// biome-ignore format: one case a line
const PASSED: readonly { name: string; path: string; source: string }[] = [
	{ name: 'a named room, its own room', path: 'src/zone/a.ts', source: "import { a } from '../dns/a.ts'; import { b } from './b.ts'; f(a, b);" },
	{ name: 'types of a room that gives types', path: 'src/steering/a.ts', source: "import type { A } from '../model/a.ts'; import { type B, type C as D } from '../model/b.ts'; f();" },
	{ name: 'every room for a role', path: 'src/roles/a.ts', source: "import { a } from '../store/a.ts'; const url = new URL('../../zones/', import.meta.url); f(a, url);" },
	{ name: 'the open file for a role', path: 'src/roles/a.ts', source: "import { a } from '../geo/mmdb-file.ts'; f(a);" },
	{ name: 'the world in the open file', path: 'src/geo/mmdb-file.ts', source: "import { readFileSync } from 'node:fs'; import { Reader } from 'maxmind'; f(Date.now());" },
	{ name: 'imports in comments and strings', path: 'src/lib/a.ts', source: "// import { a } from '../dns/a.ts';\n/** import('../dns/a.ts') */ f('import x from \"../dns/a.ts\"', `await import('../dns/b.ts')`);" },
	{ name: 'impure words in comments, strings, regular expressions', path: 'src/lib/a.ts', source: "// Date.now()\nf('Date', `process ${a}`, /Date.now()/, b / c / d); // console" },
	{ name: 'impure words as members', path: 'src/lib/a.ts', source: 'interface A { readonly process: string; crypto?: number }\nf(a.Date, b?.performance, { console: 1 });' },
	{ name: 'the harmless parts of Math', path: 'src/lib/a.ts', source: 'f(Math.max(1, 2), Math.imul(3, 4));' },
	{ name: 'let inside a function or a loop', path: 'src/lib/a.ts', source: 'function f() { let a = 0; return a; }\nfor (let i = 0; i < 3; i++) f();' },
	{ name: 'a re-export beside code', path: 'src/lib/a.ts', source: "export { a } from './a.ts';\nexport const b = 1;" },
	{ name: 'import attributes', path: 'src/geo/a.ts', source: "import centres from './centres.json' with { type: 'json' };\nf(centres);" },
	{ name: 'a switch with a default', path: 'src/lib/a.ts', source: 'switch (a) { case 1: default: f(); }' },
	{ name: 'the first line of a script', path: 'src/main.ts', source: "#!/usr/bin/env node\nimport { a } from './roles/start.ts';\nawait a();" },
];

// biome-ignore-end lint/suspicious/noTemplateCurlyInString: the fixtures are source text

describe('the rules catch', () => {
	for (const { name, rule, path = 'src/dns/wire.ts', source, finds } of CAUGHT) {
		it(name, () => {
			const findings = RULES[rule](readSource(path, source));
			assert.equal(findings.length, 1, findings.join('\n'));
			assert.match(findings[0] ?? '', finds);
		});
	}

	it('a package in two files that one should wrap', () => {
		const source = "import { parseDocument } from 'yaml';";
		const findings = checkOneFile([readSource('src/config/a.ts', source), readSource('src/config/b.ts', source)]);
		assert.deepEqual(findings, [
			'src/config/b.ts:1: package yaml is imported in src/config/a.ts already; let that file wrap it for both',
		]);
	});

	for (const { name, source } of [
		{ name: 'a string that does not end', source: "const a = 'b\n';" },
		{ name: 'a template that does not end', source: 'const a = `b' },
		{ name: 'a bracket that does not close', source: 'f({' },
		{ name: 'a bracket that closes another', source: 'f({)}' },
	]) {
		it(name, () => assert.throws(() => scanTokens(source), /Cannot read/));
	}
});

describe('the rules let pass', () => {
	for (const { name, path, source } of PASSED) {
		it(name, () => {
			const file = readSource(path, source);
			const findings = Object.values(RULES).flatMap((rule) => rule(file));
			assert.deepEqual([...findings, ...checkOneFile([file])], []);
		});
	}
});

describe('src', () => {
	const root = fileURLToPath(new URL('..', import.meta.url));
	const sources = readdirSync(`${root}/src`, { recursive: true, encoding: 'utf8' })
		.map((path) => `src/${path.replaceAll('\\', '/')}`)
		.filter((path) => /\.[cm]?[jt]sx?$/.test(path))
		.sort()
		.map((path) => ({ path, source: readFileSync(`${root}/${path}`, 'utf8') }));
	const unread: string[] = [];
	const files = sources.flatMap(({ path, source }) => {
		try {
			return [readSource(path, source)];
		} catch (error) {
			unread.push(`${path}: ${error instanceof Error ? error.message : String(error)}; mend test/setup/source-scan.ts`);
			return [];
		}
	});

	it('is read to the last file', () => none(unread));

	it('has no folder beside the rooms of the map', () => {
		const strange = readdirSync(`${root}/src`).filter((name) => !Object.hasOwn(ROOMS, name));
		none(strange.map((name) => `src/${name}: no room of the map; move it into one, or add the room to ROOMS`));
	});

	for (const [name, rule] of Object.entries(RULES)) {
		it(`keeps the rule of ${name}`, () => none(files.flatMap((file) => rule(file))));
	}

	it('keeps each wrapped package to one file', () => none(checkOneFile(files)));

	it(`is seen: at least ${FILES_MIN} files, and arrows from most rooms`, () => {
		assert.ok(files.length >= FILES_MIN, `Cannot judge by ${files.length} files: expected at least ${FILES_MIN}`);
		const rooms = new Set(files.map(({ path }) => roomOf(path)));
		const starts = new Set(files.flatMap((file) => arrowsOf(file)).map(({ from }) => roomOf(from)));
		const silent = [...rooms].filter((room) => !starts.has(room));
		const isEnough = starts.size >= rooms.size * ROOMS_WITH_ARROWS_MIN_SHARE;
		assert.ok(isEnough, `Cannot judge: no import seen in ${silent.join(', ')}`);
	});

	// A second, cruder look, so that an error in the lexer cannot hide an import from every rule at once.
	it('shows the scanner every import that a search by line finds', () => {
		none(
			sources.flatMap(({ path, source }) => {
				const lines = source.match(/^(?:import|export|\}) ?[^'"`\n]*\bfrom '[^']+';?$/gm) ?? [];
				const seen = files.find((file) => file.path === path)?.imports.length ?? 0;
				return lines.length <= seen
					? []
					: [`${path}: ${lines.length} imports by line, ${seen} by token; mend test/setup/source-scan.ts`];
			}),
		);
	});
});

function none(findings: readonly string[]): void {
	if (findings.length > 0) assert.fail(findings.join('\n'));
}
