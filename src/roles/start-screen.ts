/**
 * What a start prints for people: where it answers, what to type next.
 */

import { printListenAddress } from '../serve/listen.ts';
import type { Demo } from './demo.ts';
import type { Instance } from './instance.ts';
import { VERSION } from './version.ts';

/** Networks of three continents in the default database, for clients to play. */
const CLIENTS = [
	{ place: 'United States', ipv4: '8.8.8.0/24', ipv6: '2600:1700::/32' },
	{ place: 'Germany', ipv4: '84.128.0.0/24', ipv6: '2003::/32' },
	{ place: 'Japan', ipv4: '133.11.0.0/24', ipv6: '2001:200::/32' },
] as const;

export function startScreen(instance: Instance, demo: Demo | undefined): string {
	const { snapshot } = instance.state();
	const lines = [
		'',
		`Meridian ${VERSION} answers on ${instance.listen.map(printListenAddress).join(' and ')}, UDP and TCP (pid ${process.pid})`,
		`  ${snapshot.zones.zoneCount} zones, ${snapshot.steering.names.length} steered names, ${snapshot.targets.length} targets`,
		`  ${instance.adminUrl}/readyz  /livez  /metrics  /v1/health`,
		`  kill -HUP ${process.pid} loads the zones again; Ctrl-C or kill ${process.pid} ends`,
	];
	const [first] = instance.listen;
	if (demo !== undefined && first !== undefined) {
		const dig = `dig @${first.address} -p ${first.port} www.example.org`;
		lines.push('', 'Ask as clients of three regions:');
		for (const { place, ipv4 } of CLIENTS) lines.push(`  ${`${dig} A +subnet=${ipv4}`.padEnd(66)} # ${place}`);
		for (const { place, ipv6 } of CLIENTS) lines.push(`  ${`${dig} AAAA +subnet=${ipv6}`.padEnd(66)} # ${place}`);
		lines.push('', 'Stop a backend, and see its region move to the next; start it again, and see it come back:');
		for (const { pool, port, pid, restartCommand } of demo.backends) {
			lines.push(`  ${pool.padEnd(10)} 127.0.0.1:${port}  pid ${pid}  stop: kill ${pid}  start: ${restartCommand}`);
		}
	}
	return `${lines.join('\n')}\n`;
}
