/**
 * What the admin surface of a process needs to know who asks: tokens from the store, their last use, TLS.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OperatingParts } from '../admin/app.ts';
import { AuditLog } from '../admin/audit-log.ts';
import { TokenBook } from '../admin/auth-tokens.ts';
import { AdminCounts, DURATION_BOUNDS_SEC } from '../admin/counts.ts';
import { TokenUse } from '../admin/token-use.ts';
import { parseListenAddress } from '../lib/listen-address.ts';
import type { Clock, Log } from '../lib/ports.ts';
import type { Settings } from '../model/settings.ts';
import type { Store } from '../store/ports.ts';
import { HistogramCounts } from '../telemetry/histogram.ts';
import type { Metric } from '../telemetry/metrics.ts';
import { ADMIN_TOKEN_FILE } from './api-client.ts';
import { ensureFirstToken } from './first-token.ts';
import { operatingMetrics } from './operating-metrics.ts';

export interface OperatingOptions {
	readonly settings: Settings;
	readonly store: Store;
	readonly log: Log;
	readonly clock: Clock;
	/** What is served, as users wrote it. */
	readonly documents: OperatingParts['documents'];
	/** Make a token where there is none: for processes that may write to the store. */
	readonly makesFirstToken: boolean;
}

export interface Operating {
	readonly parts: OperatingParts;
	readonly metrics: readonly Metric[];
	/** Where the token that a first start has made can be read; undefined where the settings have one. */
	readonly tokenFile: string | undefined;
	close(): Promise<void>;
}

/** @throws Error when the certificate or its key cannot be read */
export async function openOperating({
	settings,
	store,
	log,
	clock,
	documents,
	makesFirstToken,
}: OperatingOptions): Promise<Operating> {
	const { stateDir, 'admin.token': settingToken } = settings;
	const tls = readTls(settings);
	const tokenFile = join(stateDir, ADMIN_TOKEN_FILE);
	warnOfPlain(settings, log);
	const use = new TokenUse(textFile(join(stateDir, 'token-use.json'), log), () => Date.now());
	const counts = new AdminCounts();
	const durations = new HistogramCounts('', DURATION_BOUNDS_SEC);
	const measured = operatingMetrics({ store, counts, durations });
	const audit = new AuditLog(join(stateDir, 'audit'));
	const forget = makesFirstToken ? await watchFirstToken({ store, stateDir, settingToken, log }) : () => {};
	return {
		metrics: measured.metrics,
		tokenFile: settingToken === '' && existsSync(tokenFile) ? tokenFile : undefined,
		parts: {
			tls,
			store,
			documents,
			use,
			door: {
				tokens: new TokenBook(store, settingToken),
				use,
				clock,
				ratePerSec: settings['admin.rateLimit'],
				isTls: tls !== undefined,
			},
			hasSettingToken: settingToken !== '',
			audit,
			clock,
			wallMs: () => Date.now(),
			onAuditFault: ({ message }) => {
				counts.auditFailures++;
				log.error({ reason: message }, 'the audit log was not written');
			},
			counts,
			observe: (seconds) => durations.observe('', seconds),
		},
		close: async () => {
			measured.close();
			forget();
			use.close();
			await audit.close();
		},
	};
}

/** Make the first token, now or when the store can be written. @returns the end of trying */
async function watchFirstToken(parts: Parameters<typeof ensureFirstToken>[0]): Promise<() => void> {
	const { store, log } = parts;
	let isMaking = false;
	const make = async () => {
		if (isMaking || store.condition.kind !== 'ready') return;
		isMaking = true;
		try {
			await ensureFirstToken(parts);
		} catch (error) {
			log.error({ reason: (error as Error).message }, 'the first token of the admin API could not be made');
		}
		isMaking = false;
	};
	await make();
	return store.watch((hint) => {
		if (hint === 'condition') void make();
	});
}

function readTls({ 'admin.tls.cert': cert, 'admin.tls.key': key }: Settings): OperatingParts['tls'] {
	if (cert === '' && key === '') return undefined;
	if (cert === '' || key === '')
		throw new Error('Cannot use TLS for the admin surface: it takes both admin.tls.cert and admin.tls.key');
	return { cert: readPem(cert, 'admin.tls.cert'), key: readPem(key, 'admin.tls.key') };
}

function readPem(path: string, setting: string): Buffer {
	try {
		return readFileSync(path);
	} catch (cause) {
		throw new Error(`Cannot read ${setting}: ${(cause as Error).message}`, { cause });
	}
}

function warnOfPlain(
	{ 'admin.listen': listen, 'admin.tls.cert': cert, 'admin.token': token }: Settings,
	log: Log,
): void {
	const address = parseListenAddress(listen)?.address ?? '';
	const isLoopback = address === '::1' || address.startsWith('127.');
	if (!isLoopback && cert === '')
		log.warn(
			{ listen },
			'the admin surface listens beyond this machine without TLS: whoever is on the way reads tokens',
		);
	if (token !== '' && token.length < 20)
		log.warn({}, 'admin.token is short enough to be guessed: 20 characters would do');
}

/** A file that is read once, and written whole; what cannot be written is told of. */
function textFile(path: string, log: Log) {
	return {
		read: () => {
			try {
				return readFileSync(path, 'utf8');
			} catch {
				return undefined;
			}
		},
		write: (text: string) => {
			try {
				writeFileSync(path, text, { mode: 0o600 });
			} catch (error) {
				log.warn({ path, reason: (error as Error).message }, 'the last use of tokens was not written');
			}
		},
	};
}
