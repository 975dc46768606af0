/** The codec of each kind of field: one entry per kind, and a missing one does not compile. */

import { printBase64, printHex, scanBase64, scanHex } from './base-text.ts';
import { type FieldCodec, restField } from './field.ts';
import {
	algorithmField,
	bitmapField,
	certificateField,
	euiField,
	hashField,
	saltField,
	timeField,
	typeField,
} from './field-dnssec.ts';
import { hostIdentityField, locatorField, nsapField, prefixesField, relayField } from './field-network.ts';
import {
	addressField,
	gatewayField,
	nameField,
	numberField,
	octetsField,
	periodField,
	stringField,
	stringsField,
	tagField,
	uriField,
} from './field-plain.ts';
import { locField } from './loc.ts';
import type { Field } from './rr-type.ts';
import { svcParamsField } from './svc-params.ts';

export const FIELDS: Readonly<Record<Field, FieldCodec>> = {
	ipv4: addressField(4),
	ipv6: addressField(6),
	name: nameField,
	u8: numberField(1),
	u16: numberField(2),
	u32: numberField(4),
	period: periodField,
	string: stringField,
	strings: stringsField,
	tag: tagField,
	octets: octetsField,
	uri: uriField,
	hex: restField({ phrase: 'pairs of hex digits', octetsMin: 1, scanText: scanHex, print: printHex }),
	base64: restField({ phrase: 'base64', octetsMin: 1, scanText: scanBase64, print: printBase64 }),
	'base64-or-none': restField({ phrase: 'base64', octetsMin: 0, scanText: scanBase64, print: printBase64 }),
	algorithm: algorithmField,
	certificate: certificateField,
	type: typeField,
	time: timeField,
	salt: saltField,
	hash: hashField,
	types: bitmapField(false),
	'types-or-none': bitmapField(true),
	eui48: euiField(6),
	eui64: euiField(8),
	gateway: gatewayField,
	loc: locField,
	locator: locatorField,
	prefixes: prefixesField,
	relay: relayField,
	'host-identity': hostIdentityField,
	nsap: nsapField,
	'svc-params': svcParamsField,
};
