/** Builds one at a time, the last word always done. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BuildCause } from '../../src/roles/builder-messages.ts';
import { Updates } from '../../src/roles/updates.ts';

/** A builder that ends a build when it is told to. */
function setUp() {
	const begun: string[] = [];
	let end: ((how: 'done' | 'died') => void) | undefined;
	const updates = new Updates((cause: BuildCause) => {
		begun.push(cause.kind === 'reload' && cause.isForced ? 'forced reload' : cause.kind);
		return new Promise((resolve) => {
			end = resolve;
		});
	});
	/** End what is under way, and tell what was begun until then. */
	const ended = async (how: 'done' | 'died' = 'done') => {
		end?.(how);
		await new Promise((resolve) => setImmediate(resolve));
		return begun.splice(0).join(', ');
	};
	return { updates, ended };
}

describe('Updates', () => {
	it('build once more for all that was asked meanwhile', async () => {
		const { updates, ended } = setUp();
		for (let i = 0; i < 5; i++) updates.request({ kind: 'stored' });
		for (let i = 0; i < 5; i++) updates.request({ kind: 'look' });
		assert.equal(await ended(), 'stored, stored');
		assert.equal(await ended(), 'look');
		assert.equal(await ended(), '');
		updates.request({ kind: 'stored' });
		assert.equal(await ended(), 'stored');
	});

	it('take a reload for a look and for what the store has, and keep its force', async () => {
		const { updates, ended } = setUp();
		updates.request({ kind: 'look' });
		updates.request({ kind: 'stored' });
		updates.request({ kind: 'look' });
		updates.request({ kind: 'reload', isForced: true });
		updates.request({ kind: 'reload', isForced: false });
		assert.equal(await ended(), 'look, forced reload');
		assert.equal(await ended(), '');
	});

	it('try what the builder died of twice, behind what brings it back', async () => {
		const { updates, ended } = setUp();
		updates.request({ kind: 'reload', isForced: false });
		for (const begun of ['reload, resume', 'reload', 'resume', '']) {
			const died = begun === 'reload, resume' || begun === 'resume';
			if (died) updates.request({ kind: 'resume' });
			assert.equal(await ended(died ? 'died' : 'done'), begun);
		}
	});

	it('begin nothing after they were stopped', async () => {
		const { updates, ended } = setUp();
		updates.request({ kind: 'stored' });
		updates.request({ kind: 'look' });
		updates.stop();
		assert.equal(await ended(), 'stored');
	});
});
