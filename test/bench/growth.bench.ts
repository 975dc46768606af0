/**
 * How the cost of an answer and of a build grows with what is configured, in process: more names with a policy, more
 * rules in a map, more endpoints in a pool. Queries go to all names, from random client subnets.
 */

import { createChance } from '../../src/lib/chance.ts';
import { createResponder, fill, makeEdnsQuery, measureAnswers } from './in-process.ts';

export interface GrowthCost {
	readonly what: string;
	readonly size: number;
	readonly buildMs: number;
	readonly nsPerAnswer: number;
}

const ZONE = '$TTL 3600\n@ SOA ns1 hostmaster 1 7200 1800 1209600 300\n@ NS ns1\nns1 A 192.0.2.53\n';
const COUNTRIES =
	'AD AE AF AG AL AM AO AR AT AU AZ BA BB BD BE BF BG BH BI BJ BN BO BR BS BT BW BY BZ CA CD CF CG CH CI CL CM CN CO CR CU CV CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FM FR GA GB GD GE GH GM GN GQ GR GT GW GY HN HR HT HU ID IE IL IN IQ IR IS IT JM JO JP KE KG KH KI KM KN KP KR KW KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MG MH MK ML MM MN MR MT MU MV MW MX MY MZ NA NE NG NI NL NO NP NR NZ OM PA PE PG PH PK PL PS PT PW PY QA RO RS RU RW SA SB SC SD SE SG SI SK SL SM SN SO SR SS ST SV SY SZ TD TG TH TJ TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VN VU WS YE ZA ZM ZW'.split(
		' ',
	);
const POOLS = 64;

interface Growth {
	readonly what: string;
	readonly sizes: readonly number[];
	/** The steering document; queries go to the names n0 to n(names - 1). */
	readonly documentOf: (size: number) => { readonly names: Readonly<Record<string, unknown>> };
}

const GROWTHS: readonly Growth[] = [
	{
		what: 'names with a policy of their own',
		sizes: [1, 100, 10_000, 100_000],
		documentOf: (size) => ({
			pools: pools(8, 2),
			policies: record(size, (i) => [`p${i}`, geo(8, i % 8)]),
			names: record(size, (i) => [`n${i}`, { policy: `p${i}` }]),
		}),
	},
	{
		what: 'rules in a map',
		sizes: [1, 8, 64, COUNTRIES.length],
		documentOf: (size) => ({ pools: pools(POOLS, 2), names: { n0: { policy: geo(size, 0) } } }),
	},
	{
		what: 'endpoints in a pool',
		sizes: [1, 8, 64, 255],
		documentOf: (size) => ({ pools: pools(1, size), names: { n0: { policy: 'e0' } } }),
	},
];

function record<T>(count: number, entryOf: (i: number) => readonly [string, T]): Readonly<Record<string, T>> {
	return Object.fromEntries(Array.from({ length: count }, (_, i) => entryOf(i)));
}

function pools(count: number, endpoints: number): object {
	return record(count, (i) => [
		`e${i}`,
		{
			endpoints: Array.from({ length: endpoints }, (_, n) => ({
				name: `a${n}`,
				addresses: [`198.${18 + (i >>> 6)}.${i & 63}.${n + 1}`],
			})),
		},
	]);
}

function geo(rules: number, first: number): object {
	const ruled = COUNTRIES.slice(0, rules).map((country, i) => ({
		match: { countries: [country] },
		use: `e${(first + i) % Math.min(rules, POOLS)}`,
	}));
	return { kind: 'geo', rules: ruled, default: 'e0' };
}

const costs: GrowthCost[] = [];
for (const { what, sizes, documentOf } of GROWTHS) {
	for (const size of sizes) {
		process.stderr.write(`  ${size} ${what}\n`);
		const document = documentOf(size);
		const startMs = performance.now();
		const responder = createResponder(ZONE, document);
		const buildMs = performance.now() - startMs;
		const names = Object.keys(document.names).length;
		const chance = createChance(7);
		const draw = () => chance.below(0x7fffffff);
		const queries = fill(() => makeEdnsQuery(`n${chance.below(names)}.example.org.`, draw));
		const { nsPerAnswer } = measureAnswers(responder, { name: what, queries, rcode: 0 });
		costs.push({ what, size, buildMs, nsPerAnswer });
	}
}
process.stdout.write(`${JSON.stringify(costs)}\n`);
