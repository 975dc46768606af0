/**
 * Where a peer answers otherwise, and what decides. Everything else must be equal.
 */

import { CHAIN_MAX } from '../../src/snapshot/answer.ts';

interface Difference {
	readonly peer: string;
	readonly what: string;
	/** The text that decides. */
	readonly decides: string;
	/**
	 * Whether two essences (compare.ts) differ in this way and in no other.
	 * @param children  lower-cased apexes of zones that lie below another one
	 */
	readonly explains: (ours: string, theirs: string, children: readonly string[]) => boolean;
}

export const DIFFERENCES: readonly Difference[] = [
	{
		peer: 'knot',
		what: 'an alias that leads into another zone of the same server is not followed',
		decides: 'RFC 1034 §4.3.2 step 3a goes back to step 1 with the new name, whichever zone holds it',
		explains: (ours, theirs) => endsAtAlias(theirs) && isPartOf(theirs, ours),
	},
	{
		peer: 'bind',
		what: 'an alias that leads into another zone of the same server is not followed',
		decides: 'RFC 1034 §4.3.2 step 3a goes back to step 1 with the new name, whichever zone holds it',
		explains: (ours, theirs) => endsAtAlias(theirs) && isPartOf(theirs, ours),
	},
	{
		peer: 'bind',
		what: 'the SOA of a negative answer to a question for SOA has TTL 0 (zero-no-soa-ttl)',
		decides: 'RFC 2308 §3: the lesser of the SOA TTL and its MINIMUM',
		explains: (ours, theirs) =>
			ours.replace(/^(authority: \S+) \d+ (in soa)/m, '$1 $2') ===
			theirs.replace(/^(authority: \S+) 0 (in soa)/m, '$1 $2'),
	},
	{
		peer: 'knot',
		what: 'an alias into a child zone of the same server is looked up in what the parent zone has there',
		decides: 'RFC 1034 §4.2: at and below its apex the child zone is authoritative, the parent is not',
		explains: (ours, theirs, children) => leadsInto(ours, theirs, children),
	},
	{
		peer: 'knot',
		what: 'a DNAME whose target lies below itself is followed several times, ours once',
		decides:
			'RFC 6672 §2.2 gives a synthesis for each step and no end; the first step says it all, and NSD ends there too',
		explains: (ours, theirs) => endsAtAlias(ours) && isPartOf(ours, theirs) && hasGrowingDname(ours),
	},
	{
		peer: 'nsd',
		what: 'a chain that never ends is followed for some fifty steps, ours for sixteen',
		decides: 'RFC 1034 §5.2.2 asks only that a chain that does not end be given up; Knot gives it up where we do',
		explains: (ours, theirs) => endsAtAlias(ours) && isPartOf(ours, theirs) && aliasCount(ours) === CHAIN_MAX,
	},
	{
		peer: 'bind',
		what: 'a chain that never ends is SERVFAIL after 11 or 16 steps, ours is NOERROR with what there is',
		decides: 'RFC 1034 §3.6.2 asks only that loops be signalled or ended; NSD and Knot end them as we do',
		explains: (ours, theirs) => theirs.startsWith('SERVFAIL') && endsAtAlias(ours),
	},
	{
		peer: 'bind',
		what: 'a wildcard below a cut gives no glue',
		decides: 'RFC 9471 §2.1 asks for all glue that there is; NSD and Knot take it from a wildcard as we do',
		explains: (ours, theirs) => {
			const isGlue = (line: string) => line.startsWith('glue: ');
			const rest = (essence: string) =>
				essence
					.split('\n')
					.filter((line) => !isGlue(line))
					.join('\n');
			return (
				rest(ours) === rest(theirs) &&
				theirs
					.split('\n')
					.filter(isGlue)
					.every((line) => ours.includes(line))
			);
		},
	},
];

/** An alias that both tell leads to or below a child's apex. */
function leadsInto(ours: string, theirs: string, children: readonly string[]): boolean {
	const told = new Set(answers(theirs));
	return answers(ours).some((line) => {
		const target = told.has(line) ? (/ in (?:cname|dname) (\S+)$/.exec(line)?.[1] ?? '') : '';
		return children.some((apex) => target === apex || target.endsWith(`.${apex}`));
	});
}

function isPartOf(ours: string, theirs: string): boolean {
	return answers(ours).every((line) => answers(theirs).includes(line));
}

/** Some DNAME among the answers has a target below its own owner. */
function hasGrowingDname(essence: string): boolean {
	return answers(essence).some((line) => {
		const [, owner = '', target = ''] = /^answer: (\S+) \d+ in dname (\S+)$/.exec(line) ?? [];
		return owner !== '' && target.endsWith(`.${owner}`);
	});
}

/** Nothing but aliases: the chain was left where it leaves the zone; NXDOMAIN where that zone, as a child, is not looked into. */
function endsAtAlias(essence: string): boolean {
	const [status, ...lines] = essence.split('\n');
	return (
		(status === 'NOERROR aa' || status === 'NXDOMAIN aa') &&
		lines.length > 0 &&
		lines.every((line) => / in (cname|dname) /.test(line))
	);
}

function aliasCount(essence: string): number {
	return answers(essence).filter((line) => line.includes(' in cname ')).length;
}

function answers(essence: string): string[] {
	return essence.split('\n').filter((line) => line.startsWith('answer: '));
}
