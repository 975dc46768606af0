/**
 * Where Redis is, as one URL: a server, or the Sentinels that know it.
 *
 * | URL                                                          |                                             |
 * |--------------------------------------------------------------|---------------------------------------------|
 * | `redis://user:password@host:6379/0`                          | one server; `rediss://` over TLS            |
 * | `redis+sentinel://h1:26379,h2:26379/mymaster`                | the master that these Sentinels name        |
 * | `rediss+sentinel://user:password@h1,h2/mymaster/0`           | the same over TLS; the password is Redis's  |
 *
 * Octets of user and password that a URL cannot hold stand as %XX; ports and the database may be left out.
 */

export interface RedisHost {
	readonly host: string;
	readonly port: number;
}

export interface RedisAddress {
	/** One server, or one and more Sentinels. */
	readonly hosts: readonly RedisHost[];
	/** The name that Sentinels know the master by; undefined for a server of its own. */
	readonly master: string | undefined;
	readonly isTls: boolean;
	readonly user: string | undefined;
	readonly password: string | undefined;
	readonly database: number;
}

const SERVER_PORT = 6379;
const SENTINEL_PORT = 26_379;
const URL_SHAPE = /^(rediss?)(\+sentinel)?:\/\/(?:([^@/]*)@)?([^@/]+)(?:\/([^?#]*))?$/;

/** Undefined when the text is no such URL. */
export function parseRedisAddress(text: string): RedisAddress | undefined {
	const match = URL_SHAPE.exec(text);
	if (match === null) return undefined;
	const [, scheme, sentinel, credentials, hostTexts = '', path = ''] = match;
	const isSentinel = sentinel !== undefined;
	const hosts = hostTexts.split(',').map((one) => parseHost(one, isSentinel ? SENTINEL_PORT : SERVER_PORT));
	const known = hosts.filter((one) => one !== undefined);
	const who = parseCredentials(credentials);
	const where = parsePath(path, isSentinel);
	if (known.length < hosts.length || (!isSentinel && known.length > 1)) return undefined;
	if (who === undefined || where === undefined) return undefined;
	return { hosts: known, isTls: scheme === 'rediss', ...who, ...where };
}

/** The same for people: without the password. */
export function printRedisAddress({ hosts, master, isTls, database }: RedisAddress): string {
	const scheme = `${isTls ? 'rediss' : 'redis'}${master === undefined ? '' : '+sentinel'}`;
	const places = hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
	const path = [...(master === undefined ? [] : [master]), ...(database === 0 ? [] : [database])];
	return `${scheme}://${places}${path.map((step) => `/${step}`).join('')}`;
}

function parseHost(text: string, defaultPort: number): RedisHost | undefined {
	const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(text);
	const host = match?.[1] ?? match?.[2];
	const port = Number(match?.[3] ?? defaultPort);
	return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

/** `user:password`, or `:password` for the default user. */
function parseCredentials(text: string | undefined): Pick<RedisAddress, 'user' | 'password'> | undefined {
	if (text === undefined) return { user: undefined, password: undefined };
	const colon = text.indexOf(':');
	if (colon < 0) return undefined;
	try {
		const user = decodeURIComponent(text.slice(0, colon));
		return { user: user === '' ? undefined : user, password: decodeURIComponent(text.slice(colon + 1)) };
	} catch {
		return undefined;
	}
}

function parsePath(path: string, isSentinel: boolean): Pick<RedisAddress, 'master' | 'database'> | undefined {
	const steps = path === '' ? [] : path.split('/');
	const master = isSentinel ? steps.shift() : undefined;
	const [database = '0', ...more] = steps;
	if (more.length > 0 || !/^\d{1,5}$/.test(database)) return undefined;
	if (isSentinel && !/^[A-Za-z0-9._-]+$/.test(master ?? '')) return undefined;
	return { master, database: Number(database) };
}
