/**
 * What an instance tells of itself, as it travels.
 */

import type { InstanceNote } from './ports.ts';
import { isInstanceName } from './prober-record.ts';
import { StoreError } from './store-error.ts';
import { isCount, type JsonValue, readFields } from './untrusted-json.ts';

export const NOTE_OCTETS_MAX = 4096;
const TEXT_MAX = 255;

export interface SentNote extends InstanceNote {
	/** Milliseconds since 1970 by the store's clock. */
	readonly sentAtMs: number;
}

/** @throws StoreError STORE_CONTENT when it is no note */
export function writeNote(note: SentNote): JsonValue {
	const { instance, role, version, region, epoch, generation, sentAtMs } = note;
	const value = { instance, role, version, region, epoch, generation, sentAtMs };
	if (readNote(value) !== undefined) return value;
	throw new StoreError('STORE_CONTENT', `Cannot announce this as ${JSON.stringify(instance)}: it is no note`);
}

/** @returns undefined when it is no note */
export function readNote(value: JsonValue): SentNote | undefined {
	const { instance, role, version, region, epoch, generation, sentAtMs } =
		readFields(value, ['instance', 'role', 'version', 'region', 'epoch', 'generation', 'sentAtMs']) ?? {};
	if (typeof instance !== 'string' || !isInstanceName(instance)) return undefined;
	if (!isShort(role) || !isShort(version) || !isShort(region)) return undefined;
	if (!isCount(epoch) || !isCount(generation) || !isCount(sentAtMs)) return undefined;
	return { instance, role, version, region, epoch, generation, sentAtMs };
}

function isShort(value: JsonValue | undefined): value is string {
	return typeof value === 'string' && value !== '' && value.length <= TEXT_MAX;
}
