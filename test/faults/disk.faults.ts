/**
 * A state directory that cannot be written, or holds what nobody wrote: a fleet answers on, and starts again.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fetchJson, until } from '../roles/meridian-process.ts';
import { scratch } from '../roles/scratch.ts';
import { startRedis, WITHOUT_REDIS } from '../setup/redis.ts';
import { Fleet, HEAL_MS_MAX, pause } from './fleet.ts';

const RATE = Number(process.env['FAULTS_RATE'] ?? 2000);
const APPEND = ['appendonly yes', 'appendfsync always'];

/** A small file system of its own; undefined where nobody may mount one. */
function mountSmall(t: TestContext): string | undefined {
	const folder = mkdtempSync(join(tmpdir(), 'meridian-'));
	const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]).status === 0;
	t.after(() => {
		if (isMounted) spawnSync('umount', ['-l', folder]);
		rmdirSync(folder);
	});
	return isMounted ? folder : undefined;
}

function fill(folder: string): void {
	for (const size of [65_536, 4096, 1]) {
		try {
			for (let i = 0; ; i++) writeFileSync(join(folder, `ballast-${size}-${i}`), 'x'.repeat(size));
		} catch (error) {
			assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
		}
	}
}

async function degradedOf(admin: string): Promise<string> {
	const { body } = await fetchJson(`${admin}/readyz`);
	return (body as { readonly degraded: readonly string[] }).degraded.join('\n');
}

describe('a fleet', { skip: WITHOUT_REDIS, concurrency: 1 }, () => {
	for (const { what, spoil } of [
		{ what: 'is full', spoil: fill },
		{
			what: 'is read only',
			spoil: (folder: string) => assert.equal(spawnSync('mount', ['-o', 'remount,ro', folder]).status, 0),
		},
	]) {
		it(`goes on, and starts again, where the state directory ${what}`, async (t) => {
			const [ofInstance, ofProber] = [mountSmall(t), mountSmall(t)];
			if (ofInstance === undefined || ofProber === undefined) return t.skip('nobody may mount a file system here');
			const redis = await startRedis(t, APPEND);
			const fleet = await Fleet.start(t, {
				...{ url: redis.url, rate: RATE },
				stateDirs: { 'dns-1': join(ofInstance, 'state'), eu: join(ofProber, 'state') },
			});
			spoil(ofInstance);
			spoil(ofProber);
			await fleet.assertWorks();
			await fleet.apply({ ttl: '7s' });
			await until('the next generation', HEAL_MS_MAX, async () =>
				(await fleet.reports()).every(({ instances }) => instances.every(({ generation }) => generation === 2)),
			);
			const admins = () => [fleet.instances[0]?.admin ?? '', fleet.prober('eu').admin];
			for (const admin of admins())
				await until('the alarm', HEAL_MS_MAX, async () => /^Cannot keep /m.test(await degradedOf(admin)));
			await fleet.assertWorks();
			await fleet.restartInstance(0);
			await fleet.killProber('eu');
			await fleet.startProber('eu');
			for (const admin of admins())
				await until('the alarm', HEAL_MS_MAX, async () => /^Cannot .*state directory/m.test(await degradedOf(admin)));
			await fleet.assertWorks();
			await fleet.assertNothingLost();
		});
	}

	it('starts again with Redis down and all it had kept damaged, and is whole when Redis is back', async (t) => {
		const redis = await startRedis(t, APPEND);
		const state = join(scratch(t), 'state');
		const fleet = await Fleet.start(t, { url: redis.url, rate: RATE, stateDirs: { 'dns-1': state } });
		await pause(1500);
		await redis.kill();
		const [before] = fleet.instances;
		assert(before !== undefined);
		await fleet.load.pause(before.port);
		before.signal('SIGKILL');
		await before.exit;
		damage(state);
		const startMs = performance.now();
		fleet.instances[0] = await fleet.startInstance('dns-1', before.port);
		assert(performance.now() - startMs < 5000 + 2000);
		assert.match(await degradedOf(fleet.instances[0].admin), /^the store is unreachable/m);
		await redis.start();
		await until('its zones', HEAL_MS_MAX, async () => (await fleet.reports())[0]?.generation === 1);
		await pause(1000);
		await fleet.load.resume(before.port);
		await fleet.assertWorks();
		await fleet.assertNothingLost();
	});
});

function damage(folder: string): void {
	for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
		const path = join(folder, name);
		if (statSync(path).isFile()) writeFileSync(path, '\0damaged\n');
	}
}
