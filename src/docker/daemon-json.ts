// What this program reads from and writes to /etc/docker/daemon.json. Types and rules
// are those of moby: daemon/config/config.go (Config, Validate), config_linux.go and
// daemon/runtime_unix.go (setupRuntimes).

import { type Edit, type EditResult, removeKey, setKey } from '../text/json-edit.ts';
import {
	describeKind,
	findProperty,
	type JsonArrayNode,
	type JsonDoc,
	type JsonNode,
	type JsonObjectDoc,
	type JsonObjectNode,
	type JsonProblemReason,
	type JsonProperty,
	type JsonSpan,
	nodeEquals,
	type Problem,
	problemAt,
	type Refused,
	readJsonDoc,
	refuseAt,
	toValue,
} from '../text/json-text.ts';

export type DaemonJsonReason =
	| JsonProblemReason
	/** A key in another case than dockerd's: unknown to it, so it would not start. */
	| 'unknown-key'
	/** A runtime called `runc`, or the wish for one. */
	| 'reserved-name'
	/** A runtime entry with both `path` and `runtimeType`. */
	| 'path-and-type'
	/** The entry to set is registered by `runtimeType`; adding a path would break it. */
	| 'registered-by-type'
	/** `default-runtime` names a runtime that nothing defines. */
	| 'undefined-default-runtime'
	/** The wish itself makes no sense. */
	| 'invalid-wish';

export type DaemonJsonProblem = Problem<DaemonJsonReason>;

export interface AddressPool {
	/** For example `172.25.0.0/16`. */
	readonly base: string;
	/** Prefix length of each network, for example 24. */
	readonly size: number;
}

export interface RuntimeEntry {
	readonly path?: string | undefined;
	readonly runtimeArgs?: readonly string[] | undefined;
	readonly runtimeType?: string | undefined;
	/** `options.BinaryName` of a runtime that is registered by `runtimeType`. */
	readonly binaryName?: string | undefined;
}

/** The keys this program looks at. One that is missing or `null` is left out; dockerd treats both alike. */
export interface DaemonJsonView {
	readonly source: 'missing' | 'empty' | 'object';
	/** The file starts with a byte order mark, which dockerd before 23.0 cannot read. */
	readonly bom: boolean;
	/** All top-level keys in file order, known or not. */
	readonly keys: readonly string[];
	/** The keys as dockerd compares them with its flags, see {@link flagConflicts}. */
	readonly directives: readonly string[];
	readonly runtimes: ReadonlyMap<string, RuntimeEntry>;
	readonly defaultRuntime?: string | undefined;
	readonly bip?: string | undefined;
	readonly pools?: readonly AddressPool[] | undefined;
	readonly hosts?: readonly string[] | undefined;
	readonly liveRestore?: boolean | undefined;
	readonly usernsRemap?: string | undefined;
	readonly dataRoot?: string | undefined;
	readonly features?: ReadonlyMap<string, boolean> | undefined;
	readonly execOpts?: readonly string[] | undefined;
	readonly storageDriver?: string | undefined;
}

export type DaemonJsonRead = { readonly kind: 'read'; readonly view: DaemonJsonView } | Refused<DaemonJsonReason>;

/** Keys a revert may take out. */
export type RemovableKey = 'bip' | 'default-address-pools' | 'default-runtime' | 'runtimes';

/** What daemon.json is to say afterwards. What is left out stays as it is. */
export interface DesiredDaemonJson {
	/** Registers a runtime by path; other members of an entry of that name (`runtimeArgs`) stay. */
	readonly runtime?: { readonly name: string; readonly path: string } | undefined;
	/**
	 * Takes a runtime out and leaves `runtimes` behind, if need be as `{}`: on a reload
	 * dockerd keeps the old runtimes when the key is missing (daemon/reload_unix.go).
	 */
	readonly withoutRuntime?: string | undefined;
	/** Address of docker0 with its prefix length, for example `172.20.0.1/16`. */
	readonly bip?: string | undefined;
	readonly pools?: readonly AddressPool[] | undefined;
	/** To go back to the default write `runc`: on a reload a missing key keeps the old value. */
	readonly defaultRuntime?: string | undefined;
	/** Takes keys out altogether. dockerd sees that only after a restart. */
	readonly withoutKeys?: readonly RemovableKey[] | undefined;
}

export interface DaemonJsonContext {
	/** Names of runtimes defined by `--add-runtime` flags of dockerd. */
	readonly flagRuntimes?: readonly string[] | undefined;
}

export type DaemonJsonPlan =
	| { readonly kind: 'unchanged' }
	| {
			readonly kind: 'edited';
			readonly bytes: Uint8Array;
			/** Top-level keys whose value changes. */
			readonly keys: readonly string[];
			/** Top-level keys which keep their value and are only laid out anew for the package's installer. */
			readonly relaid: readonly string[];
			/** In order, each on the outcome of the one before. */
			readonly edits: readonly Edit[];
	  }
	| Refused<DaemonJsonReason>;

/** Place of a problem that is in the wish, not in the file. */
const NOWHERE = { text: '', bom: false };

/** moby: config.StockRuntimeName; "runtime name 'runc' is reserved". */
const RESERVED_RUNTIME = 'runc';

/**
 * Reads the keys that matter here. A missing or blank file has none.
 *
 * Refused with a position: whatever `readJsonObject` refuses, a value of a type that
 * dockerd would refuse too, a known key in another case, a reserved runtime name, an
 * entry with both `path` and `runtimeType`. Whether `default-runtime` exists is not
 * checked here, because a flag may define it.
 */
export function readDaemonJson(current: Uint8Array | 'missing'): DaemonJsonRead {
	const doc = readJsonDoc(current);
	return doc.kind === 'refused' ? doc : viewOf(doc);
}

/** Where a top-level key stands, with the line as a problem shows it; undefined where it does not, or cannot be read. */
export function placeOfKey(
	current: Uint8Array,
	key: string,
): Pick<DaemonJsonProblem, 'line' | 'column' | 'caret'> | undefined {
	const doc = readJsonDoc(current);
	const property = doc.kind === 'object' ? findProperty(doc.tree, key) : undefined;
	if (doc.kind !== 'object' || property === undefined) {
		return undefined;
	}
	const { line, column, caret } = problemAt(doc, property.keySpan.offset, 'syntax', '');
	return { line, column, caret };
}

/**
 * Works out the new bytes of daemon.json for a wish.
 *
 * Only what the wish names changes. `bip` and `default-address-pools` are written the
 * way the sysbox package's installer looks for them. Applying a plan and planning again
 * gives `unchanged`. A missing or blank file becomes a new one.
 *
 * Refused: what {@link readDaemonJson} refuses; a `default-runtime` that nobody defines
 * once the wish is applied; an entry of the wished name that is registered by
 * `runtimeType` with another binary; a wish that contradicts itself.
 */
export function planDaemonJson(
	current: Uint8Array | 'missing',
	desired: DesiredDaemonJson,
	context: DaemonJsonContext = {},
): DaemonJsonPlan {
	const doc = readJsonDoc(current);
	if (doc.kind === 'refused') {
		return doc;
	}
	const problem = shapeProblem(doc) ?? desiredProblem(desired) ?? defaultRuntimeProblem(doc, desired, context);
	if (problem !== undefined) {
		return problem;
	}

	let latest: JsonDoc = doc;
	const edits: Edit[] = [];
	const keys: string[] = [];
	const relaid: string[] = [];
	for (const { key, change } of changesFor(desired)) {
		const result = change(latest);
		if (result.kind === 'refused') {
			return result;
		}
		if (!result.changed) {
			continue;
		}
		const next = readJsonDoc(result.bytes);
		if (next.kind !== 'object' || !changesOnly(latest, next, key)) {
			// A defect of the editor must never reach the file.
			throw new Error(`editing ${key} would have damaged other parts of the file`);
		}
		edits.push(...result.edits);
		(sameValue(latest, next, key) ? relaid : keys).push(key);
		latest = next;
	}
	if (edits.length === 0) {
		return { kind: 'unchanged' };
	}
	return { kind: 'edited', bytes: latest.bytes, keys: unique(keys), relaid: unique(relaid), edits };
}

/** Tells whether two documents have the same top-level keys in the same order and spelling but for one key. */
export function changesOnly(before: JsonDoc, after: JsonObjectDoc, key: string): boolean {
	const rest = (doc: JsonDoc): readonly JsonProperty[] =>
		doc.kind === 'blank' ? [] : doc.tree.properties.filter(property => property.key !== key);
	const left = rest(before);
	const right = rest(after);
	const same = (doc: JsonObjectDoc, one: JsonSpan, other: JsonSpan): boolean =>
		doc.text.slice(one.offset, one.end) === after.text.slice(other.offset, other.end);
	return (
		left.length === right.length &&
		left.every((property, index) => {
			const other = right[index];
			return (
				before.kind === 'object' &&
				other !== undefined &&
				same(before, property.keySpan, other.keySpan) &&
				same(before, property.value, other.value)
			);
		})
	);
}

/** A flag of dockerd, as far as the file is compared with it. */
export interface GivenFlag {
	/** As daemon.json would have it: `hosts`. */
	readonly key: string;
	/** The long name without dashes: `host`. */
	readonly name: string;
}

/**
 * Which keys of daemon.json are also given as flags: dockerd refuses to start with "the following directives are
 * specified both as a flag and in the configuration file". It compares keys with the flag's own name and with that of
 * its list (moby findConfigurationConflicts), not with what an old flag stands for today. `runtimes` is exempt, as it
 * is merged with `--add-runtime`.
 *
 * @param keys the `directives` of a {@link DaemonJsonView}, or any key names.
 * @param flags the flags of dockerd's command line. A flag that is given several times counts once.
 */
export function flagConflicts<Flag extends GivenFlag>(
	keys: Iterable<string>,
	flags: readonly Flag[],
): readonly { readonly key: string; readonly flag: Flag }[] {
	const given = new Set(keys);
	const seen = new Set<string>();
	return flags.flatMap(flag => {
		if (seen.has(flag.name) || MERGED_FLAGS.has(flag.name)) return [];
		seen.add(flag.name);
		const names = RENAMED_FLAGS.has(flag.name) ? [flag.name] : [flag.name, flag.key];
		return unique(names).flatMap(key => (given.has(key) ? [{ key, flag }] : []));
	});
}

/** moby: skipDuplicates in findConfigurationConflicts. */
const MERGED_FLAGS: ReadonlySet<string> = new Set(['add-runtime']);

/** Flags of before the key that they set; `-g` and `data-root` were never compared. */
const RENAMED_FLAGS: ReadonlySet<string> = new Set(['graph']);

/** Objects which dockerd does not flatten before it compares keys with flags (moby: flatOptions). */
const FLAT_KEYS: ReadonlySet<string> = new Set([
	'builder',
	'cluster-store-opts',
	'default-network-opts',
	'default-ulimits',
	'features',
	'log-opts',
	'runtimes',
]);

interface Change {
	readonly key: string;
	readonly change: (doc: JsonDoc) => EditResult | Refused<DaemonJsonReason>;
}

function changesFor(desired: DesiredDaemonJson): readonly Change[] {
	const { runtime, withoutRuntime, defaultRuntime, bip, pools, withoutKeys } = desired;
	const changes: Change[] = [];
	if (runtime !== undefined) {
		changes.push({ key: 'runtimes', change: doc => registerRuntime(doc, runtime.name, runtime.path) });
	}
	if (withoutRuntime !== undefined) {
		changes.push({ key: 'runtimes', change: doc => unregisterRuntime(doc, withoutRuntime) });
	}
	if (defaultRuntime !== undefined) {
		changes.push({ key: 'default-runtime', change: doc => setKey(doc, ['default-runtime'], defaultRuntime) });
	}
	if (bip !== undefined) {
		changes.push({ key: 'bip', change: doc => setKey(doc, ['bip'], bip, { lineStyle: 'package-guard' }) });
	}
	if (pools !== undefined) {
		const value = pools.map(({ base, size }) => ({ base, size }));
		changes.push({
			key: 'default-address-pools',
			change: doc => setKey(doc, ['default-address-pools'], value, { lineStyle: 'package-guard' }),
		});
	}
	for (const key of withoutKeys ?? []) {
		changes.push({ key, change: doc => removeKey(doc, [key]) });
	}
	return changes;
}

function registerRuntime(doc: JsonDoc, name: string, path: string): EditResult | Refused<DaemonJsonReason> {
	const runtimes = topLevel(doc, 'runtimes');
	if (doc.kind === 'blank' || runtimes?.kind !== 'object') {
		// Missing or null: types were checked before.
		return setKey(doc, ['runtimes'], { [name]: { path } });
	}
	const entry = findProperty(runtimes, name)?.value;
	if (entry?.kind !== 'object') {
		return setKey(doc, ['runtimes', name], { path });
	}
	const { path: currentPath, runtimeType, binaryName } = entryOf(entry);
	if (!currentPath && runtimeType) {
		return binaryName === path
			? { kind: 'done', changed: false, bytes: doc.bytes, edits: [] }
			: refuseAt(
					doc,
					entry.offset,
					'registered-by-type',
					`the runtime ${JSON.stringify(name)} is registered by "runtimeType"; dockerd accepts no "path" beside it`,
				);
	}
	return setKey(doc, ['runtimes', name, findMember(entry, 'path')?.key ?? 'path'], path);
}

function unregisterRuntime(doc: JsonDoc, name: string): EditResult {
	return topLevel(doc, 'runtimes')?.kind === 'object'
		? removeKey(doc, ['runtimes', name])
		: { kind: 'done', changed: false, bytes: doc.bytes, edits: [] };
}

function desiredProblem(desired: DesiredDaemonJson): Refused<DaemonJsonReason> | undefined {
	const invalid = (message: string): Refused<DaemonJsonReason> => refuseAt(NOWHERE, 0, 'invalid-wish', message);
	const { runtime, withoutRuntime, defaultRuntime, bip, pools, withoutKeys } = desired;
	if (runtime?.name === RESERVED_RUNTIME) {
		return refuseAt(NOWHERE, 0, 'reserved-name', `the runtime name ${JSON.stringify(runtime.name)} is reserved`);
	}
	if (runtime !== undefined && (runtime.name === '' || runtime.path === '')) {
		return invalid('a runtime needs a name and a path');
	}
	if (runtime !== undefined && runtime.name === withoutRuntime) {
		return invalid(`the runtime ${JSON.stringify(runtime.name)} cannot be both added and removed`);
	}
	if (defaultRuntime === '') {
		return invalid('the default runtime needs a name');
	}
	if (bip !== undefined && !/^\d{1,3}(?:\.\d{1,3}){3}\/\d{1,2}$/.test(bip)) {
		return invalid(`bip must be an IPv4 address with a prefix length, got ${JSON.stringify(bip)}`);
	}
	if (pools?.some(({ base, size }) => base === '' || !Number.isInteger(size))) {
		return invalid('an address pool needs a base and a whole number as size');
	}
	const target: Readonly<Record<RemovableKey, unknown>> = {
		bip,
		'default-address-pools': pools,
		'default-runtime': defaultRuntime,
		runtimes: runtime ?? withoutRuntime,
	};
	const contradicted = withoutKeys?.find(key => target[key] !== undefined);
	return contradicted === undefined ? undefined : invalid(`${contradicted} cannot be both changed and removed`);
}

/** dockerd: "specified default runtime 'x' does not exist". */
function defaultRuntimeProblem(
	doc: JsonDoc,
	desired: DesiredDaemonJson,
	context: DaemonJsonContext,
): Refused<DaemonJsonReason> | undefined {
	const removed = desired.withoutKeys ?? [];
	const standing = removed.includes('default-runtime') ? undefined : stringOf(topLevel(doc, 'default-runtime'));
	const name = desired.defaultRuntime ?? standing;
	const inFile = removed.includes('runtimes') ? [] : [...runtimesOf(doc).keys()];
	const defined = [
		...inFile.filter(runtime => runtime !== desired.withoutRuntime),
		...(desired.runtime === undefined ? [] : [desired.runtime.name]),
		...(context.flagRuntimes ?? []),
	];
	if (name === undefined || name === '' || isStockRuntime(name) || defined.includes(name)) {
		return undefined;
	}
	const message = `the default runtime would be ${JSON.stringify(name)}, but no runtime of that name is defined`;
	const present = topLevel(doc, 'default-runtime');
	return doc.kind === 'blank' || present === undefined
		? refuseAt(NOWHERE, 0, 'undefined-default-runtime', message)
		: refuseAt(doc, present.offset, 'undefined-default-runtime', message);
}

/** Names that need no entry: `runc`, and what moby passes on to containerd (isPermissibleC8dRuntimeName). */
function isStockRuntime(name: string): boolean {
	return name === RESERVED_RUNTIME || /^[^./][^/]*\.[^/]*$/.test(name);
}

function viewOf(doc: JsonDoc): DaemonJsonRead {
	if (doc.kind === 'blank') {
		const source = doc.missing ? 'missing' : 'empty';
		return { kind: 'read', view: { source, bom: false, keys: [], directives: [], runtimes: new Map() } };
	}
	const problem = shapeProblem(doc);
	if (problem !== undefined) {
		return problem;
	}
	const { properties } = doc.tree;
	const text = (key: string): string | undefined => stringOf(topLevel(doc, key));
	const texts = (key: string): readonly string[] | undefined => stringsOf(topLevel(doc, key));
	const pools = topLevel(doc, 'default-address-pools');
	const features = topLevel(doc, 'features');
	return {
		kind: 'read',
		view: {
			source: 'object',
			bom: doc.bom,
			keys: properties.map(property => property.key),
			directives: unique(properties.flatMap(directivesOf)),
			runtimes: runtimesOf(doc),
			...definedOnly({
				defaultRuntime: text('default-runtime'),
				bip: text('bip'),
				pools: pools?.kind === 'array' ? poolsOf(pools) : undefined,
				hosts: texts('hosts'),
				liveRestore: booleanOf(topLevel(doc, 'live-restore')),
				usernsRemap: text('userns-remap'),
				dataRoot: text('data-root'),
				features:
					features?.kind === 'object'
						? new Map(features.properties.map(({ key, value }) => [key, booleanOf(value) ?? false]))
						: undefined,
				execOpts: texts('exec-opts'),
				storageDriver: text('storage-driver'),
			}),
		},
	};
}

function runtimesOf(doc: JsonDoc): ReadonlyMap<string, RuntimeEntry> {
	const runtimes = topLevel(doc, 'runtimes');
	return new Map(
		runtimes?.kind === 'object'
			? runtimes.properties.map(({ key, value }) => [key, value.kind === 'object' ? entryOf(value) : {}])
			: [],
	);
}

/** What dockerd would refuse in the keys that are known here. */
function shapeProblem(doc: JsonDoc): Refused<DaemonJsonReason> | undefined {
	return doc.kind === 'blank'
		? undefined
		: firstProblem(
				doc.tree.properties,
				property => keyProblem(doc, property) ?? SHAPES.get(property.key)?.(doc, property.key, property.value),
			);
}

type Shape = (doc: JsonObjectDoc, label: string, node: JsonNode) => Refused<DaemonJsonReason> | undefined;

function kindIs(...kinds: readonly JsonNode['kind'][]): Shape {
	return (doc, label, node) => {
		const [wanted] = kinds;
		// Go leaves a field alone for null.
		return wanted === undefined || node.kind === 'null' || kinds.includes(node.kind)
			? undefined
			: refuseAt(
					doc,
					node.offset,
					'wrong-type',
					`"${label}" must be ${describeKind(wanted)}, found ${describeKind(node.kind)}`,
				);
	};
}

const isString = kindIs('string');
const isBoolean = kindIs('boolean');
const isObject = kindIs('object');
const isArray = kindIs('array');

const isStringArray: Shape = (doc, label, node) =>
	isArray(doc, label, node) ??
	(node.kind === 'array' ? firstProblem(node.items, item => isString(doc, `${label}[]`, item)) : undefined);

const isBooleanMap: Shape = (doc, label, node) =>
	isObject(doc, label, node) ??
	(node.kind === 'object'
		? firstProblem(node.properties, ({ key, value }) => isBoolean(doc, `${label}.${key}`, value))
		: undefined);

const isPoolArray: Shape = (doc, label, node) =>
	isArray(doc, label, node) ??
	(node.kind === 'array' ? firstProblem(node.items, item => poolProblem(doc, `${label}[]`, item)) : undefined);

const isRuntimeMap: Shape = (doc, label, node) =>
	isObject(doc, label, node) ??
	(node.kind === 'object'
		? firstProblem(node.properties, property => runtimeProblem(doc, `${label}.${property.key}`, property))
		: undefined);

const SHAPES: ReadonlyMap<string, Shape> = new Map([
	['runtimes', isRuntimeMap],
	['default-runtime', isString],
	['bip', isString],
	['default-address-pools', isPoolArray],
	['hosts', isStringArray],
	['live-restore', isBoolean],
	['userns-remap', isString],
	['data-root', isString],
	['features', isBooleanMap],
	['exec-opts', isStringArray],
	['storage-driver', isString],
]);

function keyProblem(doc: JsonObjectDoc, { key, keySpan }: JsonProperty): Refused<DaemonJsonReason> | undefined {
	const known = key.toLowerCase();
	return SHAPES.has(known) && known !== key
		? refuseAt(doc, keySpan.offset, 'unknown-key', `dockerd does not know "${key}"; the key is "${known}"`)
		: undefined;
}

function poolProblem(doc: JsonObjectDoc, label: string, node: JsonNode): Refused<DaemonJsonReason> | undefined {
	if (node.kind !== 'object') {
		return refuseAt(doc, node.offset, 'wrong-type', `"${label}" must be an object, found ${describeKind(node.kind)}`);
	}
	const repeated = repeatedMember(doc, node);
	if (repeated !== undefined) {
		return repeated;
	}
	const base = findMember(node, 'base')?.value;
	const size = findMember(node, 'size')?.value;
	if (base?.kind !== 'string') {
		return refuseAt(doc, (base ?? node).offset, 'wrong-type', `"${label}" needs "base" as a string`);
	}
	if (size?.kind !== 'number' || !/^-?\d+$/.test(size.text)) {
		return refuseAt(doc, (size ?? node).offset, 'wrong-type', `"${label}" needs "size" as a whole number`);
	}
	return undefined;
}

function runtimeProblem(
	doc: JsonObjectDoc,
	label: string,
	{ key, keySpan, value }: JsonProperty,
): Refused<DaemonJsonReason> | undefined {
	if (key === RESERVED_RUNTIME) {
		return refuseAt(doc, keySpan.offset, 'reserved-name', `the runtime name "${key}" is reserved`);
	}
	const wrong = isObject(doc, label, value);
	if (wrong !== undefined || value.kind !== 'object') {
		return wrong;
	}
	const member = (name: string, shape: Shape): Refused<DaemonJsonReason> | undefined => {
		const found = findMember(value, name);
		return found === undefined ? undefined : shape(doc, `${label}.${name}`, found.value);
	};
	const problem =
		repeatedMember(doc, value) ??
		member('path', isString) ??
		member('runtimeArgs', isStringArray) ??
		member('runtimeType', isString) ??
		member('options', isObject);
	if (problem !== undefined) {
		return problem;
	}
	const { path, runtimeType } = entryOf(value);
	return path && runtimeType
		? refuseAt(doc, value.offset, 'path-and-type', `"${label}" has both "path" and "runtimeType"; dockerd accepts one`)
		: undefined;
}

/** encoding/json matches the fields of a struct in any case, so `Path` and `path` are one field. */
function repeatedMember(doc: JsonObjectDoc, node: JsonObjectNode): Refused<DaemonJsonReason> | undefined {
	const seen = new Set<string>();
	for (const { key, keySpan } of node.properties) {
		const folded = key.toLowerCase();
		if (seen.has(folded)) {
			return refuseAt(doc, keySpan.offset, 'duplicate-key', `dockerd takes "${key}" and another key here as the same`);
		}
		seen.add(folded);
	}
	return undefined;
}

function findMember(node: JsonObjectNode, name: string): JsonProperty | undefined {
	return node.properties.find(property => property.key.toLowerCase() === name.toLowerCase());
}

function entryOf(node: JsonObjectNode): RuntimeEntry {
	const options = findMember(node, 'options')?.value;
	return definedOnly({
		path: stringOf(findMember(node, 'path')?.value),
		runtimeArgs: stringsOf(findMember(node, 'runtimeArgs')?.value),
		runtimeType: stringOf(findMember(node, 'runtimeType')?.value),
		binaryName: options?.kind === 'object' ? stringOf(findMember(options, 'BinaryName')?.value) : undefined,
	});
}

function poolsOf(node: JsonArrayNode): readonly AddressPool[] {
	return node.items.flatMap(item => {
		const base = item.kind === 'object' ? findMember(item, 'base')?.value : undefined;
		const size = item.kind === 'object' ? findMember(item, 'size')?.value : undefined;
		return base?.kind === 'string' && size?.kind === 'number' ? [{ base: base.value, size: Number(size.text) }] : [];
	});
}

function directivesOf({ key, value }: JsonProperty): readonly string[] {
	return value.kind === 'object' && !FLAT_KEYS.has(key) ? value.properties.map(inner => inner.key) : [key];
}

function topLevel(doc: JsonDoc, key: string): JsonNode | undefined {
	return doc.kind === 'blank' ? undefined : findProperty(doc.tree, key)?.value;
}

function stringOf(node: JsonNode | undefined): string | undefined {
	return node?.kind === 'string' ? node.value : undefined;
}

function booleanOf(node: JsonNode | undefined): boolean | undefined {
	return node?.kind === 'boolean' ? node.value : undefined;
}

function stringsOf(node: JsonNode | undefined): readonly string[] | undefined {
	return node?.kind === 'array' ? node.items.map(item => stringOf(item) ?? '') : undefined;
}

function sameValue(before: JsonDoc, after: JsonDoc, key: string): boolean {
	const old = topLevel(before, key);
	const current = topLevel(after, key);
	return old !== undefined && current !== undefined && nodeEquals(old, toValue(current));
}

function firstProblem<T>(
	items: readonly T[],
	check: (item: T) => Refused<DaemonJsonReason> | undefined,
): Refused<DaemonJsonReason> | undefined {
	for (const item of items) {
		const problem = check(item);
		if (problem !== undefined) {
			return problem;
		}
	}
	return undefined;
}

type Defined<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

function definedOnly<T extends object>(values: T): Defined<T> {
	return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}

function unique(values: readonly string[]): readonly string[] {
	return [...new Set(values)];
}
