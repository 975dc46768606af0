import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { whyNotBound } from '../../src/roles/port-holder.ts';

describe('whyNotBound() says', () => {
	for (const { code, says } of [
		{ code: 'EACCES', says: /^a port this low is for root, and for who has CAP_NET_BIND_SERVICE / },
		{ code: 'EADDRNOTAVAIL', says: /^this machine does not have the address$/ },
		{ code: 'EADDRINUSE', says: /^it is in use/ },
		{ code: 'EMFILE', says: /^bind EMFILE$/ },
	])
		it(`what ${code} means`, () => {
			const error = Object.assign(new Error(`bind ${code}`), { code });
			assert.match(whyNotBound(error, { address: '203.0.113.1', family: 4, port: 1 }), says);
		});
});
