/**
 * The admin API as commands use it: where it is, which token goes along, what its answers mean.
 *
 *     admin.url, else admin.listen          where
 *     admin.token, else stateDir/admin-token   who
 */

import { readFileSync } from 'node:fs';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { type RequestOptions, request as requestHttps } from 'node:https';
import { join } from 'node:path';
import { isWildcard, parseListenAddress, printListenAddress } from '../lib/listen-address.ts';
import type { Settings } from '../model/settings.ts';

const ANSWER_MS_MAX = 30_000;
/** Of what is refused for being asked too often. */
const TRIES_MAX = 10;
const RETRY_SEC_MAX = 5;
export const ADMIN_TOKEN_FILE = 'admin-token';

export interface ApiRequest {
	/** JSON, unless it is a text, which goes as it is. */
	readonly body?: unknown;
	/** Of a text. */
	readonly contentType?: string;
	readonly query?: Readonly<Record<string, string | undefined>>;
	/** Why, for the history. */
	readonly reason?: string | undefined;
	readonly headers?: Readonly<Record<string, string>>;
}

export interface ApiReply {
	readonly status: number;
	readonly headers: IncomingMessage['headers'];
	/** Of JSON the value, else the text. */
	readonly body: unknown;
}

/** Nobody listens where the API should be. */
export class ApiAbsent extends Error {}

/** The API has said no. */
export class ApiRefused extends Error {
	readonly status: number;
	/** The stable code of the problem. */
	readonly code: string;
	/** Of RFC 9457, as it came. */
	readonly problem: Readonly<Record<string, unknown>>;

	constructor(status: number, problem: Readonly<Record<string, unknown>>) {
		super(sentenceOf(status, problem));
		this.status = status;
		this.code = String(problem['code'] ?? '');
		this.problem = problem;
	}
}

export class ApiClient {
	/** Without a final slash. */
	readonly url: string;
	readonly #options: RequestOptions;

	constructor(settings: Settings) {
		const at = placeOf(settings);
		this.url = at.url;
		const token = tokenOf(settings);
		const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
		this.#options = { headers, timeout: ANSWER_MS_MAX, agent: false, ...at.tls };
	}

	/**
	 * Ask, and wait for a good answer.
	 * @param path  from the root, each part of it encoded
	 * @throws ApiAbsent, ApiRefused, or an Error that says how the answer failed to come
	 */
	async ask(method: string, path: string, options: ApiRequest = {}): Promise<ApiReply> {
		let reply = await this.#send(method, path, options);
		// A plan of many zones asks more often than a token may.
		for (let tries = 0; reply.status === 429 && tries < TRIES_MAX; tries++) {
			const waitSec = Math.min(RETRY_SEC_MAX, Number(reply.headers['retry-after']) || 1);
			await new Promise((resolve) => setTimeout(resolve, waitSec * 1000));
			reply = await this.#send(method, path, options);
		}
		if (reply.status >= 200 && reply.status < 300) return reply;
		throw new ApiRefused(
			reply.status,
			isRecord(reply.body) ? reply.body : { detail: String(reply.body).slice(0, 200) },
		);
	}

	#send(method: string, path: string, options: ApiRequest): Promise<ApiReply> {
		const { query = {}, reason, headers } = options;
		const url = new URL(`${this.url}${path}`);
		for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, value);
		const body = bodyOf(options);
		const all = {
			...(this.#options.headers as Record<string, string>),
			...(body === undefined ? {} : { 'content-type': body.type, 'content-length': String(body.octets.length) }),
			// Octets of UTF-8, which the runtime wants as one character each.
			...(reason === undefined ? {} : { 'meridian-reason': Buffer.from(reason).toString('latin1') }),
			...headers,
		};
		return new Promise((resolve, reject) => {
			const send = url.protocol === 'https:' ? requestHttps : requestHttp;
			const asked = send(url, { ...this.#options, method, headers: all }, (response) => {
				response.setEncoding('utf8');
				let text = '';
				response.on('data', (part: string) => {
					text += part;
				});
				response.on('error', reject);
				response.on('end', () => {
					const { statusCode = 0, headers: got } = response;
					resolve({ status: statusCode, headers: got, body: bodyValue(text, got['content-type']) });
				});
			});
			asked.on('timeout', () => asked.destroy(new Error(`no answer within ${ANSWER_MS_MAX / 1000} s`)));
			asked.on('error', (cause: NodeJS.ErrnoException) => {
				if (cause.code === 'ECONNREFUSED') reject(new ApiAbsent(`No process answers at ${url.host}`, { cause }));
				else
					reject(new Error(`The process at ${url.host} does not answer (${cause.code ?? cause.message})`, { cause }));
			});
			// As octets: a text would have the runtime write the headers in the encoding of the body.
			asked.end(body?.octets);
		});
	}
}

function placeOf(settings: Settings): { readonly url: string; readonly tls: RequestOptions } {
	const { 'admin.url': url, 'admin.listen': listen, 'admin.tls.cert': cert } = settings;
	if (url !== '') return { url: url.replace(/\/+$/, ''), tls: {} };
	const at = parseListenAddress(listen);
	const own = at !== undefined && isWildcard(at) ? { ...at, address: at.family === 4 ? '127.0.0.1' : '::1' } : at;
	const host = own === undefined ? listen : printListenAddress(own);
	if (cert === '') return { url: `http://${host}`, tls: {} };
	// The certificate names the machine as others see it; here it is known by what it is.
	const tls = { ca: readFileSync(cert), allowPartialTrustChain: true, checkServerIdentity: () => undefined };
	return { url: `https://${host}`, tls };
}

function tokenOf(settings: Settings): string | undefined {
	if (settings['admin.token'] !== '') return settings['admin.token'];
	try {
		return readFileSync(join(settings.stateDir, ADMIN_TOKEN_FILE), 'utf8').trim();
	} catch {
		return undefined;
	}
}

function bodyOf({ body, contentType }: ApiRequest): { readonly type: string; readonly octets: Buffer } | undefined {
	if (body === undefined) return undefined;
	if (typeof body === 'string') return { type: contentType ?? 'text/plain; charset=utf-8', octets: Buffer.from(body) };
	return { type: contentType ?? 'application/json', octets: Buffer.from(JSON.stringify(body)) };
}

function bodyValue(text: string, type = ''): unknown {
	if (!/^application\/(?:[a-z.+-]+\+)?json\b/.test(type)) return text;
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}

function sentenceOf(status: number, { detail, title, errors }: Readonly<Record<string, unknown>>): string {
	const first = String(detail ?? title ?? `the API answers ${status}`);
	// A single mistake is the detail itself.
	const more = Array.isArray(errors) ? errors.filter(isRecord).filter(({ message }) => message !== first) : [];
	return [first, ...more.map((error) => `  ${String(error['pointer'] ?? '')} ${String(error['message'] ?? '')}`)].join(
		'\n',
	);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
