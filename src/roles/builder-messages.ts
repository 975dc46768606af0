/**
 * What the main thread and the one that builds say to each other.
 */

import type { MessagePort } from 'node:worker_threads';
import type { ProposedUnit, Validation } from '../admin/configuration.ts';
import type { UnitDocument } from '../config/drain.ts';
import type { Switch } from '../config/overrides.ts';
import type { UnitSource } from '../config/unit-content.ts';
import type { FileProblem } from '../config/zones-directory.ts';
import type { ExplainQuestion } from '../explain/explain.ts';
import type { Explanation } from '../explain/explanation.ts';
import type { GeoFile } from '../geo/mmdb-file.ts';
import type { Target } from '../health/target.ts';
import type { HealthWords } from '../health/verdict-table.ts';
import type { WireSnapshot } from '../snapshot/wire.ts';
import type { DataNeed } from '../steering/data-needs.ts';
import type { SteeringLabels } from './answer-columns.ts';
import type { PoolsByTarget } from './health-reports.ts';
import type { Manual } from './manual-failback.ts';
import type { LogMessage, UnitsMessage, UnknownMessage } from './thread-aside.ts';
import type { SourceKind } from './unit-source.ts';

/** What is built from, for the life of a process. */
export interface BuildSettings {
	readonly zonesDir: string;
	readonly stateDir: string;
	/** Which units the zones directory has: all, none, or those that the store does not own. */
	readonly source: SourceKind;
	/** Databases, the best first; none for the default one. */
	readonly geodb: readonly string[];
	/** For explanations. */
	readonly health: HealthWords;
}

export interface BuilderInput extends BuildSettings {
	/** Id of the first buffer: those of a builder before may still be read. */
	readonly firstBuffer: number;
	/** What operators have switched. */
	readonly switches: readonly Switch[];
	/** Brings the databases, as GeoFiles, or is closed without them. */
	readonly geodbFrom: MessagePort;
}

/** To the thread that reads the databases ahead. */
export interface GeodbOrder {
	readonly paths: readonly string[];
	readonly to: MessagePort;
}

/** Why a generation is built. */
export type BuildCause =
	/** The process starts. */
	| { readonly kind: 'start'; readonly isForced: boolean }
	/** A region has got its first prober: what is served is built again. */
	| { readonly kind: 'vantages' }
	/** A builder takes over from one that died: what it served last is built again. */
	| { readonly kind: 'resume' }
	/** Somebody asked for a reload: geo databases and files are looked at again. */
	| { readonly kind: 'reload'; readonly isForced: boolean }
	/** Units of the store have changed. */
	| { readonly kind: 'stored' }
	/** Operators have switched something: what is served is built again. */
	| { readonly kind: 'switched' }
	/** Geo databases are looked at, and nothing is built when they are as they were. */
	| { readonly kind: 'look' };

export interface BuildRequest {
	readonly cause: BuildCause;
	/** Of the generation to come. */
	readonly number: number;
	/** Generations whose memory some thread may still read. */
	readonly inUse: readonly number[];
	/** Regions that have had a prober, by their numbers in the health words. */
	readonly vantages: readonly string[];
}

/** What is told of a geo database; what it says stays with the builder. */
export type GeoFileFacts = Omit<GeoFile, 'ranges' | 'places'>;

export interface GeodbState {
	readonly files: readonly GeoFileFacts[];
	/** By path, why the newer version is not used. */
	readonly refused: ReadonlyMap<string, string>;
}

/** A generation aside, in memory that threads share. */
export interface BuiltGeneration {
	readonly number: number;
	readonly wire: WireSnapshot;
	readonly buffers: ReadonlyMap<number, SharedArrayBuffer>;
	/** Ids of all buffers of the builder. */
	readonly kept: ReadonlySet<number>;
	/** Of all its buffers. */
	readonly octets: number;
	/** Undefined when they are those of the generation before. */
	readonly targets: readonly Target[] | undefined;
	/** The same. */
	readonly pools: PoolsByTarget | undefined;
	/** The same. */
	readonly labels: SteeringLabels | undefined;
	/** What has manual failback, in terms of its targets. */
	readonly manual: readonly Manual[];
	readonly problems: readonly FileProblem[];
	/** Units whose new version was refused. */
	readonly refused: ReadonlySet<string>;
}

export interface BuildReply {
	/** Undefined when there is nothing new to serve. */
	readonly built: BuiltGeneration | undefined;
	/** Why the units could not be taken as a whole. */
	readonly refusal: string | undefined;
	readonly geodb: GeodbState;
}

export interface ExplainRequest {
	readonly question: ExplainQuestion;
	/** By target key: what the prober says of it. */
	readonly notes: ReadonlyMap<string, string>;
}

export interface ExplainReply {
	/** A text says what is wrong with the question. */
	readonly explanation: Explanation | string;
	/** Keys of the targets that notes were wanted of. */
	readonly asked: readonly string[];
}

/** Units as they would become, and perhaps a question that they would be asked. */
export interface DraftRequest {
	readonly changes: readonly ProposedUnit[];
	readonly question: ExplainQuestion | undefined;
	readonly notes: ReadonlyMap<string, string>;
}

export interface DraftReply extends Validation {
	/** Undefined where nothing was asked, or nothing can be built. */
	readonly explanation: Explanation | string | undefined;
	readonly asked: readonly string[];
}

/** Units of the zones directory that have changed since they were told of. */
export interface DirectoryReply {
	/** All there are: nothing was told before. */
	readonly isWhole: boolean;
	readonly changed: readonly UnitSource[];
	readonly removed: readonly string[];
}

/** Questions that are answered one by one, and the shape of what comes back. */
export interface Questions {
	readonly build: { readonly ask: BuildRequest; readonly reply: BuildReply };
	readonly draft: { readonly ask: DraftRequest; readonly reply: DraftReply };
	readonly directory: { readonly ask: undefined; readonly reply: DirectoryReply };
	readonly explain: { readonly ask: ExplainRequest; readonly reply: ExplainReply };
	/** Steering documents that are served, as users wrote them; without those that say nothing. */
	readonly documents: { readonly ask: undefined; readonly reply: readonly UnitDocument[] };
	/** What the policies served need to know of clients. */
	readonly needs: { readonly ask: undefined; readonly reply: readonly DataNeed[] };
}

export type QuestionKind = keyof Questions;

export type Question = {
	[K in QuestionKind]: { readonly kind: K; readonly id: number; readonly ask: Questions[K]['ask'] };
}[QuestionKind];

export type ToBuilder =
	| Question
	| UnitsMessage
	| UnknownMessage
	| { readonly kind: 'switches'; readonly switches: readonly Switch[] }
	| { readonly kind: 'stop' };

export type FromBuilder =
	| { readonly kind: 'reply'; readonly id: number; readonly reply: Questions[QuestionKind]['reply'] }
	/** With the lines of a start that was refused. */
	| { readonly kind: 'failed'; readonly id: number; readonly lines: readonly string[] }
	| { readonly kind: 'saved'; readonly unsaved: string | undefined }
	| LogMessage;
