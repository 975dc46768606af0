/**
 * What is wrong with the name that a record points at.
 *
 * | target of    | must be, when it is a name of this zone                                      |
 * |--------------|------------------------------------------------------------------------------|
 * | NS, MX, SRV  | a host with addresses: no alias, not below a DNAME                           |
 * | SOA          | a host by its name                                                           |
 * | DNAME        | elsewhere: a target at or below the owner grows without end                  |
 *
 * Targets of other types may be aliases: SVCB and HTTPS by RFC 9460 §2.4.2.
 */

import { copyName, type Name, nameLength, octet, printName } from '../dns/name.ts';
import { TYPE } from '../dns/protocol.ts';
import { typeText } from '../dns/rr-type.ts';
import type { CheckRoom } from './check-room.ts';
import { isHostName, readsAsAddress } from './name-rules.ts';
import { APEX, HAS, type Owners } from './owners.ts';

/** Octets before the target. */
const TARGET_AT: ReadonlyMap<number, number> = new Map([
	[TYPE.ns, 0],
	[TYPE.soa, 0],
	[TYPE.mx, 2],
	[TYPE.srv, 6],
	[TYPE.dname, 0],
]);

const AT_SIGN = 0x40;

/** Whether there are rules for what a record of this type points at. */
export function hasTarget(type: number): boolean {
	return TARGET_AT.has(type);
}

export class TargetRules {
	readonly #owners: Owners;
	readonly #target: Name;

	constructor(owners: Owners, room: Pick<CheckRoom, 'target'>) {
		this.#owners = owners;
		this.#target = room.target;
	}

	/** @returns the warnings about a record's target, as sentences */
	problems(owner: number, type: number, rdata: Uint8Array): readonly string[] {
		const at = TARGET_AT.get(type);
		if (at === undefined) return [];
		copyName(rdata, at, this.#target);
		if (type === TYPE.dname) return this.#dnameProblems(owner);
		// No mail, no service (RFC 7505, RFC 2782).
		if (this.#target.labelCount === 0) return [];
		const found: string[] = [];
		const isAddress = readsAsAddress(this.#target.wire);
		if (isAddress) found.push(`${this.#use(type)}: it reads as an address, expected the name of a host`);
		else if (!isHostName(this.#target.wire))
			found.push(`${this.#use(type)}, expected the name of a host: letters, digits and hyphens`);
		if (type === TYPE.soa) found.push(...mailboxProblems(rdata));
		else if (!isAddress) found.push(...this.#addressProblems(owner, type));
		return found;
	}

	#dnameProblems(owner: number): readonly string[] {
		if (!this.#owners.isInZone(this.#target) || !this.#owners.isAtOrAbove(owner, this.#target)) return [];
		const ownerText = printName(this.#owners.name(owner));
		return [`Cannot follow the DNAME of ${ownerText} to ${this.#text}, expected a target that is not below the owner`];
	}

	#addressProblems(owner: number, type: number): readonly string[] {
		const owners = this.#owners;
		const target = this.#target;
		if (!owners.isInZone(target)) return [];
		const has = owners.has(owners.find(target));
		const follow = `Cannot follow ${typeText(type)} to ${this.#text}`;
		if ((has & HAS.cname) !== 0) return [`${follow}: it is an alias, expected a name with addresses (RFC 2181 §10.3)`];
		const dname = owners.closestAbove(target, HAS.dname);
		if (dname !== undefined)
			return [`${this.#follow(type)}: it is below the DNAME at ${dname}, expected a name with addresses`];
		if ((has & HAS.address) !== 0 || owners.isFromWildcard(target)) return [];
		if (type === TYPE.ns) return [this.#glueProblem(owner)];
		// What is delegated is in another zone's hands.
		if (owners.isBelowCut(target)) return [];
		return [
			`Cannot find an address of ${this.#text}, the target of ${typeText(type)}, expected A or AAAA in this zone`,
		];
	}

	#glueProblem(owner: number): string {
		const what = `an address of ${this.#text}, a name server of ${printName(this.#owners.name(owner))}`;
		return `Cannot find ${what}, expected A or AAAA in this zone${owner === APEX ? '' : ' (glue)'}`;
	}

	#use(type: number): string {
		return `Cannot use ${this.#text} as the target of ${typeText(type)}`;
	}

	#follow(type: number): string {
		return `Cannot follow ${typeText(type)} to ${this.#text}`;
	}

	get #text(): string {
		return printName(this.#target.wire);
	}
}

function mailboxProblems(rdata: Uint8Array): readonly string[] {
	const at = nameLength(rdata, 0);
	const mailbox = rdata.subarray(at, at + nameLength(rdata, at));
	if (!mailbox.subarray(1, 1 + octet(mailbox, 0)).includes(AT_SIGN)) return [];
	return [
		`Cannot use ${printName(mailbox)} as the mailbox of the SOA, expected a dot in place of "@" (RFC 1035 §3.3.13)`,
	];
}
