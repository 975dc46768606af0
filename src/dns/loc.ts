/**
 * LOC (RFC 1876): a place on Earth, in 16 octets.
 *
 * | octets | field               | text                                                                     |
 * |--------|---------------------|--------------------------------------------------------------------------|
 * | 1      | version             | none; 0                                                                  |
 * | 3      | size, precisions    | metres, at the end and optional: 1m 10000m 10m; mantissa and exponent, cm |
 * | 4      | latitude            | degrees [minutes [seconds]] N or S; thousandths of a second from 2^31    |
 * | 4      | longitude           | the same with E or W                                                     |
 * | 4      | altitude            | metres above the reference spheroid; cm from -100 km                     |
 */

import { type FieldCodec, missing, notA, push32, type RdataFault, type RdataWords, readNumber } from './field.ts';
import { octet } from './name.ts';

const LOC_OCTETS = 16;
const EQUATOR = 2 ** 31;
const DEGREE = 3_600_000;
const ALTITUDE_BASE_CM = 10_000_000;
/** Size, horizontal and vertical precision when they are left out. */
const DEFAULT_SIZES = [0x12, 0x16, 0x13];
const SIZE_CM_MAX = 9_000_000_000;

const DEGREES = 'degrees [minutes [seconds]] N or S, the same E or W, then metres';

export const locField: FieldCodec = {
	phrase: DEGREES,
	scan(words, out) {
		const latitude = scanAngle(words, 90, 'N', 'S');
		if (typeof latitude !== 'number') return latitude;
		const longitude = scanAngle(words, 180, 'E', 'W');
		if (typeof longitude !== 'number') return longitude;
		const altitudeCm = scanMetres(words, -ALTITUDE_BASE_CM, 0xffffffff - ALTITUDE_BASE_CM);
		if (typeof altitudeCm !== 'number') return altitudeCm;
		const sizes: number[] = [];
		for (const missingSize of DEFAULT_SIZES) {
			const sizeCm = words.at < words.tokens.length ? scanMetres(words, 0, SIZE_CM_MAX) : undefined;
			if (typeof sizeCm === 'object') return sizeCm;
			sizes.push(sizeCm === undefined ? missingSize : sizeOctet(sizeCm));
		}
		out.push(0, ...sizes);
		push32(EQUATOR + latitude, out);
		push32(EQUATOR + longitude, out);
		push32(altitudeCm + ALTITUDE_BASE_CM, out);
		return undefined;
	},
	size(rdata, at) {
		const wire = rdata.subarray(at, at + LOC_OCTETS);
		const isGood =
			wire.length === LOC_OCTETS &&
			octet(wire, 0) === 0 &&
			wire.subarray(1, 4).every(isSize) &&
			Math.abs(readNumber(wire.subarray(4, 8)) - EQUATOR) <= 90 * DEGREE &&
			Math.abs(readNumber(wire.subarray(8, 12)) - EQUATOR) <= 180 * DEGREE;
		return isGood ? LOC_OCTETS : -1;
	},
	print(wire) {
		const latitude = readNumber(wire.subarray(4, 8)) - EQUATOR;
		const longitude = readNumber(wire.subarray(8, 12)) - EQUATOR;
		const metres = [readNumber(wire.subarray(12, 16)) - ALTITUDE_BASE_CM, ...Array.from(wire.subarray(1, 4), sizeCm)];
		const angles = [printAngle(latitude, 'N', 'S'), printAngle(longitude, 'E', 'W')];
		return [...angles, ...metres.map((cm) => `${(cm / 100).toFixed(2)}m`)].join(' ');
	},
};

/** Thousandths of a second of arc; south and west are negative. */
function scanAngle(words: RdataWords, degreesMax: number, positive: string, negative: string): number | RdataFault {
	const first = words.at;
	const parts: string[] = [];
	for (; parts.length <= 3; words.at++) {
		const token = words.tokens[words.at];
		if (token === undefined) return missing(words, `${positive} or ${negative}`);
		if (!token.isQuoted && (token.text === positive || token.text === negative)) break;
		parts.push(token.text);
	}
	const sign = words.tokens[words.at++]?.text === negative ? -1 : 1;
	const [degrees = '', minutes = '0', seconds = '0', more] = parts;
	const isNumber =
		/^\d{1,3}$/.test(degrees) &&
		/^\d{1,2}$/.test(minutes) &&
		/^\d{1,2}(\.\d{1,3})?$/.test(seconds) &&
		more === undefined;
	const angle = Number(degrees) * DEGREE + Number(minutes) * 60_000 + Math.round(Number(seconds) * 1000);
	if (!isNumber || Number(minutes) > 59 || Number(seconds) >= 60 || angle > degreesMax * DEGREE) {
		const phrase = `0..${degreesMax} degrees, whole minutes below 60, seconds below 60 with at most 3 decimals, ${positive} or ${negative}`;
		return { token: first, message: notA(parts.join(' '), phrase) };
	}
	return sign * angle;
}

/** Centimetres from metres with at most two decimals and perhaps an `m`. */
function scanMetres(words: RdataWords, minCm: number, maxCm: number): number | RdataFault {
	const token = words.tokens[words.at];
	if (token === undefined) return missing(words, 'an altitude in metres');
	const cm = /^[+-]?\d{1,8}(\.\d{1,2})?m?$/.test(token.text)
		? Math.round(Number.parseFloat(token.text) * 100)
		: Number.NaN;
	if (!(cm >= minCm && cm <= maxCm) || token.isQuoted) {
		return {
			token: words.at,
			message: notA(token.text, `metres ${minCm / 100}..${maxCm / 100} with at most 2 decimals`),
		};
	}
	words.at++;
	return cm;
}

/** One digit and a power of ten; what it cannot hold is cut off, as the code of RFC 1876 does. */
function sizeOctet(cm: number): number {
	let mantissa = cm;
	let exponent = 0;
	for (; mantissa > 9; exponent++) mantissa = Math.floor(mantissa / 10);
	return (mantissa << 4) | exponent;
}

function sizeCm(value: number): number {
	return (value >>> 4) * 10 ** (value & 15);
}

/** Zero has one form only, so that every size that is well formed reads back from its text. */
function isSize(value: number): boolean {
	return value === 0 || (value >>> 4 >= 1 && value >>> 4 <= 9 && (value & 15) <= 9);
}

function printAngle(angle: number, positive: string, negative: string): string {
	const size = Math.abs(angle);
	const minutes = Math.floor(size / 60_000) % 60;
	const seconds = ((size % 60_000) / 1000).toFixed(3);
	return `${Math.floor(size / DEGREE)} ${minutes} ${seconds} ${angle < 0 ? negative : positive}`;
}
