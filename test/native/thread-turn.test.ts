/** How a thread is scheduled: what is asked of a scripted kernel, and what this one has made of it. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Libc, loadLibc } from '../../src/native/libc.ts';
import { SCHED, SCHED_ATTR, SYSTEM_CALL } from '../../src/native/linux-abi.ts';
import { stepBack, ThreadTurn } from '../../src/native/thread-turn.ts';

const SCHED_BATCH = 3;
const call = SYSTEM_CALL[process.arch === 'arm64' ? 'arm64' : 'x64'];

/** A kernel that notes what it is told: `fair -7 100000`, `real-time 1`. */
function scripted({ policy = SCHED.other as number, refuses = (_: string): boolean => false } = {}) {
	let memory = new ArrayBuffer(0);
	const told: string[] = [];
	return {
		told,
		addressOf: (given: ArrayBuffer) => {
			memory = given;
			return 1n;
		},
		syscall: (number: number) => {
			if (number === call.getThreadId) return 77;
			const view = new DataView(memory);
			if (number === call.schedGetAttr) {
				if (refuses('read')) return -1;
				view.setUint32(SCHED_ATTR.policy, policy, true);
				view.setInt32(SCHED_ATTR.nice, -7, true);
				return 0;
			}
			const text = wishOf(view);
			if (refuses(text)) return -1;
			told.push(text);
			return 0;
		},
	};
}

function wishOf(view: DataView): string {
	assert.equal(view.getUint32(SCHED_ATTR.size, true), SCHED_ATTR.octets);
	assert.equal(view.getBigUint64(SCHED_ATTR.flags, true), SCHED.resetOnFork);
	const priority = view.getUint32(SCHED_ATTR.priority, true);
	if (view.getUint32(SCHED_ATTR.policy, true) === SCHED.roundRobin) return `real-time ${priority}`;
	assert.equal(priority, 0);
	return `fair ${view.getInt32(SCHED_ATTR.nice, true)} ${view.getBigUint64(SCHED_ATTR.runtime, true)}`;
}

/** What a kernel is told when a thread takes these shares of a core, each for a second. */
function after(kernel: ReturnType<typeof scripted>, shares: readonly number[], mayGoFirst = true): readonly string[] {
	let cpuMs = 500;
	const turn = new ThreadTurn(kernel, { nowMs: 10_000, cpuMs }, mayGoFirst);
	for (const [i, share] of shares.entries()) {
		cpuMs += 1000 * share;
		turn.review({ nowMs: 11_000 + 1000 * i, cpuMs });
	}
	return kernel.told;
}

describe('a thread that answers', () => {
	const FAIR = 'fair -7 100000';
	const FIRST = 'real-time 1';
	for (const { name, shares, told } of [
		{ name: 'goes in short slices at the start', shares: [], told: [FAIR] },
		{ name: 'goes first while it takes little', shares: [0.01, 0.49, 0], told: [FAIR, FIRST] },
		{ name: 'goes fairly while it takes much', shares: [0.5, 1, 0.99], told: [FAIR] },
		{ name: 'lets the others go when a flood comes', shares: [0.1, 0.9, 1], told: [FAIR, FIRST, FAIR] },
		{ name: 'goes first again behind it', shares: [0.1, 0.9, 0.1, 0.1], told: [FAIR, FIRST, FAIR, FIRST] },
	]) {
		it(name, () => assert.deepEqual(after(scripted(), shares), told));
	}

	it('goes fairly where it may not go first', () => assert.deepEqual(after(scripted(), [0.1, 0.9, 0], false), [FAIR]));

	it('stays as it is where an operator runs it by other rules', () =>
		assert.deepEqual(after(scripted({ policy: SCHED_BATCH }), [0.1, 0.9, 0.1]), []));

	it('goes fairly where real time is not allowed, and does not ask again', () => {
		let asked = 0;
		const refuses = (wish: string) => wish === FIRST && ++asked > 0;
		assert.deepEqual(after(scripted({ refuses }), [0.1, 0.9, 0.1, 0.1]), [FAIR]);
		assert.equal(asked, 1);
	});

	for (const call of ['read', FAIR])
		it(`stays as it is where the kernel refuses: ${call}`, () =>
			assert.deepEqual(after(scripted({ refuses: (wish) => wish === call }), [0.1, 0.9]), []));

	it('is made to go fairly from outside when it hangs', async (t) => {
		const libc = await loadLibc();
		if (!libc.ok) return t.skip(libc.problems.join());
		if (policyOf(schedulingOf(libc.value) ?? assert.fail()) !== SCHED.other) return t.skip('run by other rules');
		const turn = new ThreadTurn(libc.value, { nowMs: 0, cpuMs: 0 }, true);
		assert.equal(turn.thread, process.pid);
		turn.review({ nowMs: 1000, cpuMs: 1 });
		stepBack(libc.value, turn.thread);
		assert.equal(policyOf(schedulingOf(libc.value) ?? assert.fail()), SCHED.other);
	});

	it('is heard by the kernel of this machine, where it can be asked', async (t) => {
		const libc = await loadLibc();
		if (!libc.ok) return t.skip(libc.problems.join());
		const before = schedulingOf(libc.value);
		if (before === undefined || policyOf(before) !== SCHED.other) return t.skip('run by other rules');
		const turn = new ThreadTurn(libc.value, { nowMs: 0, cpuMs: 0 }, true);
		const fair = schedulingOf(libc.value) ?? assert.fail();
		assert.equal(fair.getInt32(SCHED_ATTR.nice, true), before.getInt32(SCHED_ATTR.nice, true));
		// Kernels before 6.12 have no slices of threads.
		assert([0n, 100_000n].includes(fair.getBigUint64(SCHED_ATTR.runtime, true)));
		turn.review({ nowMs: 1000, cpuMs: 1 });
		const first = policyOf(schedulingOf(libc.value) ?? assert.fail());
		assert([SCHED.roundRobin, SCHED.other].includes(first as 0 | 2));
		if (process.getuid?.() === 0) t.diagnostic(first === SCHED.roundRobin ? 'goes first' : 'may not go first');
		turn.review({ nowMs: 2000, cpuMs: 1001 });
		const behind = schedulingOf(libc.value) ?? assert.fail();
		assert.equal(policyOf(behind), SCHED.other);
		assert.equal(behind.getInt32(SCHED_ATTR.nice, true), before.getInt32(SCHED_ATTR.nice, true));
	});
});

function policyOf(view: DataView): number {
	return view.getUint32(SCHED_ATTR.policy, true);
}

function schedulingOf(libc: Libc): DataView | undefined {
	const memory = new ArrayBuffer(SCHED_ATTR.octets);
	const result = libc.syscall(call.schedGetAttr, 0, libc.addressOf(memory), SCHED_ATTR.octets, 0);
	return result === 0 ? new DataView(memory) : undefined;
}
