import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { freePort } from '../setup/free-port.ts';
import { runToEnd } from './meridian-process.ts';
import { GOOD_ZONE, scratch } from './scratch.ts';

describe('meridian', { concurrency: 4 }, () => {
	for (const { name, args, env = {}, code, out = /^$/, err = /^$/ } of [
		{ name: 'prints its version', args: ['--version'], code: 0, out: /^meridian \d+\.\d+\.\d+\n$/ },
		{
			name: 'explains itself',
			args: ['--help'],
			code: 0,
			out: /Usage: meridian COMMAND[\s\S]*--dns-listen\s+MERIDIAN_DNS_LISTEN/,
		},
		{ name: 'explains itself in short', args: ['-h'], code: 0, out: /Usage: meridian COMMAND/ },
		{ name: 'explains itself by a word', args: ['help'], code: 0, out: /Usage: meridian COMMAND/ },
		{
			name: 'explains a command',
			args: ['check', '--help'],
			code: 0,
			out: /^meridian check: [^\n]*\n\nUsage: meridian check \[DIR\][\s\S]*--strict +take warnings for errors\n[\s\S]*\n {2}meridian check my-zones\n[\s\S]*--zones-dir/,
		},
		{ name: 'explains a command by a word', args: ['help', 'drain'], code: 0, out: /--for DURATION +until it ends/ },
		{ name: 'explains known commands only', args: ['help', 'drian'], code: 2, err: /did you mean "drain"\?\n$/ },
		{
			name: 'takes --force where it does something',
			args: ['drain', 'a.example/eu', '--force'],
			code: 2,
			err: /^Cannot use --force with drain: it goes with start, serve, probe, check, apply, export, release\n$/,
		},
		{ name: 'wants a command', args: [], code: 2, err: /Usage: meridian COMMAND/ },
		{
			name: 'names the nearest command',
			args: ['strat'],
			code: 2,
			err: /^Cannot run "strat": did you mean "start"\?\n$/,
		},
		{
			name: 'names all commands when none is near',
			args: ['zzzzzzz'],
			code: 2,
			err: /^Cannot run "zzzzzzz": expected one of start, serve, admin, probe, check, explain, geo, plan, apply, export, drain, override, token, release, restore, status\n$/,
		},
		{ name: 'knows no command of Object', args: ['toString'], code: 2, err: /^Cannot run "toString": / },
		{
			name: 'names the nearest flag',
			args: ['start', '--dns-lisen=127.0.0.1:1'],
			code: 2,
			err: /^Cannot set --dns-lisen: .*did you mean --dns-listen\?\n$/,
		},
		{
			name: 'names the nearest flag without a value',
			args: ['start', '--froce'],
			code: 2,
			err: /did you mean --force\?/,
		},
		{
			name: 'wants a value',
			args: ['start', '--dns-listen'],
			code: 2,
			err: /^Cannot use --dns-listen without a value\n$/,
		},
		{
			name: 'takes no flag for a value',
			args: ['start', '--dns-listen', '--demo'],
			code: 2,
			err: /^Cannot use --dns-listen without a value\n$/,
		},
		{
			name: 'wants no value',
			args: ['start', '--demo=no'],
			code: 2,
			err: /^Cannot use --demo=no: --demo takes no value\n$/,
		},
		{
			name: 'wants no further words',
			args: ['start', 'zones'],
			code: 2,
			err: /^Cannot use "zones": start takes no more words\n$/,
		},
		{ name: 'wants one directory', args: ['check', 'a', 'b'], code: 2, err: /^Cannot use "b": check takes \[DIR\]\n$/ },
		{
			name: 'has a demo for start only',
			args: ['serve', '--demo'],
			code: 2,
			err: /^Cannot use --demo with serve: it goes with start\n$/,
		},
		{
			name: 'prints JSON for those that can',
			args: ['check', '--json'],
			code: 2,
			err: /^Cannot use --json with check: it goes with probe, explain, geo, plan, drain, override, token, release, restore, status\n$/,
		},
		{
			name: 'looks several addresses up',
			args: ['geo', '8.8.8.8', '::ffff:84.128.0.1'],
			code: 0,
			out: /^8\.8\.8\.8\n[\s\S]*country US[\s\S]*\n\n::ffff:84\.128\.0\.1\n {2}form +mapped, looked up as 84\.128\.0\.1\n[\s\S]*country DE/,
		},
		{
			name: 'wants an address to look up',
			args: ['geo'],
			code: 2,
			err: /^Cannot run geo without an address: it takes IP \[IP\.\.\.\]\n$/,
		},
		{
			name: 'names the nearest variable',
			args: ['check'],
			env: { MERIDIAN_ZONEDIR: 'x' },
			code: 2,
			err: /MERIDIAN_ZONES_DIR/,
		},
		{
			name: 'takes a value of a flag that is no setting, for those that take it',
			args: ['check', '--client', '192.0.2.1'],
			code: 2,
			err: /^Cannot use --client with check: it goes with explain\n$/,
		},
		{ name: 'explains a name only', args: ['explain'], code: 2, err: /^Cannot explain without a name/ },
		{
			name: 'wants a file that is there',
			args: ['check', '--config', '/nowhere/x.yaml'],
			code: 2,
			err: /^Cannot read the configuration \/nowhere\/x\.yaml/,
		},
	]) {
		it(`${name}: ${args.join(' ')}`, async (t) => {
			const run = await runToEnd(t, args, { env });
			assert.equal(run.code, code, run.stderr);
			assert.match(run.stdout, out);
			assert.match(run.stderr, err);
		});
	}
});

describe('meridian check', { concurrency: 4 }, () => {
	const yaml = 'pools:\n  eu: { endpoints: [{ name: a, addresses: [192.0.2.1] }] }\nnames:\n  x: { policy: eu }\n';
	for (const { name, files, more = [], code, out = /^$/, err = /^$/ } of [
		{
			name: 'counts what is good',
			files: { 'a.example.zone': GOOD_ZONE, 'a.example.yaml': yaml, 'b.example.zone': GOOD_ZONE },
			code: 0,
			out: /^DIR: 2 zones, 1 steered name, 0 targets good; 0 errors, 0 warnings\n$/,
		},
		{
			name: 'names every mistake by its place, sorted, and counts the rest',
			files: {
				'a.example.zone': `${GOOD_ZONE}x IN A 192.0.2.256\ny IN MX mail\n`,
				'a.example.yaml': yaml.replace('policy: eu', 'policy: us'),
				'b.example.zone': GOOD_ZONE,
				'c.example.zone': 'x IN A 192.0.2.1\n',
			},
			code: 1,
			out: /^DIR\/a\.example\.zone:6:8: [^\n]*\nDIR\/a\.example\.zone:7:[^\n]*\n(?:DIR\/c\.example\.zone:\d+:\d+: [^\n]*\n)+DIR: 1 zone, 0 steered names, 0 targets good; \d errors, 0 warnings\n$/,
		},
		{
			name: 'names a mistake in a steering file',
			files: { 'a.example.zone': GOOD_ZONE, 'a.example.yaml': yaml.replace('policy: eu', 'policy: us') },
			code: 1,
			out: /^DIR\/a\.example\.yaml:4:16: names\.x\.policy: [^\n]*us[^\n]*\nDIR: 0 zones, .* 1 error, 0 warnings\n$/,
		},
		{
			name: 'refuses an empty directory',
			files: {},
			code: 1,
			err: /^Cannot take the zones directory DIR: it holds no zone/,
		},
		{
			name: 'takes warnings for errors with --strict',
			files: { 'a.example.zone': GOOD_ZONE, 'a.example.yaml': yaml.replace('x: { policy: eu }', '{}') },
			more: ['--strict'],
			code: 1,
			out: /^DIR\/a\.example\.yaml:2:3: warning: pools\.eu: Nobody uses the pool "eu"\n.* 0 errors, 1 warning\n$/,
		},
		{
			name: 'refuses a steering file with the other ending of YAML',
			files: { 'a.example.zone': GOOD_ZONE, 'a.example.yml': yaml },
			code: 1,
			out: /^DIR\/a\.example\.yml:1:1: Cannot take the ending "\.yml": expected "\.yaml"\nDIR: 0 zones, .* 1 error, 0 warnings\n$/,
		},
		{ name: 'takes an empty directory with --force', files: {}, more: ['--force'], code: 0, out: /^DIR: 0 zones/ },
	]) {
		it(name, async (t) => {
			const directory = scratch(t, files);
			const run = await runToEnd(t, ['check', directory, ...more]);
			assert.match(run.stderr.replaceAll(directory, 'DIR'), err);
			assert.match(run.stdout.replaceAll(directory, 'DIR'), out);
			assert.equal(run.code, code);
		});
	}

	for (const { name, path, err } of [
		{
			name: 'refuses a directory that is missing',
			path: '/nowhere/zones',
			err: /^Cannot check \/nowhere\/zones: ENOENT/,
		},
		{
			name: 'refuses a file',
			path: '/proc/version',
			err: /^Cannot check \/proc\/version: it is a file, and check takes the directory/,
		},
	]) {
		it(name, async (t) => {
			const run = await runToEnd(t, ['check', path]);
			assert.deepEqual([run.code, run.stdout], [1, '']);
			assert.match(run.stderr, err);
		});
	}

	it('takes the directory of the settings', async (t) => {
		const directory = scratch(t, { 'a.example.zone': GOOD_ZONE });
		const run = await runToEnd(t, ['check'], { env: { MERIDIAN_ZONES_DIR: directory } });
		assert.match(run.stdout, /1 zone, /);
	});

	it('says that a large directory takes a while', async (t) => {
		const zones = Array.from({ length: 1000 }, (_, i) => [`z${i}.example.zone`, GOOD_ZONE]);
		const directory = scratch(t, Object.fromEntries(zones));
		const run = await runToEnd(t, ['check', directory]);
		assert.equal(run.stderr, `Checking 1000 files in ${directory}\n`);
		assert.match(run.stdout, /1000 zones, .* 0 errors/);
	});
});

describe('meridian explain', () => {
	const yaml = 'pools:\n  eu: { endpoints: [{ name: a, addresses: [192.0.2.1] }] }\nnames:\n  x: { policy: eu }\n';
	const files = { 'a.example.zone': GOOD_ZONE, 'a.example.yaml': yaml };
	const explain = async (t: TestContext, args: readonly string[], files: Readonly<Record<string, string>>) => {
		const directory = scratch(t, files);
		const port = await freePort();
		const flags = [`--zones-dir=${directory}`, `--admin-listen=127.0.0.1:${port}`];
		return await runToEnd(t, ['explain', ...args, ...flags], {});
	};

	it('builds from the directory where no process listens, and says that health is unknown', async (t) => {
		const run = await explain(t, ['x.a.example', 'A', '--client', '198.51.100.0/24'], files);
		assert.equal(run.code, 0, run.stderr);
		assert.match(run.stdout, /x\.a\.example\. 30 IN A 192\.0\.2\.1/);
		assert.match(run.stderr, /^No process answers at 127\.0\.0\.1:\d+: .* health unknown\n$/);
	});

	it('prints JSON', async (t) => {
		const run = await explain(t, ['x.a.example', 'A', '--json'], files);
		assert.partialDeepStrictEqual(JSON.parse(run.stdout), { name: 'x.a.example.', rcode: 'NOERROR' });
	});

	it('refuses what is no question, and a directory that cannot be served', async (t) => {
		const wrong = await explain(t, ['x.a.example', 'NOPE'], files);
		assert.equal(wrong.code, 2);
		assert.match(wrong.stderr, /^Cannot ask for type "NOPE"/);
		const broken = await explain(t, ['x.a.example'], { ...files, 'a.example.zone': 'x A nope\n' });
		assert.equal(broken.code, 1);
		assert.match(broken.stderr, /has \d+ problems?, see meridian check/);
	});
});
