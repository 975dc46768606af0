/**
 * From an unknown value (parsed YAML, a request body) to a steering document, or to all its problems.
 *
 * The shapes of `steering.ts` do the checking. What is added here: policies and monitors are checked by the
 * shape of their `kind`, defaults are filled in, and each mistake gives one sentence.
 */

import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { Settings } from 'typebox/system';
import { parseAddress, printAddress } from '../lib/address.ts';
import type { Path, Problem, Result } from '../lib/result.ts';
import { DURATION_MS_MIN, durationMs } from './duration.ts';
import {
	CommonShape,
	DEPTH_MAX,
	type EndpointDocument,
	MONITOR_KINDS_TO_COME,
	MONITOR_SHAPES,
	type MonitorDocument,
	type NameDocument,
	POLICY_KINDS_TO_COME,
	POLICY_SHAPES,
	type PolicyDocument,
	type PoolDocument,
	STEERED_TYPES,
	type SteeringDocument,
	ZoneShape,
} from './steering.ts';

/** Typebox stops at 8 errors by itself; a file is to show all of its mistakes, up to some end. */
const ERRORS_MAX = 1000;
Settings.Set({ maxErrors: ERRORS_MAX });

type Validators<K extends string> = Readonly<Record<K, Validator>>;

const compileAll = <K extends string>(shapes: Readonly<Record<K, TSchema>>) =>
	Object.fromEntries(Object.entries<TSchema>(shapes).map(([kind, shape]) => [kind, Compile(shape)])) as Validators<K>;

const DOCUMENTS = { common: Compile(CommonShape), zone: Compile(ZoneShape) };
const MONITORS: Readonly<Record<string, Validator>> = compileAll(MONITOR_SHAPES);
const POLICIES: Readonly<Record<string, Validator>> = compileAll(POLICY_SHAPES);

/** Names of pools, policies and so on: what can stand in a URL and a metric label as it is. */
const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;

/**
 * @param value  a document as plain data; it is not changed
 * @param kind   whether it belongs to one zone or to all
 */
export function readSteering(value: unknown, kind: 'common' | 'zone'): Result<SteeringDocument> {
	const check = new Check();
	const document = check.shape(DOCUMENTS[kind], value ?? {}, []);
	if (!isRecord(document)) return { ok: false, problems: check.problems };
	const result: SteeringDocument = {
		regions: check.table(document, 'regions'),
		networks: check.table(document, 'networks'),
		places: check.table(document, 'places'),
		monitors: check.table(document, 'monitors', (entry, path) =>
			check.byKind(MONITORS, MONITOR_KINDS_TO_COME, entry, path),
		),
		pools: check.table(document, 'pools'),
		policies: check.table(document, 'policies', (entry, path) => check.policy(entry, path, 1)),
		// In the common document the key is unknown, which has been said.
		names: kind === 'zone' ? check.table(document, 'names', (entry, path) => check.named(entry, path)) : new Map(),
	};
	for (const [name, monitor] of result.monitors) check.monitor(monitor, ['monitors', name]);
	for (const [name, pool] of result.pools) check.pool(pool, ['pools', name]);
	for (const [owner, name] of result.names) check.name(name, ['names', owner]);
	return check.problems.length === 0 ? { ok: true, value: result } : { ok: false, problems: check.problems };
}

class Check {
	readonly problems: Problem[] = [];
	/** Places that have failed their shape, and all places around them: what lies there has not the form that its type says. */
	readonly #failed = new Set<string>();

	add(path: Path, message: string): void {
		this.problems.push({ path, message });
	}

	/** Check a value by a shape and fill in its defaults. */
	shape(validator: Validator, value: unknown, path: Path): unknown {
		const filled = fillDefaults(validator.Type(), value);
		const seen = new Set<string>();
		for (const error of validator.Errors(filled)) {
			const steps = pathOf(filled, error.instancePath);
			const place = valueAt(filled, steps);
			if (error.keyword === 'additionalProperties') {
				for (const key of error.params.additionalProperties)
					this.#unknownKey(validator.Type(), filled, [...steps, key], path);
				continue;
			}
			// Typebox reports an extra key twice, and each branch of a union: the first word on a place is enough.
			if (error.keyword === 'boolean' || seen.has(error.instancePath)) continue;
			seen.add(error.instancePath);
			this.#fail([...path, ...steps]);
			const schema = schemaAt(validator.Type(), steps);
			if (error.keyword === 'required') {
				for (const key of error.params.requiredProperties) {
					if (isRecord(place) && key in place) continue;
					this.add([...path, ...steps], `Cannot do without "${key}": expected ${expectation(propertyOf(schema, key))}`);
				}
				continue;
			}
			this.add([...path, ...steps], `Cannot use ${quote(place)}: expected ${expectation(schema)}`);
		}
		return filled;
	}

	#fail(path: Path): void {
		for (let length = path.length; length > 0; length--) this.#failed.add(JSON.stringify(path.slice(0, length)));
	}

	/** Whether something at or below a place has failed its shape. */
	hasFailed(path: Path): boolean {
		return this.#failed.has(JSON.stringify(path));
	}

	#unknownKey(shape: TSchema, root: unknown, steps: Path, path: Path): void {
		const key = String(steps.at(-1));
		const known = Object.keys(propertiesOf(schemaAt(shape, steps.slice(0, -1))));
		if (valueAt(root, steps) === undefined && known.includes(key)) return;
		const nearest = nearestName(key, known);
		const hint = nearest === undefined ? `expected one of ${known.join(', ')}` : `did you mean "${nearest}"?`;
		this.add([...path, ...steps], `Cannot use the unknown key "${key}": ${hint}`);
	}

	/** A table of named things as a map; a name that breaks the pattern is a problem of its own. */
	table<T>(
		document: Readonly<Record<string, unknown>>,
		key: string,
		read?: (entry: unknown, path: Path) => unknown,
	): ReadonlyMap<string, T> {
		const entries = document[key];
		const map = new Map<string, T>();
		if (!isRecord(entries)) return map;
		for (const [name, entry] of Object.entries(entries)) {
			const path = [key, name];
			// Owner names have their own rules, and are read where the zone is known.
			if (key !== 'names' && !NAME_PATTERN.test(name)) {
				this.add(path, `Cannot use "${name}" as a name: expected up to 63 letters, digits, "_", "." or "-"`);
			}
			const value = read === undefined ? entry : read(entry, path);
			if (value !== undefined && !this.hasFailed(path)) map.set(name, value as T);
		}
		return map;
	}

	/** Check by the shape that the key `kind` names; undefined when there is none. */
	byKind(
		validators: Readonly<Record<string, Validator>>,
		toCome: readonly string[],
		value: unknown,
		path: Path,
	): Record<string, unknown> | undefined {
		const kinds = Object.keys(validators);
		if (!isRecord(value)) {
			this.add(path, `Cannot use ${quote(value)}: expected a table with a key "kind" (${kinds.join(', ')})`);
			return undefined;
		}
		const kind = value['kind'];
		const validator = typeof kind === 'string' && kinds.includes(kind) ? validators[kind] : undefined;
		if (validator === undefined) {
			const at = 'kind' in value ? [...path, 'kind'] : path;
			const expected = toCome.includes(String(kind))
				? `not yet; there are ${kinds.join(', ')}`
				: `expected one of ${kinds.join(', ')}`;
			this.add(at, `Cannot use kind ${quote(kind)}: ${expected}`);
			return undefined;
		}
		const before = this.problems.length;
		const filled = this.shape(validator, value, path);
		return this.problems.length === before && isRecord(filled) ? filled : undefined;
	}

	/** A policy and all policies that stand inside it. */
	policy(value: unknown, path: Path, depth: number): PolicyDocument | undefined {
		if (depth > DEPTH_MAX) {
			this.add(path, `Cannot nest policies deeper than ${DEPTH_MAX}`);
			return undefined;
		}
		const policy = this.byKind(POLICIES, POLICY_KINDS_TO_COME, value, path) as PolicyDocument | undefined;
		if (policy === undefined) return undefined;
		if (policy.kind === 'weighted' && policy.by === 'client')
			this.add([...path, 'by'], 'Cannot draw by client: not yet');
		switch (policy.kind) {
			case 'geo':
				return {
					...policy,
					rules: policy.rules.map((rule, i) => ({
						...rule,
						use: this.use(rule.use, [...path, 'rules', i, 'use'], depth),
					})),
					...(policy.default === undefined ? {} : { default: this.use(policy.default, [...path, 'default'], depth) }),
				};
			case 'weighted':
				return {
					...policy,
					members: policy.members.map((member, i) => ({
						...member,
						use: this.use(member.use, [...path, 'members', i, 'use'], depth),
					})),
				};
			case 'failover':
			case 'latency':
				return {
					...policy,
					members: policy.members.map((member, i) => this.use(member, [...path, 'members', i], depth)),
				};
			default:
				return policy satisfies never;
		}
	}

	/** What stands where a policy is taken; a place that is wrong has been reported and reads as an empty name. */
	use(value: unknown, path: Path, depth: number): string | PolicyDocument {
		if (typeof value === 'string' && value !== '') return value;
		if (isRecord(value)) return this.policy(value, path, depth + 1) ?? '';
		this.add(path, `Cannot use ${quote(value)}: expected the name of a pool or policy, or a policy`);
		return '';
	}

	monitor(monitor: MonitorDocument, path: Path): void {
		const intervalMs = this.duration(monitor.interval, [...path, 'interval']);
		const timeoutMs = this.duration(monitor.timeout, [...path, 'timeout']);
		if (timeoutMs >= intervalMs) {
			this.add(
				[...path, 'timeout'],
				`Cannot use timeout ${monitor.timeout}: expected less than the interval ${monitor.interval}`,
			);
		}
	}

	duration(text: string, path: Path): number {
		const ms = durationMs(text);
		if (ms < DURATION_MS_MIN) this.add(path, `Cannot use ${text}: expected ${DURATION_MS_MIN}ms or more`);
		return ms;
	}

	pool(pool: PoolDocument, path: Path): void {
		if (pool.by === 'client') this.add([...path, 'by'], 'Cannot draw by client: not yet');
		const names = new Set<string>();
		for (const [i, endpoint] of pool.endpoints.entries()) {
			const at = [...path, 'endpoints', i];
			if (names.has(endpoint.name)) this.add([...at, 'name'], `Cannot use "${endpoint.name}" twice in one pool`);
			names.add(endpoint.name);
			this.#addresses(endpoint, at);
		}
	}

	#addresses(endpoint: EndpointDocument, path: Path): void {
		const seen = new Set<string>();
		for (const [i, text] of endpoint.addresses.entries()) {
			const at = [...path, 'addresses', i];
			const address = parseAddress(text);
			if (address === undefined) {
				this.add(at, `Cannot use "${text}": expected an IPv4 or IPv6 address`);
				continue;
			}
			const canonical = printAddress(address);
			if (seen.has(canonical)) this.add(at, `Cannot use ${text} twice in one endpoint`);
			seen.add(canonical);
		}
		const checkAddress = endpoint.check?.address;
		if (checkAddress !== undefined && parseAddress(checkAddress) === undefined) {
			this.add([...path, 'check', 'address'], `Cannot use "${checkAddress}": expected an IPv4 or IPv6 address`);
		}
	}

	/** A steered name with the policy that stands in it. */
	named(entry: unknown, path: Path): unknown {
		if (!isRecord(entry) || !('policy' in entry)) return entry;
		return { ...entry, policy: this.use(entry['policy'], [...path, 'policy'], 0) };
	}

	name(name: NameDocument, path: Path): void {
		const ms = durationMs(name.ttl);
		if (ms % 1000 !== 0 || ms > 0x7fffffff * 1000)
			this.add([...path, 'ttl'], `Cannot use TTL ${name.ttl}: expected whole seconds below 2^31`);
		for (const [i, type] of name.types.entries()) {
			if ((STEERED_TYPES as readonly string[]).includes(type)) continue;
			this.add([...path, 'types', i], `Cannot steer type ${type}: not yet (there are ${STEERED_TYPES.join(', ')})`);
		}
	}
}

/** The known name that is at most two edits away. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
	let best: string | undefined;
	let least = 3;
	for (const candidate of known) {
		const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
		if (distance < least) {
			least = distance;
			best = candidate;
		}
	}
	return best;
}

function editDistance(a: string, b: string): number {
	let row = Array.from({ length: b.length + 1 }, (_, i) => i);
	for (let i = 1; i <= a.length; i++) {
		const next = [i];
		for (let j = 1; j <= b.length; j++) {
			const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
			next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
		}
		row = next;
	}
	return row[b.length] ?? 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function quote(value: unknown): string {
	const text = JSON.stringify(value) ?? 'nothing';
	return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/**
 * A copy of a value in which absent keys have the defaults of the shape.
 * Typebox's own function leaves out tables whose entries have no default as a whole.
 */
function fillDefaults(schema: unknown, value: unknown): unknown {
	const present = value === undefined ? structuredClone(valueAt(schema, ['default'])) : value;
	if (Array.isArray(present)) return present.map((item) => fillDefaults(valueAt(schema, ['items']), item));
	if (!isRecord(present)) return present;
	const filled: Record<string, unknown> = Object.create(null);
	for (const [key, entry] of Object.entries(present)) filled[key] = fillDefaults(propertyOf(schema, key), entry);
	for (const [key, property] of Object.entries(propertiesOf(schema))) {
		if (key in filled) continue;
		const fallback = fillDefaults(property, undefined);
		if (fallback !== undefined) filled[key] = fallback;
	}
	return filled;
}

/** A JSON pointer as path steps: digits are list positions only inside a list. */
function pathOf(root: unknown, pointer: string): (string | number)[] {
	const steps: (string | number)[] = [];
	let value = root;
	for (const raw of pointer.split('/').slice(1)) {
		const key = raw.replaceAll('~1', '/').replaceAll('~0', '~');
		const step = Array.isArray(value) ? Number(key) : key;
		steps.push(step);
		value = valueAt(value, [step]);
	}
	return steps;
}

function valueAt(root: unknown, path: Path): unknown {
	let value = root;
	for (const step of path) {
		if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
		value = (value as Record<string | number, unknown>)[step];
	}
	return value;
}

/** The part of a shape that speaks of a place. */
function schemaAt(shape: unknown, path: Path): unknown {
	let schema = shape;
	for (const step of path) schema = typeof step === 'number' ? valueAt(schema, ['items']) : propertyOf(schema, step);
	return schema;
}

function propertyOf(schema: unknown, key: string): unknown {
	const own = valueAt(schema, ['properties', key]);
	if (own !== undefined) return own;
	const patterns = valueAt(schema, ['patternProperties']);
	return isRecord(patterns) ? Object.values(patterns)[0] : undefined;
}

function propertiesOf(schema: unknown): Readonly<Record<string, unknown>> {
	const properties = valueAt(schema, ['properties']);
	return isRecord(properties) ? properties : {};
}

function expectation(schema: unknown): string {
	const description = valueAt(schema, ['description']);
	if (typeof description === 'string') return description;
	const constant = valueAt(schema, ['const']);
	return constant === undefined ? 'another form' : JSON.stringify(constant);
}
