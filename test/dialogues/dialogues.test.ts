/**
 * Runs every *.dialogue file of this folder; the format is told in read-dialogue.ts.
 * Beside what a dialogue expects, each reply has the id, the opcode and the octets of the question, and fits its transport.
 * What is asked over UDP is asked again through sockets of each transport and family.
 */

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readYaml } from '../../src/config/yaml-document.ts';
import { readMessage } from '../../src/dns/message-text.ts';
import type { Place } from '../../src/geo/place.ts';
import type { Vote } from '../../src/health/target.ts';
import { parsePrefix, prefixHolds } from '../../src/lib/prefix.ts';
import { type EdnsSpec, makeQuery, optRecord } from '../dns/make-query.ts';
import { replyLines } from '../serve/reply-text.ts';
import { type AskSpec, responderOf, type TestResponder } from '../serve/responder-of.ts';
import { OverSockets } from './over-sockets.ts';
import { type Dialogue, readDialogue, type Step } from './read-dialogue.ts';

type Query = Extract<Step, { kind: 'query' | 'octets' }>;

const FLAGS: Readonly<Record<string, number>> = {
	rd: 0x0100,
	ra: 0x80,
	z: 0x40,
	ad: 0x20,
	cd: 0x10,
	aa: 0x400,
	tc: 0x200,
};

const files = globSync(fileURLToPath(new URL('./*.dialogue', import.meta.url))).sort();

describe('dialogues', () => {
	it('are found', () => assert.ok(files.length >= 15, `found ${files.length}`));
	for (const file of files) {
		describe(basename(file, '.dialogue'), () => {
			const dialogue = readDialogue(readFileSync(file, 'utf8'));
			const responder = responderFor(dialogue);
			let sockets: OverSockets;
			before(async () => {
				sockets = await OverSockets.open(responder);
			});
			after(() => sockets.close());
			let set: (() => void)[] = [];
			for (const step of dialogue.steps) {
				if (step.kind === 'health') set.push(() => setHealth(responder, dialogue, step));
				else if (step.kind === 'draw') {
					set.push(() => {
						responder.draw = step.share;
					});
				} else {
					const changes = set;
					set = [];
					it(step.title, async () => {
						for (const change of changes) change();
						const { request, how } = check(responder, step, file);
						if (how.transport !== 'tcp') await sockets.check(responder, request, `${basename(file)}:${step.line}`);
					});
				}
			}
		});
	}
});

function setHealth(responder: TestResponder, { vantages }: Dialogue, step: Extract<Step, { kind: 'health' }>): void {
	const { address, vote, isStale, region } = step;
	if (region === undefined) {
		responder.setHealth(address, vote as Vote, isStale);
		return;
	}
	const vantage = vantages.indexOf(region);
	if (vantage < 0) throw new Error(`Cannot set the health as seen from ${region}: it is no vantage`);
	responder.setRegional(address, vote === 'up' ? 'up' : 'down', vantage);
}

function responderFor({ zones, steering, geo, trust, vantages }: Dialogue): TestResponder {
	const prefix = trust === undefined ? undefined : parsePrefix(trust);
	if (typeof prefix === 'string') throw new Error(prefix);
	const documentOf = (unit: string) => {
		const yaml = readYaml(steering.get(unit) ?? '');
		if (yaml.problems.length > 0) throw new Error(`${unit}: ${JSON.stringify(yaml.problems)}`);
		return yaml.value;
	};
	return responderOf({
		zones: zones.map(({ apex, text }) => ({ apex, text, steering: documentOf(apex) })),
		common: documentOf('common'),
		geo: Object.fromEntries(Object.entries(geo).map(([prefix, place]) => [prefix, placeOf(place)])),
		vantages,
		isSubnetTrusted: (sender) => prefix === undefined || prefixHolds(prefix, sender),
	});
}

/** `at=51/9` is a place on earth. */
function placeOf({ at, ...place }: Readonly<Record<string, string>>): Partial<Place> {
	const [latitude, longitude] = (at ?? '').split('/').map(Number);
	if (latitude === undefined || longitude === undefined) return place;
	return { ...place, coordinates: { latitude, longitude, precision: 'database' } };
}

function check(responder: TestResponder, step: Query, file: string): Request {
	const asked = step.kind === 'octets' ? octetsOf(step) : queryOf(step.words);
	const { request, how, limit } = asked;
	const reply = responder.respond(request, how).slice();
	const place = `${basename(file)}:${step.line}`;
	assert.deepEqual(responder.faults, [], place);
	if (step.reply[0] === 'silence') {
		assert.equal(reply.length, 0, place);
		return asked;
	}
	assert.ok(reply.length <= limit, `${place}: ${reply.length} octets, the limit is ${limit}`);
	const message = readMessage(reply);
	if (typeof message === 'string') assert.fail(`${place}: ${message}`);
	assert.ok(message.flags.includes('qr'), place);
	assert.deepEqual(reply.subarray(0, 2), request.subarray(0, 2), `${place}: id`);
	assert.equal((reply[2] ?? 0) & 0x78, (request[2] ?? 0) & 0x78, `${place}: opcode`);
	if (message.question.length > 0) {
		const end = 12 + questionLength(request);
		assert.deepEqual(reply.subarray(12, end), request.subarray(12, end), `${place}: question`);
	}
	const lines = replyLines(message);
	assert.deepEqual(shortened(lines, step.reply), step.reply, place);
	return asked;
}

function questionLength(request: Uint8Array): number {
	let at = 12;
	while ((request[at] ?? 0) !== 0) at += (request[at] ?? 0) + 1;
	return at + 5 - 12;
}

/** The lines of a reply with what the expected ones leave out left out: counted sections, and ends of lines. */
function shortened(lines: readonly string[], expected: readonly string[]): string[] {
	const result: string[] = [];
	let at = 0;
	while (at < lines.length) {
		const line = lines[at++] ?? '';
		const wanted = expected[result.length] ?? '';
		const counted = /^(answer|authority|additional) \d+$/.exec(wanted)?.[1];
		if (counted === line) {
			const from = at;
			while (at < lines.length && !/^(answer|authority|additional)$/.test(lines[at] ?? '')) at++;
			result.push(`${line} ${at - from}`);
		} else result.push(wanted.endsWith('...') && line.startsWith(wanted.slice(0, -3).trimEnd()) ? wanted : line);
	}
	return result;
}

interface Request {
	readonly request: Uint8Array;
	readonly how: AskSpec;
	readonly limit: number;
}

function octetsOf({ words }: Query): Request {
	return { request: Uint8Array.from(Buffer.from(words.join(''), 'hex')), how: {}, limit: 1232 };
}

/**
 * | option                                      | meaning                                         |
 * |---------------------------------------------|-------------------------------------------------|
 * | tcp, from=ADDRESS                           | transport, sender                               |
 * | class=N, opcode=N, flags=rd,ad              | header and question                             |
 * | edns, payload=N, version=N, do              | an OPT record                                   |
 * | subnet=ADDRESS/SOURCE[/SCOPE], option=N:HEX | an option; may be repeated                      |
 * | opt=twice                                   | a second OPT record                             |
 */
function queryOf([name = '', type = '', ...options]: readonly string[]): Request {
	let flags = 0;
	let classCode = 1;
	let hasEdns = false;
	let isTwice = false;
	const edns: { -readonly [K in keyof EdnsSpec]: EdnsSpec[K] } = {};
	const ednsOptions: { code: number; octets: number[] }[] = [];
	const how: { -readonly [K in keyof AskSpec]: AskSpec[K] } = {};
	for (const option of options) {
		const [key = '', value = ''] = option.split(/=(.*)/);
		if (/^(edns|payload|version|do|subnet|option|opt)$/.test(key)) hasEdns = true;
		switch (key) {
			case 'edns':
				break;
			case 'tcp':
				how.transport = 'tcp';
				break;
			case 'from':
				how.from = value;
				break;
			case 'class':
				classCode = Number(value);
				break;
			case 'opcode':
				flags |= Number(value) << 11;
				break;
			case 'flags':
				for (const flag of value.split(',')) flags |= FLAGS[flag] ?? Number.NaN;
				break;
			case 'payload':
				edns.payloadOctets = Number(value);
				break;
			case 'version':
				edns.version = Number(value);
				break;
			case 'do':
				edns.isDnssecOk = true;
				break;
			case 'subnet':
				edns.subnet = value;
				break;
			case 'option': {
				const [code = '', hex = ''] = value.split(':');
				ednsOptions.push({ code: Number(code), octets: [...Buffer.from(hex, 'hex')] });
				break;
			}
			case 'opt':
				isTwice = value === 'twice';
				break;
			default:
				throw new Error(`Cannot read the option "${option}"`);
		}
	}
	const spec = { ...edns, options: ednsOptions };
	let request = makeQuery({ name, type, class: classCode, flags, ...(hasEdns ? { edns: spec } : {}) });
	if (isTwice) {
		request = Uint8Array.from([...request, ...optRecord({})]);
		request[11] = 2;
	}
	const payload = hasEdns ? Math.min(Math.max(edns.payloadOctets ?? 1232, 512), 1232) : 512;
	return { request, how, limit: how.transport === 'tcp' ? 65535 : payload };
}
