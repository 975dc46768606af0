/**
 * Which methods a path has, for whoever came with another one.
 */

import type { FastifyInstance } from 'fastify';

/** Hear of all routes that are registered from now on; the result tells the methods of a path, none for one unknown. */
export function collectMethods(app: FastifyInstance): (path: string) => readonly string[] {
	const routes: { readonly pattern: RegExp; readonly method: string }[] = [];
	app.addHook('onRoute', ({ url, method }) => {
		const pattern = new RegExp(`^${url.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}$`);
		for (const one of [method].flat()) routes.push({ pattern, method: one });
	});
	return (path) => [...new Set(routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))].sort();
}
