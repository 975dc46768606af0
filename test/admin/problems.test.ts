import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ApiProblem, PROBLEMS, type ProblemCode, problemBody } from '../../src/admin/problem.ts';
import { PROJECT } from '../roles/meridian-process.ts';
import { openApi } from './api-ground.ts';

describe('problems', () => {
	it('are those of their page, each with its status and title', () => {
		const page = readFileSync(join(PROJECT, 'src/admin/problems.md'), 'utf8');
		const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (\d+) \| ([^|]+) \| [^|]+ \| [^|]+ \|$/gm)];
		const documented = rows.map(([, code, status, title]) => [code, { status: Number(status), title }]);
		assert.deepEqual(Object.fromEntries(documented), PROBLEMS);
		assert.equal(documented.length, Object.keys(PROBLEMS).length);
	});

	it('are those of the document of the API', async (t) => {
		const { body } = await (await openApi(t)).ask('GET /v1/openapi.json');
		assert.deepEqual(body.components.schemas.Problem.properties.code.enum, Object.keys(PROBLEMS));
	});

	for (const code of Object.keys(PROBLEMS) as ProblemCode[]) {
		it(`${code} goes out as RFC 9457 has it`, () => {
			const { status, title } = PROBLEMS[code];
			const type = `urn:meridian:problem:${code}`;
			const expected = { type, code, title, status, detail: 'what and why', requestId: '7' };
			assert.deepEqual(problemBody(new ApiProblem(code, 'what and why'), '7'), expected);
		});
	}
});
