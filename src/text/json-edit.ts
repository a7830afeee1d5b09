// Changes single keys of a JSON file and leaves every other byte as it is: key order,
// indentation, line ends, the byte order mark, escapes, keys this program does not know.

import {
	byteOffset,
	describeKind,
	findProperty,
	isJsonArray,
	isJsonObject,
	type JsonDoc,
	type JsonObjectDoc,
	type JsonObjectNode,
	type JsonProblem,
	type JsonProperty,
	type JsonSpan,
	type JsonValue,
	nodeEquals,
	problemAt,
	utf8Length,
} from './json-text.ts';

/**
 * One replaced range. `offset` and `length` count bytes of the file before this edit;
 * edits of one result are applied in order, each to the outcome of the one before.
 */
export interface Edit {
	readonly offset: number;
	readonly length: number;
	/** What stands there afterwards. */
	readonly text: string;
	/** What stood there before, which is at most the key that it is for. */
	readonly removed: string;
}

export type EditResult =
	| { readonly kind: 'done'; readonly changed: boolean; readonly bytes: Uint8Array; readonly edits: readonly Edit[] }
	| { readonly kind: 'refused'; readonly problem: JsonProblem };

export interface EditStyle {
	/**
	 * `package-guard` writes the top-level keys `bip` and `default-address-pools` so that
	 * the sysbox package finds them, see {@link passesPackageGuard}: each on a line of its
	 * own that starts with spaces, whatever the file's own indentation is. A key that has
	 * the wanted value but not that layout is laid out anew.
	 */
	readonly lineStyle?: 'file' | 'package-guard' | undefined;
}

const DEFAULT_INDENT = '    ';

// sysbox-ce.config (debconf) greps daemon.json for these before it agrees to install
// beside existing containers; jq is not used there.
const GUARD_BIP = /^[ ]+"bip": "[0-9.]+.*"/m;
const GUARD_POOLS = /^[ ]+"default-address-pools"/m;
const GUARDED_KEYS: readonly string[] = ['bip', 'default-address-pools'];

const encoder = new TextEncoder();

/** Tells which of the two network keys the sysbox package's installer would find in a daemon.json. */
export function passesPackageGuard(text: string): { readonly bip: boolean; readonly pools: boolean } {
	return { bip: GUARD_BIP.test(text), pools: GUARD_POOLS.test(text) };
}

/**
 * Sets the value at a path and creates the objects in between.
 *
 * A value that is already there (deep equal, numbers compared exactly) is left alone:
 * `changed` is false and the bytes are the given ones. A blank document becomes a new
 * one, indented by four spaces. Refused (`wrong-type`): the path leads through
 * something that is not an object.
 *
 * @throws {RangeError} for an empty path or a number that JSON cannot hold.
 */
export function setKey(doc: JsonDoc, path: readonly string[], value: JsonValue, style: EditStyle = {}): EditResult {
	const [first, ...rest] = path;
	if (first === undefined) {
		throw new RangeError('the path of a key is empty');
	}
	if (doc.kind === 'blank') {
		const text = `${formatValue({ [first]: nest(rest, value) }, '', DEFAULT_INDENT, '\n')}\n`;
		const removed = new TextDecoder('utf-8', { ignoreBOM: true }).decode(doc.bytes);
		return {
			kind: 'done',
			changed: true,
			bytes: encoder.encode(text),
			edits: [{ offset: 0, length: doc.bytes.length, text, removed }],
		};
	}
	const place = locate(doc, doc.tree, first, rest);
	switch (place.kind) {
		case 'refused':
			return place;
		case 'missing':
			return insertProperty(doc, place.parent, place.key, nest(place.rest, value), guards(style, path));
		case 'found':
			return replaceValue(doc, place.property, value, guards(style, path));
	}
}

/**
 * Removes the key at a path with its comma. A key that is not there is no change.
 * Refused (`wrong-type`): the path leads through something that is not an object.
 *
 * @throws {RangeError} for an empty path.
 */
export function removeKey(doc: JsonDoc, path: readonly string[]): EditResult {
	const [first, ...rest] = path;
	if (first === undefined) {
		throw new RangeError('the path of a key is empty');
	}
	if (doc.kind === 'blank') {
		return unchanged(doc);
	}
	const place = locate(doc, doc.tree, first, rest);
	switch (place.kind) {
		case 'refused':
			return place;
		case 'missing':
			return unchanged(doc);
		case 'found':
			return replaceSpan(doc, removalSpan(doc, place.parent, place.property), '');
	}
}

type Place =
	| { readonly kind: 'refused'; readonly problem: JsonProblem }
	| {
			readonly kind: 'missing';
			readonly parent: JsonObjectNode;
			readonly key: string;
			readonly rest: readonly string[];
	  }
	| { readonly kind: 'found'; readonly parent: JsonObjectNode; readonly property: JsonProperty };

function locate(doc: JsonObjectDoc, parent: JsonObjectNode, key: string, rest: readonly string[]): Place {
	const property = findProperty(parent, key);
	if (property === undefined) {
		return { kind: 'missing', parent, key, rest };
	}
	const [next, ...deeper] = rest;
	if (next === undefined) {
		return { kind: 'found', parent, property };
	}
	const { value } = property;
	if (value.kind !== 'object') {
		const message = `${JSON.stringify(key)} must be an object { … }, found ${describeKind(value.kind)}`;
		return { kind: 'refused', problem: problemAt(doc, value.offset, 'wrong-type', message) };
	}
	return locate(doc, value, next, deeper);
}

function nest(path: readonly string[], value: JsonValue): JsonValue {
	return path.reduceRight<JsonValue>((inner, key) => Object.fromEntries([[key, inner]]), value);
}

function guards(style: EditStyle, path: readonly string[]): boolean {
	return style.lineStyle === 'package-guard' && path.length === 1 && GUARDED_KEYS.includes(path[0] ?? '');
}

function insertProperty(
	doc: JsonObjectDoc,
	parent: JsonObjectNode,
	key: string,
	value: JsonValue,
	guarded: boolean,
): EditResult {
	const { text } = doc;
	const layout = readLayout(doc);
	const closing = lineIndent(text, parent.offset);
	const own = memberIndent(text, parent) ?? closing + layout.unit;
	const { indent, unit } = guarded ? spacesOnly(own, layout.unit) : { indent: own, unit: layout.unit };
	const { eol } = layout;
	const line = `${eol}${indent}${JSON.stringify(key)}: ${formatValue(value, indent, unit, eol)}`;

	const last = parent.properties.at(-1);
	if (last === undefined) {
		return replaceSpan(doc, { offset: parent.offset + 1, end: parent.end - 1 }, `${line}${eol}${closing}`);
	}
	const gap = { offset: last.value.end, end: parent.end - 1 };
	if (text.slice(gap.offset, gap.end).includes('\n')) {
		return replaceSpan(doc, { offset: gap.offset, end: gap.offset }, `,${line}`);
	}
	return replaceSpan(doc, gap, `,${line}${eol}${closing}`);
}

function replaceValue(doc: JsonObjectDoc, property: JsonProperty, value: JsonValue, guarded: boolean): EditResult {
	const { text } = doc;
	const equal = nodeEquals(property.value, value);
	const own = ownLineIndent(text, property.keySpan.offset);
	const layout = readLayout(doc);

	if (!guarded) {
		if (equal) {
			return unchanged(doc);
		}
		const indent = own ?? lineIndent(text, property.keySpan.offset);
		return replaceSpan(doc, property.value, formatValue(value, indent, layout.unit, layout.eol));
	}

	const { indent, unit } = spacesOnly(own ?? '', layout.unit);
	const head = `${indent}${JSON.stringify(property.key)}: `;
	const headStart =
		own === undefined ? blanksBefore(text, property.keySpan.offset) : property.keySpan.offset - own.length;
	const headFits = own !== undefined && text.slice(headStart, property.value.offset) === head;
	const valueFits = property.key !== 'bip' || showsAddress(text, property.value, value);
	if (equal && headFits && valueFits) {
		return unchanged(doc);
	}
	const span: JsonSpan = {
		offset: headFits ? property.value.offset : headStart,
		end: equal && valueFits ? property.value.offset : property.value.end,
	};
	const newHead = headFits ? '' : `${own === undefined ? layout.eol : ''}${head}`;
	const newValue = equal && valueFits ? '' : formatValue(value, indent, unit, layout.eol);
	return replaceSpan(doc, span, newHead + newValue);
}

/**
 * Whether the installer's pattern can match this spelling of the value: an escape may
 * hide the first digit. A value that no spelling helps (`""`) counts as shown.
 */
function showsAddress(text: string, span: JsonSpan, value: JsonValue): boolean {
	const raw = text.slice(span.offset, span.end);
	return typeof value !== 'string' || /^"[0-9.]/.test(raw) || raw === JSON.stringify(value);
}

function removalSpan(doc: JsonObjectDoc, parent: JsonObjectNode, property: JsonProperty): JsonSpan {
	const { text } = doc;
	const index = parent.properties.indexOf(property);
	const previous = parent.properties[index - 1];
	if (index < parent.properties.length - 1) {
		// Its own leading blanks and its own comma go; the next key keeps its line.
		return { offset: blanksBefore(text, property.keySpan.offset), end: text.indexOf(',', property.value.end) + 1 };
	}
	if (previous !== undefined) {
		return { offset: previous.value.end, end: property.value.end };
	}
	return { offset: parent.offset + 1, end: parent.end - 1 };
}

interface Layout {
	readonly eol: '\n' | '\r\n';
	/** What one level of indentation adds. */
	readonly unit: string;
}

function readLayout(doc: JsonObjectDoc): Layout {
	const newline = doc.text.indexOf('\n');
	const eol = newline > 0 && doc.text[newline - 1] === '\r' ? '\r\n' : '\n';
	return { eol, unit: (newline === -1 ? undefined : indentUnit(doc.text, doc.tree)) ?? DEFAULT_INDENT };
}

/** The first object (outermost first) whose first key has a line of its own decides. */
function indentUnit(text: string, node: JsonObjectNode): string | undefined {
	const [first] = node.properties;
	const inner = first === undefined ? undefined : ownLineIndent(text, first.keySpan.offset);
	if (inner !== undefined) {
		const outer = lineIndent(text, node.offset);
		if (inner.length > outer.length && inner.startsWith(outer)) {
			return inner.slice(outer.length);
		}
	}
	for (const { value } of node.properties) {
		const unit = value.kind === 'object' ? indentUnit(text, value) : undefined;
		if (unit !== undefined) {
			return unit;
		}
	}
	return undefined;
}

/** The indentation of the last key that has a line of its own. */
function memberIndent(text: string, node: JsonObjectNode): string | undefined {
	for (let index = node.properties.length - 1; index >= 0; index -= 1) {
		const property = node.properties[index];
		const indent = property === undefined ? undefined : ownLineIndent(text, property.keySpan.offset);
		if (indent !== undefined) {
			return indent;
		}
	}
	return undefined;
}

/** The blanks between the line start and `offset`, or undefined if something else stands there too. */
function ownLineIndent(text: string, offset: number): string | undefined {
	let start = offset;
	while (text[start - 1] === ' ' || text[start - 1] === '\t') {
		start -= 1;
	}
	return text[start - 1] === '\n' ? text.slice(start, offset) : undefined;
}

/** The blanks at the start of the line in which `offset` is. */
function lineIndent(text: string, offset: number): string {
	const start = offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
	let end = start;
	while (text[end] === ' ' || text[end] === '\t') {
		end += 1;
	}
	return text.slice(start, end);
}

/** Where the blanks and line ends before `offset` begin. */
function blanksBefore(text: string, offset: number): number {
	let start = offset;
	while (start > 0 && ' \t\r\n'.includes(text[start - 1] ?? '"')) {
		start -= 1;
	}
	return start;
}

function spacesOnly(indent: string, unit: string): { readonly indent: string; readonly unit: string } {
	const spaces = /^ +$/;
	return {
		indent: spaces.test(indent) ? indent : DEFAULT_INDENT,
		unit: spaces.test(unit) ? unit : DEFAULT_INDENT,
	};
}

/** One key or item a line, like `jq`, which the sysbox package formats this file with. */
function formatValue(value: JsonValue, indent: string, unit: string, eol: string): string {
	if (typeof value === 'bigint') {
		return String(value);
	}
	if (typeof value === 'number' && !Number.isFinite(value)) {
		throw new RangeError(`JSON cannot hold the number ${value}`);
	}
	const inner = indent + unit;
	const block = (open: string, lines: readonly string[], close: string): string =>
		lines.length === 0
			? open + close
			: `${open}${eol}${lines.map(line => inner + line).join(`,${eol}`)}${eol}${indent}${close}`;
	if (isJsonArray(value)) {
		return block(
			'[',
			value.map(item => formatValue(item, inner, unit, eol)),
			']',
		);
	}
	if (isJsonObject(value)) {
		const line = ([key, member]: readonly [string, JsonValue]): string =>
			`${JSON.stringify(key)}: ${formatValue(member, inner, unit, eol)}`;
		return block('{', Object.entries(value).map(line), '}');
	}
	return JSON.stringify(value);
}

function unchanged(doc: JsonDoc): EditResult {
	return { kind: 'done', changed: false, bytes: doc.bytes, edits: [] };
}

function replaceSpan(doc: JsonObjectDoc, span: JsonSpan, text: string): EditResult {
	const removed = doc.text.slice(span.offset, span.end);
	const edit: Edit = { offset: byteOffset(doc, span.offset), length: utf8Length(removed), text, removed };
	return { kind: 'done', changed: true, bytes: splice(doc.bytes, edit), edits: [edit] };
}

function splice(bytes: Uint8Array, edit: Edit): Uint8Array {
	const inserted = encoder.encode(edit.text);
	const result = new Uint8Array(bytes.length - edit.length + inserted.length);
	result.set(bytes.subarray(0, edit.offset));
	result.set(inserted, edit.offset);
	result.set(bytes.subarray(edit.offset + edit.length), edit.offset + inserted.length);
	return result;
}
