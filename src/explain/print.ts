/**
 * An explanation as text for people.
 *
 *     www.example.org. A  for client 203.0.113.0/24 (resolver 192.0.2.53)
 *     NOERROR, authoritative, scope /24
 *       www.example.org. 30 IN A 198.51.100.10
 *
 *     example.org. www: up, gives 198.51.100.10, TTL 30 s
 *     geo policies.world: up
 *       the client is in DE, EU
 *       > country DE: pool europe: up
 *           1 of 1 healthy, 1 needed
 *           > eu-1, weight 1: 198.51.100.10 up (tcp 198.51.100.10:80 up)
 *         default: pool americas: not needed: pool europe is up
 */

import type {
	AddressExplanation,
	Decision,
	EndpointExplanation,
	Explanation,
	MemberExplanation,
	NodeExplanation,
} from './explanation.ts';

const INDENT = '  ';
/** What became of a thing that was chosen; the others are indented by as much. */
const CHOSEN = '> ';

export function printExplanation(explanation: Explanation): string {
	const { name, type, client, resolver, rcode, isAuthoritative, scope, outcome, decisions } = explanation;
	const who = client === undefined ? `for resolver ${resolver}` : `for client ${client} (resolver ${resolver})`;
	const status = [rcode, isAuthoritative ? 'authoritative' : 'not authoritative'];
	if (scope !== undefined) status.push(`scope /${scope}`);
	const lines = [`${name} ${type}  ${who}`, status.join(', ')];
	for (const record of explanation.answer) lines.push(INDENT + record);
	for (const record of explanation.authority) lines.push(`${INDENT}${record}  (authority)`);
	for (const sentence of decisions.length === 0 ? [] : explanation.where) lines.push(sentence);
	for (const decision of decisions) lines.push('', ...decisionLines(decision));
	if (decisions.length === 0 || outcome !== 'a policy decides') lines.push('', `Then: ${outcome}.`);
	return lines.join('\n');
}

function decisionLines({ steered, ttlSec, ownTtlSec, state, isStale, gives, root }: Decision): readonly string[] {
	const ttl =
		ttlSec === ownTtlSec ? `TTL ${ttlSec} s` : `TTL ${ttlSec} s, halved from ${ownTtlSec} s: something probed is down`;
	const how = state === 'up' ? 'up' : state === 'down' ? 'down, so the last resort' : 'none';
	const stale = isStale ? ['no fresh health checks: the last known state decides'] : [];
	return [`${steered}: ${how}, gives ${gives}, ${ttl}`, ...stale, ...nodeLines(root, '', '')];
}

function nodeLines(node: NodeExplanation, head: string, indent: string): readonly string[] {
	const { kind, name, state, isRepeated, why, members, endpoints } = node;
	const inner = indent + INDENT;
	const lines = [`${head}${kind} ${shortName(name)}: ${state}${isRepeated ? ', as above' : ''}`];
	for (const sentence of why) lines.push(inner + sentence);
	for (const member of members) lines.push(...memberLines(member, inner));
	for (const endpoint of endpoints) lines.push(endpointLine(endpoint, inner));
	return lines;
}

function memberLines({ name, about, refused, node }: MemberExplanation, indent: string): readonly string[] {
	const mark = refused === undefined ? CHOSEN : INDENT;
	const head = `${indent}${mark}${about === '' ? '' : `${about}: `}`;
	if (node === undefined) return [`${head}${shortName(name)}: ${refused ?? ''}`];
	const [first = '', ...rest] = nodeLines(node, head, indent + INDENT);
	return [refused === undefined || refused === node.state ? first : `${first}; ${refused}`, ...rest];
}

function endpointLine(
	{ name, weight, rampPercent, isPicked, refused, addresses }: EndpointExplanation,
	indent: string,
): string {
	const head = `${indent}${isPicked ? CHOSEN : INDENT}${name}`;
	if (addresses.length === 0) return `${head}: ${refused ?? ''}`;
	const state = refused === undefined ? '' : ` (${refused})`;
	const ramp = rampPercent === 100 ? '' : `, of which ${rampPercent} % so far`;
	return `${head}, weight ${weight}${ramp}${state}: ${addresses.map(addressText).join('; ')}`;
}

function addressText({ address, isUp, checks }: AddressExplanation): string {
	const details = checks.map(({ kind, address: probed, port, verdict, note }) => {
		const place = probed.includes(':') ? `[${probed}]:${port}` : `${probed}:${port}`;
		return `${kind} ${place} ${verdict}${note === undefined ? '' : `, ${note}`}`;
	});
	const probes = details.length === 0 ? 'not probed' : details.join('; ');
	return `${address} ${isUp ? 'up' : 'down'} (${probes})`;
}

/** A name without its unit, which stands above it. */
function shortName(name: string): string {
	return name.slice(name.indexOf(' ') + 1);
}
