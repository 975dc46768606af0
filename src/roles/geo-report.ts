/**
 * The geo databases as the admin surface tells of them, and the warning of an old one.
 */

import type { GeoReport } from '../admin/reports.ts';
import { GEO_FIELDS, type GeoField } from '../geo/place.ts';
import { printPath } from '../lib/result.ts';
import { type DataNeed, LACK_EFFECTS } from '../steering/data-needs.ts';
import type { GeodbState, GeoFileFacts } from './builder-messages.ts';

const DAY_MS = 86_400_000;
/** Networks change hands; publishers of databases bring a new one each week or month. */
const OLD_DAYS = 60;

export function ageDays({ builtAt }: GeoFileFacts, nowMs: number): number | undefined {
	return builtAt === undefined ? undefined : Math.floor((nowMs - builtAt.getTime()) / DAY_MS);
}

/** Undefined while it is not old. */
export function ageWarning(file: GeoFileFacts, nowMs: number): string | undefined {
	const days = ageDays(file, nowMs);
	return days === undefined || days <= OLD_DAYS ? undefined : `the geo database is ${days} days old`;
}

export function geoReport({ files, refused }: GeodbState, needs: readonly DataNeed[], nowMs: number): GeoReport {
	const known = new Set(files.flatMap(({ fields }) => [...fields]));
	return {
		databases: files.map((file) => ({
			path: file.path,
			type: file.databaseType,
			builtAt: file.builtAt?.toISOString(),
			ageDays: ageDays(file, nowMs),
			isOld: ageWarning(file, nowMs) !== undefined,
			ipVersion: file.ipVersion,
			networks: file.networkCount,
			knows: [...file.fields],
			lacks: lackedBy(file.fields),
			refused: refused.get(file.path),
		})),
		lacks: lackedBy(known),
		suffering: needs
			.filter((need) => !known.has(need.needs))
			.map(({ unit, path, needs: field }) => ({
				unit,
				path: printPath(path),
				needs: field,
				effect: LACK_EFFECTS[field],
			})),
	};
}

function lackedBy(known: ReadonlySet<GeoField>): readonly GeoField[] {
	return GEO_FIELDS.filter((field) => !known.has(field));
}
