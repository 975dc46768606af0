import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { BEARER, runToEnd, startInstance } from './meridian-process.ts';
import { GOOD_ZONE, scratch, write } from './scratch.ts';

const COMMON = 'pools: # of all\n  eu: { endpoints: [{ name: a, addresses: [192.0.2.1] }] }\n';
const STEERING = 'names:\n  app: { policy: eu }\n';

describe('plan, apply and export', () => {
	it('carry a zones directory to the store and back, and then find no difference', async (t) => {
		const { admin } = await startInstance(t, {
			zonesDir: scratch(t, { 'served.example.zone': GOOD_ZONE }),
			stateDir: scratch(t),
		});
		const run = async (...args: readonly string[]) =>
			runToEnd(t, [...args, '--admin-listen', admin.replace('http://', '')]);
		const expect = async (code: number, says: RegExp, ...args: readonly string[]) => {
			const { code: got, stdout, stderr } = await run(...args);
			assert.equal(got, code, stderr);
			assert.match(stdout + stderr, says);
		};
		const directory = scratch(t, {
			'a.example.zone': `${GOOD_ZONE}$INCLUDE more.txt\n`,
			'more.txt': 'included A 192.0.2.90\nlatin TXT "\\228"\n',
			'a.example.yaml': STEERING,
			'common.yaml': COMMON,
		});
		await expect(
			0,
			/^\+ a\.example\.\n[\s\S]*\+ included 3600 IN A 192\.0\.2\.90[\s\S]*names\.\S+: nothing -> /m,
			'plan',
			directory,
		);
		await expect(0, /served\.example\. belongs to the zones directory of the process: it stays/, 'plan', directory);
		await expect(0, /applied as generation 1\.1/, 'apply', directory);
		await expect(0, /nothing would change/, 'plan', directory);

		// A serial that was forgotten rises by itself, and is no difference.
		write(directory, { 'a.example.zone': GOOD_ZONE.replace('192.0.2.80', '192.0.2.81') });
		await expect(0, /^~ a\.example\.\n[\s\S]*IN SOA .* 2 /m, 'plan', directory);
		await expect(0, /applied as generation 1\.2/, 'apply', directory);
		await expect(0, /nothing would change/, 'plan', directory);

		// What was changed through the API comes out as a document.
		const pool = `${admin}/v1/common/pools/eu`;
		const etag = (await fetch(pool, { headers: BEARER })).headers.get('etag') ?? '';
		const headers = { ...BEARER, 'if-match': etag, 'content-type': 'application/json' };
		assert.equal((await fetch(pool, { method: 'PATCH', headers, body: '{"answers":1}' })).status, 200);
		await expect(0, /common[\s\S]*pools\.eu\.answers: 1 -> nothing/, 'plan', directory);
		const out = scratch(t);
		await expect(0, /3 units in 4 files/, 'export', out);
		await expect(0, /0 errors/, 'check', out);
		await expect(0, /nothing would change/, 'plan', out);
		assert.match(readFileSync(join(out, 'common.yaml'), 'utf8'), /^pools:\n {2}eu:\n/);
		assert.equal(readFileSync(join(out, 'a.example.yaml'), 'utf8'), STEERING);
		await expect(1, /it is not empty/, 'export', out);

		// A guard stands before what takes most of a zone.
		write(directory, { 'a.example.zone': GOOD_ZONE.replace(/www.*\n/, '') });
		await expect(0, /applied/, 'apply', directory);
		const bare = scratch(t, { 'common.yaml': COMMON, 'served.example.zone': GOOD_ZONE });
		await expect(
			1,
			/It takes 3 of the 3 records of a\.example\.;[\s\S]*apply --force does it all the same/,
			'apply',
			bare,
		);
		await expect(0, /applied as generation/, 'apply', bare, '--force');
		await expect(0, /nothing would change/, 'plan', bare);

		write(directory, { 'a.example.zone': `${GOOD_ZONE}bad A nonsense\n` });
		await expect(1, /a\.example\.zone:6:7: Cannot use "nonsense"/, 'plan', directory);
		write(directory, { 'a.example.zone': GOOD_ZONE, 'a.example.yaml': 'names: { app: { policy: nobody } }\n' });
		await expect(
			1,
			/^\S+a\.example\.yaml:1:25: names\.app\.policy: Cannot find a pool or policy "nobody"[^\n]*\nCannot apply \S+: it has mistakes\n$/m,
			'apply',
			directory,
		);
		await expect(2, /it takes DIR/, 'export');
		const { code, stderr } = await runToEnd(t, ['plan', directory, '--admin-listen', '127.0.0.1:1']);
		assert.equal(code, 1);
		assert.match(stderr, /No process answers at 127\.0\.0\.1:1/);
	});
});
