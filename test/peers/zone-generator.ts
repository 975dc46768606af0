/**
 * Zones made by chance, small enough that names meet: wildcards, empty non-terminals, delegations, aliases, DNAME,
 * strange labels, many types; and questions that aim at what is there, beside it and below it.
 *
 * A zone obeys the rules that every server enforces (one CNAME alone, nothing below a DNAME), so that a difference is a
 * difference in answering.
 */

import type { Chance } from '../../src/lib/ports.ts';

export interface GeneratedZone {
	/** With its dot. */
	readonly apex: string;
	readonly text: string;
	readonly questions: readonly { readonly name: string; readonly type: string }[];
}

const LABELS = ['a', 'b', 'c', 'd', '*', 'x\\.y', '\\000', 'w-w', '_tcp', 'UPPER', '1'] as const;
const ASKED_LABELS = [...LABELS, 'no', 'zz'] as const;
const ASKED_TYPES = [
	'A',
	'AAAA',
	'CNAME',
	'NS',
	'SOA',
	'MX',
	'TXT',
	'SRV',
	'DNAME',
	'DS',
	'TYPE65280',
	'CAA',
	'PTR',
] as const;

/** Zones side by side, some with a child zone below a name that they may or may not delegate, and may have data in. */
export function generateZones(count: number, chance: Chance, questions: number): GeneratedZone[] {
	const zones: GeneratedZone[] = [];
	for (let i = 0; zones.length < count; i++) {
		const apex = `z${i}.test.`;
		const neighbour = `z${i + 1}.test.`;
		zones.push(generateZone(apex, neighbour, chance, questions));
		if (i % 3 !== 0 || zones.length === count) continue;
		const below = ['a', 'c.b', 'b.a.d', 'x\\.y'][chance.below(4)];
		zones.push(generateZone(`${below}.${apex}`, apex, chance, questions));
	}
	return zones;
}

function generateZone(apex: string, neighbour: string, chance: Chance, questions: number): GeneratedZone {
	const owners = new Map<string, Map<string, string[]>>();
	const pick = <T>(from: readonly T[]): T => from[chance.below(from.length)] as T;
	const relative = (labels: readonly string[]): string => {
		const depth = 1 + chance.below(3);
		return Array.from({ length: depth }, () => pick(labels)).join('.');
	};
	const absolute = (name: string) => `${name}.${apex}`;
	const add = (owner: string, type: string, rdata: string) => {
		const types = owners.get(owner) ?? new Map<string, string[]>();
		owners.set(owner, types);
		types.set(type, [...(types.get(type) ?? []), rdata]);
	};
	/** A target in the zone mostly, sometimes outside. */
	const target = () =>
		chance.below(5) === 0 ? pick(['elsewhere.example.', `q.${neighbour}`]) : absolute(relative(LABELS));
	const data: Readonly<Record<string, () => string>> = {
		A: () => `192.0.2.${chance.below(256)}`,
		AAAA: () => `2001:db8::${chance.below(65536).toString(16)}`,
		TXT: () => `"text ${chance.below(100)}" "\\${String(chance.below(256)).padStart(3, '0')}"`,
		MX: () => `${chance.below(20)} ${target()}`,
		SRV: () => `${chance.below(3)} 1 ${chance.below(65536)} ${target()}`,
		CAA: () => `0 issue "ca${chance.below(9)}.example"`,
		PTR: target,
		TYPE65280: () => `\\# 4 ${chance.below(0x7fffffff).toString(16).padStart(8, '0')}`,
	};
	for (let i = 0; i < 12 + chance.below(20); i++) {
		const owner = relative(LABELS);
		const kind = chance.below(12);
		if (kind === 0) add(owner, 'CNAME', target());
		else if (kind === 1 && !owner.startsWith('*')) add(owner, 'DNAME', target());
		else if (kind <= 3 && !owner.startsWith('*')) addDelegation(owner);
		else {
			const type = pick(Object.keys(data));
			for (let n = 0; n <= chance.below(3); n++) add(owner, type, data[type]?.() ?? '');
		}
	}
	function addDelegation(owner: string): void {
		const servers = 1 + chance.below(2);
		for (let n = 0; n < servers; n++) {
			const place = chance.below(4);
			const server = place === 0 ? 'ns.elsewhere.example.' : absolute(place === 1 ? `ns${n}` : `ns${n}.${owner}`);
			add(owner, 'NS', server);
			// Glue below the cut, sometimes forgotten.
			if (place > 1 && chance.below(5) > 0) {
				add(`ns${n}.${owner}`, 'A', data['A']?.() ?? '');
				if (chance.below(2) === 0) add(`ns${n}.${owner}`, 'AAAA', data['AAAA']?.() ?? '');
			}
		}
		if (chance.below(3) === 0) add(owner, 'DS', `1 13 2 ${'ab'.repeat(32)}`);
	}
	const lines = [
		'$TTL 300',
		`${apex} 600 IN SOA ns.${apex} host.${apex} 1 7200 1800 1209600 ${60 + chance.below(900)}`,
		`${apex} IN NS ns.${apex}`,
		`ns.${apex} IN A 192.0.2.53`,
		`ns0.${apex} IN A 192.0.2.54`,
	];
	if (chance.below(3) === 0) lines.push(`${apex} IN MX 5 ${absolute('a')}`);
	for (const [owner, types] of allowed(owners)) {
		for (const [type, values] of types) {
			for (const value of new Set(values)) lines.push(`${absolute(owner)} IN ${type} ${value}`);
		}
	}
	const names = [...owners.keys()];
	const ask = () => {
		const base = chance.below(3);
		if (base === 0 || names.length === 0) return absolute(relative(ASKED_LABELS));
		const name = pick(names);
		return absolute(base === 1 ? name : `${pick(ASKED_LABELS)}.${name}`);
	};
	return {
		apex,
		text: `${lines.join('\n')}\n`,
		questions: Array.from({ length: questions }, (_, i) => ({
			name: i === 0 ? apex : ask(),
			type: pick(ASKED_TYPES),
		})),
	};
}

/** Take out what servers refuse to load, or load each in its own way: data beside a CNAME, below a DNAME, two DNAMEs. */
function allowed(owners: ReadonlyMap<string, Map<string, string[]>>): [string, Map<string, string[]>][] {
	const result: [string, Map<string, string[]>][] = [];
	const dnames = [...owners].filter(([, types]) => types.has('DNAME')).map(([owner]) => owner.toLowerCase());
	for (const [owner, types] of owners) {
		if (dnames.some((dname) => owner.toLowerCase().endsWith(`.${dname}`))) continue;
		const cname = types.get('CNAME');
		const dname = types.get('DNAME');
		if (cname !== undefined) result.push([owner, new Map([['CNAME', cname.slice(0, 1)]])]);
		else if (dname !== undefined) {
			const others = [...types].filter(([type]) => type !== 'NS' && type !== 'DS' && type !== 'DNAME');
			result.push([owner, new Map([...others, ['DNAME', dname.slice(0, 1)]])]);
		} else if (types.has('DS') && !types.has('NS')) {
			result.push([owner, new Map([...types].filter(([type]) => type !== 'DS'))]);
		} else result.push([owner, types]);
	}
	return result;
}
