/** `meridian apply` and `meridian export`, as commands on the store of a state directory. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { runToEnd } from './meridian-process.ts';
import { GOOD_ZONE, scratch, write } from './scratch.ts';

const STEERING =
	'pools: { www: { endpoints: [{ name: a, addresses: [192.0.2.1] }] } }\nnames: { steered: { policy: www } }\n';

/** A directory with all that may stand in one: odd names, octets that are no text, files that are included. */
const FILES = {
	'example.org.zone': `${GOOD_ZONE}$INCLUDE shared/more.inc\n`,
	'example.org.yaml': `# a comment that stays\n${STEERING}`,
	'shared/more.inc': 'more IN A 192.0.2.9\n',
	'a%2fb.example.zone': '$TTL 1h\n@ IN SOA ns1.example. hostmaster.example. 1 2h 30m 14d 5m\n@ IN NS ns1.example.\n',
	'common.yaml': 'regions: { eu: { latitude: 50, longitude: 4 } }\n',
};

function setUp(t: TestContext, files: Readonly<Record<string, string>> = FILES) {
	const zones = scratch(t, files);
	const stateDir = join(scratch(t), 'state');
	const run = (...args: readonly string[]) => runToEnd(t, [...args, '--state-dir', stateDir]);
	return { zones, run };
}

function filesIn(directory: string): Readonly<Record<string, string>> {
	const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => /\.\w+$/.test(name));
	return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(directory, name), 'latin1')]));
}

describe('meridian apply and export', { concurrency: 4 }, () => {
	it('puts a directory into the store once, and takes the same out again', async (t) => {
		const { zones, run } = setUp(t);
		const applied = await run('apply', zones);
		assert.deepEqual([applied.code, applied.stderr], [0, '']);
		assert.equal(applied.stdout, `+ a/b.example.\n+ common\n+ example.org.\n${zones}: applied as generation 1.1\n`);
		const again = await run('apply', zones);
		assert.match(again.stdout, /: the store holds it already as generation 1\.1; nothing changed\n$/);
		const out = join(scratch(t), 'out');
		const exported = await run('export', out);
		assert.equal(exported.stdout, `${out}: 3 units in 5 files, of generation 1.1\n`);
		const { 'a%2fb.example.zone': odd, ...others } = FILES;
		const expected = { ...others, 'a%2Fb.example.zone': odd };
		assert.deepEqual(filesIn(out), Object.fromEntries(Object.entries(expected).sort(([a], [b]) => (a < b ? -1 : 1))));
		assert.equal((await run('check', out)).code, 0);
		assert.match((await run('apply', out)).stdout, /nothing changed\n$/);
	});

	it('tells what it has changed', async (t) => {
		const { zones, run } = setUp(t);
		await run('apply', zones);
		const next = { 'example.org.zone': GOOD_ZONE, 'new.example.zone': GOOD_ZONE, 'common.yaml': FILES['common.yaml'] };
		const { stdout } = await run('apply', scratch(t, next));
		assert.match(stdout, /^\+ new\.example\.\n~ example\.org\.\n- a\/b\.example\.\n.*: applied as generation 1\.2\n$/);
	});

	it('changes nothing when the directory has an error', async (t) => {
		const { zones, run } = setUp(t);
		await run('apply', zones);
		write(zones, { 'new.example.zone': GOOD_ZONE, 'example.org.yaml': 'pools: { www: {} }\n' });
		const { code, stderr, stdout } = await run('apply', zones);
		assert.deepEqual([code, stdout], [1, '']);
		assert.match(stderr, /example\.org\.yaml:1:\d+: .*\n(?:.*\n)*Cannot apply .*: \d+ errors?; nothing changed\n$/);
		assert.match((await run('status')).stdout, /^head {5}epoch 1, generation 1$/m);
	});

	it('drops most zones only when it is forced to', async (t) => {
		const names = ['a', 'b', 'c', 'd'].map((name) => [`${name}.example.zone`, GOOD_ZONE] as const);
		const { zones, run } = setUp(t, Object.fromEntries(names));
		await run('apply', zones);
		const one = scratch(t, { 'a.example.zone': GOOD_ZONE });
		const refused = await run('apply', one);
		assert.equal(refused.code, 1);
		assert.equal(refused.stderr, 'Cannot apply this: it drops 3 of 4 zones; --force applies it all the same\n');
		assert.equal((await run('apply', one, '--force')).code, 0);
	});

	it('writes over nothing unless it is forced to, and then leaves no unit that is gone', async (t) => {
		const { zones, run } = setUp(t);
		await run('apply', zones);
		const out = scratch(t, { 'old.example.zone': 'x', README: 'mine' });
		const refused = await run('export', out);
		assert.equal(refused.code, 1);
		assert.match(refused.stderr, /it is not empty; --force replaces its \.zone and \.yaml files\n$/);
		assert.equal((await run('export', out, '--force')).code, 0);
		assert.equal(readFileSync(join(out, 'README'), 'utf8'), 'mine');
		assert.equal(readdirSync(out).includes('old.example.zone'), false);
		assert.equal((await run('check', out)).code, 0);
	});

	it('does not understand an export without a directory', async (t) => {
		const { code, stderr } = await setUp(t).run('export');
		assert.deepEqual([code, stderr], [2, 'Cannot export without a directory: it takes DIR\n']);
	});
});
