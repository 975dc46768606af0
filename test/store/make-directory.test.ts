import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeDirectory } from '../../src/store/make-directory.ts';
import { scratch } from '../roles/scratch.ts';

describe('makeDirectory()', () => {
	it('makes a directory with those above it, and takes one that is there', (t) => {
		const path = join(scratch(t), 'a/b/c');
		makeDirectory(path, 0o755);
		makeDirectory(path, 0o755);
		assert(statSync(path).isDirectory());
	});

	it('throws where nothing can be made, and does not try for ever', { timeout: 5000 }, (t) => {
		assert.throws(() => makeDirectory('/proc/no/such/place', 0o755));
		const file = join(scratch(t), 'file');
		writeFileSync(file, '');
		assert.throws(() => makeDirectory(join(file, 'below'), 0o755));
	});
});
