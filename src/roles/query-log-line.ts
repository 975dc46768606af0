/**
 * One logged query as a line of JSON. Names of the record's indexes come from the generation that answered.
 */

import { type MessageSummary, SummaryReader } from '../dns/message-summary.ts';
import { classText, opcodeText, rcodeText } from '../dns/message-text.ts';
import { CLASS, OPCODE, RCODE } from '../dns/protocol.ts';
import { type Address, printAddress } from '../lib/address.ts';
import { prefixOf, printPrefix } from '../lib/prefix.ts';
import type { DecisionRecord, QueryRecord } from '../serve/query-ring.ts';
import { type SteeringLabels, unitAndName } from './answer-columns.ts';

/** Records of an answer that are told; where there are more, `answers` is the number of all. */
const ANSWERS_MAX = 8;
/** Of a client's address, unless all of it is wanted. */
const NETWORK_BITS = { 4: 24, 6: 56 } as const;
const STATE_WORDS = ['none', 'last-resort', 'up'] as const;

export class QueryLogLines {
	readonly #isAddressTold: boolean;
	readonly #reader = new SummaryReader(ANSWERS_MAX);

	/** @param isAddressTold  tell whole addresses of clients rather than their networks */
	constructor(isAddressTold: boolean) {
		this.#isAddressTold = isAddressTold;
	}

	/**
	 * @param steering  of the record's generation; undefined when it is not known any more
	 * @returns the line with its end
	 */
	lineOf(record: QueryRecord, steering: SteeringLabels | undefined): string {
		const { limited, decisions, isCut } = record;
		const message = this.#reader.read(record.message);
		const { question, subnet, opcode, answers, answerCount } = message;
		const isAnswered = limited !== 'dropped';
		const hasRecords = isAnswered && !isCut;
		const line = {
			time: new Date(record.timeMs).toISOString(),
			transport: record.isTcp ? 'tcp' : 'udp',
			client: this.#isAddressTold
				? printAddress(record.sender)
				: networkText(record.sender, NETWORK_BITS[record.sender.family]),
			ecs: subnet === undefined ? undefined : networkText(subnet.address, this.#bitsOf(subnet)),
			scope: subnet?.scope,
			name: question?.name,
			type: question?.type,
			class: question === undefined || question.class === CLASS.in ? undefined : classText(question.class),
			opcode: opcode === OPCODE.query ? undefined : opcodeText(opcode),
			limited: limited === 'no' ? undefined : limited,
			rcode: isAnswered ? rcodeText(message.rcode) : undefined,
			aa: isAnswered ? message.isAuthoritative : undefined,
			tc: isAnswered ? message.isTruncated : undefined,
			ttl: hasRecords ? message.ttlSec : undefined,
			answer: hasRecords ? answers : undefined,
			answers: answerCount > ANSWERS_MAX ? answerCount : undefined,
			by: byOf(record, message),
			steered:
				decisions.length === 0 || steering === undefined
					? undefined
					: decisions.map((decision) => decisionOf(decision, steering)),
			size: record.responseOctets,
		};
		return `${JSON.stringify(line)}\n`;
	}

	/** No longer than a network of clients. */
	#bitsOf({ address, source }: NonNullable<MessageSummary['subnet']>): number {
		return this.#isAddressTold ? source : Math.min(source, NETWORK_BITS[address.family]);
	}
}

function networkText(address: Address, bits: number): string {
	const word = address.words[0] ?? 0;
	// Nearly all there are.
	if (address.family === 4 && bits === 24) return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.0/24`;
	return printPrefix(prefixOf(address, bits));
}

/** What gave the answer: a policy, the zone alone, or the server without asking either. */
function byOf({ limited, decisions }: QueryRecord, { rcode, question, opcode }: MessageSummary): string {
	if (decisions.length > 0) return 'policy';
	const isOfZone = rcode === RCODE.noerror || rcode === RCODE.nxdomain || rcode === RCODE.yxdomain;
	const isAsked = limited === 'no' && opcode === OPCODE.query && question?.class === CLASS.in;
	return isOfZone && isAsked ? 'zone' : 'server';
}

/** What a policy decided, and for whom; what it picked is one of its pools, or a union. */
function decisionOf({ name, pick, state, endpoints }: DecisionRecord, steering: SteeringLabels): object {
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
