import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { VERDICT_WORD } from '../../src/health/verdict-table.ts';
import { isPoolDown, type ManualPool } from '../../src/roles/manual-pools.ts';
import { freePort } from '../setup/free-port.ts';
import { askUdp, runToEnd, startInstance, until } from './meridian-process.ts';
import { GOOD_ZONE, scratch } from './scratch.ts';

describe('isPoolDown()', () => {
	const family = (requiredHealthy: number, ...endpoints: readonly (readonly (readonly number[])[])[]) => ({
		requiredHealthy,
		endpoints,
	});
	/** Targets 0 and 1 are up, 2 and 3 down, 4 unknown. */
	const words = [VERDICT_WORD.up, VERDICT_WORD.up, VERDICT_WORD.down, VERDICT_WORD.down, VERDICT_WORD.unknown];
	for (const { name, families, isDown } of [
		{ name: 'one endpoint that is up', families: [family(1, [[0]])], isDown: false },
		{ name: 'one endpoint that is down', families: [family(1, [[2]])], isDown: true },
		{ name: 'one that nobody has judged', families: [family(1, [[4]])], isDown: false },
		{ name: 'fewer than it needs', families: [family(2, [[0]], [[2]])], isDown: true },
		{ name: 'as many as it needs', families: [family(1, [[0]], [[2]])], isDown: false },
		{ name: 'another address that is up', families: [family(1, [[2], [0]])], isDown: false },
		{ name: 'one of two monitors down', families: [family(1, [[0, 2]])], isDown: true },
		{ name: 'nothing that is probed', families: [family(1, [[]])], isDown: false },
		{ name: 'one family down', families: [family(1, [[2]]), family(1, [[1]])], isDown: false },
		{ name: 'both families down', families: [family(1, [[2]]), family(1, [[3]])], isDown: true },
	] as readonly { name: string; families: ManualPool['families']; isDown: boolean }[]) {
		it(`is ${isDown} with ${name}`, () => {
			assert.equal(
				isPoolDown({ unit: 'a.', pool: 'eu', families }, (target) => words[target] ?? 0),
				isDown,
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
});
