/**
 * Why a client gets its answer, as plain data: what the API sends and the command prints.
 */

import type { Vote } from '../health/target.ts';

export interface Explanation {
	readonly name: string;
	readonly type: string;
	/** The client's network as the option of the query names it; undefined without one. */
	readonly client: string | undefined;
	readonly resolver: string;
	readonly rcode: string;
	readonly isAuthoritative: boolean;
	/** Records in master-file text. */
	readonly answer: readonly string[];
	readonly authority: readonly string[];
	/** Bits of the client's address that the answer holds for; undefined when the query names no client. */
	readonly scope: number | undefined;
	/** What each database says of the address that decides. */
	readonly where: readonly string[];
	/** Why, where no policy decides. */
	readonly outcome: string;
	/** The steered names that the answer went through, in order. */
	readonly decisions: readonly Decision[];
}

/** One steered name. */
export interface Decision {
	/** Its zone, and its name in the steering file. */
	readonly steered: string;
	readonly ttlSec: number;
	readonly ownTtlSec: number;
	readonly state: State;
	/** It hangs on verdicts whose votes are too old. */
	readonly isStale: boolean;
	/** What came of it: the addresses, the target, NODATA or SERVFAIL. */
	readonly gives: string;
	readonly root: NodeExplanation;
}

export type State = 'up' | 'down' | 'none';

export interface NodeExplanation {
	readonly kind: string;
	readonly name: string;
	readonly state: State;
	/** It was decided above, and is the same wherever it stands. */
	readonly isRepeated: boolean;
	/** Sentences on how it chose. */
	readonly why: readonly string[];
	readonly members: readonly MemberExplanation[];
	/** Of a pool. */
	readonly endpoints: readonly EndpointExplanation[];
}

export interface MemberExplanation {
	readonly name: string;
	/** Its weight, distance, round-trip time or match, as far as its policy looks at them. */
	readonly about: string;
	/** Why it is not the one; undefined for the one that is. */
	readonly refused: string | undefined;
	/** Undefined when it was not looked at. */
	readonly node: NodeExplanation | undefined;
}

export interface EndpointExplanation {
	readonly name: string;
	readonly weight: number;
	/** Of its weight, that it has while it is started slowly; 100 afterwards. */
	readonly rampPercent: number;
	readonly isPicked: boolean;
	readonly refused: string | undefined;
	readonly addresses: readonly AddressExplanation[];
}

export interface AddressExplanation {
	/** The address, or the target of a CNAME. */
	readonly address: string;
	readonly isUp: boolean;
	readonly checks: readonly CheckExplanation[];
}

export interface CheckExplanation {
	readonly address: string;
	readonly port: number;
	readonly kind: string;
	/** As this answer saw it. */
	readonly verdict: Vote;
	/** What the prober says: since when, and why. */
	readonly note: string | undefined;
}
