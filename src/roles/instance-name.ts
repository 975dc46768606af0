import { hostname } from 'node:os';
import type { Settings } from '../model/settings.ts';

/** What a process is called in its fleet: as the settings say, or by its host and its role. */
export function instanceName({ instance }: Settings, role: string): string {
	// Hosts may be called otherwise than a name in the store may be.
	return instance === ''
		? `${hostname()
				.replaceAll(/[^A-Za-z0-9._:-]/g, '-')
				.slice(0, 200)}-${role}`
		: instance;
}
