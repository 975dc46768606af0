/**
 * The messages of a gRPC health check as octets, and the reading of its outcome. Knows no socket.
 *
 *   frame     compressed (1 octet)   length (4 octets)   message
 *   request   HealthCheckRequest  { string service = 1; }
 *   response  HealthCheckResponse { ServingStatus status = 1; }      0 is not written
 */

import type { IncomingHttpHeaders } from 'node:http2';

/** What is read of an answer, which takes two octets: far above what a later version of the service may add. */
export const GRPC_OCTETS_MAX = 4096;

const FRAME_OCTETS = 5;
const SERVING = 1;
const STATUS_NAMES: readonly string[] = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
/** https://grpc.io/docs/guides/status-codes/ */
const CODE_NAMES: readonly string[] = [
	...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
	...['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED'],
	...['INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
];

export function frameHealthRequest(service: string): Buffer {
	const name = Buffer.from(service);
	const message = name.length === 0 ? name : Buffer.concat([Buffer.of(0x0a), varint(name.length), name]);
	const head = Buffer.alloc(FRAME_OCTETS);
	head.writeUInt32BE(message.length, 1);
	return Buffer.concat([head, message]);
}

/** @returns the serving status; undefined when the body is not one whole, plain response */
export function readHealthResponse(body: Buffer): number | undefined {
	if (body.length < FRAME_OCTETS || body[0] !== 0) return undefined;
	const end = FRAME_OCTETS + body.readUInt32BE(1);
	if (body.length !== end) return undefined;
	let status = 0;
	let at = FRAME_OCTETS;
	while (at < end) {
		const key = readVarint(body, at);
		if (key === undefined) return undefined;
		const next = skipField(body, key.next, key.value & 7);
		if (next === undefined || next > end) return undefined;
		if (key.value === 8) status = readVarint(body, key.next)?.value ?? 0;
		at = next;
	}
	return status;
}

/** @returns a sentence; undefined when the service is serving */
export function grpcMismatch(headers: IncomingHttpHeaders, status: number | undefined): string | undefined {
	const httpStatus = headers[':status'];
	if (httpStatus === undefined) return 'connection closed before an answer';
	if (String(httpStatus) !== '200') return `status ${httpStatus}, expected 200`;
	if (!(headers['content-type'] ?? '').startsWith('application/grpc')) return 'answer is not gRPC';
	const code = headers['grpc-status'];
	if (typeof code !== 'string') return 'answer has no gRPC status';
	if (code !== '0') return `gRPC status ${CODE_NAMES[Number(code)] ?? code.slice(0, 20)}${messageOf(headers)}`;
	if (status === undefined) return 'answer is no health response';
	return status === SERVING ? undefined : (STATUS_NAMES[status] ?? `serving status ${status}`);
}

function messageOf(headers: IncomingHttpHeaders): string {
	const message = headers['grpc-message'];
	return typeof message === 'string' && message !== '' ? ` (${message.slice(0, 100)})` : '';
}

function varint(value: number): Buffer {
	const octets: number[] = [];
	let left = value;
	for (; left > 0x7f; left >>>= 7) octets.push((left & 0x7f) | 0x80);
	return Buffer.of(...octets, left);
}

/** Small ones: what does not fit 28 bits is none that is known here. */
function readVarint(octets: Buffer, at: number): { readonly value: number; readonly next: number } | undefined {
	let value = 0;
	for (let i = 0; i < 4; i++) {
		const octet = octets[at + i];
		if (octet === undefined) return undefined;
		value |= (octet & 0x7f) << (7 * i);
		if (octet < 0x80) return { value, next: at + i + 1 };
	}
	return undefined;
}

/** Where the next field starts, behind a value of the wire type; undefined for what cannot be skipped. */
function skipField(octets: Buffer, at: number, wireType: number): number | undefined {
	if (wireType === 0) return readVarint(octets, at)?.next;
	if (wireType === 1) return at + 8;
	if (wireType === 5) return at + 4;
	const length = wireType === 2 ? readVarint(octets, at) : undefined;
	return length === undefined ? undefined : length.next + length.value;
}
