/**
 * How queries are answered, as the settings have it.
 */

import { randomInt } from 'node:crypto';
import type { Settings } from '../model/settings.ts';
import { createRateLimitTable } from '../serve/rate-limit.ts';
import type { AnsweringSettings } from './worker-messages.ts';

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
