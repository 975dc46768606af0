/**
 * Addresses of `dns.listen` that the machine did not have at the start: each is served as soon as it is there.
 */

import { parseAddress } from '../lib/address.ts';
import { isWildcard, type ListenAddress, printListenAddress } from '../lib/listen-address.ts';
import type { Log } from '../lib/ports.ts';
import { parsePrefix, prefixHolds } from '../lib/prefix.ts';
import { reservePort } from './port-holder.ts';

const TRY_MS = 1000;
const LOOPBACK = ['127.0.0.0/8', '::1/128'].map(parsePrefix).filter((prefix) => typeof prefix !== 'string');

interface LateAddressesSettings {
	/** By address, why it could not be served at the start. */
	readonly missing: ReadonlyMap<ListenAddress, string>;
	/** @throws Error */
	readonly listenOn: (at: ListenAddress) => void;
	readonly log: Log;
}

export class LateAddresses {
	readonly #settings: LateAddressesSettings;
	/** By address, why it is not served yet. */
	readonly #missing: Map<ListenAddress, string>;
	#timer: NodeJS.Timeout | undefined;
	#isClosed = false;

	constructor(settings: LateAddressesSettings) {
		this.#settings = settings;
		this.#missing = new Map(settings.missing);
		this.#tryLater();
	}

	/** A sentence for each that a client may miss: a machine without IPv6 lacks its loopback and wildcard for good. */
	get problems(): readonly string[] {
		return [...this.#missing].filter(([at]) => !isLoopback(at) && !isWildcard(at)).map(([, problem]) => problem);
	}

	close(): void {
		this.#isClosed = true;
		clearTimeout(this.#timer);
	}

	#tryLater(): void {
		if (this.#missing.size > 0 && !this.#isClosed) this.#timer = setTimeout(() => void this.#tryAll(), TRY_MS).unref();
	}

	async #tryAll(): Promise<void> {
		const { listenOn, log } = this.#settings;
		for (const at of this.#missing.keys()) {
			try {
				const free = await reservePort(at);
				if (this.#isClosed) return;
				listenOn(free);
				this.#missing.delete(at);
				log.info({ address: printListenAddress(free) }, 'the address is there now, and served');
			} catch (error) {
				this.#missing.set(at, (error as Error).message);
			}
		}
		this.#tryLater();
	}
}

function isLoopback({ address }: ListenAddress): boolean {
	const parsed = parseAddress(address);
	return parsed !== undefined && LOOPBACK.some((prefix) => prefixHolds(prefix, parsed));
}
