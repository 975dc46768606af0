/**
 * Dialogues: zones, queries and the replies that are expected, as text that reads like a transcript.
 *
 *     zone example.org                 a zone; its text is what stands indented below, by one tab
 *     	www A 192.0.2.1
 *     	%1-40 big A 192.0.2.%           the line once for each number, % being the number
 *     steering example.org             its steering file (YAML); `common` for that of all zones
 *     	names: ...
 *     geo                              what a database says: prefix, then key=value
 *     	198.51.100.0/24 country=DE continent=EU
 *     	192.0.2.0/24 at=51/9            degrees north and east
 *     vantages eu us                   regions that have had a prober
 *     trust 192.0.2.0/24               only senders in there are believed when they name a client subnet
 *
 *     health 203.0.113.10 down         from here on; with `stale` behind it, on votes that are too old; with
 *                                      `from us`, as a regional monitor says it there
 *     draw 0.75                        what each draw gives from here on, in [0, 1)
 *
 *     # A sentence about the next query, its title.
 *     query WWW.example.org A tcp      options: see `QUERY_OPTIONS`
 *     	NOERROR aa                      the reply in the form of test/serve/reply-text.ts, or `silence`
 *     	answer
 *     	WWW.example.org. 300 A 192.0.2.1
 *     	authority 40                    a section may be counted instead, or end a line with `...`
 *     octets 12340100 ...              a query as hex
 */

export interface Dialogue {
	/** Everything in front of the first query that makes the world. */
	readonly zones: readonly { readonly apex: string; readonly text: string }[];
	/** YAML by apex, or `common`. */
	readonly steering: ReadonlyMap<string, string>;
	readonly geo: Readonly<Record<string, Readonly<Record<string, string>>>>;
	readonly trust: string | undefined;
	readonly vantages: readonly string[];
	readonly steps: readonly Step[];
}

export type Step =
	| {
			readonly kind: 'health';
			readonly address: string;
			readonly vote: string;
			readonly isStale: boolean;
			readonly region: string | undefined;
	  }
	| { readonly kind: 'draw'; readonly share: number }
	| {
			readonly kind: 'query' | 'octets';
			readonly title: string;
			readonly line: number;
			readonly words: readonly string[];
			readonly reply: readonly string[];
	  };

interface Block {
	readonly words: readonly string[];
	readonly line: number;
	readonly comment: string;
	readonly body: string[];
}

export function readDialogue(text: string): Dialogue {
	const zones: { apex: string; text: string }[] = [];
	const steering = new Map<string, string>();
	const geo: Record<string, Record<string, string>> = {};
	const steps: Step[] = [];
	let trust: string | undefined;
	let vantages: readonly string[] = [];
	for (const block of blocksOf(text)) {
		const [keyword = '', first = ''] = block.words;
		if (keyword === 'zone') zones.push({ apex: first, text: block.body.flatMap(repeated).join('\n') });
		else if (keyword === 'steering') steering.set(first, block.body.join('\n'));
		else if (keyword === 'geo') {
			for (const row of block.body) {
				const [prefix = '', ...pairs] = row.trim().split(/\s+/);
				geo[prefix] = Object.fromEntries(pairs.map((pair) => pair.split('=')));
			}
		} else if (keyword === 'trust') trust = first;
		else if (keyword === 'vantages') vantages = block.words.slice(1);
		else if (keyword === 'health') steps.push(healthStep(block));
		else if (keyword === 'draw') steps.push({ kind: 'draw', share: Number(first) });
		else if (keyword === 'query' || keyword === 'octets') {
			const title = block.comment === '' ? block.words.join(' ') : block.comment;
			const reply = block.body.map((row) => row.trim().replaceAll(/\s+/g, ' ')).filter((row) => row !== '');
			steps.push({ kind: keyword, title, line: block.line, words: block.words.slice(1), reply });
		} else throw new Error(`line ${block.line}: cannot read "${keyword}"`);
	}
	return { zones, steering, geo, trust, vantages, steps };
}

function healthStep({ words }: Block): Step {
	const [, address = '', vote = '', mark, region] = words;
	return { kind: 'health', address, vote, isStale: mark === 'stale', region: mark === 'from' ? region : undefined };
}

function blocksOf(text: string): Block[] {
	const blocks: Block[] = [];
	let comment: string[] = [];
	for (const [i, row] of text.split('\n').entries()) {
		if (row.startsWith('#')) comment.push(row.slice(1).trim());
		else if (row.startsWith('\t')) {
			const block = blocks.at(-1);
			if (block === undefined) throw new Error(`line ${i + 1}: nothing stands above it`);
			block.body.push(row.slice(1));
		} else if (row.trim() === '') comment = [];
		else {
			blocks.push({ words: row.trim().split(/\s+/), line: i + 1, comment: comment.join(' '), body: [] });
			comment = [];
		}
	}
	return blocks;
}

function repeated(row: string): string[] {
	const match = /^%(\d+)-(\d+) (.*)$/.exec(row);
	if (match === null) return [row];
	const [from, to] = [Number(match[1]), Number(match[2])];
	return Array.from({ length: to - from + 1 }, (_, i) => (match[3] ?? '').replaceAll('%', String(from + i)));
}
