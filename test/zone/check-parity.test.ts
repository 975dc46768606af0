/**
 * Faults of zones, and who says something about them: named-checkzone, kzonecheck, nsd-checkzone and `meridian check`.
 *
 * What one of them refuses or warns of, we refuse or warn of; what all of them load, we load. A row that is otherwise
 * says why. The verdicts are those of BIND 9.18, Knot 3.2 and NSD 4.6; kzonecheck also fails what knotd loads with a
 * warning, which counts as one.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { noGeoData } from '../../src/geo/decide.ts';
import { DirectorySource } from '../../src/roles/unit-source.ts';
import { UnitKeeper } from '../../src/roles/units.ts';
import { scratch } from '../roles/scratch.ts';
import { findProgram } from '../setup/tools.ts';

type Verdict = 'silent' | 'warns' | 'refuses';

interface Fault {
	readonly fault: string;
	/** Behind HEAD, from line 5. */
	readonly text?: string;
	readonly zone?: string;
	readonly bind: Verdict;
	readonly knot: Verdict;
	readonly nsd: Verdict;
	/** Kind, line and column of what we say. */
	readonly ours: readonly string[];
	/** Why we do not do as they do. */
	readonly because?: string;
}

const FILE = 'example.org.zone';
const HEAD = '$TTL 300\n@ SOA ns host 1 1h 15m 1w 60\n@ NS ns\nns A 192.0.2.53\n';

const FAULTS: readonly Fault[] = [
	{
		fault: 'no SOA',
		zone: '$TTL 300\n@ NS ns\nns A 192.0.2.53\n',
		bind: 'refuses',
		knot: 'refuses',
		nsd: 'refuses',
		ours: ['error 1:1'],
	},
	{
		fault: 'two SOA',
		text: '@ SOA ns host 2 1h 15m 1w 60',
		bind: 'refuses',
		knot: 'silent',
		nsd: 'refuses',
		ours: ['error 5:1'],
	},
	{
		fault: 'no NS',
		zone: '$TTL 300\n@ SOA ns host 1 1h 15m 1w 60\nns A 192.0.2.1\n',
		bind: 'refuses',
		knot: 'warns',
		nsd: 'silent',
		ours: ['error 1:1'],
	},
	{
		fault: 'apex NS no addr',
		zone: '$TTL 300\n@ SOA ns host 1 1h 15m 1w 60\n@ NS ns\n',
		bind: 'refuses',
		knot: 'warns',
		nsd: 'silent',
		ours: ['warning 3:1'],
	},
	{
		fault: 'apex NS cname',
		zone: '$TTL 300\n@ SOA ns host 1 1h 15m 1w 60\n@ NS ns\nns CNAME a\na A 192.0.2.1\n',
		bind: 'refuses',
		knot: 'warns',
		nsd: 'silent',
		ours: ['warning 3:1'],
	},
	{
		fault: 'apex NS only TXT',
		zone: '$TTL 300\n@ SOA ns host 1 1h 15m 1w 60\n@ NS ns\nns TXT a\n',
		bind: 'refuses',
		knot: 'warns',
		nsd: 'silent',
		ours: ['warning 3:1'],
	},
	{
		fault: 'cut NS missing glue below',
		text: 'sub NS ns.sub',
		bind: 'warns',
		knot: 'warns',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{
		fault: 'cut NS sibling in zone missing',
		text: 'sub NS nope',
		bind: 'warns',
		knot: 'warns',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{
		fault: 'cut NS sibling under other cut missing glue',
		text: 'sub NS ns.other\nother NS ns.example.net.',
		bind: 'warns',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{
		fault: 'cut NS cname',
		text: 'sub NS al\nal CNAME ns',
		bind: 'warns',
		knot: 'warns',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{
		fault: 'cut NS below DNAME',
		text: 'sub NS a.d\nd DNAME e',
		bind: 'warns',
		knot: 'warns',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{
		fault: 'cut without glue, with a server elsewhere',
		text: 'sub NS ns.sub\nsub NS ns.example.net.',
		bind: 'warns',
		knot: 'warns',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{ fault: 'MX no target', text: '@ MX 1 nope', bind: 'warns', knot: 'silent', nsd: 'silent', ours: ['warning 5:1'] },
	{
		fault: 'MX target TXT only',
		text: '@ MX 1 t\nt TXT x',
		bind: 'warns',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{
		fault: 'MX cname',
		text: '@ MX 1 al\nal CNAME ns',
		bind: 'warns',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{
		fault: 'MX below dname',
		text: '@ MX 1 a.d\nd DNAME e',
		bind: 'warns',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{
		fault: 'MX wildcard target',
		text: '@ MX 1 mail.w\n*.w A 192.0.2.1',
		bind: 'silent',
		knot: 'silent',
		nsd: 'silent',
		ours: [],
	},
	{
		fault: 'MX ip literal',
		text: '@ MX 1 192.0.2.1',
		bind: 'warns',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{
		fault: 'MX in delegated no glue',
		text: '@ MX 1 m.sub\nsub NS ns.example.net.',
		bind: 'silent',
		knot: 'silent',
		nsd: 'silent',
		ours: [],
	},
	{
		fault: 'SRV no target',
		text: '_a._tcp SRV 0 0 1 nope',
		bind: 'warns',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{
		fault: 'SRV cname',
		text: '_a._tcp SRV 0 0 1 al\nal CNAME ns',
		bind: 'warns',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{ fault: 'SVCB alias dangling', text: '@ HTTPS 0 nope', bind: 'silent', knot: 'silent', nsd: 'silent', ours: [] },
	{ fault: 'CNAME dangling', text: 'al CNAME nope', bind: 'silent', knot: 'silent', nsd: 'silent', ours: [] },
	{ fault: 'CNAME self', text: 'al CNAME al', bind: 'silent', knot: 'silent', nsd: 'silent', ours: ['warning 5:1'] },
	{
		fault: 'CNAME loop',
		text: 'al CNAME b\nb CNAME al',
		bind: 'silent',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{
		fault: 'CNAME with other',
		text: 'al CNAME b\nal A 192.0.2.1',
		bind: 'refuses',
		knot: 'refuses',
		nsd: 'refuses',
		ours: ['error 5:1'],
	},
	{
		fault: 'CNAME two',
		text: 'al CNAME b\nal CNAME c',
		bind: 'refuses',
		knot: 'refuses',
		nsd: 'refuses',
		ours: ['error 6:1'],
	},
	{ fault: 'CNAME at apex', text: '@ CNAME b', bind: 'refuses', knot: 'refuses', nsd: 'refuses', ours: ['error 5:1'] },
	{
		fault: 'CNAME twice',
		text: 'al CNAME ns\nal CNAME ns',
		bind: 'silent',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 6:1'],
	},
	{
		fault: 'CNAME with RRSIG/NSEC',
		text: 'al CNAME ns\nal NSEC b CNAME',
		bind: 'silent',
		knot: 'silent',
		nsd: 'silent',
		ours: [],
	},
	{
		fault: 'DNAME two',
		text: 'd DNAME b\nd DNAME c',
		bind: 'refuses',
		knot: 'refuses',
		nsd: 'refuses',
		ours: ['error 6:1'],
	},
	{
		fault: 'DNAME children',
		text: 'd DNAME b\nx.d A 192.0.2.1',
		bind: 'silent',
		knot: 'refuses',
		nsd: 'refuses',
		ours: ['warning 6:1'],
	},
	{
		fault: 'DNAME beside NS',
		text: 'd DNAME b\nd NS ns',
		bind: 'silent',
		knot: 'refuses',
		nsd: 'silent',
		ours: ['error 5:1'],
	},
	{
		fault: 'DNAME apex with children',
		text: '@ DNAME example.net.',
		bind: 'refuses',
		knot: 'refuses',
		nsd: 'refuses',
		ours: ['warning 3:1', 'warning 4:1'],
		because: 'BIND minds the NS alone, and serves what else is below a DNAME',
	},
	{
		fault: 'DNAME self loop',
		text: 'd DNAME x.d',
		bind: 'silent',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{ fault: 'wildcard NS', text: '*.w NS ns', bind: 'refuses', knot: 'silent', nsd: 'silent', ours: ['warning 5:1'] },
	{
		fault: 'wildcard DS',
		text: '*.w DS 1 8 2 0000000000000000000000000000000000000000000000000000000000000000',
		bind: 'silent',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{
		fault: 'DS without NS',
		text: 'w DS 1 8 2 0000000000000000000000000000000000000000000000000000000000000000',
		bind: 'silent',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{
		fault: 'DS at apex',
		text: '@ DS 1 8 2 0000000000000000000000000000000000000000000000000000000000000000',
		bind: 'refuses',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{
		fault: '* as an inner label',
		text: 'a.*.w A 192.0.2.1',
		bind: 'warns',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 5:1', 'warning 5:1'],
	},
	{
		fault: 'SPF only SPF',
		text: 'a SPF "v=spf1 -all"',
		bind: 'warns',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{
		fault: 'a record twice',
		text: 'www A 192.0.2.1\nwww A 192.0.2.1',
		bind: 'silent',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 6:1'],
	},
	{
		fault: 'a record twice, in another case',
		text: '@ MX 1 ns\n@ MX 1 NS',
		bind: 'silent',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 6:1'],
	},
	{
		fault: 'a record twice with two TTLs',
		text: 'www 1 A 192.0.2.1\nwww 2 A 192.0.2.1',
		bind: 'warns',
		knot: 'silent',
		nsd: 'warns',
		ours: ['warning 6:1', 'warning 6:1'],
	},
	{
		fault: 'TTL over 2^31',
		text: 'www 2147483648 A 192.0.2.1',
		bind: 'warns',
		knot: 'silent',
		nsd: 'silent',
		ours: ['error 5:5'],
		because: 'RFC 2181 §8 bounds a TTL, and BIND makes 0 of it',
	},
	{
		fault: 'no TTL anywhere',
		zone: '@ SOA ns host 1 1h 15m 1w 60\n@ NS ns\nns A 192.0.2.53\n',
		bind: 'warns',
		knot: 'silent',
		nsd: 'silent',
		ours: [],
		because: 'RFC 1035 §3.3.13: the MINIMUM of the SOA is the default',
	},
	{
		fault: 'SOA host with underscore',
		zone: '$TTL 300\n@ SOA n_s host 1 1h 15m 1w 60\n@ NS ns\nns A 192.0.2.1\n',
		bind: 'warns',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 2:1'],
	},
	{
		fault: 'SOA rname with @',
		zone: '$TTL 300\n@ SOA ns host@example.org. 1 3600 900 604800 60\n@ NS ns\nns A 192.0.2.1\n',
		bind: 'silent',
		knot: 'refuses',
		nsd: 'silent',
		ours: ['warning 2:1'],
	},
	{
		fault: 'owner A underscore',
		text: 'a_b A 192.0.2.1',
		bind: 'warns',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{
		fault: 'owner AAAA underscore',
		text: '_a AAAA ::1',
		bind: 'warns',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{
		fault: 'owner MX underscore',
		text: 'a_b MX 1 ns',
		bind: 'warns',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{
		fault: 'owner A hyphen first',
		text: '-a A 192.0.2.1',
		bind: 'warns',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{
		fault: 'NS target underscore',
		text: '@ NS n_s\nn_s A 192.0.2.1',
		bind: 'warns',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 5:1', 'warning 6:1'],
	},
	{
		fault: 'MX target underscore',
		text: '@ MX 1 n_s\nn_s A 192.0.2.1',
		bind: 'warns',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 5:1', 'warning 6:1'],
	},
	{
		fault: 'SRV target underscore',
		text: '_x._tcp SRV 1 1 1 n_s\nn_s A 192.0.2.1',
		bind: 'warns',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 5:1', 'warning 6:1'],
	},
	{
		fault: 'owner of other letters',
		text: 'b\\195\\188cher A 192.0.2.1',
		bind: 'warns',
		knot: 'silent',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
	{
		fault: 'out of zone',
		text: 'www.example.net. A 192.0.2.1',
		bind: 'warns',
		knot: 'silent',
		nsd: 'refuses',
		ours: ['error 5:1'],
	},
	{
		fault: 'no address',
		text: 'www A 192.0.2.256',
		bind: 'refuses',
		knot: 'refuses',
		nsd: 'refuses',
		ours: ['error 5:7'],
	},
	{
		fault: 'NSEC3 iterations',
		text: '@ NSEC3PARAM 1 0 500 -',
		bind: 'warns',
		knot: 'silent',
		nsd: 'silent',
		ours: [],
		because: 'said of signed zones only, which are not checked',
	},
	{
		fault: 'CDS not matching',
		text: '@ CDS 1 8 2 0000000000000000000000000000000000000000000000000000000000000000',
		bind: 'refuses',
		knot: 'silent',
		nsd: 'silent',
		ours: [],
		because: 'said of signed zones only, which are not checked',
	},
	{
		fault: 'URI target empty',
		text: 'a URI 1 1 ""',
		bind: 'silent',
		knot: 'silent',
		nsd: 'silent',
		ours: ['error 5:11'],
		because: 'RFC 7553 §4.4 forbids it',
	},
	{
		fault: 'NS ip literal',
		text: '@ NS 192.0.2.1',
		bind: 'refuses',
		knot: 'warns',
		nsd: 'silent',
		ours: ['warning 5:1'],
	},
];

const TOOLS: Readonly<
	Record<
		'bind' | 'knot' | 'nsd',
		{ program: string; args: readonly string[]; verdict: (status: number, output: string) => Verdict }
	>
> = {
	bind: {
		program: 'named-checkzone',
		args: ['-i', 'local', 'example.org'],
		verdict: (status, output) =>
			status !== 0 ? 'refuses' : /^(?!.*loaded serial|OK$)./m.test(output) ? 'warns' : 'silent',
	},
	knot: {
		program: 'kzonecheck',
		args: ['-o', 'example.org'],
		verdict: (status, output) => (status === 0 ? 'silent' : /Serious|failed/.test(output) ? 'refuses' : 'warns'),
	},
	nsd: {
		program: 'nsd-checkzone',
		args: ['example.org'],
		verdict: (status, output) => (status !== 0 ? 'refuses' : output.includes('warning') ? 'warns' : 'silent'),
	},
};

function write(t: TestContext, { text, zone = `${HEAD}${text}\n` }: Fault): string {
	return scratch(t, { [FILE]: zone });
}

describe('meridian check', () => {
	for (const fault of FAULTS) {
		it(`${fault.fault}: ${fault.ours.join(', ') || 'nothing'}`, (t) => {
			const { problems } = new UnitKeeper(new DirectorySource(write(t, fault)), undefined, []).load(noGeoData(), false);
			const found = problems.map(
				({ line, column, isWarning }) => `${isWarning ? 'warning' : 'error'} ${line}:${column}`,
			);
			assert.deepEqual(found, fault.ours);
		});
	}

	it('says something wherever one of the others does, and refuses nothing that all of them load', () => {
		for (const { fault, bind, knot, nsd, ours, because } of FAULTS) {
			const verdicts = [bind, knot, nsd];
			const isMissed = ours.length === 0 && verdicts.some((verdict) => verdict !== 'silent');
			const isRefused = ours.some((problem) => problem.startsWith('error'));
			const isHarsh = isRefused && !verdicts.includes('refuses');
			const isLax = !isRefused && verdicts.every((verdict) => verdict === 'refuses');
			assert.equal(isMissed || isHarsh || isLax, because !== undefined, fault);
		}
	});
});

for (const name of ['bind', 'knot', 'nsd'] as const) {
	const { program, args, verdict } = TOOLS[name];
	const path = findProgram(program);
	describe(program, { skip: path === undefined ? `${program} is not installed` : false }, () => {
		for (const fault of FAULTS) {
			it(`${fault.fault}: ${fault[name]}`, (t) => {
				const { status, stdout, stderr } = spawnSync(path ?? '', [...args, join(write(t, fault), FILE)], {
					encoding: 'utf8',
				});
				assert.equal(verdict(status ?? -1, stdout + stderr), fault[name], stdout + stderr);
			});
		}
	});
}
