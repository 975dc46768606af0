/**
 * The admin API as commands use it: where it is, and what its answers mean.
 */

import { parseListenAddress, printListenAddress } from '../lib/listen-address.ts';
import type { Settings } from '../model/settings.ts';

const ANSWER_MS_MAX = 30_000;

export interface ApiRequest {
	/** JSON. */
	readonly body?: unknown;
	readonly query?: Readonly<Record<string, string | undefined>>;
	/** Why, for the history. */
	readonly reason?: string | undefined;
}

export interface ApiReply {
	readonly status: number;
	readonly headers: Readonly<Record<string, unknown>>;
	/** Of JSON the value, else the text. */
	readonly body: unknown;
}

/** Nobody listens where the API should be. */
class ApiAbsent extends Error {}

/** The API has said no. */
class ApiRefused extends Error {}

export class ApiClient {
	/** Without a final slash. */
	readonly url: string;

	constructor({ 'admin.listen': listen }: Settings) {
		const at = parseListenAddress(listen);
		this.url = `http://${at === undefined ? listen : printListenAddress(at)}`;
	}

	/**
	 * Ask, and wait for a good answer.
	 * @param path  from the root, each part of it encoded
	 * @throws ApiAbsent, ApiRefused, or an Error that says how the answer failed to come
	 */
	async ask(method: string, path: string, { body, query = {}, reason }: ApiRequest = {}): Promise<ApiReply> {
		const url = new URL(`${this.url}${path}`);
		for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, value);
		const response = await fetch(url, {
			method,
			headers: {
				...(body === undefined ? {} : { 'content-type': 'application/json' }),
				...(reason === undefined ? {} : { 'meridian-reason': Buffer.from(reason).toString('latin1') }),
			},
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
			signal: AbortSignal.timeout(ANSWER_MS_MAX),
		}).catch((cause) => {
			throw new ApiAbsent(`No process answers at ${url.host}`, { cause });
		});
		const text = await response.text();
		const isJson = /json/.test(response.headers.get('content-type') ?? '');
		const value: unknown = isJson ? JSON.parse(text) : text;
		if (!response.ok) throw new ApiRefused(sentenceOf(value));
		return { status: response.status, headers: Object.fromEntries(response.headers), body: value };
	}
}

function sentenceOf(problem: unknown): string {
	const { detail, errors = [] } = problem as {
		readonly detail?: string;
		readonly errors?: readonly { readonly pointer: string; readonly message: string }[];
	};
	return [detail, ...errors.map(({ pointer, message }) => `  ${pointer} ${message}`)].join('\n');
}
