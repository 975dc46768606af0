/** Spans of time in master files: TTLs and the timers of SOA. */

/** RFC 2181 §8. */
const TTL_SEC_MAX = 0x7fffffff;

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

/** Seconds, as a plain number or as units such as `1h30m` (the BIND form); undefined when it is neither or too large. */
export function scanPeriod(text: string, maxSec: number = TTL_SEC_MAX): number | undefined {
	if (!/^(\d{1,10}|(\d{1,10}[smhdw])+)$/i.test(text)) return undefined;
	let seconds = 0;
	for (const [, digits, unit] of text.matchAll(/(\d+)([smhdw]?)/gi)) {
		seconds += Number(digits) * (UNITS[unit?.toLowerCase() || 's'] ?? 1);
	}
	return seconds <= maxSec ? seconds : undefined;
}
