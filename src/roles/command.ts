/**
 * What a command is given: its settings, and the few ways it may touch the process.
 */

import type { Settings } from '../model/settings.ts';

export interface Signals {
	/** SIGHUP. */
	onReload(reload: () => void): void;
	/** Settles at the first SIGTERM or SIGINT. */
	untilEnd(): Promise<void>;
}

export interface Command {
	readonly name: string;
	/** What stands behind the command and is no flag. */
	readonly operands: readonly string[];
	readonly settings: Settings;
	readonly isDemo: boolean;
	readonly isForced: boolean;
	/** Print JSON rather than text for people. */
	readonly isJson: boolean;
	/** Take warnings for errors. */
	readonly isStrict: boolean;
	/** Values of flags that are no settings, by their name. */
	readonly options: ReadonlyMap<string, string>;
	/** Of `probe`. */
	readonly isOnce: boolean;
	/** Take the signals over; a command that does not is ended by them as usual. */
	readonly takeSignals: () => Signals;
	/** A line, or several, on standard output. */
	readonly print: (text: string) => void;
	readonly printError: (text: string) => void;
	/** A line on standard error that takes the place of the one before; nothing where that is no terminal. */
	readonly showProgress: (text: string) => void;
}
