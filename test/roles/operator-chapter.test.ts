/**
 * The README's chapter for operators: its commands, as they stand there, against a process.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { findProgram } from '../setup/tools.ts';
import { ADMIN_TOKEN, askUdp, PROJECT, startInstance, until } from './meridian-process.ts';
import { GOOD_ZONE, scratch } from './scratch.ts';

const run = promisify(execFile);
const WITHOUT_CURL = findProgram('curl') === undefined ? 'curl is not installed' : false;

/** What each block of commands answers: words of its output, in order. */
const BLOCKS: readonly (readonly RegExp[])[] = [
	[/"generation":1,/, /"generation":2,/],
	[/"generation":3,/, /"generation":4,/, /"generation":5,/, /"generation":6,/],
	[/"generation":7,/],
	[/"live":\{/, /203\.0\.113\.\d/, /"draft":\{/],
	[/"state":"drain"/, /"remainingShare":1,/, /"overrides":\[\{/],
	[/"code":"guarded"/, /leaves all clients without an answer/, /"generation":9,/],
	[/"reason":"shop closed"/, /"generation":10,/],
];

describe("the README's chapter for operators", { skip: WITHOUT_CURL }, () => {
	it('does what it says', async (t) => {
		const { admin, port } = await startInstance(t, {
			zonesDir: scratch(t, { 'a.example.zone': GOOD_ZONE }),
			stateDir: scratch(t),
		});
		const readme = readFileSync(join(PROJECT, 'README.md'), 'utf8');
		const chapter = /## Operate it through the API\n([\s\S]*?)\n## /.exec(readme)?.[1] ?? '';
		const blocks = [...chapter.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, commands]) => commands ?? '');
		assert.equal(blocks.length, BLOCKS.length);
		const api = `API=${admin}/v1\nTOKEN=${ADMIN_TOKEN}\napi() { curl -sS -H "Authorization: Bearer $TOKEN" "$@"; }\n`;
		const answers = async (name: string) =>
			(await askUdp(port, { name, type: 'A' })).answer.map(({ rdataText }) => rdataText);
		for (const [i, commands] of blocks.entries()) {
			const script = api + commands.replace(/^(?:API=|TOKEN=|api\(\)).*\n/gm, '');
			// An instance explains what it serves.
			if (/explain/.test(script))
				await until('the name', 10_000, async () => (await answers('www.shop.example.')).length === 1);
			const { stdout } = await run('sh', ['-ec', script]);
			let at = 0;
			for (const says of BLOCKS[i] ?? []) {
				const found = stdout.slice(at).search(says);
				assert(found >= 0, `${commands}\nsaid ${stdout}\nand not ${says}`);
				at += found + 1;
			}
		}
		await until('the records', 10_000, async () => (await answers('mail.shop.example.')).join() === '192.0.2.25');
		await until('the name that is back', 10_000, async () => (await answers('www.shop.example.')).length === 1);
	});
});
