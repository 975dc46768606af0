/**
 * `node dns2-server.ts PORT DATABASE`: the geo map as somebody would write it on the npm packages dns2 and maxmind.
 */

import dns2, { Packet } from 'dns2';
import { type CountryResponse, open } from 'maxmind';
import { addressOf, siteOf } from '../../peers/geo-map.ts';

const TTL_SEC = 30;

const [port, database] = process.argv.slice(2);
const places = await open<CountryResponse>(database ?? '');
const server = dns2.createUDPServer((request, send) => {
	const response = Packet.createResponseFromRequest(request);
	const [question] = request.questions;
	if (question === undefined) return;
	const opt = request.additionals.find(({ type }) => type === Packet.TYPE.EDNS) as
		| { readonly rdata: readonly { readonly ip?: string }[] }
		| undefined;
	const place = places.get(opt?.rdata[0]?.ip ?? '127.0.0.1');
	const address = addressOf(siteOf(place?.country?.iso_code, place?.continent?.code));
	response.answers.push(Packet.createResourceFromQuestion(question, { ttl: TTL_SEC, address }));
	send(response);
});
await server.listen(Number(port), '127.0.0.1');
