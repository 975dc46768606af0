/**
 * A set-up of zones/examples, loaded as a role loads it, and asked in short:
 *
 *     ask('www A 84.128.0.0/24')  ->  'A 192.0.2.10 ttl 30 scope 10'
 */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { printFileProblem } from '../../src/config/zones-directory.ts';
import type { Message } from '../../src/dns/message-text.ts';
import type { GeoData } from '../../src/geo/decide.ts';
import { readGeodb } from '../../src/roles/geodb.ts';
import { DirectorySource } from '../../src/roles/unit-source.ts';
import { UnitKeeper } from '../../src/roles/units.ts';
import { TestResponder } from '../serve/responder-of.ts';

export const EXAMPLES = fileURLToPath(new URL('../../zones/examples/', import.meta.url));

/** The database that comes along. */
export const [GEO] = readGeodb([]);

export interface SetupSpec {
	readonly geo?: GeoData;
	/** Change a copy of the folder before it is loaded. */
	readonly edit?: (folder: string) => void;
}

export class Setup {
	/** Errors and warnings, as `check` prints them. */
	readonly problems: readonly string[];
	readonly responder: TestResponder;

	constructor(name: string, { geo = GEO, edit }: SetupSpec = {}) {
		const copy = mkdtempSync(join(tmpdir(), 'meridian-setup-'));
		try {
			cpSync(join(EXAMPLES, name), copy, { recursive: true });
			edit?.(copy);
			const { settled, problems } = new UnitKeeper(new DirectorySource(copy), undefined, []).load(geo, false);
			this.problems = problems.map(printFileProblem);
			this.responder = new TestResponder({}, settled.snapshot);
		} finally {
			rmSync(copy, { recursive: true });
		}
		for (const { address } of this.responder.snapshot.targets) this.responder.setHealth(address, 'up');
	}

	/**
	 * @param question  owner, type, client network; without a network the resolver's address counts
	 * @param apex      of the zone that the owner counts from
	 */
	ask(question: string, apex = 'example.net'): string {
		return print(this.message(question, apex));
	}

	message(question: string, apex = 'example.net', from = '192.0.2.53'): Message {
		const [owner = '', type = 'A', subnet] = question.split(' ');
		const name = owner === '@' ? apex : `${owner}.${apex}`;
		return this.responder.ask({ name, type, flags: 0, edns: subnet === undefined ? {} : { subnet } }, { from });
	}
}

/** Replace text in a file of a folder, exactly once. */
export function replaceIn(folder: string, file: string, text: string, by: string): void {
	const path = join(folder, file);
	const parts = readFileSync(path, 'utf8').split(text);
	if (parts.length !== 2) throw new Error(`Cannot find "${text}" once in ${file}`);
	writeFileSync(path, parts.join(by));
}

/** All answers with the TTL of the first; of a negative answer that of its SOA. */
function print({ rcode, answer, authority, opt }: Message): string {
	const records = answer.map(({ type, rdataText }) => `${type} ${rdataText}`);
	const what = rcode !== 'NOERROR' ? rcode : records.length === 0 ? 'NODATA' : records.join(', ');
	const ttlSec = (answer[0] ?? authority[0])?.ttlSec ?? -1;
	return `${what} ttl ${ttlSec}${opt?.subnet === undefined ? '' : ` scope ${opt.subnet.scope}`}`;
}
