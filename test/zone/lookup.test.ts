import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { copyName, lowerName, Name, printName } from '../../src/dns/name.ts';
import { RecordList } from '../../src/dns/record-list.ts';
import { TableBuilder } from '../../src/zone/build-table.ts';
import { Lookup, lookup, OUTCOME } from '../../src/zone/lookup.ts';
import { findNode, nodeName, type ZoneTable } from '../../src/zone/table.ts';
import { wireName } from '../dns/make-query.ts';
import { outcomeOf, tableOf } from './zone-of.ts';

interface Dialogue {
	readonly title: string;
	readonly table: ZoneTable;
	readonly rows: readonly (readonly [qname: string, qtype: string, outcome: string])[];
}

const DS = 'DS 1 8 9 00';

const DIALOGUES: readonly Dialogue[] = [
	{
		title: 'names, types and aliases',
		table: tableOf({
			apex: 'Example.org.',
			text: `
WWW A 192.0.2.1
    A 192.0.2.2
    TXT x
alias CNAME www
a.b.ent A 192.0.2.3
`,
		}),
		rows: [
			['www.example.org.', 'A', 'answer www.example.org. A'],
			['wWw.EXAMPLE.oRg.', 'TXT', 'answer www.example.org. TXT'],
			['www.example.org.', 'AAAA', 'nodata at www.example.org.'],
			['www.example.org.', 'TYPE999', 'nodata at www.example.org.'],
			['www.example.org.', 'ANY', 'answer www.example.org. A'],
			['alias.example.org.', 'A', 'cname alias.example.org. CNAME'],
			['alias.example.org.', 'CNAME', 'answer alias.example.org. CNAME'],
			['alias.example.org.', 'ANY', 'answer alias.example.org. CNAME'],
			['x.alias.example.org.', 'A', 'nxdomain below alias.example.org.'],
			['example.org.', 'SOA', 'answer example.org. SOA'],
			['example.org.', 'NS', 'answer example.org. NS'],
			['example.org.', 'DS', 'nodata at example.org.'],
			['example.org.', 'A', 'nodata at example.org.'],
			['ent.example.org.', 'A', 'nodata at ent.example.org.'],
			['b.ent.example.org.', 'ANY', 'nodata at b.ent.example.org.'],
			['c.ent.example.org.', 'A', 'nxdomain below ent.example.org.'],
			['x.y.z.nope.example.org.', 'A', 'nxdomain below example.org.'],
			['org.', 'NS', 'refused'],
			['.', 'NS', 'refused'],
			['example.net.', 'A', 'refused'],
			['xexample.org.', 'A', 'refused'],
			[`${'a.'.repeat(100)}example.org.`, 'A', 'nxdomain below example.org.'],
			[`${'a.'.repeat(100)}example.net.`, 'A', 'refused'],
		],
	},
	{
		// The zone of RFC 4592 §2.2.1 and the questions asked of it there.
		title: 'wildcards (RFC 4592 §2.2.1)',
		table: tableOf({
			apex: 'example.',
			text: `
* TXT "this is a wildcard"
* MX 10 host1
sub.* TXT "this is not a wildcard"
host1 A 192.0.2.1
_ssh._tcp.host1 SRV 1 1 22 host1
_ssh._tcp.host2 SRV 1 1 22 host2
subdel NS ns.example.com.
subdel NS ns.example.net.
*.alias CNAME host1
*.deep.down A 192.0.2.2
*.tree A 192.0.2.3
x.*.hole A 192.0.2.4
`,
		}),
		rows: [
			['host3.example.', 'MX', 'wildcard answer *.example. MX'],
			['host3.example.', 'A', 'wildcard nodata at *.example.'],
			['foo.bar.example.', 'TXT', 'wildcard answer *.example. TXT'],
			['host1.example.', 'MX', 'nodata at host1.example.'],
			['sub.*.example.', 'MX', 'nodata at sub.*.example.'],
			['_telnet._tcp.host1.example.', 'SRV', 'nxdomain below _tcp.host1.example.'],
			['host.subdel.example.', 'A', 'delegation subdel.example. NS'],
			['ghost.*.example.', 'MX', 'nxdomain below *.example.'],
			['*.example.', 'TXT', 'answer *.example. TXT'],
			['*.example.', 'A', 'nodata at *.example.'],
			['host2.example.', 'TXT', 'nodata at host2.example.'],
			['x.host2.example.', 'TXT', 'nxdomain below host2.example.'],
			['a.alias.example.', 'A', 'wildcard cname *.alias.example. CNAME'],
			['a.b.alias.example.', 'CNAME', 'wildcard answer *.alias.example. CNAME'],
			['alias.example.', 'A', 'nodata at alias.example.'],
			['x.down.example.', 'A', 'nxdomain below down.example.'],
			['x.deep.down.example.', 'A', 'wildcard answer *.deep.down.example. A'],
			['y.hole.example.', 'A', 'wildcard nodata at *.hole.example.'],
			['\\*.tree.example.', 'A', 'answer *.tree.example. A'],
		],
	},
	{
		title: 'delegations',
		table: tableOf({
			apex: 'example.org.',
			text: `
sub NS ns.sub
sub NS ns
sub ${DS}
sub TXT hidden
ns.sub A 192.0.2.1
ns A 192.0.2.2
inner.sub NS ns
insecure NS ns.sub
*.wild NS ns
`,
		}),
		rows: [
			['sub.example.org.', 'A', 'delegation sub.example.org. NS'],
			['sub.example.org.', 'NS', 'delegation sub.example.org. NS'],
			['sub.example.org.', 'TXT', 'delegation sub.example.org. NS'],
			['sub.example.org.', 'ANY', 'delegation sub.example.org. NS'],
			['sub.example.org.', 'DS', 'answer sub.example.org. DS'],
			['sub.example.org.', 'DS', 'answer sub.example.org. DS'],
			['insecure.example.org.', 'DS', 'nodata at insecure.example.org.'],
			['ns.sub.example.org.', 'A', 'delegation sub.example.org. NS'],
			['x.ns.sub.example.org.', 'A', 'delegation sub.example.org. NS'],
			['x.sub.example.org.', 'DS', 'delegation sub.example.org. NS'],
			['inner.sub.example.org.', 'NS', 'delegation sub.example.org. NS'],
			['inner.sub.example.org.', 'DS', 'delegation sub.example.org. NS'],
			['ns.example.org.', 'A', 'answer ns.example.org. A'],
		],
	},
	{
		title: 'DNAME (RFC 6672)',
		table: tableOf({
			apex: 'example.org.',
			text: `
old DNAME new
old TXT own
below.old A 192.0.2.1
cut.old NS ns
new A 192.0.2.2
under.cut NS ns
deep.under.cut DNAME new
`,
		}),
		rows: [
			['x.old.example.org.', 'A', 'dname old.example.org. DNAME'],
			['a.b.old.example.org.', 'TXT', 'dname old.example.org. DNAME'],
			['below.old.example.org.', 'A', 'dname old.example.org. DNAME'],
			['x.cut.old.example.org.', 'A', 'dname old.example.org. DNAME'],
			['x.old.example.org.', 'DNAME', 'dname old.example.org. DNAME'],
			['old.example.org.', 'DNAME', 'answer old.example.org. DNAME'],
			['old.example.org.', 'TXT', 'answer old.example.org. TXT'],
			['old.example.org.', 'A', 'nodata at old.example.org.'],
			['x.deep.under.cut.example.org.', 'A', 'delegation under.cut.example.org. NS'],
		],
	},
	{
		title: 'a DNAME at the apex',
		table: tableOf({ apex: 'example.org.', text: '@ DNAME example.net.' }),
		rows: [
			['example.org.', 'SOA', 'answer example.org. SOA'],
			['example.org.', 'A', 'nodata at example.org.'],
			['x.example.org.', 'A', 'dname example.org. DNAME'],
		],
	},
	{
		title: 'zones inside zones',
		table: tableOf(
			{ apex: 'a.b.example.', text: 'x A 192.0.2.1\nshared A 192.0.2.2' },
			{
				apex: 'example.',
				text: `
kid NS ns.kid
kid ${DS}
kid A 192.0.2.9
ns.kid A 192.0.2.3
*.kid A 192.0.2.9
www A 192.0.2.4
* TXT wild
shared.a.b A 192.0.2.9
hidden.a.b A 192.0.2.9
gone NS ns.gone
`,
			},
			{ apex: 'kid.example.', text: 'ns A 192.0.2.3\nwww A 192.0.2.5' },
			{ apex: 'deep.gone.example.', text: '' },
			{ apex: 'other.', text: '' },
		),
		rows: [
			['www.example.', 'A', 'answer www.example. A in example.'],
			['www.kid.example.', 'A', 'answer www.kid.example. A in kid.example.'],
			['kid.example.', 'NS', 'answer kid.example. NS in kid.example.'],
			['kid.example.', 'SOA', 'answer kid.example. SOA in kid.example.'],
			['kid.example.', 'A', 'nodata at kid.example. in kid.example.'],
			['kid.example.', 'DS', 'answer kid.example. DS in example.'],
			['x.kid.example.', 'A', 'nxdomain below kid.example. in kid.example.'],
			['x.kid.example.', 'DS', 'nxdomain below kid.example. in kid.example.'],
			['a.b.example.', 'DS', 'nodata at a.b.example. in example.'],
			['a.b.example.', 'SOA', 'answer a.b.example. SOA in a.b.example.'],
			['b.example.', 'A', 'nodata at b.example. in example.'],
			['b.example.', 'TXT', 'nodata at b.example. in example.'],
			['c.b.example.', 'TXT', 'nxdomain below b.example. in example.'],
			['c.example.', 'TXT', 'wildcard answer *.example. TXT in example.'],
			['x.a.b.example.', 'A', 'answer x.a.b.example. A in a.b.example.'],
			['shared.a.b.example.', 'A', 'answer shared.a.b.example. A in a.b.example.'],
			['hidden.a.b.example.', 'A', 'nxdomain below a.b.example. in a.b.example.'],
			['x.gone.example.', 'A', 'delegation gone.example. NS in example.'],
			['deep.gone.example.', 'SOA', 'answer deep.gone.example. SOA in deep.gone.example.'],
			['deep.gone.example.', 'DS', 'delegation gone.example. NS in example.'],
			['x.deep.gone.example.', 'A', 'nxdomain below deep.gone.example. in deep.gone.example.'],
			['other.', 'DS', 'nodata at other. in other.'],
			['nothing.', 'A', 'refused'],
		],
	},
	{
		title: 'the root as a zone',
		table: tableOf({ apex: '.', text: 'org NS ns.org\norg DS 1 8 9 00\nns.org A 192.0.2.1\nhost A 192.0.2.2' }),
		rows: [
			['.', 'SOA', 'answer . SOA'],
			['.', 'DS', 'nodata at .'],
			['org.', 'DS', 'answer org. DS'],
			['www.example.org.', 'A', 'delegation org. NS'],
			['host.', 'A', 'answer host. A'],
			['x.', 'A', 'nxdomain below .'],
		],
	},
	{
		title: 'the root and a zone below it',
		table: tableOf({ apex: '.', text: '* A 192.0.2.1' }, { apex: 'a.b.c.', text: '' }),
		rows: [
			// The root zone has nothing at these names, so they are the wildcard's, as with NSD, Knot and BIND.
			['b.c.', 'A', 'wildcard answer *. A in .'],
			['x.', 'A', 'wildcard answer *. A in .'],
			['x.c.', 'A', 'wildcard answer *. A in .'],
			['a.b.c.', 'A', 'nodata at a.b.c. in a.b.c.'],
		],
	},
	{
		title: 'steered names',
		table: tableOf({
			apex: 'example.org.',
			text: 'www TXT x\nsub NS ns.example.net.',
			steered: [
				{ owner: 'www.example.org.', types: ['A', 'AAAA'] },
				{ owner: '*.geo.example.org.', types: ['A'] },
				{ owner: 'example.org.', types: ['A'] },
				{ owner: 'below.sub.example.org.', types: ['A'] },
			],
		}),
		rows: [
			['www.example.org.', 'A', 'steered 0 at www.example.org.'],
			['WWW.example.org.', 'AAAA', 'steered 0 at www.example.org.'],
			['www.example.org.', 'TXT', 'answer www.example.org. TXT'],
			['www.example.org.', 'MX', 'nodata at www.example.org.'],
			['a.b.geo.example.org.', 'A', 'wildcard steered 1 at *.geo.example.org.'],
			['a.geo.example.org.', 'TXT', 'wildcard nodata at *.geo.example.org.'],
			['geo.example.org.', 'A', 'nodata at geo.example.org.'],
			['example.org.', 'A', 'steered 2 at example.org.'],
			['example.org.', 'NS', 'answer example.org. NS'],
			['below.sub.example.org.', 'A', 'delegation sub.example.org. NS'],
		],
	},
];

describe('lookup()', () => {
	for (const { title, table, rows } of DIALOGUES) {
		describe(title, () => {
			for (const [qname, qtype, outcome] of rows) {
				const shown = qname.length > 60 ? `${qname.slice(0, 20)}...` : qname;
				it(`finds ${shown} ${qtype}: ${outcome}`, () => {
					assert.equal(outcomeOf(table, qname, qtype === 'DS' ? 'DS' : qtype), outcome);
				});
			}
		});
	}

	it('leaves nothing of the lookup before', () => {
		const table = tableOf({
			apex: 'example.org.',
			text: '* A 192.0.2.1',
			steered: [{ owner: 'www.example.org.', types: ['A'] }],
		});
		const found = new Lookup();
		const name = new Name();
		for (const qname of ['x.example.org.', 'www.example.org.', 'example.net.']) {
			copyName(wireName(qname), 0, name);
			lookup(table, name, 1, found);
		}
		assert.deepEqual({ ...found }, { ...new Lookup(), label: 2 });
	});

	it('finds each of 3,000 random names, and no others', () => {
		const label = fc.uint8Array({ minLength: 1, maxLength: 4 }).filter((octets) => octets[0] !== 0x2a);
		const owners = fc.uniqueArray(fc.array(label, { minLength: 1, maxLength: 5 }), {
			minLength: 3000,
			maxLength: 3000,
			selector: (labels) => labels.map((octets) => String.fromCharCode(...octets).toLowerCase()).join('/'),
		});
		fc.assert(
			fc.property(owners, (lists) => {
				const apex = wireName('zone.');
				const records = new RecordList();
				records.add(apex, 6, 60, new Uint8Array(22), 1);
				const names = lists.map((labels) =>
					Uint8Array.of(...labels.flatMap((octets) => [octets.length, ...octets]), ...apex),
				);
				for (const [i, owner] of names.entries())
					records.add(owner, 1, 60, Uint8Array.of(i >>> 16, i >>> 8, i, 1), i + 2);
				const table = new TableBuilder().addAll([{ apex, records, steered: [] }]);
				const known = new Set(names.map((owner) => printName(lowerName(owner))));
				const name = new Name();
				const found = new Lookup();
				for (const owner of names) {
					copyName(owner, 0, name);
					lookup(table, name, 1, found);
					assert.ok(found.outcome === OUTCOME.answer);
					assert.equal(printName(nodeName(table, findNode(table, name, 0))), printName(lowerName(owner)));
					copyName(Uint8Array.of(1, 0x7a, ...owner), 0, name);
					if (owner.length > 250 || known.has(printName(name.wire))) continue;
					lookup(table, name, 1, found);
					assert.ok([OUTCOME.nxdomain, OUTCOME.nodata].some((outcome) => outcome === found.outcome));
				}
			}),
			{ numRuns: 5 },
		);
	});
});
