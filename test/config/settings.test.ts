import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadSettings } from '../../src/config/settings.ts';
import { scratch } from '../roles/scratch.ts';

interface Given {
	readonly flags?: Readonly<Record<string, string>>;
	readonly variables?: Readonly<Record<string, string>>;
	/** Text of the configuration file. */
	readonly file?: string;
}

describe('loadSettings()', () => {
	for (const { name, given, key, value } of [
		{ name: 'falls back to defaults', given: {}, key: 'zonesDir', value: './zones' },
		{
			name: 'prefers a flag to a variable and the file',
			given: { flags: { '--zones-dir': '/f' }, variables: { MERIDIAN_ZONES_DIR: '/v' }, file: 'zonesDir: /y' },
			key: 'zonesDir',
			value: '/f',
		},
		{
			name: 'prefers a variable to the file',
			given: { variables: { MERIDIAN_ZONES_DIR: '/v' }, file: 'zonesDir: /y' },
			key: 'zonesDir',
			value: '/v',
		},
		{ name: 'takes the file', given: { file: 'zonesDir: /y' }, key: 'zonesDir', value: '/y' },
		{ name: 'takes nested keys', given: { file: 'dns:\n  workers: 3\n' }, key: 'dns.workers', value: 3 },
		{ name: 'takes keys with dots', given: { file: 'dns.workers: 3\n' }, key: 'dns.workers', value: 3 },
		{ name: 'takes half nested keys', given: { file: 'dns:\n  ecs.trust: []\n' }, key: 'dns.ecs.trust', value: [] },
		{
			name: 'takes a list of the file',
			given: { file: 'dns: { listen: ["127.0.0.1:53", "[::1]:53"] }' },
			key: 'dns.listen',
			value: ['127.0.0.1:53', '[::1]:53'],
		},
		{
			name: 'takes a list with commas',
			given: { variables: { MERIDIAN_DNS_LISTEN: '127.0.0.1:53, [::1]:53' } },
			key: 'dns.listen',
			value: ['127.0.0.1:53', '[::1]:53'],
		},
		{
			name: 'takes what looks like a number as it is written',
			given: { file: 'dns: { identity: 1.10 }' },
			key: 'dns.identity',
			value: '1.10',
		},
		{
			name: 'takes each number of a list as it is written',
			given: { file: 'fleet.key: [01234567890123456789, 1000000000000000000000]' },
			key: 'fleet.key',
			value: ['01234567890123456789', '1000000000000000000000'],
		},
		{ name: 'takes an empty file for no settings', given: { file: '# none\n' }, key: 'region', value: 'local' },
		{ name: 'passes over other variables', given: { variables: { PATH: '/bin' } }, key: 'region', value: 'local' },
		{
			name: 'passes over what Kubernetes says of a service called meridian',
			given: {
				variables: {
					MERIDIAN_SERVICE_HOST: '10.0.0.1',
					MERIDIAN_SERVICE_PORT_DNS_TCP: '53',
					MERIDIAN_PORT: 'tcp://10.0.0.1:53',
					MERIDIAN_PORT_53_UDP: 'udp://10.0.0.1:53',
					MERIDIAN_PORT_53_UDP_ADDR: '10.0.0.1',
					MERIDIAN_ADMIN_SERVICE_PORT: '80',
				},
			},
			key: 'region',
			value: 'local',
		},
	] satisfies { name: string; given: Given; key: string; value: unknown }[]) {
		it(name, (t) => {
			const { settings, problems } = load(t, given);
			assert.deepEqual(problems, []);
			assert.deepEqual({ ...settings }[key], value);
		});
	}
});

describe('loadSettings() refuses', () => {
	for (const { name, given, says } of [
		{
			name: 'an unknown flag, with the nearest',
			given: { flags: { '--zone-dir': 'x' } },
			says: ['Cannot set --zone-dir: there is no such setting, did you mean --zones-dir?'],
		},
		{
			name: 'an unknown variable, with the nearest',
			given: { variables: { MERIDIAN_ZONE_DIR: 'x' } },
			says: ['Cannot set MERIDIAN_ZONE_DIR: there is no such setting, did you mean MERIDIAN_ZONES_DIR?'],
		},
		{
			name: 'an unknown variable that ends like those of Kubernetes and holds no URL',
			given: { variables: { MERIDIAN_DNS_PORT: '53' } },
			says: [/^Cannot set MERIDIAN_DNS_PORT: there is no such setting/],
		},
		{
			name: 'an unknown key of the file, with the nearest and its place',
			given: { file: 'dns:\n  worker: 3\n' },
			says: ['FILE:2:11: Cannot set dns.worker: there is no such setting, did you mean dns.workers?'],
		},
		{
			name: 'an unknown section of the file, though nothing stands in it',
			given: { file: 'dns: {}\nadmn: {}\n' },
			says: [/^FILE:2:1: Cannot set admn: there is no such setting/],
		},
		{
			name: 'a bad value of a flag',
			given: { flags: { '--dns-workers': 'many' } },
			says: ['Cannot use "many" for --dns-workers: expected a number 0..999'],
		},
		{
			name: 'a bad value of the file, with its place',
			given: { file: 'region: eu\ndns:\n  workers: many\n' },
			says: ['FILE:3:12: Cannot use "many" for dns.workers: expected a number 0..999'],
		},
		{
			name: 'a key of the file without a value',
			given: { file: 'region:\n' },
			says: ['FILE:1:8: Cannot use "" for region: expected some text'],
		},
		{
			name: 'a token that is too short, without repeating it',
			given: { variables: { MERIDIAN_ADMIN_TOKEN: 'x1y2' } },
			says: ['Cannot use this for MERIDIAN_ADMIN_TOKEN: expected 8 to 256 printable characters without spaces'],
		},
		{
			name: 'a file with a mistake in its YAML',
			given: { file: 'a: [1\nb: 2\n' },
			says: [/^FILE:2:1: Cannot read YAML: /],
		},
		{
			name: 'a file that is a list',
			given: { file: '- a\n- b\n' },
			says: ['FILE:1:1: Cannot use this as settings: expected keys with values'],
		},
		{
			name: 'a key that is there nested and with a dot',
			given: { file: 'dns: { workers: 1 }\ndns.workers: 2\n' },
			says: ['FILE:2:14: Cannot set dns.workers twice'],
		},
		{
			name: 'all mistakes at once',
			given: { flags: { '--region': '' }, variables: { MERIDIAN_REGIO: 'x' }, file: 'dns.workers: -1' },
			says: [/MERIDIAN_REGIO/, /--region/, /^FILE:1:14: Cannot use "-1" for dns\.workers/],
		},
	] satisfies { name: string; given: Given; says: (string | RegExp)[] }[]) {
		it(name, (t) => {
			const { problems, file } = load(t, given);
			const said = problems.map(({ message }) => message.replaceAll(file, 'FILE')).sort();
			assert.equal(said.length, says.length, said.join('\n'));
			for (const expected of says) {
				const isSaid = said.some((one) => (typeof expected === 'string' ? one === expected : expected.test(one)));
				assert(isSaid, `${expected} is not among:\n${said.join('\n')}`);
			}
		});
	}

	it('a file that is not there', () => {
		const { problems } = loadSettings(new Map(), {}, '/nowhere/meridian.yaml');
		assert.match(problems.map(({ message }) => message).join(), /^Cannot read the configuration \/nowhere.*ENOENT/);
	});
});

function load(t: Parameters<typeof scratch>[0], { flags = {}, variables = {}, file }: Given) {
	const path = join(scratch(t, file === undefined ? {} : { 'meridian.yaml': file }), 'meridian.yaml');
	const loaded = loadSettings(new Map(Object.entries(flags)), variables, file === undefined ? undefined : path);
	return { ...loaded, file: path };
}
