/**
 * The files that a zone file includes ($INCLUDE, RFC 1035 §5.1): found before the zone is read, so that they belong to
 * its version as much as the zone file does.
 *
 * A path counts from the zones directory and may not leave it, by `..` or by a link: whoever may write a zone must not
 * read the machine.
 */

import { readFileSync, realpathSync, statSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';

/** By path as written: the text, or why there is none. */
export type Includes = ReadonlyMap<string, { readonly text: string } | { readonly problem: string }>;

const FILES_MAX = 1000;
const FILE_OCTETS_MAX = 256 * 1024 * 1024;
/** A directive stands at the start of a line. Finding too many is harmless: what is not asked for is not used. */
const DIRECTIVE = /^\$INCLUDE[ \t]+(?:"([^"\n]+)"|([^\s;"]+))/gim;

/** Load all files that a master file includes, and those that they include; undefined when there are none. */
export function loadIncludes(directory: string, text: string): Includes | undefined {
	// Few zones include anything, and most of a large directory's time would go into finding that out.
	if (!/^\$INCLUDE/im.test(text)) return undefined;
	const includes = new Map<string, { readonly text: string } | { readonly problem: string }>();
	const waiting = pathsIn(text);
	for (let path = waiting.pop(); path !== undefined && includes.size < FILES_MAX; path = waiting.pop()) {
		if (includes.has(path)) continue;
		const included = loadConfined(directory, path);
		includes.set(path, included);
		if ('text' in included) waiting.push(...pathsIn(included.text));
	}
	return includes;
}

function pathsIn(text: string): string[] {
	return [...text.matchAll(DIRECTIVE)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

function loadConfined(directory: string, path: string): { readonly text: string } | { readonly problem: string } {
	try {
		const root = realpathSync(directory);
		const file = realpathSync(resolve(root, path));
		const inside = relative(root, file);
		if (inside === '..' || inside.startsWith(`..${sep}`)) return { problem: 'it lies outside the zones directory' };
		const status = statSync(file);
		// A pipe or a device could be read for ever.
		if (!status.isFile()) return { problem: 'it is no file' };
		if (status.size > FILE_OCTETS_MAX) return { problem: `it is larger than ${FILE_OCTETS_MAX} octets` };
		return { text: readFileSync(file, 'latin1') };
	} catch (error) {
		const { code, message } = error as NodeJS.ErrnoException;
		return { problem: code === 'ENOENT' ? 'there is no such file in the zones directory' : message };
	}
}
