/** Lists page by page, in the order of their keys: a page begins behind the last key of the one before. */

export interface ListQuery {
	readonly limit?: string;
	readonly after?: string;
	readonly contains?: string;
}

export interface Page<T> {
	readonly items: readonly T[];
	/** The key to go on behind; undefined on the last page. */
	readonly next: string | undefined;
}

const LIMIT = 100;

/** @param keys  in any order */
export function pageOf<T>(keys: Iterable<string>, query: ListQuery, itemOf: (key: string) => T): Page<T> {
	const { limit = String(LIMIT), after, contains = '' } = query;
	const wanted = [...keys].filter((key) => (after === undefined || key > after) && key.includes(contains)).sort();
	const page = wanted.slice(0, Number(limit));
	return { items: page.map(itemOf), next: wanted.length > page.length ? page.at(-1) : undefined };
}
