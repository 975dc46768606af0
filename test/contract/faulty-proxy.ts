/**
 * A TCP proxy that a test can make slow, deaf, or cut.
 */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface FaultyProxy {
	readonly port: number;
	/** Each piece of data waits so long, in both directions. */
	delayMs: number;
	/** Connections are accepted, and what comes goes nowhere. */
	isDeaf: boolean;
	/** New connections are closed at once. */
	isCut: boolean;
	/** Close all connections. */
	cut(): void;
}

export async function startFaultyProxy(t: Pick<TestContext, 'after'>, targetPort: number): Promise<FaultyProxy> {
	const sockets = new Set<Socket>();
	const proxy = { port: 0, delayMs: 0, isDeaf: false, isCut: false, cut };
	function cut(): void {
		for (const socket of sockets) socket.destroy();
	}
	const pass = (from: Socket, to: Socket) => {
		sockets.add(from);
		from.on('error', () => {});
		from.on('close', () => {
			sockets.delete(from);
			to.destroy();
		});
		from.on('data', (octets) => {
			if (proxy.isDeaf) return;
			if (proxy.delayMs === 0) to.write(octets);
			else setTimeout(() => to.writable && to.write(octets), proxy.delayMs);
		});
	};
	const server = createServer((near) => {
		if (proxy.isCut) {
			near.destroy();
			return;
		}
		const far = connect(targetPort, '127.0.0.1');
		pass(near, far);
		pass(far, near);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.after(() => {
		cut();
		server.close();
	});
	proxy.port = (server.address() as { port: number }).port;
	return proxy;
}
