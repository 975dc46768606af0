/**
 * How queries are answered, as the settings have it.
 */

import { randomInt } from 'node:crypto';
import type { Log } from '../lib/ports.ts';
import type { Settings } from '../model/settings.ts';
import { createRateLimitTable } from '../serve/rate-limit.ts';
import type { AnsweringSettings } from './worker-messages.ts';
import type { WorkerPoolSettings } from './worker-pool.ts';

export function answeringSettings(settings: Settings, cookieSecrets: readonly Uint8Array[]): AnsweringSettings {
	return {
		ecsTrust: settings['dns.ecs.trust'],
		cookieSecrets,
		identity: settings['dns.identity'],
		rateLimit: {
			rate: settings['dns.rateLimit.rate'],
			slip: settings['dns.rateLimit.slip'],
			exempt: settings['dns.rateLimit.exempt'],
		},
		rateLimitTable: createRateLimitTable(),
		rateLimitKey: randomInt(2 ** 31),
	};
}

export function queryLogSettings(settings: Settings, log: Log): Pick<WorkerPoolSettings, 'queryLog'> {
	const share = settings['dns.queryLog.sample'];
	if (share === 0) return {};
	const file = settings['dns.queryLog.file'];
	const onChange = (reason: string | undefined) => {
		if (reason === undefined) log.info({ file }, 'logged queries are written again');
		else log.error({ file, reason }, 'logged queries cannot be written; answering goes on without them');
	};
	return { queryLog: { share, file, isAddressTold: settings['dns.queryLog.clients'] === 'address', onChange } };
}
