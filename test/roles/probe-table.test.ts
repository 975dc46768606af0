import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CheckResult } from '../../src/probe/check-result.ts';
import { printChecks, printChecksJson } from '../../src/roles/probe-table.ts';
import { monitorFrom, targetAt } from '../probe/monitor-from.ts';

const TCP = monitorFrom({ kind: 'tcp' });

function made(result: CheckResult, address = '192.0.2.1') {
	return { pool: 'example.org/eu', endpoint: 'eu-1', target: targetAt(443, TCP, address), result };
}

/** Cells of the only line. */
function cellsOf(result: CheckResult, address?: string): readonly string[] {
	return (
		printChecks([made(result, address)])
			.split('\n')[1]
			?.split(/ {2,}/) ?? []
	);
}

describe('printChecks()', () => {
	for (const { name, result, address = '192.0.2.1', cells } of [
		{
			name: 'shows times as far as there are any',
			result: { isUp: true, reason: 'connected', rttMs: 1.26, tlsMs: 20, firstByteMs: 3 },
			cells: ['192.0.2.1:443', 'tcp', 'up', '1.3 ms', '20.0 ms', '3.0 ms', 'connected'],
		},
		{
			name: 'shows an IPv6 address in brackets',
			address: '2001:db8::1',
			result: { isUp: false, reason: 'x' },
			cells: ['[2001:db8::1]:443', 'tcp', 'down', '-', '-', '-', 'x'],
		},
		{
			name: 'shows where a name led',
			address: 'a.example',
			result: { isUp: true, reason: 'x', resolvedAddress: '192.0.2.7' },
			cells: ['a.example:443', 'tcp', 'up', '-', '-', '-', 'x (192.0.2.7)'],
		},
		{
			name: 'shows a warning',
			result: { isUp: true, reason: 'x', warning: '3 days left' },
			cells: ['192.0.2.1:443', 'tcp', 'up', '-', '-', '-', 'x warning: 3 days left'],
		},
		{
			name: 'lets nobody steer the terminal',
			result: { isUp: false, reason: 'a\u001b[2Jb\nc' },
			cells: ['192.0.2.1:443', 'tcp', 'down', '-', '-', '-', 'a?[2Jb?c'],
		},
	]) {
		it(name, () => assert.deepEqual(cellsOf(result, address).slice(2), cells));
	}

	it('counts', () => {
		const results = [true, true, false, undefined].map((isUp) => made({ isUp, reason: 'x' }));
		assert.match(printChecks(results), /\n\n4 checks: 2 up, 1 down, 1 unchecked$/);
	});

	it('says that there is nothing', () => assert.match(printChecks([]), /^Nothing to check: /));
});

describe('printChecksJson()', () => {
	it('says all that was learnt', () => {
		const tls = { protocol: 'TLSv1.3', certificateExpiresAt: '2030-01-01T00:00:00.000Z', certificateDaysLeft: 9 };
		assert.deepEqual(JSON.parse(printChecksJson([made({ isUp: true, reason: 'x', rttMs: 1.5, tls })])), {
			...{ up: 1, down: 0, unchecked: 0 },
			checks: [
				{
					...{ pool: 'example.org/eu', endpoint: 'eu-1', address: '192.0.2.1', port: 443, kind: 'tcp' },
					...{ result: 'up', reason: 'x', rttMs: 1.5, tls },
				},
			],
		});
	});
});
