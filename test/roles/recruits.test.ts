/**
 * Threads that are there before there is anything to answer from.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Recruits } from '../../src/roles/recruits.ts';
import { chooseUdpTransport } from '../../src/roles/udp-transport.ts';
import { threadNames } from '../../src/roles/worker-pool.ts';
import { askTcp, askUdp } from './meridian-process.ts';
import { poolOf } from './pool-of.ts';

const { transport: udp } = await chooseUdpTransport('auto');
const query = { name: 'www.a.example' };

describe('Recruits', () => {
	it('answer once a pool has taken them, which makes those itself that it lacks', async (t) => {
		const recruits = new Recruits(threadNames(2).slice(1));
		t.after(() => recruits.dismiss());
		const { pool, port } = await poolOf(t, { udp, udpWorkers: 2, recruits });
		await pool.start();
		for (const name of threadNames(2)) assert.equal(recruits.take(name), undefined, `${name} is taken`);
		for (let i = 0; i < 20; i++) assert.equal((await askUdp(port, query)).answer[0]?.rdataText, '192.0.2.80');
		assert.equal((await askTcp(port, query)).answer[0]?.rdataText, '192.0.2.80');
	});

	it('end when nobody takes them', async () => {
		const recruits = new Recruits(threadNames(1));
		const left = recruits.take('udp-0');
		assert(left !== undefined);
		await recruits.dismiss();
		assert.equal(recruits.take('tcp-1'), undefined);
		await left.worker.terminate();
	});
});
