/** Instances as processes: what they refuse, what they fall back to, where they answer. */

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, getPriority, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { freePort } from '../setup/free-port.ts';
import {
	askTcp,
	askUdp,
	fetchJson,
	type Instance,
	instanceArgs,
	isRunning,
	runToEnd,
	startInstance,
	until,
} from './meridian-process.ts';
import { GOOD_ZONE, scratch, write } from './scratch.ts';

const LIMIT_MS = 10_000;
const BROKEN_ZONE = `${GOOD_ZONE}x IN A 192.0.2.256\n`;
const FIVE = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [`${name}.example.zone`, GOOD_ZONE]));
const www = { name: 'www.a.example' };

describe('the threads that answer', () => {
	const isAllowed =
		process.platform === 'linux' && process.getuid?.() === 0 && getPriority() > -10 && availableParallelism() > 2;

	it('go before the others of the process, where that is allowed and there are cores', {
		skip: !isAllowed,
	}, async (t) => {
		const { pid } = await startInstance(t, { zonesDir: scratch(t, FIVE), stateDir: scratch(t) });
		const tasks = `/proc/${pid}/task`;
		const nicer = readdirSync(tasks).filter((task) => getPriority(Number(task)) === getPriority() - 10);
		const names = nicer.map((task) => readFileSync(join(tasks, task, 'comm'), 'latin1').trim());
		assert.match(names.sort().join(), /^tcp-\d+(,udp-\d+)+$/);
	});
});

describe('a second instance', { concurrency: 3 }, () => {
	it('on the same port is refused with the address and the process', async (t) => {
		const zonesDir = scratch(t, FIVE);
		const first = await startInstance(t, { zonesDir, stateDir: scratch(t) });
		const stateDir = scratch(t);
		const second = await refused(t, { zonesDir, stateDir, listen: ['127.0.0.1'], port: first.port });
		assert.match(
			second,
			new RegExp(
				`^Cannot listen on 127\\.0\\.0\\.1:${first.port}: it is in use by process ${first.pid} \\(.*main\\.ts start`,
			),
		);
		assert(!readdirSync(stateDir).includes('lock'));
		assert.equal((await askUdp(first.port, www)).rcode, 'NOERROR');
	});

	it('on the same port of another address is none of its business', async (t) => {
		const zonesDir = scratch(t, FIVE);
		const first = await startInstance(t, { zonesDir, stateDir: scratch(t) });
		const second = await startInstance(t, { zonesDir, stateDir: scratch(t), listen: ['127.0.0.2'], port: first.port });
		assert.equal((await askUdp(second.port, www, '127.0.0.2')).rcode, 'NOERROR');
	});

	it('on the same state directory is refused with the process', async (t) => {
		const zonesDir = scratch(t, FIVE);
		const stateDir = scratch(t);
		const first = await startInstance(t, { zonesDir, stateDir });
		const second = await refused(t, { zonesDir, stateDir, listen: ['127.0.0.1'], port: await freePort() });
		assert.equal(second, `Cannot use the state directory ${stateDir}: process ${first.pid} uses it\n`);
	});

	it('on the same admin address is refused, and answers no query', async (t) => {
		const zonesDir = scratch(t, FIVE);
		const first = await startInstance(t, { zonesDir, stateDir: scratch(t) });
		const port = await freePort();
		const more = [`--admin-listen=${first.admin.slice('http://'.length)}`];
		const second = await refused(t, { zonesDir, stateDir: scratch(t), listen: ['127.0.0.1'], port, more });
		assert.match(second, /^Cannot listen on 127\.0\.0\.1:\d+ \(admin\.listen\): it is in use by process \d+ /);
		await assert.rejects(askTcp(port, www));
	});

	it('on an address that the machine does not have is refused', async (t) => {
		const zonesDir = scratch(t, FIVE);
		const said = await refused(t, { zonesDir, stateDir: scratch(t), listen: ['203.0.113.1'], port: await freePort() });
		assert.match(said, /^Cannot listen on 203\.0\.113\.1:\d+: this machine does not have the address\n$/);
	});
});

describe('a first start', { concurrency: 4 }, () => {
	for (const { name, files, more = [], err } of [
		{
			name: 'with broken zones tells all problems, each with its place',
			files: { ...FIVE, 'b.example.zone': BROKEN_ZONE, 'c.example.zone': BROKEN_ZONE, 'd.example.yaml': 'pool: {}\n' },
			err: /^DIR\/b\.example\.zone:6:8: .*\nDIR\/c\.example\.zone:6:8: .*\nDIR\/d\.example\.yaml:1:1: .*\n$/,
		},
		{
			name: 'with a broken common.yaml tells of it',
			files: { ...FIVE, 'common.yaml': 'pools: [\n' },
			err: /^DIR\/common\.yaml:2:1: Cannot read YAML: .*\n$/,
		},
		{
			name: 'with a broken common.yaml does not blame the zones that use it',
			files: { ...FIVE, 'common.yaml': 'pool: {}\n', 'a.example.yaml': 'names: { w: { policy: shared } }\n' },
			err: /^DIR\/common\.yaml:1:1: .*unknown key "pool".*\n$/,
		},
		{
			name: 'with an empty directory is refused',
			files: {},
			err: /^Cannot take the zones directory DIR: it holds no zone \(\*\.zone\); --force takes it all the same\n$/,
		},
		{
			name: 'without its geo database is refused',
			files: FIVE,
			more: ['--geodb=/nowhere/x.mmdb'],
			err: /^Cannot .*\/nowhere\/x\.mmdb.*\n$/,
		},
	]) {
		it(name, async (t) => {
			const zonesDir = scratch(t, files);
			const stateDir = scratch(t);
			const said = await refused(t, { zonesDir, stateDir, listen: ['127.0.0.1'], port: await freePort(), more });
			assert.match(said.replaceAll(zonesDir, 'DIR'), err);
			assert(!readdirSync(stateDir).includes('lock'));
		});
	}

	it('with a directory that is missing is refused', async (t) => {
		const zonesDir = join(scratch(t), 'zones');
		const said = await refused(t, { zonesDir, stateDir: scratch(t), listen: ['127.0.0.1'], port: await freePort() });
		assert.match(said, /^Cannot take the zones directory .*\/zones: ENOENT/);
	});

	for (const name of ['empty', 'missing']) {
		it(`with a directory that is ${name} takes it with --force, and refuses every query`, async (t) => {
			const zonesDir = scratch(t);
			if (name === 'missing') rmSync(zonesDir, { recursive: true });
			const instance = await startInstance(t, { zonesDir, stateDir: scratch(t), more: ['--force'] });
			if (name === 'missing') mkdirSync(zonesDir);
			assert.equal((await askUdp(instance.port, www)).rcode, 'REFUSED');
		});
	}
});

describe('a restart', { concurrency: 3 }, () => {
	it('with a broken zone serves the last good one and says so', async (t) => {
		const { zonesDir, stateDir } = await served(t, { 'a.example.zone': GOOD_ZONE });
		write(zonesDir, { 'a.example.zone': BROKEN_ZONE });
		const instance = await startInstance(t, { zonesDir, stateDir });
		assert.match(instance.stderr, /"unit":"a\.example\.","msg":"starting with the last good version of this unit"/);
		assert.equal((await askUdp(instance.port, www)).answer[0]?.rdataText, '192.0.2.80');
		const { body } = await fetchJson(`${instance.admin}/readyz`);
		assert.partialDeepStrictEqual(body, { degraded: ['the new version of a.example. was refused'] });
		assert.match(JSON.stringify(body), new RegExp(`${zonesDir}/a\\.example\\.zone:6:8: `));
	});

	it('with a broken zone that is new is refused', async (t) => {
		const { zonesDir, stateDir } = await served(t, { 'a.example.zone': GOOD_ZONE });
		write(zonesDir, { 'b.example.zone': BROKEN_ZONE });
		const said = await refused(t, { zonesDir, stateDir, listen: ['127.0.0.1'], port: await freePort() });
		assert.equal(said.split('\n').length, 2);
		assert.match(said, /b\.example\.zone:6:8: /);
	});

	it('with a directory that drops most zones serves the last good ones and says so; --force takes it', async (t) => {
		const { zonesDir, stateDir } = await served(t, FIVE);
		for (const name of ['c', 'd', 'e']) rmSync(join(zonesDir, `${name}.example.zone`));
		const instance = await startInstance(t, { zonesDir, stateDir });
		const says = `Cannot take the zones directory ${zonesDir}: it drops 3 of 5 zones; --force takes it all the same`;
		assert.partialDeepStrictEqual((await fetchJson(`${instance.admin}/readyz`)).body, { zones: 5, degraded: [says] });
		assert.equal((await fetchJson(`${instance.admin}/readyz?strict`)).status, 503);
		await end(instance);
		const forced = await startInstance(t, { zonesDir, stateDir, more: ['--force'] });
		assert.partialDeepStrictEqual((await fetchJson(`${forced.admin}/readyz`)).body, { zones: 2, degraded: [] });
	});

	it('with a damaged last good file says so and goes on', async (t) => {
		const { zonesDir, stateDir } = await served(t, FIVE);
		const [file = ''] = readdirSync(join(stateDir, 'last-good'));
		writeFileSync(join(stateDir, 'last-good', file), '{"unit"');
		const instance = await startInstance(t, { zonesDir, stateDir });
		assert.match(instance.stderr, new RegExp(`"what":"[^"]*${file}","msg":"a last good version cannot be read`));
	});
});

describe('a reload', { concurrency: 3 }, () => {
	it('of a directory that drops more than half of the zones is refused; of one that drops two is not', async (t) => {
		const zonesDir = scratch(t, FIVE);
		const instance = await startInstance(t, { zonesDir, stateDir: scratch(t) });
		for (const name of ['c', 'd', 'e']) rmSync(join(zonesDir, `${name}.example.zone`));
		instance.signal('SIGHUP');
		await until('the refusal', LIMIT_MS, () => /"msg":"the reload was refused/.test(instance.stderr));
		assert.partialDeepStrictEqual((await fetchJson(`${instance.admin}/readyz`)).body, { generation: 1, zones: 5 });
		assert.match(await (await fetch(`${instance.admin}/metrics`)).text(), /^meridian_directory_refused 1$/m);
		assert.equal((await askUdp(instance.port, { name: 'www.e.example' })).rcode, 'NOERROR');
		write(zonesDir, { 'c.example.zone': GOOD_ZONE });
		instance.signal('SIGHUP');
		await until('the reload', LIMIT_MS, async () => (await readyBody(instance)).generation === 2);
		assert.partialDeepStrictEqual(await readyBody(instance), { zones: 3, degraded: [] });
		await until(
			'the change',
			LIMIT_MS,
			async () => (await askUdp(instance.port, { name: 'www.e.example' })).rcode === 'REFUSED',
		);
	});

	it('of a directory that is gone is refused', async (t) => {
		const zonesDir = scratch(t, FIVE);
		const instance = await startInstance(t, { zonesDir, stateDir: scratch(t) });
		rmSync(zonesDir, { recursive: true });
		instance.signal('SIGHUP');
		await until('the refusal', LIMIT_MS, async () => (await readyBody(instance)).degraded.length === 1);
		assert.match((await readyBody(instance)).degraded.join(), /Cannot take the zones directory .*ENOENT/);
		mkdirSync(zonesDir);
		assert.equal((await askUdp(instance.port, www)).rcode, 'NOERROR');
	});

	it('of one good and one broken zone takes the good one', async (t) => {
		const zonesDir = scratch(t, { 'a.example.zone': GOOD_ZONE, 'b.example.zone': GOOD_ZONE });
		const instance = await startInstance(t, { zonesDir, stateDir: scratch(t) });
		write(zonesDir, { 'a.example.zone': GOOD_ZONE.replace('192.0.2.80', '192.0.2.81'), 'b.example.zone': BROKEN_ZONE });
		instance.signal('SIGHUP');
		await until(
			'the change',
			LIMIT_MS,
			async () => (await askUdp(instance.port, www)).answer[0]?.rdataText === '192.0.2.81',
		);
		assert.equal((await askUdp(instance.port, { name: 'www.b.example' })).answer[0]?.rdataText, '192.0.2.80');
		assert.deepEqual((await readyBody(instance)).degraded, ['the new version of b.example. was refused']);
	});

	it('that cannot be kept for the next start is served and told of', async (t) => {
		const zonesDir = scratch(t, { 'a.example.zone': GOOD_ZONE });
		const stateDir = scratch(t);
		const instance = await startInstance(t, { zonesDir, stateDir });
		rmSync(join(stateDir, 'last-good'), { recursive: true });
		write(zonesDir, { 'a.example.zone': GOOD_ZONE.replace('192.0.2.80', '192.0.2.81') });
		instance.signal('SIGHUP');
		await until(
			'the change',
			LIMIT_MS,
			async () => (await askUdp(instance.port, www)).answer[0]?.rdataText === '192.0.2.81',
		);
		assert.match((await readyBody(instance)).degraded.join(), /^Cannot keep the zones for the next start: ENOENT/);
		mkdirSync(join(stateDir, 'last-good'));
		instance.signal('SIGHUP');
		await until('all is well', LIMIT_MS, async () => (await readyBody(instance)).degraded.length === 0);
	});
});

describe('an instance answers', { concurrency: 3 }, () => {
	it('from the address that was asked', async (t) => {
		const zonesDir = scratch(t, FIVE);
		const listen = ['127.0.0.1', '127.0.0.2'];
		const { port } = await startInstance(t, { zonesDir, stateDir: scratch(t), listen });
		for (const address of listen) {
			assert.equal((await askUdp(port, www, address)).rcode, 'NOERROR');
			assert.equal((await askTcp(port, www, address)).rcode, 'NOERROR');
		}
	});

	it('on every address of the machine for a wildcard, from the one that was asked', async (t) => {
		const zonesDir = scratch(t, FIVE);
		const { port } = await startInstance(t, { zonesDir, stateDir: scratch(t), listen: ['0.0.0.0', '127.0.0.1'] });
		const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
		const addresses = own.filter(({ family }) => family === 'IPv4').map(({ address }) => address);
		assert(addresses.includes('127.0.0.1'));
		for (const address of addresses) {
			assert.equal((await askUdp(port, www, address)).rcode, 'NOERROR', address);
			assert.equal((await askTcp(port, www, address)).rcode, 'NOERROR', address);
		}
	});

	it('on a wildcard beside a resolver that has an address of its own', async (t) => {
		const port = await freePort();
		const resolver = createSocket('udp4').bind(port, '127.0.0.53');
		await once(resolver, 'listening');
		t.after(() => resolver.close());
		const zonesDir = scratch(t, FIVE);
		const instance = await startInstance(t, { zonesDir, stateDir: scratch(t), listen: ['0.0.0.0'], port });
		assert.equal((await askUdp(port, www)).rcode, 'NOERROR');
		assert.equal((await askTcp(port, www)).rcode, 'NOERROR');
		if (/"transport":"batch"/.test(instance.stderr))
			assert.match(instance.stderr, /it is in use by process \d+ .*"msg":"the wildcard is in use in part/);
	});

	it('on a wildcard, and is not asked to share it', async (t) => {
		const zonesDir = scratch(t, FIVE);
		const { port, pid } = await startInstance(t, { zonesDir, stateDir: scratch(t), listen: ['0.0.0.0'] });
		const said = await refused(t, { zonesDir, stateDir: scratch(t), listen: ['0.0.0.0'], port });
		assert.match(said, new RegExp(`^Cannot listen on \\d[\\d.]*:${port}: it is in use by process ${pid} `));
	});

	const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
		addresses?.some(({ address }) => address === '::1'),
	);
	it('over IPv6', { skip: hasIpv6 ? false : 'this machine has no ::1' }, async (t) => {
		const zonesDir = scratch(t, FIVE);
		const { port } = await startInstance(t, { zonesDir, stateDir: scratch(t), listen: ['127.0.0.1', '[::1]'] });
		for (const address of ['127.0.0.1', '::1']) {
			assert.equal((await askUdp(port, www, address)).rcode, 'NOERROR');
			assert.equal((await askTcp(port, www, address)).rcode, 'NOERROR');
		}
	});

	it('on the addresses that there are when one is missing, and says so', async (t) => {
		const zonesDir = scratch(t, FIVE);
		const listen = ['127.0.0.1', '192.0.2.1'];
		const instance = await startInstance(t, { zonesDir, stateDir: scratch(t), listen });
		assert.match(instance.stderr, /"address":"192\.0\.2\.1:\d+","msg":"this machine does not have the address/);
		assert.equal((await askUdp(instance.port, www)).rcode, 'NOERROR');
	});

	it('without probing as `serve`, and says so', async (t) => {
		const yaml = [
			'monitors: { web: { kind: tcp, port: 1 } }',
			'pools: { eu: { monitor: web, endpoints: [{ name: a, addresses: [192.0.2.1] }] } }',
			'names: { x: { policy: eu } }',
		].join('\n');
		const zonesDir = scratch(t, { 'a.example.zone': GOOD_ZONE, 'a.example.yaml': yaml });
		const instance = await startInstance(t, { zonesDir, stateDir: scratch(t), command: 'serve' });
		assert.match(instance.stderr, /"msg":"this process does not probe: /);
		assert.deepEqual((await fetchJson(`${instance.admin}/v1/health`)).body, { targets: [] });
		assert.match(await (await fetch(`${instance.admin}/metrics`)).text(), /^meridian_targets\{vote="unknown"\} 1$/m);
		assert.equal((await askUdp(instance.port, { name: 'x.a.example' })).answer[0]?.rdataText, '192.0.2.1');
	});
});

describe('a demo', () => {
	it('leaves a port that is taken to whoever has it, and names the process', async (t) => {
		const checkPort = await freePort();
		const yaml = [
			`monitors: { web: { kind: http, port: ${checkPort}, interval: 1s, timeout: 500ms } }`,
			`pools: { eu: { monitor: web, endpoints: [{ name: a, addresses: [192.0.2.1], check: { address: 127.0.0.1, port: ${checkPort} } }] } }`,
			'names: { x: { policy: eu } }',
		].join('\n');
		const zonesDir = scratch(t, { 'a.example.zone': GOOD_ZONE, 'a.example.yaml': yaml });
		const first = await startInstance(t, { zonesDir, stateDir: scratch(t), more: ['--demo'] });
		const pid = Number(/kill (\d+)\n {4}\S+ src\/roles\/demo-backend/.exec(first.stdout)?.[1]);
		assert(isRunning(pid), first.stdout);
		const second = await startInstance(t, { zonesDir, stateDir: scratch(t), more: ['--demo'] });
		assert.match(
			second.stdout,
			new RegExp(`eu did not start: Cannot listen on 127\\.0\\.0\\.1:${checkPort}: it is in use by process ${pid} `),
		);
		await end(second);
		assert(isRunning(pid));
		await end(first);
		assert(!isRunning(pid));
	});
});

/** @returns what it said */
async function refused(
	t: Parameters<typeof runToEnd>[0],
	options: Parameters<typeof instanceArgs>[0],
): Promise<string> {
	const { code, stdout, stderr } = await runToEnd(t, instanceArgs(options));
	assert.equal(code, 1, stderr);
	assert.equal(stdout, '');
	return stderr;
}

/** Directories as an instance leaves them that served these files. */
async function served(t: Parameters<typeof scratch>[0], files: Readonly<Record<string, string>>) {
	const zonesDir = scratch(t, files);
	const stateDir = scratch(t);
	await end(await startInstance(t, { zonesDir, stateDir }));
	return { zonesDir, stateDir };
}

async function end(instance: Instance): Promise<void> {
	instance.signal('SIGTERM');
	assert.deepEqual(await instance.exit, { code: 0, signal: null });
}

async function readyBody({ admin }: Instance) {
	return (await fetchJson(`${admin}/readyz`)).body as { generation: number; degraded: string[] };
}
