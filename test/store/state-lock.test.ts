import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { lockState } from '../../src/store/state-lock.ts';
import { scratch } from '../roles/scratch.ts';

const ownTicks =
	readFileSync('/proc/self/stat', 'utf8')
		.replace(/^.*\) /, '')
		.split(' ')[19] ?? '';

describe('lockState()', () => {
	it('makes the directory, and a lock file that names this process', (t) => {
		const stateDir = join(scratch(t), 'a', 'state');
		lockState(stateDir);
		assert.deepEqual(JSON.parse(readFileSync(join(stateDir, 'lock'), 'utf8')), {
			pid: process.pid,
			startTicks: ownTicks,
		});
	});

	it('refuses a directory that a live process holds, and names it', (t) => {
		const stateDir = scratch(t);
		lockState(stateDir);
		assert.throws(() => lockState(stateDir), {
			message: `Cannot use the state directory ${stateDir}: process ${process.pid} uses it`,
		});
	});

	it('leaves nothing behind when it is released, and can be taken again', (t) => {
		const stateDir = scratch(t);
		lockState(stateDir).release();
		assert.deepEqual(readdirSync(stateDir), []);
		lockState(stateDir);
	});

	it('releases no lock that another has taken meanwhile', (t) => {
		const stateDir = scratch(t);
		const lock = lockState(stateDir);
		const other = JSON.stringify({ pid: 1, startTicks: '' });
		writeFileSync(join(stateDir, 'lock'), other);
		lock.release();
		assert.equal(readFileSync(join(stateDir, 'lock'), 'utf8'), other);
		assert.deepEqual(readdirSync(stateDir), ['lock']);
	});

	it('takes over from a process that is gone', async (t) => {
		const child = spawn(process.execPath, ['-e', '']);
		await once(child, 'exit');
		const stateDir = scratch(t, { lock: JSON.stringify({ pid: child.pid, startTicks: '1' }) });
		lockState(stateDir);
		assert.match(readFileSync(join(stateDir, 'lock'), 'utf8'), new RegExp(`"pid":${process.pid},`));
	});

	for (const { name, text, isTaken } of [
		{
			name: 'takes over from a process whose pid belongs to another one now',
			text: `{"pid":${process.pid},"startTicks":"1"}`,
			isTaken: true,
		},
		{
			name: 'respects a holder of which only the pid is known',
			text: `{"pid":${process.pid},"startTicks":""}`,
			isTaken: false,
		},
		{ name: 'respects a process of somebody else', text: '{"pid":1,"startTicks":""}', isTaken: false },
		{ name: 'takes over a half-written file', text: '{"pid":12', isTaken: true },
		{ name: 'takes over an empty file', text: '', isTaken: true },
		{ name: 'takes over a file that holds something else', text: '"lock"', isTaken: true },
		{
			name: 'takes over a file with pid 0, which would mean its own group',
			text: '{"pid":0,"startTicks":""}',
			isTaken: true,
		},
		{ name: 'takes over a file with a pid that cannot be', text: '{"pid":4000000000,"startTicks":""}', isTaken: true },
	]) {
		it(name, (t) => {
			const stateDir = scratch(t, { lock: text });
			if (isTaken) lockState(stateDir);
			else assert.throws(() => lockState(stateDir), /process \d+ uses it/);
			assert.deepEqual(readdirSync(stateDir), ['lock']);
		});
	}

	it('says why a directory cannot be made', (t) => {
		const stateDir = join(scratch(t, { file: '' }), 'file', 'state');
		assert.throws(() => lockState(stateDir), /^Error: Cannot make the state directory .*: ENOTDIR/);
	});

	it('says why a directory cannot be written', () => {
		assert(existsSync('/proc/self'));
		assert.throws(() => lockState('/proc/self'), /^Error: Cannot lock the state directory \/proc\/self: /);
	});

	it('is held by one of many that take over at once', async (t) => {
		const stateDir = scratch(t, { lock: '{"pid":4000000000,"startTicks":"1"}' });
		const source = `
			import { lockState } from ${JSON.stringify(new URL('../../src/store/state-lock.ts', import.meta.url).href)};
			try { lockState(process.argv[1]); process.send('held'); } catch { process.send('refused'); }
			process.on('disconnect', () => process.exit(0));`;
		const children = Array.from({ length: 8 }, () =>
			spawn(process.execPath, ['--input-type=module', '-e', source, stateDir], {
				stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
			}),
		);
		const said = await Promise.all(children.map(async (child) => (await once(child, 'message'))[0]));
		await Promise.all(
			children.map((child) => {
				child.disconnect();
				return once(child, 'exit');
			}),
		);
		assert.deepEqual(
			said.filter((one) => one === 'held'),
			['held'],
		);
	});
});
