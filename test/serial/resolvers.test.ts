/**
 * Real resolvers, delegated to us by NS and glue in a root zone of the test's own: Unbound and PowerDNS Recursor walk
 * from the root (NSD) to Meridian, and ask as they ask in the world: minimised names, 0x20, EDNS, client subnets.
 *
 * Delegations have no ports, so the servers listen on port 53 of loopback addresses; where that may not be, the test says so.
 */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readMessage } from '../../src/dns/message-text.ts';
import { makeQuery } from '../dns/make-query.ts';
import { askAll } from '../peers/servers.ts';
import { ended } from '../setup/ended.ts';
import { freePort } from '../setup/free-port.ts';
import { findProgram } from '../setup/tools.ts';

const ROOT = '127.0.0.201';
const OURS = '127.0.0.202';
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const START_MS_MAX = 15_000;

const LONG_TEXT = Array.from({ length: 20 }, (_, i) => `big TXT "${i} ${'x'.repeat(200)}"`).join('\n');

const FILES: Readonly<Record<string, string>> = {
	'root.zone': `$TTL 300
. SOA a.root. host.root. 1 7200 1800 1209600 60
. NS a.root.
a.root. A ${ROOT}
lab. NS ns.lab.
ns.lab. A ${OURS}
`,
	'zones/lab.zone': `$TTL 300
@ SOA ns host 1 7200 1800 1209600 60
@ NS ns
ns A ${OURS}
www A 192.0.2.80
www AAAA 2001:db8::80
alias CNAME www
*.wild A 192.0.2.99
a.b.ent TXT "below an empty non-terminal"
dn DNAME target
x.target A 192.0.2.55
child NS ns.child
ns.child A ${OURS}
mx MX 10 www
srv SRV 0 0 80 www
svc HTTPS 1 . alpn=h2
unknown TYPE65280 \\# 2 abcd
${LONG_TEXT}
`,
	'zones/child.lab.zone': `$TTL 300
@ SOA ns host 1 7200 1800 1209600 60
@ NS ns
ns A ${OURS}
www A 192.0.2.81
`,
	'zones/lab.yaml': `
pools:
  us: { endpoints: [{ name: us-1, addresses: [198.51.100.1] }] }
  eu: { endpoints: [{ name: eu-1, addresses: [198.51.100.2] }] }
names:
  geo: { ttl: 60s, policy: { kind: geo, rules: [{ match: { continents: [NA] }, use: us }], default: eu } }
`,
	hints: `. 3600 NS a.root.\na.root. 3600 A ${ROOT}\n`,
};

interface Resolver {
	readonly name: string;
	readonly program: string;
	readonly args: (directory: string, port: number) => readonly string[];
}

const RESOLVERS: readonly Resolver[] = [
	{
		name: 'unbound',
		program: 'unbound',
		args: (directory, port) => {
			const config = join(directory, 'unbound.conf');
			writeFileSync(
				config,
				`server:\n  interface: 127.0.0.1@${port}\n  username: ""\n  chroot: ""\n  directory: "${directory}"\n  pidfile: ""\n` +
					`  use-syslog: no\n  do-not-query-localhost: no\n  root-hints: "${directory}/hints"\n` +
					`  module-config: "subnetcache iterator"\n  client-subnet-zone: "lab."\n  client-subnet-always-forward: yes\n` +
					`  send-client-subnet: ${OURS}\n  use-caps-for-id: yes\nremote-control:\n  control-enable: no\n`,
			);
			return ['-d', '-c', config];
		},
	},
	{
		name: 'pdns-recursor',
		program: 'pdns_recursor',
		args: (directory, port) => [
			`--config-dir=${directory}`,
			'--local-address=127.0.0.1',
			`--local-port=${port}`,
			`--hint-file=${directory}/hints`,
			'--dont-query=',
			'--dnssec=off',
			`--socket-dir=${directory}`,
			'--daemon=no',
			'--write-pid=no',
			'--security-poll-suffix=',
			`--edns-subnet-allow-list=${OURS}`,
			'--ecs-add-for=0.0.0.0/0',
			'--use-incoming-edns-subnet=yes',
		],
	},
];

const QUESTIONS = [
	{ name: 'www.lab', type: 'A', gives: ['192.0.2.80'] },
	{ name: 'www.lab', type: 'AAAA', gives: ['2001:db8::80'] },
	{ name: 'wWw.LaB', type: 'A', gives: ['192.0.2.80'] },
	{ name: 'alias.lab', type: 'A', gives: ['www.lab.', '192.0.2.80'] },
	{ name: 'any.thing.wild.lab', type: 'A', gives: ['192.0.2.99'] },
	{ name: 'b.ent.lab', type: 'A', gives: [] },
	{ name: 'a.b.ent.lab', type: 'TXT', gives: ['"below an empty non-terminal"'] },
	{ name: 'nothing.lab', type: 'A', rcode: 'NXDOMAIN', gives: [] },
	{ name: 'x.dn.lab', type: 'A', gives: ['target.lab.', 'x.target.lab.', '192.0.2.55'] },
	{ name: 'www.child.lab', type: 'A', gives: ['192.0.2.81'] },
	{ name: 'mx.lab', type: 'MX', gives: ['10 www.lab.'] },
	{ name: 'srv.lab', type: 'SRV', gives: ['0 0 80 www.lab.'] },
	{ name: 'svc.lab', type: 'HTTPS', gives: ['1 . alpn="h2"'] },
	{ name: 'unknown.lab', type: 'TYPE65280', gives: ['\\# 2 abcd'] },
] as const;

describe('resolvers that are delegated to us', async () => {
	const why = await missing();
	if (why !== undefined) {
		it('resolve every kind of name', { skip: why }, () => undefined);
		return;
	}
	const directory = mkdtempSync(join(tmpdir(), 'meridian-resolvers-'));
	const children: ChildProcess[] = [];
	const run = (program: string, args: readonly string[]) => {
		const child = spawn(program, args, { cwd: directory, stdio: 'ignore' });
		children.push(child);
	};

	before(async () => {
		mkdirSync(join(directory, 'zones'));
		for (const [name, text] of Object.entries(FILES)) writeFileSync(join(directory, name), text);
		writeFileSync(
			join(directory, 'nsd.conf'),
			`server:\n  ip-address: ${ROOT}@53\n  username: ""\n  zonesdir: ""\n  database: ""\n  pidfile: ""\n` +
				`  zonelistfile: "${directory}/zone.list"\n  xfrdfile: "${directory}/xfrd.state"\n  xfrdir: "${directory}"\n` +
				`remote-control:\n  control-enable: no\nzone:\n  name: "."\n  zonefile: "${directory}/root.zone"\n`,
		);
		run(findProgram('nsd') ?? '', ['-d', '-c', join(directory, 'nsd.conf')]);
		const flags = {
			'zones-dir': join(directory, 'zones'),
			'state-dir': join(directory, 'state'),
			'dns-listen': `${OURS}:53`,
			'admin-listen': '127.0.0.1:0',
			'log-level': 'error',
		};
		run(process.execPath, [MAIN, 'serve', ...Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`)]);
	});
	after(async () => {
		await Promise.all(children.map(ended));
		rmSync(directory, { recursive: true, force: true });
	});

	for (const resolver of RESOLVERS) {
		const program = findProgram(resolver.program);
		it(`${resolver.name} resolves every kind of name`, {
			skip: program === undefined && 'it is not on this machine',
		}, async () => {
			const port = await freePort();
			const own = join(directory, resolver.name);
			mkdirSync(own);
			writeFileSync(join(own, 'hints'), FILES['hints'] ?? '');
			run(program ?? '', resolver.args(own, port));
			await untilAnswered(port, 'www.lab', ['192.0.2.80']);
			for (const { name, type, gives, ...rest } of QUESTIONS) {
				const { rcode, rdata } = await ask(port, name, type);
				assert.equal(rcode, 'rcode' in rest ? rest.rcode : 'NOERROR', `${name} ${type}`);
				assert.deepEqual(rdata.toSorted(), gives.toSorted(), `${name} ${type}`);
			}
			const { rdata } = await ask(port, 'big.lab', 'TXT');
			assert.equal(rdata.length, 20, 'an answer that needs TCP');
			for (const [subnet, gives] of [
				['8.8.8.0/24', '198.51.100.1'],
				['84.128.0.0/24', '198.51.100.2'],
				['8.8.4.0/24', '198.51.100.1'],
				['84.130.1.0/24', '198.51.100.2'],
			] as const) {
				assert.deepEqual((await ask(port, 'geo.lab', 'A', subnet)).rdata, [gives], subnet);
			}
		});
	}
});

async function ask(
	port: number,
	name: string,
	type: string,
	subnet?: string,
): Promise<{ rcode: string; rdata: string[] }> {
	const query = makeQuery({ name, type, edns: subnet === undefined ? {} : { subnet } });
	const [reply] = await askAll(port, [query]);
	const message = readMessage(reply ?? new Uint8Array(0));
	assert(typeof message !== 'string', String(message));
	return { rcode: message.rcode, rdata: message.answer.map(({ rdataText }) => rdataText.replaceAll('LAB', 'lab')) };
}

/** The root and the resolver need a moment until they answer. */
async function untilAnswered(port: number, name: string, gives: readonly string[]): Promise<void> {
	const deadline = performance.now() + START_MS_MAX;
	for (;;) {
		const answer = await ask(port, name, 'A').catch(() => undefined);
		if (answer !== undefined && answer.rdata.join() === gives.join()) return;
		if (performance.now() > deadline) throw new Error(`No answer for ${name}: ${JSON.stringify(answer)}`);
		await new Promise((resolve) => setTimeout(resolve, 200));
	}
}

/** Why the test cannot be here; undefined when it can. */
async function missing(): Promise<string | undefined> {
	if (findProgram('nsd') === undefined) return 'nsd, which serves the root, is not on this machine';
	for (const address of [ROOT, OURS]) {
		const problem = await bindProblem(address);
		if (problem !== undefined) return `port 53 of ${address} cannot be used: ${problem}`;
	}
	return undefined;
}

function bindProblem(address: string): Promise<string | undefined> {
	return new Promise((resolve) => {
		const socket = createSocket('udp4');
		socket.once('error', (error) => {
			socket.close();
			resolve(error.message);
		});
		socket.bind({ port: 53, address, exclusive: true }, () => socket.close(() => resolve(undefined)));
	});
}
