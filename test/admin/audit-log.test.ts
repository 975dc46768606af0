import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AuditLog, type AuditRecord } from '../../src/admin/audit-log.ts';
import { scratch } from '../roles/scratch.ts';

const record: AuditRecord = {
	time: '2030-01-01T00:00:00.000Z',
	phase: 'finished',
	requestId: 'r',
	author: 'ci',
	address: '192.0.2.1',
	operation: 'createToken',
	method: 'POST',
	path: '/v1/tokens',
};

const numbers = ({ records }: { readonly records: readonly { readonly number: number }[] }) =>
	records.map(({ number }) => number);

describe('AuditLog', () => {
	it('keeps what was written, in order, over a restart', async (t) => {
		const directory = join(scratch(t), 'audit');
		const first = new AuditLog(directory);
		await Promise.all([first.write(record), first.write({ ...record, author: 'other' })]);
		await first.close();
		const second = new AuditLog(directory);
		await second.write(record);
		const { records, hasMore } = await second.read({ kind: 'after', number: 0, limit: 10 });
		assert.deepEqual(
			[records.map(({ number, author }) => [number, author]), hasMore],
			[
				[
					[1, 'ci'],
					[2, 'other'],
					[3, 'ci'],
				],
				false,
			],
		);
		await second.close();
	});

	it('is read in pages, both ways, over all its files', async (t) => {
		const log = new AuditLog(scratch(t), 500);
		for (let i = 1; i <= 20; i++) await log.write(record);
		const after = (number: number) => log.read({ kind: 'after', number, limit: 8 });
		const before = (number: number) => log.read({ kind: 'before', number, limit: 8 });
		assert.deepEqual([numbers(await after(0)), (await after(0)).hasMore], [[1, 2, 3, 4, 5, 6, 7, 8], true]);
		assert.deepEqual([numbers(await after(16)), (await after(16)).hasMore], [[17, 18, 19, 20], false]);
		assert.deepEqual(numbers(await before(Number.MAX_SAFE_INTEGER)), [20, 19, 18, 17, 16, 15, 14, 13]);
		assert.deepEqual([numbers(await before(4)), (await before(4)).hasMore], [[3, 2, 1], false]);
		await log.close();
	});

	it('has sixteen files at most, of which the oldest go', async (t) => {
		const directory = scratch(t);
		const log = new AuditLog(directory, 100);
		for (let i = 1; i <= 40; i++) await log.write(record);
		assert.equal(readdirSync(directory).length, 16);
		assert.deepEqual(
			numbers(await log.read({ kind: 'after', number: 0, limit: 100 })),
			Array.from({ length: 16 }, (_, i) => 25 + i),
		);
		await log.close();
	});

	it('goes on behind a line that a crash left half written', async (t) => {
		const directory = scratch(t);
		const log = new AuditLog(directory);
		await log.write(record);
		await log.close();
		const path = join(directory, readdirSync(directory)[0] ?? '');
		appendFileSync(path, '{"number":2,"auth');
		const next = new AuditLog(directory);
		await next.write(record);
		assert.deepEqual(numbers(await next.read({ kind: 'after', number: 0, limit: 10 })), [1, 2]);
		assert.match(readFileSync(path, 'utf8'), /\n\{"number":2,"auth\n\{"number":2,/);
		await next.close();
	});

	it('says when it cannot write, and goes on when it can', async (t) => {
		const directory = join(scratch(t, { audit: 'no directory' }), 'audit');
		const under = join(directory, 'x');
		assert.throws(() => new AuditLog(under), /ENOTDIR/);
		const fine = scratch(t);
		writeFileSync(join(fine, '0000000001.jsonl'), '');
		const log = new AuditLog('/proc/1/audit');
		await assert.rejects(log.write(record));
		await log.close();
	});
});
