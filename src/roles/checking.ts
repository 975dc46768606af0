/**
 * Checks as the settings of this process have them made.
 */

import type { Clock } from '../lib/ports.ts';
import type { Settings } from '../model/settings.ts';
import { EchoSockets } from '../native/echo-socket.ts';
import { loadLibc } from '../native/libc.ts';
import { type Check, createCheck } from '../probe/check.ts';
import { createGuard, type Guard } from '../probe/guard.ts';
import { createLookup } from '../probe/pin-host.ts';
import { userAgentOf } from '../probe/user-agent.ts';
import { VERSION } from './version.ts';

export async function createChecking(
	settings: Settings,
	clock: Clock,
): Promise<{ readonly guard: Guard; readonly check: Check }> {
	const libc = await loadLibc();
	const echo = libc.ok ? new EchoSockets(libc.value) : undefined;
	const guard = createGuard({ deny: settings['probe.deny'], allow: settings['probe.allow'] });
	const userAgent = userAgentOf(VERSION, settings['probe.contact']);
	return { guard, check: createCheck({ clock, userAgent, guard, lookup: createLookup(undefined), echo }) };
}
