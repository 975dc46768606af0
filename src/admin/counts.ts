/** What the admin surface counts about itself, as plain numbers that are read when somebody scrapes. */

import type { FastifyInstance } from 'fastify';
import type { ProblemCode } from './problem.ts';

/** Times of requests are sorted into these, in seconds. */
export const DURATION_BOUNDS_SEC = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export class AdminCounts {
	/** By class of status: `2xx`. */
	readonly requests = new Map<string, number>([
		['2xx', 0],
		['4xx', 0],
		['5xx', 0],
	]);
	/** By code of the problem. */
	readonly problems = new Map<ProblemCode, number>();
	/** Records that could not be written. */
	auditFailures = 0;
	listeners = 0;

	/** @param observe  told how long each request took */
	add(app: FastifyInstance, observe: (seconds: number) => void): void {
		app.addHook('onResponse', (request, reply, done) => {
			const status = `${Math.floor(reply.statusCode / 100)}xx`;
			this.requests.set(status, (this.requests.get(status) ?? 0) + 1);
			const { problem } = request;
			if (problem !== undefined) this.problems.set(problem, (this.problems.get(problem) ?? 0) + 1);
			observe(reply.elapsedTime / 1000);
			done();
		});
	}
}
