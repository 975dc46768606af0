/**
 * The servers that are measured, each started on a core of its own with the same zone and database.
 *
 * | scene  | servers                                                                                     |
 * |--------|---------------------------------------------------------------------------------------------|
 * | geo    | ours on both transports, echo, gdnsd, Knot, PowerDNS with its geo backend and with Lua, dns2 |
 * | static | ours on both transports, NSD, Knot                                                          |
 */

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { APEX, siteAddresses } from '../peers/geo-map.ts';
import { startGeoPeer, startOurs, writePeersDatabase } from '../peers/geo-servers.ts';
import { type Peer, type ServerOptions, startMeridian, startPeer, startServer } from '../peers/servers.ts';
import { ended } from '../setup/ended.ts';
import { freePort } from '../setup/free-port.ts';
import { findProgram } from '../setup/tools.ts';

export type SceneName = 'geo' | 'static';

/** `batch` is what the others are compared with. */
export const SERVERS = {
	geo: ['batch', 'dgram', 'echo', 'gdnsd', 'knot', 'pdns', 'pdns-lua', 'dns2'],
	static: ['batch', 'dgram', 'nsd', 'knot'],
} as const satisfies Record<SceneName, readonly string[]>;

/** What to ask a server, as options of the load generator. */
export interface Questions {
	readonly name: string;
	readonly options: readonly string[];
}

const HOSTS = 1000;
const NAMES_ASKED = 200;
const file = (name: string) => fileURLToPath(new URL(`./servers/${name}`, import.meta.url));

export class Scene {
	readonly name: SceneName;
	readonly #directory = mkdtempSync(join(tmpdir(), 'meridian-bench-'));
	readonly #options: ServerOptions;
	readonly #peers: Peer[] = [];
	#started = 0;

	constructor(name: SceneName, options: ServerOptions) {
		this.name = name;
		this.#options = options;
		if (name === 'geo') writePeersDatabase(this.#geodb);
		else writeFileSync(this.#zoneFile, staticZone());
	}

	get #geodb(): string {
		return join(this.#directory, 'country.mmdb');
	}

	get #zoneFile(): string {
		return join(this.#directory, 'example.org.zone');
	}

	/**
	 * @param more  settings of ours, as flags without their dashes
	 * @returns undefined when what it takes is not on this machine
	 */
	async start(server: string, more: Readonly<Record<string, string>> = {}): Promise<Peer | undefined> {
		const directory = join(this.#directory, String(this.#started++));
		mkdirSync(directory);
		const peer = await this.#startIn(directory, server, more);
		if (peer !== undefined) this.#peers.push(peer);
		return peer;
	}

	async #startIn(directory: string, server: string, more: Readonly<Record<string, string>>): Promise<Peer | undefined> {
		const options = this.#options;
		if (server === 'batch' || server === 'dgram') {
			const flags = { 'dns-transport': server, ...more };
			if (this.name === 'geo') return startOurs(directory, options, flags);
			mkdirSync(join(directory, 'zones'));
			copyFileSync(this.#zoneFile, join(directory, 'zones', 'example.org.zone'));
			const port = await freePort();
			const child = await startMeridian(directory, port, options, flags);
			return { name: server, port, pid: child.pid ?? 0, stop: () => ended(child) };
		}
		if (server === 'echo') return startEcho(directory, options);
		if (server === 'dns2') return startDns2(this.#geodb, options);
		if (this.name === 'static') return startPeer(server, directory, [{ apex: APEX, path: this.#zoneFile }], options);
		return startGeoPeer(server === 'pdns-lua' ? 'pdns' : server, directory, this.#geodb, options);
	}

	async close(): Promise<void> {
		await Promise.all(this.#peers.map((peer) => peer.stop()));
		rmSync(this.#directory, { recursive: true, force: true });
	}
}

/** What a server is asked in a scene; echo cannot answer, and is asked all the same. */
export function questionsOf(scene: SceneName, server: string): readonly Questions[] {
	if (scene === 'geo') {
		const name = `${server === 'pdns-lua' ? 'lua' : 'countries'}.${APEX}`;
		const expected = server === 'echo' ? '' : ` NOERROR ${siteAddresses().join()}`;
		return [{ name: 'geo + ECS', options: ['--name', `${name} A${expected}`] }];
	}
	const numbers = Array.from({ length: NAMES_ASKED }, (_, i) => i);
	const hosts = numbers.map((i) => `host${i}.${APEX} A NOERROR ${hostAddress(i)}`);
	const nothing = numbers.map((i) => `nothing${i}.${APEX} A NXDOMAIN`);
	return [
		{ name: 'static A', options: ['--no-subnet', ...hosts.flatMap((text) => ['--name', text])] },
		{ name: 'NXDOMAIN', options: ['--no-subnet', ...nothing.flatMap((text) => ['--name', text])] },
	];
}

function hostAddress(i: number): string {
	return `198.51.${100 + (i >>> 8)}.${i & 255}`;
}

function staticZone(): string {
	const hosts = Array.from({ length: HOSTS }, (_, i) => `host${i} A ${hostAddress(i)}`);
	const apex = ['@ SOA ns1 hostmaster 1 2h 30m 14d 60', '@ NS ns1', 'ns1 A 192.0.2.53'];
	return `$ORIGIN ${APEX}\n$TTL 3600\n${[...apex, ...hosts].join('\n')}\n`;
}

/** Compiled on the spot: undefined without a compiler. */
async function startEcho(directory: string, options: ServerOptions): Promise<Peer | undefined> {
	const compiler = findProgram('cc') ?? findProgram('gcc');
	if (compiler === undefined) return undefined;
	const program = join(directory, 'echo');
	const { status, stderr } = spawnSync(compiler, ['-O2', '-pthread', '-o', program, file('echo.c')]);
	if (status !== 0) throw new Error(`Cannot compile the echo server: ${stderr}`);
	const port = await freePort();
	const args = [String(port), String(options.workers ?? 1)];
	return startServer({ name: 'echo', program, args, port, apex: APEX }, options);
}

/** Its sockets are not shared: one worker is all it can be. */
async function startDns2(geodb: string, options: ServerOptions): Promise<Peer | undefined> {
	if ((options.workers ?? 1) > 1) return undefined;
	const port = await freePort();
	const args = [file('dns2-server.ts'), String(port), geodb];
	return startServer({ name: 'dns2', program: process.execPath, args, port, apex: APEX }, options);
}
