import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
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
		{ name: 'explains a command', args: ['check', '--help'], code: 0, out: /Usage: meridian COMMAND/ },
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
			err: /^Cannot run "zzzzzzz": expected one of start, serve, probe, check\n$/,
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
			name: 'names the nearest variable',
			args: ['check'],
			env: { MERIDIAN_ZONEDIR: 'x' },
			code: 2,
			err: /MERIDIAN_ZONES_DIR/,
		},
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
		{ name: 'refuses a file', path: '/proc/version', err: /^Cannot check \/proc\/version: ENOTDIR/ },
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
