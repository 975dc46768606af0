/**
 * Lines for a file, a pipe or standard output that nobody has to read: they wait in a room of fixed size, one write is
 * under way at a time, and nothing here ever blocks. A full disk and a reader that is slow, gone or not yet there leave
 * the room full; whoever has more lines keeps them, or lets them go.
 */

import { close, constants, open, write } from 'node:fs';

/** Octets that wait at most. */
const HELD_OCTETS_MAX = 1024 * 1024;
/** After a failure it is tried again so often. */
const RETRY_MS = 500;
const STANDARD_OUTPUT = '-';
const STANDARD_OUTPUT_DESCRIPTOR = 1;
/** A pipe that is full, and a FIFO that nobody has open. Neither is a fault to be told of. */
const PATIENT: readonly (string | undefined)[] = ['EAGAIN', 'ENXIO'];
/** No room in the file: it goes on where it stopped when there is. */
const FULL: readonly (string | undefined)[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];
const LINE_END = 10;
const MODE = 0o640;

export class LineFile {
	readonly #path: string;
	readonly #onChange: (problem: string | undefined) => void;
	readonly #waiting: Buffer[] = [];
	#waitingOctets = 0;
	/** What is being written, whole lines, and how far it is. */
	#current = Buffer.alloc(0);
	#at = 0;
	#descriptor: number | undefined;
	#isBusy = false;
	#isReopening = false;
	#problem: string | undefined;
	#timer: NodeJS.Timeout | undefined;
	#onIdle: (() => void) | undefined;

	/**
	 * @param path      `-` is standard output
	 * @param onChange  told why lines cannot be written, and with undefined that they can again
	 */
	constructor(path: string, onChange: (problem: string | undefined) => void) {
		this.#path = path;
		this.#onChange = onChange;
	}

	get hasRoom(): boolean {
		return this.#waitingOctets + this.#current.length - this.#at < HELD_OCTETS_MAX;
	}

	get isFailing(): boolean {
		return this.#problem !== undefined;
	}

	/** Take text that ends with a line end. */
	add(lines: string): void {
		const octets = Buffer.from(lines);
		this.#waiting.push(octets);
		this.#waitingOctets += octets.length;
		this.#go();
	}

	/** Go on in a new file of the same name: the old one was moved away. */
	reopen(): void {
		this.#isReopening = true;
		this.#go();
	}

	/** Write what waits, as long as it takes but not longer than `msMax`. */
	async close(msMax: number): Promise<void> {
		if (this.#isBusy || this.#waitingOctets > 0 || this.#at < this.#current.length) {
			await new Promise<void>((resolve) => {
				const giveUp = setTimeout(resolve, msMax);
				this.#onIdle = () => {
					clearTimeout(giveUp);
					resolve();
				};
				this.#go();
			});
		}
		clearTimeout(this.#timer);
		this.#waiting.length = 0;
		this.#waitingOctets = 0;
		this.#current = Buffer.alloc(0);
		this.#at = 0;
		this.#drop();
	}

	#go(): void {
		if (this.#isBusy || this.#timer !== undefined) return;
		if (this.#isReopening) {
			this.#isReopening = false;
			this.#drop();
		}
		if (this.#at === this.#current.length) this.#takeWaiting();
		if (this.#at === this.#current.length) {
			this.#onIdle?.();
			return;
		}
		this.#isBusy = true;
		if (this.#descriptor === undefined) this.#open();
		else this.#write(this.#descriptor);
	}

	#takeWaiting(): void {
		this.#current = Buffer.concat(this.#waiting);
		this.#at = 0;
		this.#waiting.length = 0;
		this.#waitingOctets = 0;
	}

	#open(): void {
		const isStandard = this.#path === STANDARD_OUTPUT;
		// Opened anew, standard output can be made not to block without making it so for the others who have it.
		const path = isStandard ? `/proc/self/fd/${STANDARD_OUTPUT_DESCRIPTOR}` : this.#path;
		const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants;
		open(path, O_WRONLY | O_APPEND | O_NONBLOCK | (isStandard ? 0 : O_CREAT), MODE, (error, descriptor) => {
			this.#isBusy = false;
			// A socket cannot be opened so; nor is there such a path on every system.
			if (error !== null && isStandard) this.#descriptor = STANDARD_OUTPUT_DESCRIPTOR;
			else if (error !== null) return this.#fail(error);
			else this.#descriptor = descriptor;
			this.#go();
		});
	}

	#write(descriptor: number): void {
		write(descriptor, this.#current, this.#at, this.#current.length - this.#at, null, (error, written) => {
			this.#isBusy = false;
			if (error !== null) {
				if (!PATIENT.includes(error.code) && !FULL.includes(error.code)) this.#drop();
				this.#fail(error);
				return;
			}
			this.#at += written;
			this.#tell(undefined);
			this.#go();
		});
	}

	#fail(error: NodeJS.ErrnoException): void {
		if (!PATIENT.includes(error.code)) this.#tell(error.message);
		this.#timer = setTimeout(() => {
			this.#timer = undefined;
			this.#go();
		}, RETRY_MS);
		this.#timer.unref();
	}

	#tell(problem: string | undefined): void {
		const isNew = (problem === undefined) !== (this.#problem === undefined);
		this.#problem = problem;
		if (isNew) this.#onChange(problem);
	}

	/** Let the file go. A line that was begun in it begins anew in the next one. */
	#drop(): void {
		if (this.#descriptor !== undefined && this.#descriptor !== STANDARD_OUTPUT_DESCRIPTOR)
			close(this.#descriptor, () => {});
		this.#descriptor = undefined;
		if (this.#at > 0) this.#at = this.#current.lastIndexOf(LINE_END, this.#at - 1) + 1;
	}
}
