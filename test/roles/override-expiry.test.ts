import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startRedis, WITHOUT_REDIS } from '../setup/redis.ts';
import { askUdp, BEARER, type Instance, startInstance, until } from './meridian-process.ts';
import { GOOD_ZONE, scratch } from './scratch.ts';

const STEERING = `
pools:
  eu: { endpoints: [{ name: e1, addresses: [192.0.2.1] }] }
  us: { endpoints: [{ name: u1, addresses: [192.0.2.2] }] }
names: { steered: { policy: { kind: failover, members: [eu, us] } } }
`;
const LASTING_SEC = 6;
const LIMIT_MS = 20_000;

it('an override ends by itself on instances that have lost Redis, also on one that was started without it', {
	skip: WITHOUT_REDIS,
}, async (t) => {
	const redis = await startRedis(t);
	const more = ['--redis-url', redis.url];
	const start = (command: string, stateDir = scratch(t)) =>
		startInstance(t, { command, zonesDir: '/nowhere', stateDir, more });
	const stateDir = scratch(t);
	const [{ admin }, first, second] = await Promise.all([start('admin'), start('serve'), start('serve', stateDir)]);
	const write = async (operation: string, body: unknown, headers: object) => {
		const [method = '', path = ''] = operation.split(' ');
		const given = { ...BEARER, 'content-type': 'application/json', ...headers };
		const reply = await fetch(`${admin}${path}`, { method, headers: given, body: JSON.stringify(body) });
		assert.equal(reply.status, 201, await reply.text());
	};
	const answerOf = async ({ port }: Pick<Instance, 'port'>) =>
		(await askUdp(port, { name: 'steered.a.example' })).answer[0]?.rdataText;
	const untilAnswers = (address: string, instance: Pick<Instance, 'port'>) =>
		until(address, LIMIT_MS, async () => (await answerOf(instance)) === address);

	await write('PUT /v1/zones/a.example/unit', { zone: GOOD_ZONE, steeringText: STEERING }, { 'if-none-match': '*' });
	await Promise.all([first, second].map((instance) => untilAnswers('192.0.2.1', instance)));
	const target = { kind: 'pool', unit: 'a.example', pool: 'eu' };
	const override = { target, state: 'down', for: `${LASTING_SEC}s` };
	await write('POST /v1/overrides', override, { 'meridian-reason': 'night' });
	const startMs = performance.now();
	await Promise.all([first, second].map((instance) => untilAnswers('192.0.2.2', instance)));
	await redis.kill();
	second.signal('SIGKILL');
	await second.exit;
	const again = await start('serve', stateDir);
	const lasted = await Promise.all(
		[first, again].map(async (instance) => {
			await untilAnswers('192.0.2.1', instance);
			return performance.now() - startMs;
		}),
	);
	for (const ms of lasted) assert(ms > (LASTING_SEC - 1) * 1000, `it has lasted ${ms} ms`);
});
