/**
 * The thread that builds: takes one question after the other, and has no loop of its own to be late for.
 */

import { randomInt } from 'node:crypto';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { createChance } from '../lib/chance.ts';
import type { BuilderInput, FromBuilder, Question, QuestionKind, Questions, ToBuilder } from './builder-messages.ts';
import { Building } from './building.ts';
import type { GeoFiles } from './geodb.ts';
import { StartRefused } from './start-refused.ts';
import { logOver, standBack } from './thread-aside.ts';

function tell(message: FromBuilder): void {
	parentPort?.postMessage(message);
}

const LOG = logOver(tell);

/** What a question waits at most for zones that are kept for the next start, one that is being written aside. */
const SAVE_MS = 20;

async function run(): Promise<void> {
	const building = await create();
	let hasStoodBack = false;
	let saving: NodeJS.Immediate | undefined;
	const answer = (question: Question): void => {
		const { id } = question;
		try {
			if (building instanceof Error) throw building;
			tell({ kind: 'reply', id, reply: replyTo(question, building) });
		} catch (error) {
			tell({ kind: 'failed', id, lines: error instanceof StartRefused ? error.lines : [(error as Error).message] });
			return;
		}
		// A start waits for its first generation, and nobody answers yet.
		if (!hasStoodBack) standBack();
		hasStoodBack = true;
		// Behind the reply: what is built is served before it is kept.
		if (building.isSaving) saving ??= setImmediate(save, building);
	};
	/** A part of it, and the rest behind questions that have come meanwhile. */
	const save = (building: Building): void => {
		const saved = building.save(SAVE_MS);
		saving = saved === undefined ? setImmediate(save, building) : undefined;
		if (saved !== undefined) tell({ kind: 'saved', ...saved });
	};
	const stop = (): void => {
		clearImmediate(saving);
		if (!(building instanceof Error) && building.isSaving) building.save(Number.POSITIVE_INFINITY);
		parentPort?.close();
	};
	parentPort?.on('message', (message: ToBuilder) => {
		const taker = building instanceof Error ? undefined : building.taker;
		if (message.kind === 'stop') stop();
		else if (message.kind === 'units') taker?.update(message.changed, message.removed);
		else if (message.kind === 'unknown') taker?.setUnknown(message.reason);
		else if (message.kind === 'switches') {
			if (!(building instanceof Error)) building.setSwitches(message.switches);
		} else answer(message);
	});
}

/** What is wrong with its parts is the answer to whatever it is asked. */
async function create(): Promise<Building | Error> {
	const input = workerData as BuilderInput;
	const files = await filesFrom(input.geodbFrom);
	try {
		return new Building(input, files, createChance(randomInt(2 ** 31)), LOG);
	} catch (error) {
		return error as Error;
	}
}

function replyTo(question: Question, building: Building): Questions[QuestionKind]['reply'] {
	switch (question.kind) {
		case 'build':
			return building.build(question.ask);
		case 'draft':
			return building.draft(question.ask);
		case 'directory':
			return building.directory();
		case 'explain':
			return building.explain(question.ask);
		case 'documents':
			return building.documents();
		case 'needs':
			return building.needs();
	}
}

/** Undefined when whoever reads them has ended without. */
function filesFrom(port: MessagePort): Promise<GeoFiles | undefined> {
	const { promise, resolve } = Promise.withResolvers<GeoFiles | undefined>();
	port.once('close', () => resolve(undefined));
	port.once('message', (files: GeoFiles) => {
		resolve(files);
		port.close();
	});
	return promise;
}

await run();
