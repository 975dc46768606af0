/**
 * What a start prints for people: where it answers, what to type next.
 */

import { isWildcard, type ListenAddress, printListenAddress } from '../lib/listen-address.ts';
import { counted } from './counted.ts';
import type { Demo, DemoBackend } from './demo.ts';
import type { Instance } from './instance.ts';
import { VERSION } from './version.ts';

/** Networks of three continents in the default database, for clients to play. */
const CLIENTS = [
	{ place: 'the United States', ipv4: '8.8.8.0/24', ipv6: '2600:1700::/32' },
	{ place: 'Germany', ipv4: '84.128.0.0/24', ipv6: '2003::/32' },
	{ place: 'Japan', ipv4: '133.11.0.0/24', ipv6: '2001:200::/32' },
] as const;

/** Lines to be pasted stand alone on theirs: not every shell takes a comment behind a command. */
export function startScreen(instance: Instance, demo: Demo | undefined): string {
	const { zones, steering, targets } = instance.state().snapshot;
	const lines = [
		'',
		`Meridian ${VERSION} answers on ${instance.listen.map(printListenAddress).join(' and ')}, UDP and TCP (pid ${process.pid})`,
		`  ${counted(zones.zoneCount, 'zone')}, ${counted(steering.names.length, 'steered name')}, ${counted(targets.length, 'target')}`,
		`  ${instance.adminUrl}/readyz  /livez  /metrics  /v1/openapi.json`,
		...tokenLines(instance),
		`  kill -HUP ${process.pid} loads the zones again; Ctrl-C or kill ${process.pid} ends`,
	];
	const [first] = instance.listen;
	if (demo !== undefined && first !== undefined) {
		lines.push('', 'Ask as a client in');
		for (const { place, ipv4, ipv6 } of CLIENTS) {
			const dig = `    dig @${reachable(first)} -p ${first.port} www.example.org`;
			lines.push(`  ${place}`, `${dig} A +subnet=${ipv4}`, `${dig} AAAA +subnet=${ipv6}`);
		}
		lines.push('', 'Stop a backend, and see its region move to the next; start it again, and see it come back:');
		lines.push(...demo.backends.flatMap(backendLines));
	}
	return `${lines.join('\n')}\n`;
}

/** What a first look at the API takes. */
function tokenLines({ tokenFile, adminUrl }: Instance): readonly string[] {
	if (tokenFile === undefined) return [];
	return [`  curl -H "Authorization: Bearer $(cat ${tokenFile})" ${adminUrl}/v1/health`];
}

/** Nobody can be asked at a wildcard. */
function reachable(at: ListenAddress): string {
	if (!isWildcard(at)) return at.address;
	return at.family === 4 ? '127.0.0.1' : '::1';
}

function backendLines({ pool, port, pid, problem, restartCommand }: DemoBackend): readonly string[] {
	if (pid === undefined) return [`  ${pool} did not start: ${problem}`];
	return [`  ${pool} on 127.0.0.1:${port}`, `    kill ${pid}`, `    ${restartCommand}`];
}
