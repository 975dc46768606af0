/**
 * A benchmark that is broken off leaves no server behind.
 */

/** @returns the function that lifts it */
export function closeOnSignal(close: () => Promise<void>): () => void {
	const onSignal = () => void close().finally(() => process.exit(1));
	for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
	return () => {
		for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal);
	};
}
