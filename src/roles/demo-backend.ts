/**
 * A demo backend, as a process of its own: `demo-backend.ts PORT NAME` answers `ok` to every request on loopback.
 *
 * Started by `meridian start --demo` it has a channel to it, and ends when that closes, however Meridian ended.
 * Started by hand it has none, and runs until it is stopped.
 */

import { createServer } from 'node:http';

const port = Number(process.argv[2]);
const name = process.argv[3] ?? 'demo';
const server = createServer((_request, response) => {
	response.writeHead(200, { 'content-type': 'text/plain', 'x-backend': name });
	response.end('ok\n');
});
server.on('error', ({ message }) => {
	process.stderr.write(`Cannot start the backend ${name}: ${message}\n`);
	process.exit(1);
});
server.listen(port, '127.0.0.1', () => {
	if (process.send === undefined) process.stdout.write(`${name} listens on 127.0.0.1:${port}, pid ${process.pid}\n`);
	else process.send('listening');
});
process.on('disconnect', () => process.exit(0));
