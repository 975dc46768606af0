/**
 * One logged query as a line of JSON. Names of the record's indexes come from the generation that answered.
 */

import { type Message, readMessage } from '../dns/message-text.ts';
import { type Address, parseAddress, printAddress } from '../lib/address.ts';
import { prefixOf, printPrefix } from '../lib/prefix.ts';
import type { DecisionRecord, QueryRecord } from '../serve/query-ring.ts';
import type { SteeringTable } from '../steering/nodes.ts';
import { unitAndName } from './answer-columns.ts';

/** Records of an answer that are told; the number of all is `answers`. */
const ANSWERS_MAX = 8;
/** Of a client's address, unless all of it is wanted. */
const NETWORK_BITS = { 4: 24, 6: 56 } as const;
const STATE_WORDS = ['none', 'last-resort', 'up'] as const;

/**
 * @param steering       of the record's generation; undefined when it is not known any more
 * @param isAddressTold  tell whole addresses of clients rather than their networks
 * @returns the line with its end
 */
export function queryLogLine(record: QueryRecord, steering: SteeringTable | undefined, isAddressTold: boolean): string {
	const message = readMessage(record.message);
	const read = typeof message === 'string' ? undefined : message;
	const question = read?.question[0];
	const { limited } = record;
	const line = {
		time: new Date(record.timeMs).toISOString(),
		transport: record.isTcp ? 'tcp' : 'udp',
		client: isAddressTold ? printAddress(record.sender) : networkText(record.sender),
		...subnetOf(read, isAddressTold),
		name: question?.name,
		type: question?.type,
		class: question === undefined || question.class === 'IN' ? undefined : question.class,
		opcode: read === undefined || read.opcode === 'QUERY' ? undefined : read.opcode,
		limited: limited === 'no' ? undefined : limited,
		...(limited === 'dropped' ? {} : answerOf(record, read)),
		by: byOf(record, read),
		steered:
			record.decisions.length === 0 || steering === undefined
				? undefined
				: record.decisions.map((decision) => decisionOf(decision, steering)),
		size: record.responseOctets,
	};
	return `${JSON.stringify(line)}\n`;
}

function networkText(address: Address): string {
	return printPrefix(prefixOf(address, NETWORK_BITS[address.family]));
}

/** The client subnet, no longer than a network, and how far the answer holds around it. */
function subnetOf(message: Message | undefined, isAddressTold: boolean): { ecs?: string; scope?: number } {
	const subnet = message?.opt?.subnet;
	const address = subnet === undefined ? undefined : parseAddress(subnet.address);
	if (subnet === undefined || address === undefined) return {};
	const most = isAddressTold ? subnet.source : Math.min(subnet.source, NETWORK_BITS[address.family]);
	return { ecs: printPrefix(prefixOf(address, most)), scope: subnet.scope };
}

interface AnswerFields {
	readonly rcode?: string;
	readonly flags?: readonly string[];
	readonly ttl?: number;
	readonly answer?: readonly string[];
	readonly answers?: number;
}

function answerOf({ isCut }: QueryRecord, message: Message | undefined): AnswerFields {
	if (message === undefined) return {};
	const { rcode, answer, authority } = message;
	const flags = message.flags.filter((flag) => flag === 'aa' || flag === 'tc');
	if (isCut) return { rcode, flags };
	const ttls = (answer.length > 0 ? answer : authority).map(({ ttlSec }) => ttlSec);
	return {
		rcode,
		flags,
		...(ttls.length === 0 ? {} : { ttl: Math.min(...ttls) }),
		answer: answer.slice(0, ANSWERS_MAX).map(({ type, rdataText }) => `${type} ${rdataText}`),
		...(answer.length > ANSWERS_MAX ? { answers: answer.length } : {}),
	};
}

/** What gave the answer: a policy, the zone alone, or the server without asking either. */
function byOf({ limited, decisions }: QueryRecord, message: Message | undefined): 'policy' | 'zone' | 'server' {
	if (decisions.length > 0) return 'policy';
	const isOfZone = message?.rcode === 'NOERROR' || message?.rcode === 'NXDOMAIN' || message?.rcode === 'YXDOMAIN';
	return limited === 'no' && isOfZone && message.question[0]?.class === 'IN' ? 'zone' : 'server';
}

/** What a policy decided, and for whom; what it picked is one of its pools, or a union. */
function decisionOf({ name, pick, state, endpoints }: DecisionRecord, steering: SteeringTable): object {
	const steered = steering.names[name];
	const root = steering.nodes[steered?.root ?? -1];
	const picked = steering.nodes[pick];
	const { unit, name: owner } = unitAndName(steered?.name ?? '');
	const isNone = STATE_WORDS[state] === 'none';
	return {
		zone: unit,
		name: owner,
		policy: root?.name,
		kind: root?.kind,
		state: STATE_WORDS[state],
		pool: isNone || picked === undefined || picked === root ? undefined : picked.name,
		endpoints: endpoints.map((index) => {
			const endpoint = steering.endpoints[index];
			return endpoint === undefined ? '' : `${unitAndName(endpoint.pool).name}/${endpoint.name}`;
		}),
	};
}
