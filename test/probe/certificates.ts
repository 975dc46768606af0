/**
 * Certificates made on the spot: an authority, and what it signs (RFC 5280), in just as much DER as that takes.
 */

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { addressOctets, parseAddress } from '../../src/lib/address.ts';

export interface KeyAndCertificate {
	/** PEM. */
	readonly key: string;
	readonly cert: string;
}

interface CertificateWish {
	/** Host names and addresses. */
	readonly names: readonly string[];
	/** From now; negative for a certificate that has expired. */
	readonly daysLeft?: number;
	readonly daysOld?: number;
}

export interface Authority extends KeyAndCertificate {
	sign(wish: CertificateWish): KeyAndCertificate;
}

const DAY_MS = 86_400_000;
const COMMON_NAME = '2.5.4.3';
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const BASIC_CONSTRAINTS = '2.5.29.19';
const SUBJECT_ALT_NAME = '2.5.29.17';

export function createAuthority(name: string = 'Test Authority'): Authority {
	const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
	const wish = { names: [], daysLeft: 3650, daysOld: 1 };
	return {
		...pemOf(own.privateKey, certificate(name, name, own.publicKey, own.privateKey, wish, true)),
		sign: (leaf) => {
			const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
			return pemOf(pair.privateKey, certificate('leaf', name, pair.publicKey, own.privateKey, leaf, false));
		},
	};
}

export function selfSigned(wish: CertificateWish): KeyAndCertificate {
	const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
	return pemOf(own.privateKey, certificate('self', 'self', own.publicKey, own.privateKey, wish, false));
}

function certificate(
	subject: string,
	issuer: string,
	publicKey: KeyObject,
	signer: KeyObject,
	{ names, daysLeft = 60, daysOld = 30 }: CertificateWish,
	isAuthority: boolean,
): Buffer {
	const algorithm = sequence(oid(ECDSA_WITH_SHA256));
	const extensions = [
		...(isAuthority ? [extension(BASIC_CONSTRAINTS, sequence(der(0x01, Buffer.of(0xff))))] : []),
		...(names.length > 0 ? [extension(SUBJECT_ALT_NAME, sequence(...names.map(generalName)))] : []),
	];
	const body = sequence(
		der(0xa0, der(0x02, Buffer.of(2))),
		der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
		algorithm,
		distinguishedName(issuer),
		sequence(time(-daysOld), time(daysLeft)),
		distinguishedName(subject),
		publicKey.export({ type: 'spki', format: 'der' }),
		...(extensions.length > 0 ? [der(0xa3, sequence(...extensions))] : []),
	);
	return sequence(body, algorithm, der(0x03, Buffer.concat([Buffer.of(0), sign('sha256', body, signer)])));
}

function pemOf(key: KeyObject, octets: Buffer): KeyAndCertificate {
	const base64 = octets.toString('base64').replace(/.{1,64}/g, '$&\n');
	return {
		key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
		cert: `-----BEGIN CERTIFICATE-----\n${base64}-----END CERTIFICATE-----\n`,
	};
}

function distinguishedName(text: string): Buffer {
	return sequence(der(0x31, sequence(oid(COMMON_NAME), der(0x0c, Buffer.from(text)))));
}

function generalName(name: string): Buffer {
	const address = isIP(name) === 0 ? undefined : parseAddress(name);
	return address === undefined ? der(0x82, Buffer.from(name)) : der(0x87, Buffer.from(addressOctets(address)));
}

function extension(id: string, value: Buffer): Buffer {
	return sequence(oid(id), der(0x04, value));
}

/** GeneralizedTime of a moment `days` from now; half an hour off, so that whole days left are what was wished. */
function time(days: number): Buffer {
	const at = new Date(Date.now() + days * DAY_MS + DAY_MS / 48);
	return der(0x18, Buffer.from(`${at.toISOString().replace(/[-:T]|\.\d+/g, '')}`));
}

function oid(text: string): Buffer {
	const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
	const octets = [40 * first + second];
	for (const arc of rest) {
		const groups = [arc & 0x7f];
		for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
		octets.push(...groups);
	}
	return der(0x06, Buffer.from(octets));
}

function sequence(...parts: readonly Buffer[]): Buffer {
	return der(0x30, Buffer.concat(parts));
}

function der(tag: number, content: Buffer): Buffer {
	const { length } = content;
	if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
	const octets = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
	return Buffer.concat([Buffer.of(tag, ...octets), content]);
}
