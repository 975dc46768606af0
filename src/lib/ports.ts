/**
 * What pure rooms need of the world, passed to them as arguments.
 */

export interface Clock {
	/** Monotonic milliseconds; only differences mean anything. */
	nowMs(): number;
}

export interface Chance {
	/** A whole number, uniform in [0, bound); `bound` is 1 .. 2^31 - 1. */
	below(bound: number): number;
}

type Fields = Readonly<Record<string, unknown>>;

export interface Log {
	info(fields: Fields, message: string): void;
	warn(fields: Fields, message: string): void;
	error(fields: Fields, message: string): void;
}
