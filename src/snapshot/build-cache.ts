/**
 * What a build finds out about a zone alone, kept with the unit for the builds to come, and the zone table that the
 * next build goes on from: a reload costs what has changed.
 */

import { lowerName, printName, scanName } from '../dns/name.ts';
import { TYPE } from '../dns/protocol.ts';
import { CheckRoom } from '../zone/check-room.ts';
import { checkZone, type ZoneProblem } from '../zone/checks.ts';
import { TableKeeper } from '../zone/table-keeper.ts';
import type { ZoneUnit } from './build.ts';

export interface ZoneFacts {
	/** The apex as text. */
	readonly unit: string;
	/** Its steering document says anything at all. */
	readonly hasSteering: boolean;
	readonly problems: readonly ZoneProblem[];
	/** Lower-cased targets of all NS records as text, with the records. */
	readonly nameServers: readonly (readonly [target: string, record: number])[];
}

export class BuildCache {
	readonly tables = new TableKeeper();
	readonly #room = new CheckRoom();
	readonly #facts = new WeakMap<ZoneUnit, ZoneFacts>();

	facts(zone: ZoneUnit): ZoneFacts {
		let facts = this.#facts.get(zone);
		if (facts === undefined) {
			const { apex, records } = zone;
			const problems = checkZone(apex, records, steeredOwners(zone), this.#room);
			const hasSteering = Object.values(zone.steering).some((table) => table.size > 0);
			facts = { unit: printName(apex), hasSteering, problems, nameServers: nameServersOf(zone) };
			this.#facts.set(zone, facts);
		}
		return facts;
	}
}

function steeredOwners({ apex, steering }: ZoneUnit): readonly Uint8Array[] {
	const owners = [...steering.names.keys()].map((key) => scanName(key, apex));
	return owners.filter((owner) => typeof owner !== 'string').map(lowerName);
}

function nameServersOf({ records }: ZoneUnit): ZoneFacts['nameServers'] {
	const targets: [string, number][] = [];
	for (let record = 0; record < records.count; record++) {
		if (records.type(record) === TYPE.ns) targets.push([printName(lowerName(records.rdata(record))), record]);
	}
	return targets;
}
