/**
 * The answer to a question with its reasons: the very functions that answer, with a trace.
 *
 *     question -> answer() with a recorder -> records and decisions as text
 */

import { rcodeText } from '../dns/message-text.ts';
import { copyName, Name, nameLength, printName, scanName } from '../dns/name.ts';
import { TYPE } from '../dns/protocol.ts';
import { printRdata } from '../dns/rdata.ts';
import { typeCode, typeText } from '../dns/rr-type.ts';
import { Client, setClient } from '../geo/client.ts';
import type { GeoData } from '../geo/decide.ts';
import { NOWHERE } from '../geo/place.ts';
import { familyRanges, findRange, scopeInRange } from '../geo/ranges.ts';
import type { HealthWords } from '../health/verdict-table.ts';
import { type Address, addressFromOctets, parseAddress, printAddress } from '../lib/address.ts';
import type { Chance } from '../lib/ports.ts';
import { type Prefix, parsePrefix, prefixOf, printPrefix } from '../lib/prefix.ts';
import { Answer, Asker, answer, type Section, type SectionEntry, SOURCE, World } from '../snapshot/answer.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { OUTCOME } from '../zone/lookup.ts';
import { placeText } from './describe.ts';
import type { Explanation } from './explanation.ts';
import { Recorder, type RecorderSources } from './recorder.ts';

export interface ExplainSources extends Omit<RecorderSources, 'targets' | 'rdataText'> {
	readonly snapshot: Snapshot;
	/** Each by itself; what they say together is `geo`. */
	readonly databases: readonly (Pick<GeoData, 'ranges' | 'places'> & { readonly path: string })[];
	readonly health: HealthWords;
	/** Slot of each of the snapshot's targets in the health words. */
	readonly slots: Int32Array;
	readonly chance: Chance;
}

/** As people write it. */
export interface ExplainQuestion {
	readonly name: string;
	readonly type: string;
	/** An address or a prefix: what the client subnet option of the query would hold. */
	readonly client: string | undefined;
	/** The address that the query comes from. */
	readonly resolver: string;
}

/** What a lookup that no policy took part in came to. */
const OUTCOMES: Readonly<Record<number, string>> = {
	[OUTCOME.refused]: 'no zone here holds the name',
	[OUTCOME.nxdomain]: 'the zone has no such name',
	[OUTCOME.nodata]: 'the zone has the name, but not the type',
	[OUTCOME.answer]: 'the zone file has it',
	[OUTCOME.cname]: 'the zone file has an alias',
	[OUTCOME.steered]: 'a policy decides',
	[OUTCOME.delegation]: 'the name lies in a delegated zone',
	[OUTCOME.dname]: 'the name lies below a DNAME',
};

/** @returns the explanation, or what is wrong with the question */
export function explain(sources: ExplainSources, question: ExplainQuestion): Explanation | string {
	const wire = scanName(question.name, Uint8Array.of(0));
	if (typeof wire === 'string') return wire;
	const type = typeCode(question.type.toUpperCase()) ?? (question.type.toUpperCase() === 'ANY' ? TYPE.any : undefined);
	if (type === undefined) return `Cannot ask for type "${question.type}": there is no such type`;
	const client = question.client === undefined ? undefined : clientPrefix(question.client);
	if (typeof client === 'string') return client;
	const resolver = parseAddress(question.resolver);
	if (resolver === undefined) return `Cannot use "${question.resolver}" as the resolver: expected an address`;
	return explainParsed(sources, wire, type, client, resolver);
}

function clientPrefix(text: string): Prefix | string {
	const address = parseAddress(text);
	if (address !== undefined) return prefixOf(address, address.family === 4 ? 32 : 128);
	const prefix = text.includes('/') ? parsePrefix(text) : '';
	if (typeof prefix !== 'string') return prefix;
	return prefix === '' ? `Cannot use "${text}" as the client: expected an address or a prefix` : prefix;
}

function explainParsed(
	sources: ExplainSources,
	wire: Uint8Array,
	type: number,
	client: Prefix | undefined,
	resolver: Address,
): Explanation {
	const { snapshot, health, slots, chance } = sources;
	// A walk writes down the last winners of latency; this one is for show.
	const steering = { ...snapshot.steering, latencyMemory: snapshot.steering.latencyMemory.slice() };
	const world = new World({ ...snapshot, steering }, health, slots, chance);
	const recorder = new Recorder(world.walk, {
		...sources,
		targets: snapshot.targets,
		rdataText: (at, as) =>
			as === 'alias' ? printName(steering.rdata, at) : printAddress(addressFromOctets(steering.rdata, at, as)),
	});
	world.walk.trace = recorder;
	const name = new Name();
	copyName(wire, 0, name);
	const out = new Answer();
	answer(world, name, type, askerOf(client, resolver), out);
	return {
		name: printName(wire),
		type: type === TYPE.any ? 'ANY' : typeText(type),
		client: client === undefined ? undefined : printPrefix(client),
		resolver: printAddress(resolver),
		rcode: rcodeText(out.rcode),
		isAuthoritative: out.isAuthoritative,
		answer: recordTexts(world, out, out.answer),
		authority: recordTexts(world, out, out.authority),
		scope: client === undefined ? undefined : scopeOf(out, client),
		where: whereIs(sources, client === undefined ? resolver : { family: client.family, words: client.first }),
		outcome: OUTCOMES[world.found.outcome] ?? '',
		decisions: recorder.decisions,
	};
}

function askerOf(client: Prefix | undefined, resolver: Address): Asker {
	const asker = new Asker();
	// RFC 7871 §7.1.2: a source of no bits says nothing of the client.
	const who = client === undefined || client.length === 0 ? resolver : { family: client.family, words: client.first };
	asker.isNamed = client !== undefined && client.length > 0;
	asker.family = who.family;
	asker.words = who.words;
	asker.resolverFamily = resolver.family;
	asker.resolverWords = resolver.words;
	return asker;
}

/** What each database says of the address that decides. */
function whereIs({ databases }: ExplainSources, { family, words }: Address): readonly string[] {
	const client = new Client();
	setClient(client, family, words);
	return databases.map(({ path, ranges, places }) => {
		const own = familyRanges(ranges, client.family);
		const range = findRange(own, client.words);
		const network = prefixOf(client, scopeInRange(own, range, client.words));
		return `${path}: ${printPrefix(network)} is ${placeText(places[own.values[range] ?? 0] ?? NOWHERE)}`;
	});
}

function scopeOf({ scope }: Answer, client: Prefix): number {
	return client.length === 0 ? 0 : scope;
}

/** Records of a section in master-file text. */
function recordTexts(world: World, out: Answer, section: Section): readonly string[] {
	const texts: string[] = [];
	for (const entry of section.entries.slice(0, section.count)) {
		const { type, ttlSec } = entry;
		const head = `${ownerText(world, out, entry)} ${ttlSec} IN ${typeText(type)}`;
		for (const rdata of rdatas(world, out, entry)) texts.push(`${head} ${printRdata(type, rdata)}`);
	}
	return texts;
}

function ownerText(world: World, out: Answer, { owner, source }: SectionEntry): string {
	// The owner of such an SOA is the label of QNAME at which it starts.
	if (source === SOURCE.soa) return printName(out.asked.wire, out.asked.starts[owner] ?? 0);
	if (owner >= 0) return printName(world.snapshot.zones.bytes, owner);
	return printName(owner === -1 ? out.asked.wire : (out.chain[-1 - owner]?.wire ?? Uint8Array.of(0)));
}

function rdatas(world: World, out: Answer, entry: SectionEntry): readonly Uint8Array[] {
	const { zones, steering } = world.snapshot;
	const { owner, source, type, records } = entry;
	let at = entry.dataAt;
	if (source === SOURCE.picked) {
		const octets = type === TYPE.a ? 4 : 16;
		return Array.from(out.picked.subarray(0, records), (from) => steering.rdata.slice(from, from + octets));
	}
	if (source === SOURCE.alias) return [nameOctets(steering.rdata, at)];
	if (source === SOURCE.synthesized) return [nameOctets(out.chain[-owner]?.wire ?? Uint8Array.of(0), 0)];
	return Array.from({ length: records }, () => {
		const length = ((zones.bytes[at] ?? 0) << 8) | (zones.bytes[at + 1] ?? 0);
		const rdata = zones.bytes.slice(at + 2, at + 2 + length);
		at += 2 + length;
		return rdata;
	});
}

function nameOctets(bytes: Uint8Array, at: number): Uint8Array {
	return bytes.slice(at, at + nameLength(bytes, at));
}
