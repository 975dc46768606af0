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
import { nearestName } from '../lib/nearest-name.ts';
import type { Path, Problem, Result } from '../lib/result.ts';
import { checkMonitor } from './check-monitor.ts';
import { DURATION_MS_MIN, durationMs } from './duration.ts';
import { MONITOR_SHAPES } from './monitor-shapes.ts';
import { isDuration } from './shape-parts.ts';
import {
	expectation,
	fillDefaults,
	isRecord,
	listAt,
	pathOf,
	propertiesOf,
	propertyOf,
	quote,
	schemaAt,
	valueAt,
} from './shape-walk.ts';
import {
	CommonShape,
	DEPTH_MAX,
	NEAR_MEMBER_SHAPE,
	POLICY_SHAPES,
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
const NEAR_MEMBER = Compile(NEAR_MEMBER_SHAPE);

const RAMP_UP_MS_MAX = 86_400_000;

/** Keys that the design has and the shapes have not. */
const KEYS_TO_COME: ReadonlySet<string> = new Set(['capacity', 'dnssec']);

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
		monitors: check.table(document, 'monitors', (entry, path) => check.monitor(entry, path)),
		pools: check.table(document, 'pools', (entry, path) => check.pool(entry, path)),
		policies: check.table(document, 'policies', (entry, path) => check.policy(entry, path, 1)),
		// In the common document the key is unknown, which has been said.
		names: kind === 'zone' ? check.table(document, 'names', (entry, path) => check.name(entry, path)) : new Map(),
	};
	return check.problems.length === 0 ? { ok: true, value: result } : { ok: false, problems: check.problems };
}

/** What checks values by one shape: the value with its defaults, or all its mistakes, one sentence each. */
export function shapeReader(shape: TSchema): (value: unknown) => Result<unknown> {
	const validator = Compile(shape);
	return (value) => {
		const check = new Check();
		const filled = check.shape(validator, value, []);
		return check.problems.length === 0 ? { ok: true, value: filled } : { ok: false, problems: check.problems };
	};
}

function isNumeral(value: unknown): value is string | number {
	return (typeof value === 'string' || typeof value === 'number') && /^\d+$/.test(String(value));
}

/**
 * Checks a document place by place. A place that has failed its shape does not keep the others from being
 * checked, so what is read here may still be of any form.
 */
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
			if (schema === undefined) continue;
			if (error.keyword === 'required') {
				for (const key of error.params.requiredProperties) {
					if (isRecord(place) && key in place) continue;
					this.add([...path, ...steps], `Cannot do without "${key}": expected ${expectation(propertyOf(schema, key))}`);
				}
				continue;
			}
			const hint = isDuration(schema) && isNumeral(place) ? `, did you mean ${place}s?` : '';
			this.add([...path, ...steps], `Cannot use ${quote(place)}: expected ${expectation(schema)}${hint}`);
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
		if (KEYS_TO_COME.has(key)) {
			this.add([...path, ...steps], `Cannot use the key "${key}": not yet`);
			return;
		}
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
		const kind = valueAt(value, ['kind']);
		if (kind === undefined) {
			this.add(path, `Cannot do without "kind": expected one of ${kinds.join(', ')}`);
			return undefined;
		}
		const validator = typeof kind === 'string' && kinds.includes(kind) ? validators[kind] : undefined;
		if (validator === undefined) {
			const expected =
				typeof kind === 'string' && toCome.includes(kind)
					? `not yet; there are ${kinds.join(', ')}`
					: `expected one of ${kinds.join(', ')}`;
			this.add([...path, 'kind'], `Cannot use kind ${quote(kind)}: ${expected}`);
			return undefined;
		}
		const filled = this.shape(validator, value, path);
		return isRecord(filled) ? filled : undefined;
	}

	/** A policy and all policies that stand inside it; undefined when it has no kind, or is too deep. */
	policy(value: unknown, path: Path, depth: number): unknown {
		if (depth > DEPTH_MAX) {
			this.add(path, `Cannot nest policies deeper than ${DEPTH_MAX}`);
			return undefined;
		}
		const policy = this.byKind(POLICIES, [], value, path);
		if (policy === undefined) return undefined;
		if (policy['kind'] === 'geo') {
			const rules = this.#uses(policy, 'rules', path, depth);
			if (!('default' in policy)) return { ...policy, rules };
			return { ...policy, rules, default: this.use(policy['default'], [...path, 'default'], depth) };
		}
		if (policy['kind'] === 'weighted') {
			return { ...policy, members: this.#uses(policy, 'members', path, depth) };
		}
		const isNear = policy['kind'] === 'proximity';
		const members = listAt(policy, 'members').map((member, i) => {
			const at = [...path, 'members', i];
			return isNear ? this.#nearMember(member, at, depth) : this.use(member, at, depth);
		});
		return { ...policy, members };
	}

	/** What a member uses, or a table that says more of it. */
	#nearMember(member: unknown, path: Path, depth: number): unknown {
		if (!isRecord(member) || 'kind' in member) return this.use(member, path, depth);
		const filled = this.shape(NEAR_MEMBER, member, path);
		if (!isRecord(filled) || !('use' in filled)) return filled;
		return { ...filled, use: this.use(filled['use'], [...path, 'use'], depth) };
	}

	/** A list of tables that each have a key `use`. */
	#uses(policy: unknown, key: string, path: Path, depth: number): readonly unknown[] {
		return listAt(policy, key).map((entry, i) => {
			// Its shape has told of one that lacks the key.
			if (!isRecord(entry) || !('use' in entry)) return entry;
			return { ...entry, use: this.use(entry['use'], [...path, key, i, 'use'], depth) };
		});
	}

	/** What stands where a policy is taken; a place that is wrong has been reported and reads as an empty name. */
	use(value: unknown, path: Path, depth: number): unknown {
		if (typeof value === 'string' && value !== '') return value;
		if (isRecord(value)) return this.policy(value, path, depth + 1) ?? '';
		this.add(path, `Cannot use ${quote(value)}: expected the name of a pool or policy, or a policy`);
		return '';
	}

	monitor(value: unknown, path: Path): unknown {
		const monitor = this.byKind(MONITORS, [], value, path);
		if (monitor === undefined) return undefined;
		checkMonitor(this, monitor, path);
		return monitor;
	}

	pool(pool: unknown, path: Path): unknown {
		const names = new Set<unknown>();
		const aliases = listAt(pool, 'endpoints').filter((endpoint) => valueAt(endpoint, ['cname']) !== undefined).length;
		const isMixed = aliases > 0 && aliases < listAt(pool, 'endpoints').length;
		if (isMixed) this.add([...path, 'endpoints'], 'Cannot hold addresses and CNAMEs in one pool');
		const answers = valueAt(pool, ['answers']);
		if (aliases > 0 && typeof answers === 'number' && answers > 1)
			this.add([...path, 'answers'], `Cannot answer ${answers} CNAMEs: expected 1`);
		this.#rampUp(valueAt(pool, ['rampUp']), [...path, 'rampUp']);
		for (const [i, endpoint] of listAt(pool, 'endpoints').entries()) {
			const at = [...path, 'endpoints', i];
			const name = valueAt(endpoint, ['name']);
			if (typeof name === 'string' && names.has(name))
				this.add([...at, 'name'], `Cannot use "${name}" twice in one pool`);
			names.add(name);
			if (isRecord(endpoint)) this.#endpoint(endpoint, at);
		}
		return pool;
	}

	#rampUp(text: unknown, path: Path): void {
		const ms = this.hasFailed(path) ? 0 : durationMs(String(text));
		if (ms !== 0 && (ms < DURATION_MS_MIN || ms > RAMP_UP_MS_MAX))
			this.add(path, `Cannot use ${text}: expected 0s for none, or 100ms to 1d`);
	}

	#endpoint(endpoint: Readonly<Record<string, unknown>>, path: Path): void {
		const isAlias = 'cname' in endpoint;
		if (!isAlias && !('addresses' in endpoint))
			this.add(path, 'Cannot do without "addresses": expected a list of addresses, or a "cname"');
		if (isAlias && 'addresses' in endpoint)
			this.add([...path, 'cname'], 'Cannot have a CNAME beside addresses: expected one of the two');
		this.#addresses(endpoint, path);
	}

	#addresses(endpoint: unknown, path: Path): void {
		const seen = new Set<string>();
		for (const [i, text] of listAt(endpoint, 'addresses').entries()) {
			const canonical = this.#address(text, [...path, 'addresses', i]);
			if (canonical === undefined) continue;
			if (seen.has(canonical)) this.add([...path, 'addresses', i], `Cannot use ${text} twice in one endpoint`);
			seen.add(canonical);
		}
		this.#address(valueAt(endpoint, ['check', 'address']), [...path, 'check', 'address']);
	}

	/** Canonical text of an address; undefined for what is none. */
	#address(text: unknown, path: Path): string | undefined {
		if (typeof text !== 'string') return undefined;
		const address = parseAddress(text);
		if (address !== undefined) return printAddress(address);
		this.add(path, `Cannot use ${quote(text)}: expected an IPv4 or IPv6 address`);
		return undefined;
	}

	/** A steered name with the policy that stands in it. */
	name(name: unknown, path: Path): unknown {
		if (!isRecord(name)) return name;
		const { ttl } = name;
		const ms = this.hasFailed([...path, 'ttl']) ? Number.NaN : durationMs(String(ttl));
		if (ms % 1000 > 0 || ms > 0x7fffffff * 1000)
			this.add([...path, 'ttl'], `Cannot use TTL ${ttl}: expected whole seconds below 2^31`);
		for (const [i, type] of listAt(name, 'types').entries()) {
			if (typeof type !== 'string' || type === '' || (STEERED_TYPES as readonly string[]).includes(type)) continue;
			this.add([...path, 'types', i], `Cannot steer type ${type}: not yet (there are ${STEERED_TYPES.join(', ')})`);
		}
		if (!('policy' in name)) return name;
		return { ...name, policy: this.use(name['policy'], [...path, 'policy'], 0) };
	}
}
