/**
 * The geo databases of the settings, or the one that comes with Meridian, which lies in its npm package; kept up to
 * date, each file by itself.
 *
 * | the file on disk                     | what is used                                                    |
 * |--------------------------------------|-----------------------------------------------------------------|
 * | has changed and is a sound database  | the new one, once it has stood unchanged from one look to the next |
 * | has changed and is none, or is gone  | the old one; the reason is told until that changes              |
 */

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { combineGeoData } from '../geo/combine.ts';
import type { GeoData } from '../geo/decide.ts';
import { type GeoFile, readMmdbFile, stampOf } from '../geo/mmdb-file.ts';

const PACKAGE = '@ip-location-db/geo-whois-asn-country-mmdb';

export type GeoFiles = readonly [GeoFile, ...GeoFile[]];

export function defaultGeodbPath(): string {
	const manifest = createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`);
	return join(dirname(manifest), 'geo-whois-asn-country.mmdb');
}

/**
 * Read databases, the best first; without a path the default one.
 * @throws Error that names the file that cannot be read
 */
export function readGeodb(paths: readonly string[]): GeoFiles {
	const [first = defaultGeodbPath(), ...others] = paths;
	return [readMmdbFile(first), ...others.map(readMmdbFile)];
}

/** New versions of files, and what all files then say together. */
export interface GeoUpdate {
	readonly files: GeoFiles;
	readonly data: GeoData;
}

/** A version of a file that is not used. */
interface Refused {
	/** Of that version; what went wrong when there is none. */
	readonly stamp: string;
	readonly reason: string;
}

export class GeodbKeeper {
	#files: GeoFiles;
	#data: GeoData;
	/** Stamp of each file at the last look, by path. */
	readonly #seen = new Map<string, string>();
	readonly #refused = new Map<string, Refused>();
	readonly #onRefused: (path: string, reason: string) => void;

	/**
	 * @param onRefused  told once of each version of a file that cannot be used
	 * @param files      of these paths, where they have been read already
	 * @throws Error that names the file that cannot be read
	 */
	constructor(
		paths: readonly string[],
		onRefused: (path: string, reason: string) => void,
		files: GeoFiles = readGeodb(paths),
	) {
		this.#files = files;
		this.#data = combineGeoData(this.#files);
		this.#onRefused = onRefused;
	}

	get files(): GeoFiles {
		return this.#files;
	}

	get data(): GeoData {
		return this.#data;
	}

	/** By path, why the file that is there now is not the one that is used. */
	get refused(): ReadonlyMap<string, string> {
		return new Map([...this.#refused].map(([path, { reason }]) => [path, reason]));
	}

	/**
	 * Read what has changed.
	 * @param isSettled  take a file only when it has stood unchanged since the look before: somebody may be writing it.
	 *                   Who has not waited says so, and gets what is there
	 * @returns what could be used from now on; undefined when nothing is new
	 */
	look({ isSettled }: { readonly isSettled: boolean }): GeoUpdate | undefined {
		const [first, ...others] = this.#files;
		const newer = (file: GeoFile) => this.#newer(file, isSettled);
		const files: GeoFiles = [newer(first), ...others.map(newer)];
		if (files.every((file, i) => file.version === this.#files[i]?.version)) {
			// The same content, written again.
			this.#files = files;
			return undefined;
		}
		return { files, data: combineGeoData(files) };
	}

	/** From now on this is used. */
	accept({ files, data }: GeoUpdate): void {
		this.#files = files;
		this.#data = data;
	}

	/** What is new is not used after all, until its files change. */
	refuse({ files }: GeoUpdate, reason: string): void {
		for (const [i, { path, stamp }] of files.entries()) {
			if (stamp !== this.#files[i]?.stamp) this.#refuse(path, stamp, reason);
		}
	}

	/** The new version of a file, or the old one. */
	#newer(file: GeoFile, isSettled: boolean): GeoFile {
		const { path } = file;
		const { stamp, fault } = lookAt(path);
		const before = this.#seen.get(path) ?? file.stamp;
		this.#seen.set(path, stamp);
		if (stamp === file.stamp) {
			this.#refused.delete(path);
			return file;
		}
		if (isSettled && (stamp !== before || stamp === this.#refused.get(path)?.stamp)) return file;
		try {
			if (fault !== undefined) throw new Error(fault);
			const newer = readMmdbFile(path);
			this.#refused.delete(path);
			return newer;
		} catch (error) {
			// Who asks for a look is told each time.
			if (!isSettled) this.#refused.delete(path);
			this.#refuse(path, stamp, (error as Error).message);
			return file;
		}
	}

	#refuse(path: string, stamp: string, reason: string): void {
		const before = this.#refused.get(path);
		this.#refused.set(path, { stamp, reason });
		if (before?.stamp !== stamp) this.#onRefused(path, reason);
	}
}

function lookAt(path: string): { readonly stamp: string; readonly fault: string | undefined } {
	try {
		return { stamp: stampOf(path), fault: undefined };
	} catch (error) {
		const fault = `Cannot read the geo database ${path}: ${(error as Error).message}`;
		return { stamp: fault, fault };
	}
}
