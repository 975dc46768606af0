/**
 * Settings: each one a flag, an environment variable and a key of the configuration file, in that order.
 *
 * | key          | flag            | variable                |
 * |--------------|-----------------|-------------------------|
 * | dns.listen   | --dns-listen    | MERIDIAN_DNS_LISTEN     |
 * | zonesDir     | --zones-dir     | MERIDIAN_ZONES_DIR      |
 */

import { type ListenAddress, parseListenAddress } from '../lib/listen-address.ts';
import { nearestName } from '../lib/nearest-name.ts';
import { type Prefix, parsePrefix } from '../lib/prefix.ts';
import { parseRedisAddress } from '../lib/redis-address.ts';
import { DURATION_MS_MIN, durationMs } from './duration.ts';

export interface Settings {
	readonly 'dns.listen': readonly string[];
	/** 0 is one per core. */
	readonly 'dns.workers': number;
	readonly 'dns.transport': 'auto' | 'batch' | 'dgram';
	/** Senders whose client subnet is believed. */
	readonly 'dns.ecs.trust': readonly Prefix[];
	/** Secrets of server cookies: the first one makes them, all are accepted; empty for one of our own that rolls over daily. */
	readonly 'dns.cookieSecrets': readonly Uint8Array[];
	/** What NSID and `id.server CH TXT` tell; empty for nothing. */
	readonly 'dns.identity': string;
	/** Answers a second for one address; 0 is no limit. */
	readonly 'dns.rateLimit.rate': number;
	readonly 'dns.rateLimit.slip': number;
	readonly 'dns.rateLimit.exempt': readonly Prefix[];
	/** Share of the queries that are logged; 0 is none. */
	readonly 'dns.queryLog.sample': number;
	/** `-` is standard output. */
	readonly 'dns.queryLog.file': string;
	/** How much of a client's address is told. */
	readonly 'dns.queryLog.clients': 'network' | 'address';
	readonly 'admin.listen': string;
	/** Where commands find the API; empty for `admin.listen`. */
	readonly 'admin.url': string;
	/** A token with the role admin that is good as long as it is set; empty for none. */
	readonly 'admin.token': string;
	/** Files of PEM; empty for no TLS. */
	readonly 'admin.tls.cert': string;
	readonly 'admin.tls.key': string;
	/** Requests a second for one token; 0 is no limit. */
	readonly 'admin.rateLimit': number;
	readonly zonesDir: string;
	readonly stateDir: string;
	/** Files; empty is the database that comes with Meridian. */
	readonly geodb: readonly string[];
	readonly region: string;
	/** Unique in the fleet; empty for the host's name and the role. */
	readonly instance: string;
	/** Empty for no Redis. */
	readonly 'redis.url': string;
	/** A file of PEM certificates; empty for the authorities of the system. */
	readonly 'redis.ca': string;
	readonly 'redis.prefix': string;
	/** The first one signs, all are believed; empty for none. */
	readonly 'fleet.key': readonly string[];
	/** Milliseconds after which verdicts without fresh votes are marked stale. */
	readonly 'health.maxStale': number;
	/** Milliseconds that a mass of turns down waits for a second region. */
	readonly 'health.guardHold': number;
	readonly 'probe.deny': readonly Prefix[];
	readonly 'probe.allow': readonly Prefix[];
	/** What a prober reaches as long as it reaches anything: address:port. */
	readonly 'probe.anchors': readonly ListenAddress[];
	/** How to reach the operator, told to whoever is probed; empty for nothing. */
	readonly 'probe.contact': string;
	readonly 'log.level': 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

type Key = keyof Settings;

/** A value, or the end of the sentence "expected ...". */
type Read<T> = (text: string) => { readonly value: T } | { readonly expected: string };

interface Definition<T> {
	readonly fallback: string;
	readonly read: Read<T>;
	readonly description: string;
	/** Messages do not repeat what was given. */
	readonly isSecret?: boolean;
}

const textSetting = (fallback: string, description: string): Definition<string> => ({
	fallback,
	description,
	read: (text) => (text === '' ? { expected: 'some text' } : { value: text }),
});

const fileSetting = (description: string): Definition<string> => ({
	fallback: '',
	description,
	read: (text) => ({ value: text }),
});

const numberSetting = (fallback: string, most: number, description: string): Definition<number> => ({
	fallback,
	description,
	read: (text) =>
		/^\d{1,7}$/.test(text) && Number(text) <= most ? { value: Number(text) } : { expected: `a number 0..${most}` },
});

const DURATION_MS_MAX = durationMs('30d');

const durationSetting = (fallback: string, description: string): Definition<number> => ({
	fallback,
	description,
	read: (text) => {
		const ms = durationMs(text);
		return ms >= DURATION_MS_MIN && ms <= DURATION_MS_MAX
			? { value: ms }
			: { expected: 'a duration such as 500ms, 10s, 5m or 1h, from 100ms to 30d' };
	},
});

const listOf = (text: string) =>
	text
		.split(',')
		.map((part) => part.trim())
		.filter((part) => part !== '');

const prefixList = (fallback: string, description: string): Definition<readonly Prefix[]> => ({
	fallback,
	description,
	read: (text) => {
		const prefixes = listOf(text === 'any' ? '0.0.0.0/0,::/0' : text).map(parsePrefix);
		const wrong = prefixes.find((prefix) => typeof prefix === 'string');
		if (wrong !== undefined) return { expected: `prefixes, separated by commas (${wrong})` };
		return { value: prefixes.filter((prefix) => typeof prefix !== 'string') };
	},
});

const choice =
	<T extends string>(choices: readonly T[]): Read<T> =>
	(text) => {
		const value = choices.find((one) => one === text);
		return value === undefined ? { expected: `one of ${choices.join(', ')}` } : { value };
	};

/** One query in a million. */
const QUERY_LOG_SHARE_MIN = 0.000001;

export const SETTINGS: { readonly [K in Key]: Definition<Settings[K]> } = {
	'dns.listen': {
		fallback: '127.0.0.1:5300,[::1]:5300',
		description: 'addresses to answer on',
		read: (text) => {
			const addresses = listOf(text);
			const isGood = addresses.length > 0 && addresses.every((one) => parseListenAddress(one) !== undefined);
			return isGood ? { value: addresses } : { expected: 'address:port or [address]:port, separated by commas' };
		},
	},
	'dns.workers': numberSetting('0', 999, 'threads that answer; 0 is one per core'),
	'dns.transport': {
		fallback: 'auto',
		description:
			"how datagrams are read: batch (many in a system call), dgram (Node's own sockets), auto (the first that works)",
		read: choice(['auto', 'batch', 'dgram']),
	},
	'dns.ecs.trust': prefixList('any', 'senders whose client subnet option is believed'),
	'dns.cookieSecrets': {
		fallback: '',
		description: 'secrets of DNS cookies, 32 hex digits each, shared by a fleet; the first one makes cookies',
		read: (text) => {
			const secrets = listOf(text);
			if (!secrets.every((secret) => /^[0-9a-fA-F]{32}$/.test(secret)))
				return { expected: '32 hex digits each, separated by commas' };
			return {
				value: secrets.map((secret) => Uint8Array.from(secret.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))),
			};
		},
	},
	'dns.identity': {
		fallback: '',
		description: 'what NSID and id.server CH TXT tell; nothing when empty',
		read: (text) =>
			/^[ -~]{0,255}$/.test(text) ? { value: text } : { expected: 'at most 255 printable ASCII characters' },
	},
	'dns.rateLimit.rate': numberSetting(
		'0',
		1_000_000,
		'answers a second for one address, more for its prefixes; 0 is no limit',
	),
	'dns.rateLimit.slip': numberSetting(
		'1',
		100,
		'every n-th answer over the limit is sent truncated, the others are dropped; 0 drops all',
	),
	'dns.rateLimit.exempt': prefixList('', 'clients that are never limited'),
	'dns.queryLog.sample': {
		fallback: '0',
		description: 'share of the queries that are logged, such as 0.01; 1 is all, 0 is none',
		read: (text) => {
			const share = /^(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
			const isGood = share === 0 || (share >= QUERY_LOG_SHARE_MIN && share <= 1);
			return isGood ? { value: share } : { expected: `0, or a share from ${QUERY_LOG_SHARE_MIN} to 1` };
		},
	},
	'dns.queryLog.file': textSetting('-', 'where logged queries go, one JSON object a line; - is standard output'),
	'dns.queryLog.clients': {
		fallback: 'network',
		description: "how much of a client's address is logged: network (its /24 or /56), address",
		read: choice(['network', 'address']),
	},
	'admin.listen': {
		fallback: '127.0.0.1:8053',
		description: 'address of the admin surface',
		read: (text) => {
			const isGood = parseListenAddress(text) !== undefined;
			return isGood ? { value: text } : { expected: 'address:port or [address]:port' };
		},
	},
	'admin.url': {
		fallback: '',
		description: 'where commands find the admin API, such as https://admin.example.org; admin.listen when empty',
		read: (text) =>
			text === '' || /^https?:\/\/[^\s/?#@]+\/*$/.test(text)
				? { value: text }
				: { expected: 'http:// or https:// with a host, and a port if need be' },
	},
	'admin.token': {
		fallback: '',
		description: 'a token with the role admin; when empty the first start makes one, in stateDir/admin-token',
		isSecret: true,
		read: (text) =>
			/^(?:[!-~]{8,256})?$/.test(text) ? { value: text } : { expected: '8 to 256 printable characters without spaces' },
	},
	'admin.tls.cert': fileSetting('file of the certificate of the admin surface, with those that lead to it (PEM)'),
	'admin.tls.key': fileSetting('file of its private key (PEM)'),
	'admin.rateLimit': numberSetting('100', 1_000_000, 'requests a second for one token; 0 is no limit'),
	zonesDir: textSetting('./zones', 'directory of zone and steering files'),
	stateDir: textSetting('./state', 'directory that Meridian keeps its own state in'),
	geodb: {
		fallback: '',
		description: '.mmdb files; later ones fill what earlier ones lack',
		read: (text) => ({ value: listOf(text) }),
	},
	region: textSetting('local', 'the region this process stands in'),
	instance: {
		fallback: '',
		description: "what this process is called in its fleet; the host's name and the role when empty",
		read: (text) =>
			/^[A-Za-z0-9._:-]{0,255}$/.test(text)
				? { value: text }
				: { expected: 'at most 255 letters, digits, ".", "_", ":" or "-"' },
	},
	'redis.url': {
		fallback: '',
		description: 'where a fleet shares its state: redis://, rediss://, redis+sentinel://host,host/master',
		// What was given may hold a password, which no message repeats.
		isSecret: true,
		read: (text) =>
			text === '' || parseRedisAddress(text) !== undefined
				? { value: text }
				: { expected: 'redis://[user:password@]host[:port][/database] or redis+sentinel://host,host/master' },
	},
	'redis.ca': fileSetting(
		'file of the authorities that certificates of Redis come from; those of the system when empty',
	),
	'redis.prefix': {
		fallback: 'meridian:',
		description: 'what the names of all keys in Redis begin with',
		read: (text) =>
			/^[A-Za-z0-9._:-]{1,64}$/.test(text)
				? { value: text }
				: { expected: '1 to 64 letters, digits, ".", "_", ":" or "-"' },
	},
	'fleet.key': {
		fallback: '',
		description: 'secrets that a fleet signs its values in Redis with; the first one signs, all are believed',
		isSecret: true,
		read: (text) => {
			const keys = listOf(text);
			const isGood = keys.every((key) => /^[!-~]{16,256}$/.test(key));
			return isGood ? { value: keys } : { expected: '16 to 256 printable characters each, separated by commas' };
		},
	},
	'health.maxStale': durationSetting(
		'5m',
		'how old the last fresh votes may be before their verdicts are marked stale',
	),
	'health.guardHold': durationSetting('60s', 'how long a mass of turns down waits for a second region to agree'),
	'probe.deny': prefixList('', 'addresses never to probe, beside loopback, link-local and metadata addresses'),
	'probe.allow': prefixList('', 'addresses to probe although they are denied'),
	'probe.anchors': {
		fallback: '',
		description:
			'address:port that a prober reaches as long as it reaches anything; while most fail its votes do not count',
		read: (text) => {
			const anchors = listOf(text).map(parseListenAddress);
			const known = anchors.filter((anchor) => anchor !== undefined);
			return known.length === anchors.length
				? { value: known }
				: { expected: 'address:port or [address]:port, separated by commas' };
		},
	},
	'probe.contact': {
		fallback: '',
		description: 'a URL or mail address of the operator, told to whoever is probed in the User-Agent',
		read: (text) =>
			/^[!-'*-[\]-~]{0,200}$/.test(text)
				? { value: text }
				: { expected: 'at most 200 printable ASCII characters, without spaces, parentheses and backslashes' },
	},
	'log.level': {
		fallback: 'info',
		description: 'least level that is logged',
		read: choice(['debug', 'info', 'warn', 'error', 'silent']),
	},
};

const KEYS = Object.keys(SETTINGS) as Key[];

export interface SettingProblem {
	/** Where it was set: a flag, a variable, or a key of a file. */
	readonly source: string;
	readonly message: string;
}

/** Texts given for settings, by key, each with the source to name in a message. */
export type SettingTexts = ReadonlyMap<string, { readonly text: string; readonly source: string }>;

export function flagOf(key: string): string {
	return `--${key.replaceAll('.', '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

export function variableOf(key: string): string {
	return `MERIDIAN_${flagOf(key).slice(2).replaceAll('-', '_').toUpperCase()}`;
}

/** The key that a flag or variable stands for, or a sentence that names the nearest one. */
export function keyOf(
	source: string,
	spelling: (key: string) => string,
): { readonly key: string } | { readonly problem: string } {
	const key = KEYS.find((candidate) => spelling(candidate) === source);
	if (key !== undefined) return { key };
	const nearest = nearestName(source, KEYS.map(spelling), Number.POSITIVE_INFINITY);
	return {
		problem: `Cannot set ${source}: there is no such setting${nearest === undefined ? '' : `, did you mean ${nearest}?`}`,
	};
}

/**
 * Read all settings.
 * @param layers  texts in order of precedence, the strongest first
 */
export function readSettings(layers: readonly SettingTexts[]): {
	readonly settings: Settings;
	readonly problems: readonly SettingProblem[];
} {
	const problems: SettingProblem[] = [];
	const settings: Partial<Record<Key, unknown>> = {};
	for (const key of KEYS) {
		const given = layers.map((layer) => layer.get(key)).find((entry) => entry !== undefined);
		const { text, source } = given ?? { text: SETTINGS[key].fallback, source: key };
		const { read, isSecret }: Definition<unknown> = SETTINGS[key];
		const result = read(text);
		if ('value' in result) settings[key] = result.value;
		else
			problems.push({
				source,
				message: `Cannot use ${isSecret ? 'this' : `"${text}"`} for ${source}: expected ${result.expected}`,
			});
	}
	return { settings: settings as unknown as Settings, problems };
}
