import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { selfSigned } from '../probe/certificates.ts';
import { freePort } from '../setup/free-port.ts';
import { askUdp, runToEnd, startInstance, until } from './meridian-process.ts';
import { GOOD_ZONE, scratch } from './scratch.ts';

const YAML = `
pools:
  eu: { endpoints: [{ name: e1, addresses: [192.0.2.1] }] }
  us: { endpoints: [{ name: u1, addresses: [192.0.2.2] }] }
names:
  www2: { policy: { kind: failover, members: [eu, us] }, ttl: 30s }
`;

async function start(
	t: TestContext,
	env: Readonly<Record<string, string>> = {},
	stateDir = scratch(t),
	more: readonly string[] = [],
) {
	const zonesDir = scratch(t, { 'a.example.zone': GOOD_ZONE, 'a.example.yaml': YAML });
	const instance = await startInstance(t, { zonesDir, stateDir, env, more });
	const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
		runToEnd(t, [...args, '--state-dir', stateDir, '--admin-url', instance.admin], { env: { ...env, ...more } });
	const answer = async () => (await askUdp(instance.port, { name: 'www2.a.example' })).answer[0]?.rdataText;
	return { instance, stateDir, run, answer };
}

/** Without a token in the settings. */
const BARE = { MERIDIAN_ADMIN_TOKEN: '' };

describe('operating from the command line', () => {
	it('begins with the token that the first start has made', async (t) => {
		const { instance, stateDir, run } = await start(t, BARE);
		const path = join(stateDir, 'admin-token');
		const token = readFileSync(path, 'utf8').trim();
		assert.doesNotMatch(instance.stderr + instance.stdout, new RegExp(token));
		assert.match(instance.stdout, /curl -H "Authorization: Bearer \$\(cat \S+\/admin-token\)" http:\S+\/v1\/health\n/);
		const made = await run(['token', 'create', 'ci', '--role', 'viewer', '--expires', '1d']);
		assert.equal(made.code, 0, made.stderr);
		assert.match(made.stdout, /^mrd_\S{43}\n$/);
		assert.match(made.stderr, /^A token with the role viewer/);
		const ci = { MERIDIAN_ADMIN_TOKEN: made.stdout.trim() };
		const listed = await run(['token', 'list']);
		assert.match(
			listed.stdout,
			/^NAME +ROLE[\s\S]*\nci +viewer +all zones +in (?:1d|23h 59m) +-\nfirst +admin +all zones +never +20/,
		);
		const refused = await run(['token', 'list'], ci);
		assert.equal(refused.code, 1);
		assert.match(refused.stderr, /^Cannot do that as viewer: it takes the role admin\n$/);
		assert.equal((await run(['status', '--json'], ci)).code, 0);
		assert.equal((await run(['token', 'revoke', 'ci'])).code, 0);
		const gone = await run(['status'], ci);
		assert.equal(gone.code, 1);
		assert.match(gone.stderr, /^Cannot take this token: it is not known/);
		const last = await run(['token', 'revoke', 'first', '--json']);
		assert.equal(last.code, 1);
		assert.equal(JSON.parse(last.stdout).code, 'conflict');
	});

	it('is refused where neither the settings nor the state directory have a token', async (t) => {
		const { run } = await start(t);
		const { code, stderr } = await run(['override', '--state-dir', scratch(t)], BARE);
		assert.equal(code, 1);
		assert.match(stderr, /^Cannot tell who asks: [^\n]*\nSet MERIDIAN_ADMIN_TOKEN/);
	});

	it('goes over TLS where there is a certificate, which its own machine trusts as it is', async (t) => {
		const { cert, key } = selfSigned({ names: ['dns.example'] });
		const files = scratch(t, { 'cert.pem': cert, 'key.pem': key });
		const tls = { MERIDIAN_ADMIN_TLS_CERT: join(files, 'cert.pem'), MERIDIAN_ADMIN_TLS_KEY: join(files, 'key.pem') };
		const port = await freePort();
		const at = `127.0.0.1:${port}`;
		const { instance } = await start(t, { ...tls, MERIDIAN_ADMIN_LISTEN: at }, scratch(t), ['--admin-listen', at]);
		assert.match(instance.stdout, /https:\/\/127\.0\.0\.1:\d+\/readyz/);
		const told = await runToEnd(t, ['token', 'list', '--json', '--admin-listen', at], { env: tls });
		assert.deepEqual([told.code, told.stdout], [0, '[]\n'], told.stderr);
		const other = await runToEnd(t, ['token', 'list', '--admin-url', `https://${at}`]);
		assert.equal(other.code, 1);
		assert.match(other.stderr, /does not answer \(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
	});

	it('drains a pool at once, tells what is left, and takes it back', async (t) => {
		const { run, answer } = await start(t);
		assert.equal(await answer(), '192.0.2.1');
		const drained = await run(['drain', 'a.example/eu', '--for', '1h', '--reason', 'kernel für eu']);
		assert.equal(drained.code, 0, drained.stderr);
		assert.match(
			drained.stdout,
			/^a\.example\.\/eu is drained for (?:1h|59m 59s), until 20\S+\n {2}1 steered name leads there; by their TTLs 100 % of the clients that were told it hold it now, none after 20\S+ \(in (?:30|29)s\)\n$/,
		);
		await until('the other pool', 2000, async () => (await answer()) === '192.0.2.2');
		const listed = await run(['override']);
		assert.match(
			listed.stdout,
			/\na\.example\.\/eu +drain +in \S+ ?\S* +\d+ % of clients +admin\.token +kernel für eu\n$/,
		);
		const ended = await run(['override', 'a.example./eu', 'end']);
		assert.equal(ended.code, 0, ended.stderr);
		await until('the first pool', 2000, async () => (await answer()) === '192.0.2.1');
		assert.equal((await run(['override'])).stdout, 'Nothing is overridden, and nothing has tripped\n');
	});

	it('has overrides that end by themselves, also after a restart', async (t) => {
		const { instance, run, answer, stateDir } = await start(t);
		const set = await run(['override', 'a.example/eu/e1', 'down', '--for', '4s', '--reason', 'x', '--json']);
		assert.equal(JSON.parse(set.stdout).state, 'down', set.stderr);
		await until('the other pool', 2000, async () => (await answer()) === '192.0.2.2');
		instance.signal('SIGKILL');
		await instance.exit;
		const next = await start(t, {}, stateDir);
		if (Date.now() < Date.parse(JSON.parse(set.stdout).until) - 500) assert.equal(await next.answer(), '192.0.2.2');
		await until('the first pool', 6000, async () => (await next.answer()) === '192.0.2.1');
	});

	it('says what is wrong, and exits with 2 for what it does not understand', async (t) => {
		const { run } = await start(t);
		for (const { args, code, says } of [
			{ args: ['drain'], code: 2, says: /^Cannot run drain: it takes a TARGET/ },
			{ args: ['drain', 'eu', '--reason', 'x'], code: 2, says: /^Cannot run drain: "eu" is no target/ },
			{ args: ['drain', 'a.example/eu'], code: 2, says: /it takes --reason TEXT/ },
			{
				args: ['drain', 'a.example/asia', '--reason', 'x'],
				code: 1,
				says: /^Cannot find the pool asia of a\.example\./,
			},
			{ args: ['override', 'a.example/eu', 'off'], code: 2, says: /"off" is none of up, down, drain, end and clear/ },
			{ args: ['override', 'a.example/eu', 'end'], code: 1, says: /there is none/ },
			{ args: ['override', 'a.example/eu', 'clear'], code: 1, says: /has not tripped/ },
			{ args: ['token', 'create', 'x'], code: 2, says: /--role viewer, operator, editor or admin is missing/ },
			{ args: ['token', 'make', 'x'], code: 2, says: /it takes create NAME, list, or revoke NAME/ },
			{ args: ['token', 'revoke', 'x', '--role', 'viewer'], code: 2, says: /--role goes with create/ },
			{ args: ['token', 'create', 'x', '--role', 'root'], code: 2, says: /viewer, operator, editor or admin/ },
			{ args: ['restore'], code: 2, says: /it takes --reason TEXT/ },
			{ args: ['restore', '--reason', 'x'], code: 1, says: /it is not lost/ },
		]) {
			const told = await run(args);
			assert.match(told.stderr, says, args.join(' '));
			assert.equal(told.code, code, told.stderr);
		}
	});

	it('says that nobody answers', async (t) => {
		const { code, stderr } = await runToEnd(t, ['override', '--admin-url', 'http://127.0.0.1:1']);
		assert.equal(code, 1);
		assert.match(stderr, /^No process answers at 127\.0\.0\.1:1: is it running/);
	});

	it('leaves no token in the state directory where the settings have one', async (t) => {
		const { stateDir } = await start(t);
		assert(!existsSync(join(stateDir, 'admin-token')));
	});
});
