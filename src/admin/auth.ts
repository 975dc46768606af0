/**
 * The door of the API: who asks, how often, and whether they may. A hook before every route.
 *
 * | asked                                    | then                                                              |
 * |------------------------------------------|-------------------------------------------------------------------|
 * | more often than an address may           | 429                                                               |
 * | by a name that is not this machine's, over loopback, without a token | 421: a page of a browser that was led here |
 * | a public route                           | goes on                                                           |
 * | with a token that has been good from there | goes on, whatever others of the same address have tried         |
 * | after 20 failures from there             | 429, the token is not looked at                                   |
 * | without a token, or with a wrong or old one | 401                                                            |
 * | more often than a token may              | 429                                                               |
 * | what the role, or the scope, is not for  | 403                                                               |
 *
 * Failures are counted by address: nobody can lock a token out for others, and nobody who has come in is locked out by
 * a neighbour. An IPv6 address counts as its /64.
 */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parseAddress } from '../lib/address.ts';
import { peerAddress } from '../lib/listen-address.ts';
import type { Clock } from '../lib/ports.ts';
import { prefixOf, printPrefix } from '../lib/prefix.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import { type Caller, hashOfToken, type Role, type TokenBook } from './auth-tokens.ts';
import { Buckets } from './buckets.ts';
import { ApiProblem } from './problem.ts';
import type { TokenUse } from './token-use.ts';
import './route.ts';

export interface DoorParts {
	readonly tokens: TokenBook;
	readonly use: TokenUse;
	readonly clock: Clock;
	/** Requests a second for one token; an address has twice as many. 0 is no limit. */
	readonly ratePerSec: number;
	readonly isTls: boolean;
}

/** Seconds of its rate that a caller may have at once. */
const BURST_SEC = 4;
const FAILURES_MAX = 20;
const FAILURES_PER_SEC = 1 / 3;
const KEYS_MAX = 8192;
const ROLES: readonly Role[] = ['viewer', 'operator', 'editor', 'admin'];

export function addDoor(app: FastifyInstance, parts: DoorParts): void {
	const door = new Door(parts);
	app.decorateRequest('author', 'anonymous');
	app.decorateRequest('caller', undefined);
	app.addHook('onRoute', ({ url, config }) => {
		if (config?.access === undefined) throw new Error(`Cannot register ${url}: it does not say who may ask`);
	});
	app.addHook('onRequest', (request, _reply, done) => passOrFail(() => door.admit(request), done));
	app.addHook('preHandler', (request, _reply, done) => passOrFail(() => assertScopeOfBody(request), done));
}

/** @throws ApiProblem */
function assertScopeOfBody({ caller, routeOptions, body }: FastifyRequest): void {
	const { unitsOfBody } = routeOptions.config;
	if (caller?.zones === undefined || unitsOfBody === undefined) return;
	for (const unit of unitsOfBody(body)) {
		if (!caller.zones.has(unit))
			throw new ApiProblem('forbidden', `Cannot change ${unit}: the token ${caller.name} is not for it`);
	}
}

/** Whether details of a public route may be told: to who stands on this machine, or has a token. */
export function mayReadDetails(request: FastifyRequest): boolean {
	return request.caller !== undefined || isLocal(request);
}

function passOrFail(check: () => void, done: (error?: Error) => void): void {
	try {
		check();
	} catch (error) {
		done(error as Error);
		return;
	}
	done();
}

class Door {
	readonly #parts: DoorParts;
	readonly #byAddress: Buckets | undefined;
	readonly #byToken: Buckets | undefined;
	readonly #failures = new Buckets({ ratePerSec: FAILURES_PER_SEC, burst: FAILURES_MAX, keysMax: KEYS_MAX });
	/** Address and hash of tokens that were good, least recently used first. */
	readonly #known = new Set<string>();

	constructor(parts: DoorParts) {
		this.#parts = parts;
		const { ratePerSec } = parts;
		const bucketsOf = (rate: number) =>
			rate === 0 ? undefined : new Buckets({ ratePerSec: rate, burst: rate * BURST_SEC, keysMax: KEYS_MAX });
		this.#byToken = bucketsOf(ratePerSec);
		this.#byAddress = bucketsOf(2 * ratePerSec);
	}

	/** @throws ApiProblem */
	admit(request: FastifyRequest): void {
		const nowMs = this.#parts.clock.nowMs();
		const address = addressKey(request.socket.remoteAddress);
		refuseWhen(this.#byAddress?.take(address, nowMs), 'requests from this address');
		const token = bearerOf(request.headers.authorization);
		if (token === undefined) this.#refuseRebound(request);
		const { access = 'public', isOpenOnLoopback } = request.routeOptions.config;
		const isOpen = request.is404 || access === 'public' || (isOpenOnLoopback === true && isLocal(request));
		if (isOpen && token === undefined) return;
		try {
			const caller = this.#identify(token, address, nowMs);
			request.caller = caller;
			request.author = caller.name;
			if (!isOpen) assertMay(request, caller);
		} catch (error) {
			// What is open to all is open to who shows a wrong token too.
			if (!isOpen || !(error instanceof ApiProblem) || error.code !== 'unauthenticated') throw error;
		}
	}

	#identify(token: string | undefined, address: string, nowMs: number): Caller {
		if (token === undefined) throw unauthenticated('Cannot tell who asks: expected "Authorization: Bearer TOKEN"');
		const key = `${address} ${hashOfToken(token)}`;
		const isKnown = this.#known.delete(key);
		if (!isKnown) refuseWhen(this.#failures.look(address, nowMs), 'wrong tokens from this address');
		const check = this.#parts.tokens.check(token);
		if (check.kind !== 'known') {
			this.#failures.take(address, nowMs);
			throw unauthenticated(
				check.kind === 'expired'
					? `Cannot take the token ${check.name}: it has expired`
					: 'Cannot take this token: it is not known',
			);
		}
		this.#known.add(key);
		if (this.#known.size > KEYS_MAX) this.#known.delete(this.#known.keys().next().value ?? '');
		const { caller } = check;
		this.#parts.use.note(caller.name, address);
		refuseWhen(this.#byToken?.take(caller.name, nowMs), `requests with the token ${caller.name}`);
		return caller;
	}

	/**
	 * A browser that a name of somebody else's led to loopback says that name; programs of this machine say an address,
	 * or localhost. Who has a token may come by any name: browsers send none by themselves.
	 */
	#refuseRebound({ headers, socket, host }: FastifyRequest): void {
		if (this.#parts.isTls || !isLoopback(socket.remoteAddress)) return;
		const name = /^\[([^\]]*)\]/.exec(host)?.[1] ?? host.replace(/:\d*$/, '');
		if (headers.host === undefined || parseAddress(name) !== undefined || /^(?:.*\.)?localhost\.?$/i.test(name)) return;
		throw new ApiProblem('misdirected', `Cannot answer for "${name}" without a token: ask for localhost`);
	}
}

function assertMay({ routeOptions, method, params }: FastifyRequest, caller: Caller): void {
	const { access, unitOf, unitsOfBody } = routeOptions.config;
	if (ROLES.indexOf(caller.role) < ROLES.indexOf(access as Role))
		throw new ApiProblem('forbidden', `Cannot do that as ${caller.role}: it takes the role ${access}`);
	const { zones, name } = caller;
	// What the body names is looked at when there is one.
	if (zones === undefined || unitsOfBody !== undefined) return;
	const isRead = method === 'GET' || method === 'HEAD';
	if (unitOf === undefined) {
		if (isRead && access === 'viewer') return;
		throw new ApiProblem('forbidden', `Cannot do that with the token ${name}: it is for some zones only`);
	}
	const unit = unitOf(params as Readonly<Record<string, string>>);
	// What is common is there to be referred to.
	if (zones.has(unit) || (isRead && unit === COMMON_UNIT)) return;
	throw new ApiProblem('forbidden', `Cannot ${isRead ? 'read' : 'change'} ${unit}: the token ${name} is not for it`);
}

function refuseWhen(waitSec: number | undefined, what: string): void {
	if (waitSec === undefined || waitSec === 0) return;
	const detail = `Cannot take more ${what}: try again in ${waitSec} s`;
	throw new ApiProblem('rate-limited', detail, { headers: { 'retry-after': String(waitSec) } });
}

function unauthenticated(detail: string): ApiProblem {
	return new ApiProblem('unauthenticated', detail, { headers: { 'www-authenticate': 'Bearer realm="meridian"' } });
}

/** RFC 6750 §2.1; the scheme in any case. */
export function bearerOf(header: string | undefined): string | undefined {
	return /^bearer +([!-~]+) *$/i.exec(header ?? '')?.[1];
}

/** @returns what limits count by */
export function addressKey(text: string | undefined): string {
	const address = peerAddress(text?.replace(/^::ffff:(?=\d+\.)/i, ''));
	if (address === undefined) return 'unknown';
	return address.family === 4 ? printPrefix(prefixOf(address, 32)) : printPrefix(prefixOf(address, 64));
}

/** Who comes through a proxy of this machine is not on this machine. */
function isLocal({ socket, headers }: FastifyRequest): boolean {
	const isForwarded = ['forwarded', 'x-forwarded-for', 'x-real-ip'].some((name) => headers[name] !== undefined);
	return !isForwarded && isLoopback(socket.remoteAddress);
}

function isLoopback(address: string | undefined): boolean {
	return address !== undefined && (/^(::ffff:)?127\./i.test(address) || address === '::1');
}
