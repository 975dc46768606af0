/**
 * What a unit holds, whoever keeps it: the text of a master file and a steering document as plain data. Each is read
 * when it is first asked for, and once.
 */

import { createHash } from 'node:crypto';
import { type MasterFileProblem, scanMasterFile } from '../dns/master-file.ts';
import { lowerName, scanName } from '../dns/name.ts';
import type { RecordList } from '../dns/record-list.ts';
import type { Result } from '../lib/result.ts';
import { COMMON_UNIT } from '../lib/unit.ts';
import { readSteering } from '../model/check-document.ts';
import { isRecord } from '../model/shape-walk.ts';
import type { SteeringDocument } from '../model/steering.ts';
import { canonicalJson } from './canonical-json.ts';
import { readYaml, type YamlProblem } from './yaml-document.ts';

export interface UnitSource {
	/** `common`, or the apex as text with its dot. */
	readonly unit: string;
	/** Text of the master file, one character for each octet; undefined for common. */
	readonly zone: string | undefined;
	/** Texts of the files that it includes, by path as written there. */
	readonly includes: Readonly<Record<string, string>> | undefined;
	readonly steering: SteeringSource | undefined;
}

export type SteeringSource =
	| { readonly kind: 'text'; readonly text: string }
	| { readonly kind: 'document'; readonly document: unknown };

/** A steering document as it was written: tables by key, what is named in them by name. */
export type Document = Readonly<Record<string, unknown>>;

const ROOT = Uint8Array.of(0);

export class UnitContent {
	readonly source: UnitSource;
	/** Lower-cased wire name; the root for common. */
	readonly apex: Uint8Array;
	#steering: { readonly document: Document; readonly problems: readonly YamlProblem[] } | undefined;
	#scanned: { readonly records: RecordList; readonly problems: readonly MasterFileProblem[] } | undefined;
	#read: Result<SteeringDocument> | undefined;
	#etag: string | undefined;

	constructor(source: UnitSource) {
		this.source = source;
		const apex = source.unit === COMMON_UNIT ? ROOT : scanName(source.unit, ROOT);
		if (typeof apex === 'string') throw new Error(apex);
		this.apex = lowerName(apex);
	}

	get unit(): string {
		return this.source.unit;
	}

	/** Empty where there is none, or none that can be read. */
	get document(): Document {
		return this.#readSteering().document;
	}

	/** What is wrong with the YAML. */
	get steeringProblems(): readonly YamlProblem[] {
		return this.#readSteering().problems;
	}

	/** With its defaults, or what is wrong with it. */
	get steering(): Result<SteeringDocument> {
		this.#read ??= readSteering(this.document, this.unit === COMMON_UNIT ? 'common' : 'zone');
		return this.#read;
	}

	/** In the order of the file. */
	get records(): RecordList {
		return this.#scan().records;
	}

	get recordProblems(): readonly MasterFileProblem[] {
		return this.#scan().problems;
	}

	/** Equal for equal contents: of a text its octets count, of a document what it says. */
	get etag(): string {
		this.#etag ??= etagOf([this.source.zone, this.source.includes, this.document]);
		return this.#etag;
	}

	withDocument(document: Document): UnitContent {
		return new UnitContent({ ...this.source, steering: { kind: 'document', document } });
	}

	withZone(zone: string, includes?: Readonly<Record<string, string>>): UnitContent {
		const content = new UnitContent({ ...this.source, zone, includes });
		content.#steering = this.#steering;
		content.#read = this.#read;
		return content;
	}

	#readSteering() {
		this.#steering ??= readSteeringSource(this.source.steering);
		return this.#steering;
	}

	#scan() {
		const { zone = '', includes } = this.source;
		this.#scanned ??= scanMasterFile(zone, this.apex, {
			readInclude: (path) => {
				const text = Object.hasOwn(includes ?? {}, path) ? includes?.[path] : undefined;
				return text === undefined ? { problem: 'its text is not there' } : { text };
			},
		});
		return this.#scanned;
	}
}

/** Equal for values that say the same. */
export function etagOf(value: unknown): string {
	return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 32);
}

function readSteeringSource(steering: SteeringSource | undefined): {
	readonly document: Document;
	readonly problems: readonly YamlProblem[];
} {
	if (steering === undefined) return { document: {}, problems: [] };
	const { value, problems } =
		steering.kind === 'text' ? readYaml(steering.text) : { value: steering.document, problems: [] };
	return { document: isRecord(value) ? value : {}, problems };
}
