/** A check that may go to loopback, and a resolver with the names that a test gives it. */

import assert from 'node:assert/strict';
import { parsePrefix } from '../../src/lib/prefix.ts';
import { type Check, createCheck } from '../../src/probe/check.ts';
import { createGuard } from '../../src/probe/guard.ts';
import type { EchoPort } from '../../src/probe/icmp.ts';
import { userAgentOf } from '../../src/probe/user-agent.ts';

/**
 * @param names  addresses by host name; others do not exist
 * @param allow  loopback addresses that may be probed
 * @param echo   ICMP sockets; none by default
 */
export function checkLoopback(
	names: Readonly<Record<string, readonly string[]>> = {},
	allow: readonly string[] = ['127.0.0.1', '::1'],
	echo?: EchoPort,
): Check {
	const prefixes = allow.map(parsePrefix).filter((prefix) => typeof prefix !== 'string');
	assert.equal(prefixes.length, allow.length);
	return createCheck({
		clock: { nowMs: () => performance.now() },
		userAgent: userAgentOf('1.2.3', 'https://example.org/'),
		guard: createGuard({ deny: [], allow: prefixes }),
		lookup: async (name) => names[name] ?? [],
		echo,
	});
}
