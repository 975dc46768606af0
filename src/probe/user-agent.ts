/**
 * How probes introduce themselves, so that whoever finds them in a log knows whom to ask.
 */

/** @param contact  a URL or mail address of the operator; empty for none. @returns a User-Agent (RFC 9110 §10.1.5) */
export function userAgentOf(version: string, contact: string): string {
	return contact === '' ? `meridian/${version}` : `meridian/${version} (+${contact})`;
}
