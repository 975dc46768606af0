/**
 * `npm start` from end to end, as a user meets it: the example zones, their backends, dig, signals.
 */

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import type { Message } from '../../src/dns/message-text.ts';
import { makeQuery } from '../dns/make-query.ts';
import {
	askOn,
	askTcp,
	askUdp,
	fetchJson,
	type Instance,
	isRunning,
	PROJECT,
	startInstance,
	until,
} from '../roles/meridian-process.ts';
import { scratch } from '../roles/scratch.ts';
import { freePort } from '../setup/free-port.ts';
import { findProgram } from '../setup/tools.ts';

const CLIENTS = [
	{ place: 'the United States', A: ['8.8.8.0/24', '192.0.2.10'], AAAA: ['2600:1700::/32', '2001:db8:1::10'] },
	{ place: 'Germany', A: ['84.128.0.0/24', '198.51.100.10'], AAAA: ['2003::/32', '2001:db8:2::10'] },
	{ place: 'Japan', A: ['133.11.0.0/24', '203.0.113.10'], AAAA: ['2001:200::/32', '2001:db8:3::10'] },
] as const;

/** Of the example zones. */
const [INTERVAL_MS, TIMEOUT_MS, FALL, RISE, TTL_SEC] = [2000, 1000, 2, 2, 30];
const DOWN_MS_MAX = FALL * INTERVAL_MS + TIMEOUT_MS + 1000;
const UP_MS_MAX = RISE * INTERVAL_MS + TIMEOUT_MS + 1000;
const RELOAD_MS_MAX = 5000;

interface Scene {
	readonly meridian: Instance;
	readonly backends: ReturnType<typeof backendsOn>;
	readonly zonesDir: string;
	readonly stateDir: string;
	readonly zonePath: string;
	readonly yamlPath: string;
	/** The texts of the two files, as they were at the start. */
	readonly zone: string;
	readonly yaml: string;
}

const european = { name: 'www.example.org', edns: { subnet: '84.128.0.0/24' } };

test('meridian start --demo', async (t) => {
	const scene = await start(t);
	await screenTests(t, scene);
	await answerTests(t, scene);
	await healthTests(t, scene);
	await reloadTests(t, scene);
	await endTests(t, scene);
});

async function start(t: TestContext): Promise<Scene> {
	const zonesDir = join(scratch(t), 'zones');
	const stateDir = join(scratch(t), 'state');
	cpSync(join(PROJECT, 'zones'), zonesDir, { recursive: true });
	const yamlPath = join(zonesDir, 'example.org.yaml');
	const zonePath = join(zonesDir, 'example.org.zone');
	let yaml = readFileSync(yamlPath, 'utf8');
	for (const port of [18081, 18082, 18083]) yaml = yaml.replace(`port: ${port}`, `port: ${await freePort()}`);
	writeFileSync(yamlPath, yaml);
	const meridian = await startInstance(t, { zonesDir, stateDir, more: ['--demo'] });
	const backends = backendsOn(meridian.stdout);
	return { meridian, backends, zonesDir, stateDir, zonePath, yamlPath, zone: readFileSync(zonePath, 'utf8'), yaml };
}

async function screenTests(t: TestContext, { meridian, backends }: Scene): Promise<void> {
	const { port, admin } = meridian;
	await t.test('shows a screen with what to paste', () => {
		assert.match(
			meridian.stdout,
			new RegExp(`answers on 127\\.0\\.0\\.1:${port}, UDP and TCP \\(pid ${meridian.pid}\\)`),
		);
		assert.match(meridian.stdout, / 1 zone, 6 steered names, 3 targets\n/);
		assert.match(meridian.stdout, new RegExp(`kill -HUP ${meridian.pid} `));
		assert.deepEqual(
			backends.map(({ pool }) => pool),
			['americas', 'europe', 'asia'],
		);
		for (const { pid, restart } of backends) {
			assert(isRunning(pid));
			assert.match(restart, /^node_modules\/\.bin\/node src\/roles\/demo-backend\.ts \d+ [a-z]+ &$|^\//);
		}
		const digs = meridian.stdout.match(/^ {4}dig @127\.0\.0\.1 -p \d+ www\.example\.org (?:A|AAAA) \+subnet=\S+$/gm);
		assert.equal(digs?.length, 6);
	});

	await t.test('sees its backends', () =>
		until('three votes', UP_MS_MAX, async () => (await votes(admin)).every((vote) => vote === 'up')).then(() => {}),
	);
}

async function answerTests(t: TestContext, { meridian }: Scene): Promise<void> {
	const { port } = meridian;
	for (const type of ['A', 'AAAA'] as const) {
		for (const client of CLIENTS) {
			const [subnet, address] = client[type];
			for (const [transport, ask] of [
				['UDP', askUdp],
				['TCP', askTcp],
			] as const) {
				await t.test(`answers ${type} over ${transport} to a client in ${client.place}`, async () => {
					const answer = await ask(port, { name: 'www.example.org', type, edns: { subnet } });
					assert.deepEqual([answer.rcode, ...addressesIn(answer)], ['NOERROR', address]);
					assert(answer.flags.includes('aa'));
					const scope = answer.opt?.subnet?.scope ?? 0;
					assert(scope > 0 && scope <= Number(subnet.split('/')[1]) + (type === 'A' ? 8 : 32), `scope ${scope}`);
				});
			}
		}
	}

	const dig = findProgram('dig');
	await t.test('answers the lines of its screen', { skip: dig === undefined ? 'dig is missing' : false }, async () => {
		const lines = [...meridian.stdout.matchAll(/^ {4}dig (.*)$/gm)].map(([, words = '']) => words.split(' '));
		const answers: string[] = [];
		for (const words of lines) {
			for (const more of [[], ['+tcp']]) {
				const { stdout } = await promisify(execFile)(dig ?? '', [...words, ...more, '+tries=1']);
				assert.match(stdout, /CLIENT-SUBNET: \S+\/\d+\/[1-9]\d*\n/);
				answers.push(/\nwww\.example\.org\.\s+30\s+IN\s+A+\s+(\S+)\n/.exec(stdout)?.[1] ?? stdout);
			}
		}
		const expected = CLIENTS.flatMap(({ A, AAAA }) => [A[1], A[1], AAAA[1], AAAA[1]]);
		assert.deepEqual(answers, expected);
	});
}

async function healthTests(t: TestContext, { meridian, backends }: Scene): Promise<void> {
	const { port, admin } = meridian;
	await t.test('follows a backend that stops, and halves the TTL meanwhile', async () => {
		const europe = backends[1];
		assert(europe !== undefined);
		assert.deepEqual(
			[ttlIn(await askUdp(port, european)), ...addressesIn(await askUdp(port, european))],
			[TTL_SEC, '198.51.100.10'],
		);
		process.kill(europe.pid, 'SIGTERM');
		await until(
			'the next pool',
			DOWN_MS_MAX,
			async () => addressesIn(await askUdp(port, european))[0] === '192.0.2.10',
		);
		const answer = await askUdp(port, european);
		assert.equal(ttlIn(answer), TTL_SEC / 2);
		assert.equal(ttlIn(await askTcp(port, european)), TTL_SEC / 2);
		const v6 = await askUdp(port, { name: 'www.example.org', type: 'AAAA', edns: { subnet: '2003::/32' } });
		assert.deepEqual(addressesIn(v6), ['2001:db8:1::10']);
		const { body } = await fetchJson(`${admin}/v1/health`);
		const { targets } = body as { targets: { pools: string[]; vote: string; reason: string }[] };
		const target = targets.find(({ pools }) => pools.includes('example.org. europe'));
		assert.equal(target?.vote, 'down');
		assert.match(target?.reason ?? '', /refused/i);
		const metrics = await textOf(`${admin}/metrics`);
		assert.match(metrics, /^meridian_targets\{vote="down"\} 1$/m);
		assert.match(metrics, /^meridian_targets\{vote="up"\} 2$/m);
		assert.match(meridian.stderr, /target is down/);
	});

	await t.test('follows it when its line of the screen is pasted', async (t) => {
		const europe = backends[1];
		assert(europe !== undefined);
		const shell = spawn('sh', ['-c', europe.restart], { cwd: PROJECT, stdio: ['ignore', 'pipe', 'inherit'] });
		let said = '';
		shell.stdout.setEncoding('utf8').on('data', (text: string) => {
			said += text;
		});
		const pidIn = () => Number(/pid (\d+)/.exec(said)?.[1] ?? 0);
		t.after(() => {
			if (pidIn() > 0) process.kill(pidIn(), 'SIGTERM');
		});
		await until('the backend to say that it listens', RELOAD_MS_MAX, () => pidIn() > 0);
		const ms = await until(
			'its return',
			UP_MS_MAX,
			async () => addressesIn(await askUdp(port, european))[0] === '198.51.100.10',
		);
		assert(ms > (RISE - 1) * INTERVAL_MS - 500, `came back after ${ms} ms: before ${RISE} successes in a row`);
		assert.equal(ttlIn(await askUdp(port, european)), TTL_SEC);
		assert.match(await textOf(`${admin}/metrics`), /^meridian_targets\{vote="up"\} 3$/m);
	});
}

async function reloadTests(t: TestContext, { meridian, zonePath, yamlPath, zone, yaml }: Scene): Promise<void> {
	const { port, admin } = meridian;
	await t.test('keeps what it has when a zone file breaks, and says where', async () => {
		writeFileSync(zonePath, zone.replace('192.0.2.25', '192.0.2.256'));
		await reload(meridian, 2);
		const { status, body } = await fetchJson(`${admin}/readyz`);
		assert.equal(status, 200);
		const line = zone.split('\n').findIndex((text) => text.includes('192.0.2.25')) + 1;
		assert.partialDeepStrictEqual(body, { ready: true, refusedUnits: ['example.org.'] });
		assert.match(JSON.stringify(body), new RegExp(`"${zonePath}:${line}:17: Cannot .*192\\.0\\.2\\.256`));
		assert.equal((await fetchJson(`${admin}/readyz?strict`)).status, 503);
		assert.deepEqual(addressesIn(await askUdp(port, { name: 'mail.example.org' })), ['192.0.2.25']);
		assert.match(await textOf(`${admin}/metrics`), /^meridian_units_refused 1$/m);
	});

	await t.test('keeps what it has when a steering file breaks, and says where', async () => {
		writeFileSync(zonePath, zone);
		writeFileSync(yamlPath, yaml.replace('members: [europe, americas, asia]', 'members: [europa, americas, asia]'));
		await reload(meridian, 3);
		const text = JSON.stringify((await fetchJson(`${admin}/readyz`)).body);
		assert.match(text, new RegExp(`"${yamlPath}:\\d+:\\d+: policies\\.world\\.rules\\[1\\].*europa`));
		writeFileSync(yamlPath, `${yaml}\n  bad: [\n`);
		await reload(meridian, 4);
		assert.match(
			JSON.stringify((await fetchJson(`${admin}/readyz`)).body),
			new RegExp(`"${yamlPath}:\\d+:\\d+: Cannot read YAML`),
		);
		assert.deepEqual(addressesIn(await askUdp(port, european)), ['198.51.100.10']);
	});

	await t.test('serves a good change', async () => {
		writeFileSync(yamlPath, yaml.replace('members: [europe, americas, asia]', 'members: [asia, americas, europe]'));
		writeFileSync(zonePath, `${zone}\nnew.example.org. IN A 192.0.2.99\n`);
		await reload(meridian, 5);
		assert.partialDeepStrictEqual(await fetchJson(`${admin}/readyz?strict`), {
			status: 200,
			body: { degraded: [], problems: [] },
		});
		// Each worker takes the generation when it comes to it.
		await until(
			'the change',
			RELOAD_MS_MAX,
			async () => addressesIn(await askUdp(port, european))[0] === '203.0.113.10',
		);
		assert.deepEqual(addressesIn(await askTcp(port, { name: 'new.example.org' })), ['192.0.2.99']);
	});
}

async function endTests(t: TestContext, { meridian, backends, zonesDir, stateDir }: Scene): Promise<void> {
	const { port, admin } = meridian;
	await t.test('is not moved by random octets', async () => {
		const socket = createSocket('udp4');
		for (let i = 0; i < 2000; i++) {
			const octets = crypto.getRandomValues(new Uint8Array(i % 64));
			await new Promise((resolve) => socket.send(octets, port, '127.0.0.1', resolve));
		}
		socket.close();
		assert.deepEqual(addressesIn(await askUdp(port, { name: 'mail.example.org' })), ['192.0.2.25']);
		assert.match(await textOf(`${admin}/metrics`), /^meridian_worker_restarts_total 0$/m);
	});

	await t.test('answers what was asked before SIGTERM, and leaves nothing behind', async () => {
		const connection = connect({ port, host: '127.0.0.1' });
		await once(connection, 'connect');
		await askOn(connection, { name: 'mail.example.org' });
		const socket = createSocket('udp4');
		const queries = 50;
		let answers = 0;
		socket.on('message', () => {
			answers++;
		});
		for (let id = 0; id < queries; id++) {
			await new Promise((resolve) =>
				socket.send(makeQuery({ name: 'mail.example.org', id }), port, '127.0.0.1', resolve),
			);
		}
		const overTcp = askOn(connection, { name: 'mail.example.org' });
		meridian.signal('SIGTERM');
		assert.deepEqual(addressesIn(await overTcp), ['192.0.2.25']);
		await until('all answers', RELOAD_MS_MAX, () => answers === queries);
		socket.close();
		connection.destroy();
		assert.deepEqual(await meridian.exit, { code: 0, signal: null });
		for (const { pid } of backends) assert(!isRunning(pid), `backend ${pid} still runs`);
		assert.deepEqual(readdirSync(stateDir).sort(), [
			'cookie-secrets.json',
			'last-good',
			'token-use.json',
			'votes.json',
		]);
		await assert.rejects(fetch(`${admin}/livez`));
	});

	await t.test('ends its backends when it is killed, and takes its own lock over', async (t) => {
		const again = await startInstance(t, { zonesDir, stateDir, more: ['--demo'] });
		const [first] = backendsOn(again.stdout);
		assert(first !== undefined && isRunning(first.pid));
		again.signal('SIGKILL');
		await again.exit;
		await until('the backends to end', RELOAD_MS_MAX, () =>
			backendsOn(again.stdout).every(({ pid }) => !isRunning(pid)),
		);
		assert(existsSync(join(stateDir, 'lock')));
		const third = await startInstance(t, { zonesDir, stateDir });
		third.signal('SIGINT');
		third.signal('SIGINT');
		assert.deepEqual(await third.exit, { code: 0, signal: null });
	});
}

function backendsOn(screen: string) {
	return [...screen.matchAll(/^ {2}(\w+) on 127\.0\.0\.1:\d+\n {4}kill (\d+)\n {4}(.* &)$/gm)].map(
		([, pool = '', pid, restart = '']) => ({ pool, pid: Number(pid), restart }),
	);
}

async function reload(meridian: Instance, generation: number): Promise<void> {
	meridian.signal('SIGHUP');
	await until(`generation ${generation}`, RELOAD_MS_MAX, async () => {
		const { body } = await fetchJson(`${meridian.admin}/readyz`);
		return (body as { generation: number }).generation === generation;
	});
}

async function votes(admin: string): Promise<readonly string[]> {
	const { body } = await fetchJson(`${admin}/v1/health`);
	return (body as { targets: { vote: string }[] }).targets.map(({ vote }) => vote);
}

async function textOf(url: string): Promise<string> {
	return (await fetch(url)).text();
}

function addressesIn({ answer }: Message): readonly string[] {
	return answer.map(({ rdataText }) => rdataText);
}

function ttlIn({ answer }: Message): number | undefined {
	return answer[0]?.ttlSec;
}
