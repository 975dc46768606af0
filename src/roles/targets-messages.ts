/**
 * What a prober's main thread and the one that reads its targets from the units of the store say to each other.
 */

import type { FileProblem } from '../config/zones-directory.ts';
import type { Target } from '../health/target.ts';
import type { PoolsByTarget } from './health-reports.ts';
import type { LogMessage, UnitsMessage, UnknownMessage } from './thread-aside.ts';

export interface TargetsInput {
	readonly stateDir: string;
	readonly region: string;
}

export type ToTargets =
	| UnitsMessage
	| UnknownMessage
	/** Targets of the last run. */
	| { readonly kind: 'recall' }
	/** Those of the units that were told. */
	| { readonly kind: 'load' };

export interface LoadedTargets {
	readonly targets: readonly Target[];
	readonly pools: PoolsByTarget;
	readonly problems: readonly FileProblem[];
	/** Units whose new version was refused. */
	readonly refused: ReadonlySet<string>;
}

export type FromTargets =
	| LogMessage
	| { readonly kind: 'loaded'; readonly loaded: LoadedTargets }
	/** The units were refused as a whole, or nothing can be read. */
	| { readonly kind: 'refused'; readonly reason: string };
