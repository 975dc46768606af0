/** Which transport a process chooses, and what it says of it. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { freePort } from '../setup/free-port.ts';
import { askUdp, instanceArgs, runToEnd, startInstance } from './meridian-process.ts';
import { GOOD_ZONE, scratch } from './scratch.ts';

/** As a machine for which koffi has no library. */
const WITHOUT_KOFFI = `--import=data:text/javascript,${encodeURIComponent(`
import { registerHooks } from 'node:module';
registerHooks({ resolve(specifier, context, next) {
	if (specifier === 'koffi') throw new Error('Cannot find the native Koffi module');
	return next(specifier, context);
} });
`)}`;
const MISSING = /"transport":"dgram","reason":"no batches here: koffi cannot be loaded: Cannot find the native Koffi/;

describe('dns.transport', { concurrency: 4 }, () => {
	for (const { wanted, env, says } of [
		{ wanted: 'dgram', env: {}, says: /"transport":"dgram","reason":"as dns\.transport says"/ },
		{ wanted: 'auto', env: { NODE_OPTIONS: WITHOUT_KOFFI }, says: MISSING },
		...(process.platform === 'linux'
			? [
					{
						wanted: 'auto',
						env: {},
						says: /"transport":"batch","reason":"this machine can".*"receiveBufferOctets":\d{5,}/,
					},
					{ wanted: 'batch', env: {}, says: /"transport":"batch","reason":"as dns\.transport says"/ },
				]
			: []),
	]) {
		it(`${wanted}${'NODE_OPTIONS' in env ? ' without koffi' : ''} says what runs and why, and answers`, async (t) => {
			const zonesDir = scratch(t, { 'a.example.zone': GOOD_ZONE });
			const more = ['--dns-transport', wanted];
			const { port, stderr } = await startInstance(t, { zonesDir, stateDir: scratch(t), more, env });
			assert.match(stderr, says);
			assert.equal((await askUdp(port, { name: 'www.a.example' })).rcode, 'NOERROR');
		});
	}

	it('batch without koffi is refused with the reason', async (t) => {
		const args = instanceArgs({
			zonesDir: scratch(t, { 'a.example.zone': GOOD_ZONE }),
			stateDir: scratch(t),
			listen: ['127.0.0.1'],
			port: await freePort(),
			more: ['--dns-transport', 'batch'],
		});
		const { code, stderr } = await runToEnd(t, args, { env: { NODE_OPTIONS: WITHOUT_KOFFI } });
		assert.equal(code, 1);
		assert.match(
			stderr,
			/^Cannot read datagrams in batches \(dns\.transport\): koffi cannot be loaded: Cannot find the native Koffi module\n$/,
		);
	});
});
