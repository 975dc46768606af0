import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { digestOf, loadDirectory, printFileProblem, readZone } from '../../src/config/zones-directory.ts';
import { printName } from '../../src/dns/name.ts';
import { GOOD_ZONE, scratch } from '../roles/scratch.ts';

const APEX_FILE = 'a.example.zone';

/** The zone a.example with more lines behind it, read from a directory that holds these files too. */
function read(
	t: TestContext,
	lines: string,
	files: Readonly<Record<string, string>> = {},
	prepare?: (directory: string) => void,
) {
	const directory = scratch(t, { [APEX_FILE]: `${GOOD_ZONE}${lines}\n` });
	for (const [name, text] of Object.entries(files)) {
		mkdirSync(join(directory, name, '..'), { recursive: true });
		writeFileSync(join(directory, name), text);
	}
	prepare?.(directory);
	const [text] = loadDirectory(directory).zones;
	assert(text !== undefined);
	const zone = readZone(text);
	const shorten = (line: string) => line.replaceAll(`${directory}/`, '');
	return {
		directory,
		text,
		problems: 'unit' in zone ? [] : zone.map(printFileProblem).map(shorten),
		owners:
			'unit' in zone ? Array.from({ length: zone.records.count }, (_, i) => printName(zone.records.owner(i))) : [],
		locate: 'unit' in zone ? zone.locate : undefined,
	};
}

describe('$INCLUDE', () => {
	it('takes a file of the zones directory, and what that includes, with an origin of its own', (t) => {
		const { problems, owners } = read(t, '$INCLUDE parts/hosts.inc\n$INCLUDE "more.inc" sub\nlast A 192.0.2.9', {
			'parts/hosts.inc': 'one A 192.0.2.1\n$INCLUDE more.inc\n',
			'more.inc': 'two A 192.0.2.2\n',
		});
		assert.deepEqual(problems, []);
		for (const owner of ['one.a.example.', 'two.a.example.', 'two.sub.a.example.', 'last.a.example.']) {
			assert(owners.includes(owner), owner);
		}
	});

	it('names the included file in a problem', (t) => {
		const { problems } = read(t, '$INCLUDE hosts.inc', { 'hosts.inc': 'one A 192.0.2.1\ntwo A 192.0.2.256\n' });
		assert.equal(problems.length, 1);
		assert.match(problems[0] ?? '', /^hosts\.inc:2:7: /);
	});

	it('makes the included text part of the unit’s version', (t) => {
		const one = read(t, '$INCLUDE hosts.inc', { 'hosts.inc': 'one A 192.0.2.1\n' });
		const before = digestOf(one.text);
		writeFileSync(join(one.directory, 'hosts.inc'), 'one A 192.0.2.2\n');
		const [after] = loadDirectory(one.directory).zones;
		assert(after !== undefined);
		assert.notEqual(digestOf(after), before);
	});

	for (const { name, path, prepare } of [
		{ name: 'a path above the directory', path: '../secret.inc' },
		{ name: 'an absolute path elsewhere', path: '/etc/passwd' },
		{
			name: 'a link that leads out',
			path: 'link.inc',
			prepare: (directory: string) => symlinkSync('/etc/passwd', join(directory, 'link.inc')),
		},
		{
			name: 'a folder that is a link leading out',
			path: 'etc/passwd',
			prepare: (directory: string) => symlinkSync('/etc', join(directory, 'etc')),
		},
		{ name: 'a device', path: '/dev/zero' },
		{
			name: 'a pipe, which would never end',
			path: 'pipe.inc',
			prepare: (directory: string) => execFileSync('mkfifo', [join(directory, 'pipe.inc')]),
		},
		{ name: 'a folder', path: 'folder', prepare: (directory: string) => mkdirSync(join(directory, 'folder')) },
		{ name: 'a file that is not there', path: 'nothing.inc' },
		{ name: 'a file that includes itself', path: APEX_FILE },
	]) {
		it(`refuses ${name}, and names the place`, (t) => {
			const { problems } = read(t, `$INCLUDE ${path}`, {}, prepare);
			assert(problems.length > 0);
			assert.match(problems[0] ?? '', /^a\.example\.zone:\d+:\d+: Cannot /);
			assert(!problems.join().includes('root:'), 'nothing of the file is shown');
		});
	}
});
