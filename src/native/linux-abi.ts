/**
 * Numbers of the Linux socket interface that are the same on x64 and arm64, under glibc and musl.
 *
 *     mmsghdr  | name* | namelen . | iov* | iovlen | control* | controllen | flags . | len . |    eight words of 64 bits
 *     iovec    | base* | len |
 *     cmsghdr  | len | level type | data ...
 *
 * musl declares iovlen and controllen as 32 bits and padding; little endian with zero padding, the octets are equal.
 * `selfTest()` holds all of it against the running machine.
 */

export const AF = { inet: 2, inet6: 10 } as const;
export const SOCK_DGRAM = 2;
/** The descriptor is not left to processes that this one starts. */
export const SOCK_CLOEXEC = 0x80000;

export const SOL_SOCKET = 1;
export const SO = {
	sendBuffer: 7,
	receiveBuffer: 8,
	reusePort: 15,
	receiveTimeout: 20,
	receiveBufferForce: 33,
} as const;

export const IPPROTO_IP = 0;
export const IP = { packetInfo: 8, mtuDiscover: 10 } as const;
export const IPPROTO_IPV6 = 41;
export const IPV6 = { mtuDiscover: 23, v6Only: 26, receivePacketInfo: 49, packetInfo: 50 } as const;
/** Never DF, and no path MTU is learnt from ICMP messages, which anybody can forge; the same number for both families. */
export const PMTUDISC_OMIT = 5;

export const MSG = { dontWait: 0x40, waitForOne: 0x10000 } as const;
export const POLL = { in: 1, out: 4 } as const;
export const ERRNO = {
	eintr: 4,
	ebadf: 9,
	eagain: 11,
	efault: 14,
	einval: 22,
	enosys: 38,
	enotsock: 88,
	enobufs: 105,
} as const;

export const MMSGHDR = {
	octets: 64,
	name: 0,
	nameLength: 8,
	iov: 16,
	iovLength: 24,
	control: 32,
	controlLength: 40,
	length: 56,
} as const;
export const IOVEC = { octets: 16, base: 0, length: 8 } as const;
export const CMSG = { length: 0, level: 8, type: 12, data: 16 } as const;
/** in_pktinfo: interface, source for an answer, destination; in6_pktinfo: destination, interface. */
export const PKTINFO4 = { octets: 12, interface: 0, source: 4 } as const;
export const PKTINFO6 = { octets: 20, address: 0, interface: 16 } as const;
export const SOCKADDR = { family: 0, port: 2, address4: 4, address6: 8, octets4: 16, octets6: 28 } as const;
export const POLLFD = { octets: 8, descriptor: 0, events: 4, revents: 6 } as const;

/** By architecture, as process.arch has it. */
export const SYSTEM_CALL = {
	x64: { getThreadId: 186, schedSetAttr: 314, schedGetAttr: 315 },
	arm64: { getThreadId: 178, schedSetAttr: 274, schedGetAttr: 275 },
} as const;
/** Policies of threads: most go by `other`, fair shares by nice value. */
export const SCHED = { other: 0, roundRobin: 2, resetOnFork: 1n } as const;
/** The first version of the struct, which every kernel takes. */
export const SCHED_ATTR = { octets: 48, size: 0, policy: 4, flags: 8, nice: 16, priority: 20, runtime: 24 } as const;
