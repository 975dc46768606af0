/**
 * The thread that reads a prober's targets from the units of the store, as an instance builds them, so that both mean
 * the same by a name. A hundred thousand zones take half a minute, in which the prober has targets to check and a lease
 * to renew.
 */

import { parentPort, workerData } from 'node:worker_threads';
import type { FileProblem } from '../config/zones-directory.ts';
import { noGeoData } from '../geo/decide.ts';
import { LastGood } from '../store/last-good.ts';
import { logLoaded } from './first-load.ts';
import { poolsByTarget } from './health-reports.ts';
import type { FromTargets, TargetsInput, ToTargets } from './targets-messages.ts';
import { logOver, standBack } from './thread-aside.ts';
import { StoreSource } from './unit-source.ts';
import { type Loaded, UnitKeeper } from './units.ts';

function tell(message: FromTargets): void {
	parentPort?.postMessage(message);
}

const LOG = logOver(tell);

class Targets {
	readonly source = new StoreSource();
	readonly #keeper: UnitKeeper;

	/** @throws the runtime's error when the state directory cannot be read */
	constructor({ stateDir, region }: TargetsInput) {
		this.#keeper = new UnitKeeper(this.source, new LastGood(stateDir), [region]);
	}

	recall(): void {
		this.#tellLoaded(this.#keeper.rebuild(noGeoData()));
	}

	/** @throws Error when the units are refused as a whole */
	load(): void {
		const loaded = this.#keeper.load(noGeoData(), false, false);
		this.#keeper.accept(loaded);
		logLoaded({ ...loaded, problems: errorsOf(loaded) }, LOG);
		this.#tellLoaded(loaded);
		try {
			this.#keeper.save();
		} catch (error) {
			LOG.error({ reason: (error as Error).message }, 'targets cannot be kept for the next start');
		}
	}

	#tellLoaded(loaded: Loaded): void {
		const { snapshot, refused } = loaded.settled;
		const { targets } = snapshot;
		tell({ kind: 'loaded', loaded: { targets, pools: poolsByTarget(snapshot), problems: errorsOf(loaded), refused } });
	}
}

/** Warnings are about answers, and about geo databases, which a prober has none of. */
function errorsOf({ problems }: Loaded): readonly FileProblem[] {
	return problems.filter(({ isWarning }) => !isWarning);
}

function create(): Targets | Error {
	try {
		return new Targets(workerData as TargetsInput);
	} catch (error) {
		return error as Error;
	}
}

function run(): void {
	standBack();
	const targets = create();
	parentPort?.on('message', (message: ToTargets) => {
		try {
			// What is wrong with its parts is the answer to whatever it is asked.
			if (targets instanceof Error) throw targets;
			if (message.kind === 'units') targets.source.update(message.changed, message.removed);
			else if (message.kind === 'unknown') targets.source.setUnknown(message.reason);
			else if (message.kind === 'recall') targets.recall();
			else targets.load();
		} catch (error) {
			if (message.kind !== 'units' && message.kind !== 'unknown')
				tell({ kind: 'refused', reason: (error as Error).message });
		}
	});
}

run();
