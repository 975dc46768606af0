/**
 * The thread that builds, begun before the rest of the program is there: its modules and the geo databases are loaded
 * beside those of the main thread. So this imports little.
 */

import { createHealthWords, VerdictTable } from '../health/verdict-table.ts';
import type { Log } from '../lib/ports.ts';
import type { Settings } from '../model/settings.ts';
import { Builder } from './builder.ts';
import type { SourceKind } from './unit-source.ts';

export interface Begun {
	readonly builder: Builder;
	readonly verdicts: VerdictTable;
	readonly source: SourceKind;
}

export function beginBuilding(settings: Settings, source: SourceKind, log: Log): Begun {
	const { zonesDir, stateDir, geodb } = settings;
	const verdicts = new VerdictTable(createHealthWords());
	const builder = new Builder({ settings: { zonesDir, stateDir, geodb, source, health: verdicts.words }, log });
	builder.begin();
	return { builder, verdicts, source };
}

/** With Redis the store is the truth of every unit; the one in a process is that of the units it owns. */
export function sourceKind(settings: Settings, isWhole: boolean): SourceKind {
	if (settings['redis.url'] !== '') return 'store';
	return isWhole ? 'merged' : 'directory';
}
