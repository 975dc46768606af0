/**
 * Ours beside other servers: `node peers.bench.ts --scene geo|static [--pairs N] [--seconds N] [--rate N] [--server NAME]`.
 */

import { parseArgs } from 'node:util';
import { questionsOf, Scene, SERVERS } from './contestants.ts';
import { coresFor } from './cores.ts';
import { measurePairs, type PairFigures, type PairPlan } from './pairs.ts';

export interface PeerCost {
	readonly server: string;
	readonly question: string;
	/** Absent: it is not on this machine. */
	readonly figures?: PairFigures;
}

async function compareAll(scene: Scene, servers: readonly string[], plan: PairPlan): Promise<readonly PeerCost[]> {
	const costs: PeerCost[] = [];
	const ours = await scene.start('batch');
	if (ours === undefined) throw new Error('Cannot measure: ours does not start');
	for (const server of servers) {
		const theirs = await scene.start(server);
		for (const [i, { name: question, options }] of questionsOf(scene.name, server).entries()) {
			process.stderr.write(`  ${server}, ${question}${theirs === undefined ? ': not on this machine' : ''}\n`);
			if (theirs === undefined) {
				costs.push({ server, question });
				continue;
			}
			const own = { peer: ours, options: questionsOf(scene.name, 'batch')[i]?.options ?? options };
			costs.push({ server, question, figures: await measurePairs(own, { peer: theirs, options }, plan) });
		}
		await theirs?.stop();
	}
	return costs;
}

const { values } = parseArgs({
	options: {
		scene: { type: 'string', default: 'geo' },
		pairs: { type: 'string', default: '15' },
		seconds: { type: 'string', default: '1.5' },
		rate: { type: 'string', default: '0' },
		server: { type: 'string', multiple: true },
	},
});
const name = values.scene;
if (name !== 'geo' && name !== 'static') throw new Error(`Cannot measure "${name}": expected geo or static`);
const cores = coresFor(1);
const plan = { pairs: Number(values.pairs), seconds: Number(values.seconds), rate: Number(values.rate), cores };
const scene = new Scene(name, { cpus: cores.server });
try {
	const costs = await compareAll(scene, values.server ?? SERVERS[name].slice(1), plan);
	process.stdout.write(`${JSON.stringify(costs)}\n`);
} finally {
	await scene.close();
}
