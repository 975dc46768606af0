/**
 * Looks for text at the start of what a peer sends, and reads no further than it must.
 */

/** What is searched of an answer. */
export const SEARCH_OCTETS_MAX = 64 * 1024;

/** Reads until `needle` is found, the stream ends or SEARCH_OCTETS_MAX are read. @returns why it was not found */
export async function lacks(stream: AsyncIterable<unknown>, needle: Uint8Array): Promise<'end' | 'limit' | undefined> {
	const wanted = Buffer.from(needle);
	let octetsLeft = SEARCH_OCTETS_MAX;
	// The end of what was searched, in case the text lies across two chunks: each octet is searched about once.
	let tail = Buffer.alloc(0);
	for await (const chunk of stream as AsyncIterable<Buffer>) {
		const window = Buffer.concat([tail, chunk.subarray(0, octetsLeft)]);
		if (window.includes(wanted)) return undefined;
		octetsLeft -= chunk.length;
		if (octetsLeft <= 0) return 'limit';
		tail = window.subarray(Math.max(0, window.length - needle.length + 1));
	}
	return 'end';
}
