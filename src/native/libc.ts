/**
 * The C library through koffi: the few functions of it that sockets need, and why there are none.
 *
 * Memory goes over by address, so whoever calls keeps it alive as long as the kernel may look at it.
 */

import { constants, endianness } from 'node:os';
import process from 'node:process';
import type { Result } from '../lib/result.ts';

/** Every function returns -1 for a failure; `errno()` tells which. */
export interface Libc {
	socket(domain: number, type: number, protocol: number): number;
	bind(descriptor: number, address: Uint8Array, octets: number): number;
	connect(descriptor: number, address: Uint8Array, octets: number): number;
	getsockname(descriptor: number, address: Uint8Array, octets: Int32Array): number;
	setsockopt(descriptor: number, level: number, name: number, value: Uint8Array, octets: number): number;
	getsockopt(descriptor: number, level: number, name: number, value: Uint8Array, octets: Int32Array): number;
	/** @returns how many messages came */
	recvmmsg(descriptor: number, messages: bigint, count: number, flags: number, timeout: bigint): number;
	/** @returns how many were sent before one failed; -1 when the first one did */
	sendmmsg(descriptor: number, messages: bigint, count: number, flags: number): number;
	/** @returns octets sent */
	sendto(
		descriptor: number,
		octets: Uint8Array,
		length: number,
		flags: number,
		to: Uint8Array,
		toLength: number,
	): number;
	/** @returns octets received */
	recv(descriptor: number, into: Uint8Array, length: number, flags: number): number;
	poll(descriptors: bigint, count: number, timeoutMs: number): number;
	close(descriptor: number): number;
	/** One that the library has no function for. */
	syscall(number: number, a: number, b: bigint, c: number, d: number): number;
	/** What the last failure of this thread was. */
	errno(): number;
	/** Where memory lies, which does not move. */
	addressOf(memory: ArrayBuffer): bigint;
}

const ARCHITECTURES: readonly string[] = ['x64', 'arm64'];

/** @returns the functions, or why this machine has none that we know to call */
export async function loadLibc(): Promise<Result<Libc, string>> {
	const { platform, arch } = process;
	if (platform !== 'linux' || !ARCHITECTURES.includes(arch) || endianness() !== 'LE')
		return failed(`${platform} on ${arch} is not Linux on x64 or arm64`);
	try {
		const { default: koffi } = await import('koffi');
		// The library that this process runs on already, glibc or musl.
		const library = koffi.load(null);
		const value: Libc = {
			socket: library.func('socket', 'int', ['int', 'int', 'int']),
			bind: library.func('bind', 'int', ['int', 'void *', 'uint32']),
			connect: library.func('connect', 'int', ['int', 'void *', 'uint32']),
			getsockname: library.func('getsockname', 'int', ['int', 'void *', 'void *']),
			setsockopt: library.func('setsockopt', 'int', ['int', 'int', 'int', 'void *', 'uint32']),
			getsockopt: library.func('getsockopt', 'int', ['int', 'int', 'int', 'void *', 'void *']),
			// Plain numbers for addresses: half the price of a typed array, and nothing is allocated.
			recvmmsg: library.func('recvmmsg', 'int', ['int', 'uintptr_t', 'uint32', 'int', 'uintptr_t']),
			sendmmsg: library.func('sendmmsg', 'int', ['int', 'uintptr_t', 'uint32', 'int']),
			sendto: library.func('sendto', 'intptr_t', ['int', 'void *', 'size_t', 'int', 'void *', 'uint32']),
			recv: library.func('recv', 'intptr_t', ['int', 'void *', 'size_t', 'int']),
			poll: library.func('poll', 'int', ['uintptr_t', 'unsigned long', 'int']),
			close: library.func('close', 'int', ['int']),
			syscall: library.func('syscall', 'long', ['long', 'long', 'uintptr_t', 'long', 'long']),
			errno: () => koffi.errno(),
			addressOf: (memory) => koffi.address(memory),
		};
		return { ok: true, value };
	} catch (error) {
		return failed(`koffi cannot be loaded: ${(error as Error).message.split('\n')[0]}`);
	}
}

function failed(problem: string): Result<never, string> {
	return { ok: false, problems: [problem] };
}

/** What the C library says of its last failure: `code` as the runtime has it, such as EADDRINUSE. */
export function lastError(libc: Libc, call: string, where: string): Error {
	const errno = libc.errno();
	const code = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`;
	return Object.assign(new Error(`${call} ${code} ${where}`), { code, errno, syscall: call });
}
