/**
 * One thread of the load generator: its sockets, its questions, what came back and when.
 */

import { spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { parseAddress } from '../../src/lib/address.ts';
import { createChance } from '../../src/lib/chance.ts';
import type { ListenAddress } from '../../src/lib/listen-address.ts';
import type { Chance } from '../../src/lib/ports.ts';
import { DatagramBatch } from '../../src/native/datagram-batch.ts';
import { type Libc, loadLibc } from '../../src/native/libc.ts';
import { POLL } from '../../src/native/linux-abi.ts';
import { PollSet } from '../../src/native/poll-set.ts';
import { connectUdpSocket, openUdpSocket } from '../../src/native/udp-socket.ts';
import { makeQuery } from '../dns/make-query.ts';
import { findProgram } from '../setup/tools.ts';
import { Histogram } from './histogram.ts';

export interface LoadThreadInput {
	readonly to: ListenAddress;
	/** `name type [rcode [address,address ...]]`. */
	readonly questions: readonly string[];
	readonly seconds: number;
	readonly sockets: number;
	readonly window: number;
	/** Queries a second; 0 for as many as come back. */
	readonly rate: number;
	readonly hasSubnet: boolean;
	/** A client cookie in each query, which the server answers with one of its own (RFC 7873). */
	readonly hasCookie: boolean;
	/** Every record of an answer has one TTL, which tells its generation; an answer of two is mixed. */
	readonly hasOneTtl: boolean;
	/** Cores to keep to, as taskset lists them; undefined for those of the process. */
	readonly cpus: string | undefined;
	readonly seed: number;
}

export interface LoadThreadResult {
	readonly sent: number;
	readonly answered: number;
	readonly lost: number;
	readonly wrong: number;
	readonly mixed: number;
	/** Different TTLs that were seen. */
	readonly ttls: ReadonlySet<number>;
	readonly withRecords: number;
	readonly tookMs: number;
	readonly histogram: Float64Array;
}

const BATCH_SIZE = 32;
const LOST_US = 1_000_000;
const IDS = 65536;
const HEADER_OCTETS = 12;
const TYPE_A = 1;
const OPT = 41;
const COOKIE = { code: 10, octets: [1, 2, 3, 4, 5, 6, 7, 8] };
const RCODES: readonly string[] = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];
const RECEIVE_BUFFER_OCTETS = 4 * 1024 * 1024;

interface Question {
	readonly octets: Uint8Array;
	/** Offset behind the question. */
	readonly end: number;
	readonly rcode: number;
	/** Address records of the answer must be of these, as 32-bit numbers; undefined when anything goes. */
	readonly addresses: ReadonlySet<number> | undefined;
}

/** A socket and the queries on their way; those of the oldest id up to the next one may be open. */
class Client {
	readonly descriptor: number;
	/** By id, when each was sent or due, in microseconds; negative for one that nobody waits for. */
	readonly sentUs = new Float64Array(IDS).fill(-1);
	/** By id, which question it was. */
	readonly asked = new Uint32Array(IDS);
	open = 0;
	nextId = 0;
	oldestId = 0;

	constructor(libc: Libc, to: ListenAddress) {
		const address = to.family === 4 ? '0.0.0.0' : '::';
		const own = to.address === '::1' || to.address.startsWith('127.') ? to.address : address;
		const options = { isShared: false, receiveBufferOctets: RECEIVE_BUFFER_OCTETS, receiveTimeoutMs: 100 };
		const socket = openUdpSocket(libc, { family: to.family, address: own, port: 0 }, options);
		connectUdpSocket(libc, socket, to);
		this.descriptor = socket.descriptor;
	}
}

class LoadThread {
	readonly #input: LoadThreadInput;
	readonly #questions: readonly Question[];
	readonly #clients: readonly Client[];
	readonly #batch: DatagramBatch;
	readonly #polls: PollSet;
	readonly #chance: Chance;
	readonly #latencies = new Histogram();
	#sent = 0;
	#answered = 0;
	#lost = 0;
	#wrong = 0;
	#mixed = 0;
	readonly #ttls = new Set<number>();
	#withRecords = 0;

	constructor(input: LoadThreadInput, libc: Libc) {
		this.#input = input;
		this.#questions = input.questions.map((text) => questionOf(text, input));
		this.#clients = Array.from({ length: input.sockets }, () => new Client(libc, input.to));
		this.#batch = new DatagramBatch(libc, BATCH_SIZE);
		this.#polls = new PollSet(libc, input.sockets);
		this.#chance = createChance(input.seed);
		for (const [i, { descriptor }] of this.#clients.entries()) this.#polls.watch(i, descriptor, POLL.in);
	}

	run(): LoadThreadResult {
		const { seconds, rate } = this.#input;
		const startUs = nowUs();
		const endUs = startUs + 1e6 * seconds;
		let us = startUs;
		for (; us < endUs; us = nowUs()) {
			if (rate > 0) this.#sendDue(startUs, us);
			else this.#fillWindows(us);
			// A rate is kept by looking at the clock all the time; a window by waiting for answers.
			this.#receiveAll(rate > 0 ? 0 : 20);
			this.#giveUp(us);
		}
		const tookMs = (us - startUs) / 1000;
		const answered = this.#answered;
		while (this.#clients.some(({ open }) => open > 0)) {
			this.#receiveAll(20);
			this.#giveUp(nowUs());
		}
		return {
			sent: this.#sent,
			answered: this.#answered,
			lost: this.#lost,
			wrong: this.#wrong,
			mixed: this.#mixed,
			ttls: this.#ttls,
			withRecords: this.#withRecords,
			// Answers that came late took no time of the run.
			tookMs: (tookMs * this.#answered) / Math.max(1, answered),
			histogram: this.#latencies.counts,
		};
	}

	#fillWindows(us: number): void {
		for (const client of this.#clients) {
			while (client.open < this.#input.window) {
				const count = Math.min(BATCH_SIZE, this.#input.window - client.open);
				for (let i = 0; i < count; i++) this.#stage(client, us);
				this.#flush(client);
			}
		}
	}

	/** Sockets in turn; as many queries as the time since the start asks for. */
	#sendDue(startUs: number, us: number): void {
		const gapUs = 1e6 / this.#input.rate;
		const due = Math.floor((us - startUs) / gapUs);
		while (this.#sent < due) {
			const client = this.#clients[this.#chance.below(this.#clients.length)];
			if (client === undefined) return;
			const count = Math.min(BATCH_SIZE, Math.ceil((due - this.#sent) / this.#clients.length));
			for (let i = 0; i < count; i++) this.#stage(client, startUs + (this.#sent + 1) * gapUs);
			this.#flush(client);
		}
	}

	#stage(client: Client, us: number): void {
		const asked = this.#chance.below(this.#questions.length);
		const question = this.#questions[asked];
		const out = this.#batch.messages[this.#batch.staged];
		if (question === undefined || out === undefined) return;
		const { octets } = question;
		const id = client.nextId;
		client.nextId = (id + 1) & (IDS - 1);
		// Still open after 65,535 others: it will not be told apart from this one.
		if ((client.sentUs[id] ?? -1) >= 0) this.#lose(client, id);
		client.sentUs[id] = us;
		client.asked[id] = asked;
		client.open++;
		for (let i = 2; i < octets.length; i++) out[i] = octets[i] ?? 0;
		out[0] = id >>> 8;
		out[1] = id;
		if (this.#input.hasSubnet) writeNetwork(out, octets.length - 3, this.#chance);
		this.#batch.stage(octets.length);
		this.#sent++;
	}

	/** What could not be sent is found lost in time. */
	#flush({ descriptor }: Client): void {
		this.#batch.send(descriptor);
	}

	#receiveAll(timeoutMs: number): void {
		if (this.#polls.wait(timeoutMs) === 0) return;
		const us = nowUs();
		for (const [i, client] of this.#clients.entries()) {
			if (!this.#polls.isReady(i)) continue;
			const count = this.#batch.receive(client.descriptor, false);
			for (let slot = 0; slot < count; slot++) this.#take(client, slot, us);
		}
	}

	#take(client: Client, slot: number, us: number): void {
		const answer = this.#batch.messages[slot];
		if (answer === undefined) return;
		const id = ((answer[0] ?? 0) << 8) | (answer[1] ?? 0);
		const sentUs = client.sentUs[id] ?? -1;
		const length = this.#batch.receivedLength(slot);
		const question = this.#questions[client.asked[id] ?? 0];
		if (sentUs < 0 || question === undefined || !isRight(answer, length, question)) this.#wrong++;
		if (this.#input.hasOneTtl) this.#takeTtl(answer, length);
		if (sentUs < 0) return;
		client.sentUs[id] = -1;
		client.open--;
		this.#answered++;
		if (((answer[6] ?? 0) | (answer[7] ?? 0)) !== 0) this.#withRecords++;
		this.#latencies.add(us - sentUs);
	}

	#takeTtl(answer: Uint8Array, length: number): void {
		const ttlSec = oneTtl(answer, length);
		if (ttlSec < 0) this.#mixed++;
		else this.#ttls.add(ttlSec);
	}

	/** Ids are given in order, so what is overdue stands in front. */
	#giveUp(us: number): void {
		for (const client of this.#clients) {
			while (client.oldestId !== client.nextId) {
				const sentUs = client.sentUs[client.oldestId] ?? -1;
				if (sentUs >= 0 && us - sentUs < LOST_US) break;
				if (sentUs >= 0) this.#lose(client, client.oldestId);
				client.oldestId = (client.oldestId + 1) & (IDS - 1);
			}
		}
	}

	#lose(client: Client, id: number): void {
		client.sentUs[id] = -1;
		client.open--;
		this.#lost++;
	}
}

/** Whether it is a response to that question, with the RCODE and of the addresses that are expected. */
function isRight(answer: Uint8Array, length: number, { octets, end, rcode, addresses }: Question): boolean {
	if (length < end || ((answer[2] ?? 0) & 0x80) === 0 || ((answer[3] ?? 0) & 15) !== rcode) return false;
	for (let i = HEADER_OCTETS; i < end; i++) if (answer[i] !== octets[i]) return false;
	if (addresses === undefined) return true;
	const word = (at: number) => ((answer[at] ?? 0) << 8) | (answer[at + 1] ?? 0);
	let found = 0;
	let at = end;
	for (let record = word(6); record > 0 && at < length; record--) {
		at = behindName(answer, at);
		if (word(at) === TYPE_A) {
			if (!addresses.has(65_536 * word(at + 10) + word(at + 12))) return false;
			found++;
		}
		at += 10 + word(at + 8);
	}
	return found > 0;
}

/** The TTL that all records but OPT have; -1 when they differ, or there is none. */
function oneTtl(answer: Uint8Array, length: number): number {
	const word = (at: number) => ((answer[at] ?? 0) << 8) | (answer[at + 1] ?? 0);
	let at = 12;
	for (let question = word(4); question > 0; question--) at = behindName(answer, at) + 4;
	let ttlSec = -1;
	for (let record = word(6) + word(8) + word(10); record > 0 && at < length; record--) {
		at = behindName(answer, at);
		const own = 65_536 * word(at + 4) + word(at + 6);
		if (word(at) !== OPT) {
			if (ttlSec >= 0 && own !== ttlSec) return -1;
			ttlSec = own;
		}
		at += 10 + word(at + 8);
	}
	return ttlSec;
}

function behindName(message: Uint8Array, start: number): number {
	let at = start;
	for (let octets = message[at] ?? 0; octets > 0; octets = message[at] ?? 0) {
		if (octets >= 0xc0) return at + 2;
		at += octets + 1;
	}
	return at + 1;
}

function questionOf(text: string, { hasSubnet, hasCookie }: LoadThreadInput): Question {
	const [name = '', type = 'A', rcodeName = 'NOERROR', list] = text.trim().split(/\s+/);
	const rcode = RCODES.indexOf(rcodeName);
	if (rcode < 0) throw new Error(`Cannot expect "${rcodeName}": expected one of ${RCODES.join(', ')}`);
	const options = hasCookie ? [COOKIE] : [];
	// The network stands in the last three octets of a query without other options.
	if (hasSubnet && hasCookie) throw new Error('Cannot ask with a client subnet and a cookie: expected one of them');
	const octets = makeQuery({ name, type, edns: hasSubnet ? { subnet: '192.0.2.0/24' } : { options } });
	const end = makeQuery({ name, type }).length;
	return {
		octets,
		end,
		rcode,
		addresses: list === undefined ? undefined : new Set(list.split(',').map(addressNumber)),
	};
}

function addressNumber(text: string): number {
	const address = parseAddress(text);
	if (address?.family !== 4) throw new Error(`Cannot expect "${text}": expected an IPv4 address`);
	return address.words[0] ?? 0;
}

/** A random /24 of those that clients may have. */
function writeNetwork(out: Uint8Array, at: number, chance: Chance): void {
	let first = 0;
	do first = 1 + chance.below(223);
	while (first === 10 || first === 127);
	out[at] = first;
	out[at + 1] = chance.below(256);
	out[at + 2] = chance.below(256);
}

function nowUs(): number {
	return performance.now() * 1000;
}

/** @throws Error when this thread alone cannot be moved */
function keepTo(cpus: string): void {
	const thread = readlinkSync('/proc/thread-self').split('/').at(-1) ?? '';
	const { status, stderr } = spawnSync(findProgram('taskset') ?? 'taskset', ['-p', '-c', cpus, thread], {
		encoding: 'utf8',
	});
	if (status !== 0) throw new Error(`Cannot keep to the cores ${cpus}: ${stderr}`);
}

const { cpus } = workerData as LoadThreadInput;
if (cpus !== undefined) keepTo(cpus);
const libc = await loadLibc();
if (!libc.ok) throw new Error(`Cannot make load: ${libc.problems.join()}`);
parentPort?.postMessage(new LoadThread(workerData as LoadThreadInput, libc.value).run());
