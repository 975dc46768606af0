/** What the admin API acts through, in a process that has a store. */

import { randomInt } from 'node:crypto';
import type { ConfigurationParts } from '../admin/configuration.ts';
import { ApiProblem } from '../admin/problem.ts';
import type { Store } from '../store/ports.ts';
import { BuilderDied } from './builder.ts';
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
		ask: () => asked(generations.directory()),
	});
	return {
		store,
		directory: source === 'merged' ? mirror : undefined,
		validate: (changes) => asked(generations.draft(changes)),
		explainDraft: async (changes, question) => {
			const { explanation } = await asked(generations.draft(changes, question, notesOf()));
			return explanation ?? 'Cannot explain what cannot be built';
		},
		draw: () => randomInt(STEPS) / STEPS,
	};
}

/** @throws ApiProblem busy, when the thread that builds is gone for the moment */
async function asked<T>(answer: Promise<T>): Promise<T> {
	try {
		return await answer;
	} catch (error) {
		if (!(error instanceof BuilderDied)) throw error;
		throw new ApiProblem('busy', `Cannot build now: ${error.message}`, { headers: { 'retry-after': '1' } });
	}
}
