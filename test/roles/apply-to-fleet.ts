/** A zones directory into a fleet's store, as people do it: through an admin process, here one for the moment. */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { runToEnd, startInstance } from './meridian-process.ts';
import { scratch } from './scratch.ts';

export async function applyToFleet(
	t: Pick<TestContext, 'after'>,
	zones: string,
	{ url, env }: { readonly url: string; readonly env: Readonly<Record<string, string>> },
): Promise<void> {
	const more = ['--redis-url', url];
	const admin = await startInstance(t, { command: 'admin', zonesDir: zones, stateDir: scratch(t), more, env });
	const { code, stderr } = await runToEnd(t, ['apply', zones, '--admin-listen', new URL(admin.admin).host], { env });
	assert.equal(code, 0, stderr);
	admin.signal('SIGTERM');
	await admin.exit;
}
