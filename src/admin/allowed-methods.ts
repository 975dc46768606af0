/**
 * Which methods a path has, for whoever came with another one.
 */

import type { RouteOptions } from 'fastify';

/** None for a path that no route has. */
export function methodsOf(path: string, routes: readonly RouteOptions[]): readonly string[] {
	const segments = path.split('/');
	const methods = routes.filter(({ url }) => fits(segments, url.split('/'))).flatMap(({ method }) => method);
	return [...new Set(methods)].sort();
}

/** A parameter of a route is a whole segment, and never empty. */
function fits(segments: readonly string[], own: readonly string[]): boolean {
	if (segments.length !== own.length) return false;
	return own.every((segment, i) => (segment.startsWith(':') ? segments[i] !== '' : segments[i] === segment));
}
