/**
 * One connection to Redis that comes back by itself.
 *
 * | what happens                         | then                                                                      |
 * |--------------------------------------|---------------------------------------------------------------------------|
 * | a command while there is none        | fails at once: nothing queues                                             |
 * | a command without an answer in time  | fails, and the connection is given up: whoever stalls once is not waited for again |
 * | the connection goes                  | every command under way fails, none is sent again                         |
 * | it cannot be made                    | tried again after a pause that doubles, by chance up to half shorter       |
 * | Redis is still loading, or a replica | as if it could not be made                                                |
 * | a Sentinel is dead, or says nothing  | the next one is asked; the next attempt begins with another                |
 */

import { Redis, type RedisOptions } from 'ioredis';
import type { RedisAddress, RedisHost } from '../lib/redis-address.ts';
import type { RedisScript } from './redis-scripts.ts';
import { StoreError } from './store-error.ts';
import type { Timing } from './timing.ts';

/** As Redis sends it: texts as octets. */
export type Reply = Buffer | number | null | readonly Reply[];
type Argument = string | number | Uint8Array;

export interface RedisClientParts {
	readonly address: RedisAddress;
	/** PEM of the authorities that a server's certificate may come from; undefined for those of the system. */
	readonly ca: string | undefined;
	readonly timing: Timing;
	/** Commands are taken from now on. */
	readonly onUp: () => void;
	/** They are not any more, or could not be: told for each attempt. */
	readonly onDown: (reason: string) => void;
	/** Of a channel that was subscribed to. */
	readonly onMessage?: (text: string) => void;
}

const RETRY_MS_MIN = 100;
/** What ioredis says of a command that it did not take; its errors have no codes. */
const NOT_WRITABLE = "Stream isn't writeable";
/** Errors of a server that is not the one to talk to, for now: another attempt may find it, or another. */
const AWAY = /^(?:LOADING|READONLY|MASTERDOWN|NOAUTH|WRONGPASS|NOREPLICAS|BUSY|UNBLOCKED|CLUSTERDOWN|TRYAGAIN) /;

export class RedisClient {
	readonly #parts: RedisClientParts;
	#redis: Redis | undefined;
	#isReady = false;
	#attempts = 0;
	/** Attempts that have failed since the process started. */
	#failures = 0;
	#connections = 0;
	#timer: NodeJS.Timeout | undefined;
	#isClosed = false;

	constructor(parts: RedisClientParts) {
		this.#parts = parts;
		this.#connect();
	}

	/** Commands are taken. */
	get isReady(): boolean {
		return this.#isReady;
	}

	/** How often a connection was made. */
	get connections(): number {
		return this.#connections;
	}

	/** @throws StoreError: UNREACHABLE when it was not sent, UNCERTAIN when nobody knows, REFUSED when Redis says so */
	call(command: string, ...args: readonly Argument[]): Promise<Reply> {
		return this.#call(command, args);
	}

	/** As one list: a commit may have more arguments than fit on the stack. */
	#call(command: string, args: readonly Argument[]): Promise<Reply> {
		const sent = args.map((arg) => (arg instanceof Uint8Array ? Buffer.from(arg) : arg));
		return this.#ask(command, (redis) => redis.callBuffer(command, sent)) as Promise<Reply>;
	}

	/** @throws StoreError */
	async subscribe(channel: string): Promise<void> {
		await this.#ask('SUBSCRIBE', (redis) => redis.subscribe(channel));
	}

	async run(script: RedisScript, keys: readonly string[], args: readonly Argument[]): Promise<Reply> {
		const ending = script.isReadOnly ? '_RO' : '';
		try {
			return await this.#call(`EVALSHA${ending}`, [script.sha1, keys.length, ...keys, ...args]);
		} catch (error) {
			const { cause } = error as Error;
			if (!(cause instanceof Error) || !cause.message.startsWith('NOSCRIPT')) throw error;
			return this.#call(`EVAL${ending}`, [script.lua, keys.length, ...keys, ...args]);
		}
	}

	close(): void {
		this.#isClosed = true;
		clearTimeout(this.#timer);
		this.#isReady = false;
		this.#redis?.disconnect();
	}

	async #ask(command: string, ask: (redis: Redis) => Promise<unknown>): Promise<unknown> {
		const redis = this.#redis;
		if (redis === undefined || !this.#isReady) throw new StoreError('STORE_UNREACHABLE', 'Redis is not connected');
		try {
			return await ask(redis);
		} catch (cause) {
			const { name, message } = cause as Error;
			if (name !== 'ReplyError') {
				// Also a connection that is only slow: its next answers would come late as well.
				redis.disconnect();
				// It had gone already, which is told a moment later: nothing was sent.
				if (message.startsWith(NOT_WRITABLE)) throw new StoreError('STORE_UNREACHABLE', 'Redis is not connected');
				throw new StoreError('STORE_UNCERTAIN', `Redis does not answer ${command}: ${message}`, { cause });
			}
			if (!AWAY.test(message)) throw new StoreError('STORE_REFUSED', `Redis refuses ${command}: ${message}`, { cause });
			redis.disconnect();
			throw new StoreError('STORE_UNREACHABLE', `Redis is away: ${message}`, { cause });
		}
	}

	#connect(): void {
		const { timing, onMessage } = this.#parts;
		const redis = new Redis(optionsOf(this.#parts, this.#failures));
		this.#redis = redis;
		let reason = 'the connection was closed';
		const deadline = setTimeout(() => {
			reason = `no connection within ${timing.connectTimeoutMs} ms`;
			end();
		}, timing.connectTimeoutMs);
		const end = () => {
			if (this.#redis !== redis) return;
			clearTimeout(deadline);
			const wasReady = this.#isReady;
			this.#redis = undefined;
			this.#isReady = false;
			redis.disconnect();
			if (this.#isClosed) return;
			if (!wasReady) this.#failures++;
			this.#retry();
			this.#parts.onDown(reason);
		};
		redis.on('error', (error: Error) => {
			reason = error.message || (error as NodeJS.ErrnoException).code || error.name;
		});
		redis.on('end', end);
		redis.on('close', end);
		if (onMessage !== undefined) redis.on('message', (_channel: string, text: string) => onMessage(text));
		redis
			.connect()
			.then(() => this.#assertServing(redis))
			.then(
				() => {
					if (this.#redis !== redis) return;
					clearTimeout(deadline);
					this.#isReady = true;
					this.#attempts = 0;
					this.#connections++;
					this.#parts.onUp();
				},
				(error: Error) => {
					if (reason === 'the connection was closed') reason = error.message;
					end();
				},
			);
	}

	/** @throws when it is loading, wants a password, or is a replica, which takes nothing that is to be written */
	async #assertServing(redis: Redis): Promise<void> {
		let role: unknown;
		try {
			[role] = (await redis.call('ROLE')) as readonly unknown[];
		} catch (error) {
			// Who may not ask can still be served.
			if (!(error as Error).message.startsWith('NOPERM')) throw error;
		}
		if (role === 'slave' || role === 'sentinel')
			throw new Error(`the server is a ${role === 'slave' ? 'replica' : role}`);
	}

	#retry(): void {
		const { retryMs } = this.#parts.timing;
		const delayMs = Math.min(retryMs, RETRY_MS_MIN * 2 ** Math.min(this.#attempts++, 16));
		this.#timer = setTimeout(() => this.#connect(), delayMs * (0.5 + Math.random() / 2));
	}
}

/** @param shift  how many Sentinels to leave for later */
function optionsOf({ address, ca, timing }: RedisClientParts, shift: number): Omit<RedisOptions, 'replyMapping'> {
	const { hosts, master, isTls, user, password, database } = address;
	const sentinels = hosts.map((_, i) => hosts[(i + shift) % hosts.length] as RedisHost);
	// Within one attempt each Sentinel is asked, and then the master.
	const stepMs = master === undefined ? timing.connectTimeoutMs : timing.connectTimeoutMs / (hosts.length + 1);
	const tls = isTls ? { ...(ca === undefined ? {} : { ca }) } : undefined;
	return {
		...(master === undefined ? hosts[0] : { sentinels, name: master }),
		...(user === undefined ? {} : { username: user }),
		...(password === undefined ? {} : { password }),
		...(tls === undefined ? {} : { tls, sentinelTLS: tls, enableTLSForSentinelMode: true }),
		db: database,
		protocol: 2,
		lazyConnect: true,
		// All of these are done here, by a new client for each attempt.
		retryStrategy: () => null,
		sentinelRetryStrategy: () => null,
		enableOfflineQueue: false,
		enableReadyCheck: false,
		autoResubscribe: false,
		autoResendUnfulfilledCommands: false,
		maxRetriesPerRequest: 0,
		commandTimeout: timing.commandTimeoutMs,
		sentinelCommandTimeout: Math.min(stepMs, timing.commandTimeoutMs),
		connectTimeout: stepMs,
		disableClientInfo: true,
	};
}
