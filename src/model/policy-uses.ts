/** What a policy chooses among, whatever its kind. */

import type { PolicyDocument, Use } from './steering.ts';

/** In the order in which they are written, a default last. */
export function usesOf(policy: PolicyDocument): readonly Use[] {
	switch (policy.kind) {
		case 'geo':
			return [...policy.rules.map(({ use }) => use), ...(policy.default === undefined ? [] : [policy.default])];
		case 'weighted':
			return policy.members.map(({ use }) => use);
		case 'proximity':
			return policy.members.map((member) => (typeof member === 'string' || 'kind' in member ? member : member.use));
		default:
			return policy.members;
	}
}
