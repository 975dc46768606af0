import type { AdminSurface } from '../admin/app.ts';
import { parseListenAddress } from '../lib/listen-address.ts';
import { whyNotBound } from './port-holder.ts';

/**
 * Bind the admin surface to an address of the settings.
 * @returns its URL
 * @throws Error with a sentence that names the address
 */
export async function listenAdmin(admin: Pick<AdminSurface, 'listen'>, text: string): Promise<string> {
	const at = parseListenAddress(text);
	if (at === undefined) throw new Error(`Cannot listen on "${text}" (admin.listen): expected address:port`);
	try {
		return await admin.listen({ host: at.address, port: at.port });
	} catch (cause) {
		throw new Error(`Cannot listen on ${text} (admin.listen): ${whyNotBound(cause, at)}`, { cause });
	}
}
