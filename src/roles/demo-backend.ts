/**
 * A demo backend, as a process of its own: `demo-backend.ts PORT NAME` answers `ok` to every request on loopback.
 */

import { createServer } from 'node:http';

const port = Number(process.argv[2]);
const name = process.argv[3] ?? 'demo';
const server = createServer((_request, response) => {
	response.writeHead(200, { 'content-type': 'text/plain', 'x-backend': name });
	response.end('ok\n');
});
server.on('error', () => process.exit(1));
server.listen(port, '127.0.0.1', () => process.stdout.write(`${name} listens on 127.0.0.1:${port}\n`));
// Nobody needs a demo backend whose demo is gone without having said so.
const parent = process.ppid;
setInterval(() => {
	if (parent !== 1 && process.ppid === 1 && process.stdout.isTTY !== true) process.exit(0);
}, 1000).unref();
