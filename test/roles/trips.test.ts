import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { VERDICT_WORD } from '../../src/health/verdict-table.ts';
import { isDown, trippedMembers } from '../../src/roles/manual-failback.ts';
import { freePort } from '../setup/free-port.ts';
import { askUdp, runToEnd, startInstance, until } from './meridian-process.ts';
import { GOOD_ZONE, scratch } from './scratch.ts';

describe('isDown()', () => {
	const family = (requiredHealthy: number, ...endpoints: readonly (readonly (readonly number[])[])[]) => ({
		requiredHealthy,
		endpoints,
	});
	/** Targets 0 and 1 are up, 2 and 3 down, 4 unknown. */
	const words = [VERDICT_WORD.up, VERDICT_WORD.up, VERDICT_WORD.down, VERDICT_WORD.down, VERDICT_WORD.unknown];
	for (const { name, families, expected } of [
		{ name: 'one endpoint that is up', families: [family(1, [[0]])], expected: false },
		{ name: 'one endpoint that is down', families: [family(1, [[2]])], expected: true },
		{ name: 'one that nobody has judged', families: [family(1, [[4]])], expected: false },
		{ name: 'fewer than it needs', families: [family(2, [[0]], [[2]])], expected: true },
		{ name: 'as many as it needs', families: [family(1, [[0]], [[2]])], expected: false },
		{ name: 'another address that is up', families: [family(1, [[2], [0]])], expected: false },
		{ name: 'one of two monitors down', families: [family(1, [[0, 2]])], expected: true },
		{ name: 'nothing that is probed', families: [family(1, [[]])], expected: false },
		{ name: 'one family down', families: [family(1, [[2]]), family(1, [[1]])], expected: false },
		{ name: 'both families down', families: [family(1, [[2]]), family(1, [[3]])], expected: true },
	] as readonly { name: string; families: Parameters<typeof isDown>[0]; expected: boolean }[]) {
		it(`is ${expected} with ${name}`, () => {
			assert.equal(
				isDown(families, (target) => words[target] ?? 0),
				expected,
			);
		});
	}
});

describe('trippedMembers()', () => {
	/** A pool of one endpoint, whose target is numbered by its verdict. */
	const [up, down] = [VERDICT_WORD.up, VERDICT_WORD.down].map((target) => [
		{ requiredHealthy: 1, endpoints: [[[target]]] },
	]);
	const off: never[] = [];
	for (const { name, members, tripped } of [
		{ name: 'none while the first is up', members: [[up], [down], [up]], tripped: [] },
		{ name: 'the first when the second is up', members: [[down], [up]], tripped: ['m0'] },
		{ name: 'all before the first that is up', members: [[down], [down], [up]], tripped: ['m0', 'm1'] },
		{ name: 'none while all are down', members: [[down], [down]], tripped: [] },
		{ name: 'none that another pool keeps up', members: [[down, up], [up]], tripped: [] },
		{ name: 'one that operators left a pool of', members: [[off, down], [up]], tripped: ['m0'] },
		{ name: 'none that operators have switched off', members: [[off], [up]], tripped: [] },
		{ name: 'none for one that is switched off', members: [[down], [off]], tripped: [] },
		{ name: 'nothing of a policy that all have tripped in', members: [], tripped: [] },
	]) {
		it(`tells ${name}`, () => {
			const watched = members.map((pools, i) => ({ member: `m${i}`, pools: pools.map((pool) => pool ?? []) }));
			const policy = { kind: 'failover', unit: 'a.', policy: 'p', members: watched } as const;
			assert.deepEqual(
				trippedMembers(policy, (target) => target),
				tripped,
			);
		});
	}
});

async function listen(t: TestContext, port: number): Promise<Server> {
	const server = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1');
	await once(server, 'listening');
	t.after(() => server.close());
	return server;
}

describe('failback: manual', () => {
	it('keeps a pool that was down out of service until it is cleared, also over a restart', async (t) => {
		const port = await freePort();
		const yaml = `
monitors:
  web: { kind: tcp, port: ${port}, interval: 200ms, timeout: 100ms, fall: 1, rise: 1 }
pools:
  eu: { monitor: web, failback: manual, endpoints: [{ name: e1, addresses: [127.0.0.1] }] }
  us: { endpoints: [{ name: u1, addresses: [192.0.2.2] }] }
names:
  www2: { policy: { kind: failover, members: [eu, us] } }
`;
		const zonesDir = scratch(t, { 'a.example.zone': GOOD_ZONE, 'a.example.yaml': yaml });
		const stateDir = scratch(t);
		const more = ['--probe-allow', '127.0.0.1/32'];
		const answerOf = async (dns: number) => (await askUdp(dns, { name: 'www2.a.example' })).answer[0]?.rdataText;
		const backend = await listen(t, port);
		const first = await startInstance(t, { zonesDir, stateDir, more });
		await until('the first pool', 5000, async () => (await answerOf(first.port)) === '127.0.0.1');
		backend.close();
		await until('the second pool', 5000, async () => (await answerOf(first.port)) === '192.0.2.2');
		const run = (args: readonly string[], admin: string) => runToEnd(t, [...args, '--admin-url', admin]);
		await until('the trip', 5000, async () => (await run(['override'], first.admin)).stdout.includes('tripped'));
		await listen(t, port);
		const history = await run(['override', '--json'], first.admin);
		assert.partialDeepStrictEqual(JSON.parse(history.stdout).trips, [{ unit: 'a.example.', pool: 'eu' }]);
		first.signal('SIGKILL');
		await first.exit;
		const second = await startInstance(t, { zonesDir, stateDir, more });
		const health = async () =>
			JSON.stringify(await (await fetch(`${second.admin}/metrics`)).text()).includes('targets{vote=\\"up\\"} 1');
		await until('the backend to be up', 5000, health);
		assert.equal(await answerOf(second.port), '192.0.2.2');
		const cleared = await run(['override', 'a.example/eu', 'clear'], second.admin);
		assert.equal(cleared.code, 0, cleared.stderr);
		await until('the first pool again', 5000, async () => (await answerOf(second.port)) === '127.0.0.1');
	});

	it('keeps a member that was down out of one policy until it is cleared', async (t) => {
		const port = await freePort();
		const yaml = `
monitors:
  web: { kind: tcp, port: ${port}, interval: 200ms, timeout: 100ms, fall: 1, rise: 1 }
pools:
  eu: { monitor: web, endpoints: [{ name: e1, addresses: [127.0.0.1] }] }
  us: { endpoints: [{ name: u1, addresses: [192.0.2.2] }] }
policies:
  stays: { kind: failover, failback: manual, members: [eu, us] }
names:
  stays: { policy: { kind: geo, default: stays } }
  inline: { policy: { kind: failover, failback: manual, members: [{ kind: weighted, members: [{ use: eu }] }, us] } }
  returns: { policy: { kind: failover, members: [eu, us] } }
`;
		const zonesDir = scratch(t, { 'a.example.zone': GOOD_ZONE, 'a.example.yaml': yaml });
		// Before the instance, for a first probe that fails is a trip that stays.
		const backend = await listen(t, port);
		const { port: dns, admin } = await startInstance(t, {
			zonesDir,
			stateDir: scratch(t),
			more: ['--probe-allow', '127.0.0.1/32'],
		});
		const answers = async () => {
			const names = ['stays', 'inline', 'returns'].map((name) => askUdp(dns, { name: `${name}.a.example` }));
			return (await Promise.all(names)).map(({ answer }) => answer[0]?.rdataText).join(' ');
		};
		const untilAnswers = (expected: string) => until(expected, 5000, async () => (await answers()) === expected);
		const run = (...args: readonly string[]) => runToEnd(t, [...args, '--admin-url', admin]);
		const trips = async () => JSON.parse((await run('override', '--json')).stdout).trips;
		await untilAnswers('127.0.0.1 127.0.0.1 127.0.0.1');
		backend.close();
		await untilAnswers('192.0.2.2 192.0.2.2 192.0.2.2');
		await until('the trips', 5000, async () => (await trips()).length === 2);
		await listen(t, port);
		await untilAnswers('192.0.2.2 192.0.2.2 127.0.0.1');
		assert.match((await run('explain', 'stays.a.example', 'A', '--client', '192.0.2.1')).stdout, /eu.*it has tripped/);
		const cleared = await run('override', 'a.example/stays/eu', 'clear');
		assert.equal(cleared.code, 0, cleared.stderr);
		await untilAnswers('127.0.0.1 192.0.2.2 127.0.0.1');
		assert.partialDeepStrictEqual(await trips(), [{ unit: 'a.example.', policy: 'names.inline.policy', member: '#1' }]);
		assert.match((await run('override')).stdout, /^a\.example\.\/names\.inline\.policy\/#1 +tripped/m);
		assert.equal((await run('override', 'a.example/names.inline.policy/#1', 'clear')).code, 0);
		await untilAnswers('127.0.0.1 127.0.0.1 127.0.0.1');
	});
});
