/** What the admin API acts through, in a process that has a store. */

import { randomInt } from 'node:crypto';
import type { ConfigurationParts } from '../admin/configuration.ts';
import type { Store } from '../store/ports.ts';
import { MirroredDirectory } from './directory-units.ts';
import type { Generations } from './generations.ts';
import type { SourceKind } from './unit-source.ts';

const STEPS = 2 ** 31;

/** @param notesOf  what the prober says of targets, by their key */
export function configurationParts(
	store: Store,
	generations: Generations,
	source: SourceKind,
	notesOf: () => (key: string) => string | undefined,
): ConfigurationParts {
	const mirror = new MirroredDirectory({
		number: () => generations.served.number,
		ask: () => generations.directory(),
	});
	return {
		store,
		directory: source === 'merged' ? mirror : undefined,
		validate: (changes) => generations.draft(changes),
		explainDraft: async (changes, question) =>
			(await generations.draft(changes, question, notesOf())).explanation ?? 'Cannot explain what cannot be built',
		draw: () => randomInt(STEPS) / STEPS,
	};
}
