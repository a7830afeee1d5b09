// Reads a JSON file the way dockerd reads /etc/docker/daemon.json, but keeps the
// place of every token so that an edit can leave all other bytes alone.
//
// What dockerd does (moby daemon/config/config.go, getConflictFreeConfiguration):
// - since 23.0 a byte order mark is dropped (golang.org/x/text BOMOverride) and a
//   file of whitespace only counts as `{}`; 20.10 fails on both
//   ("invalid character 'ï'…", "EOF");
// - Go's encoding/json accepts a key twice (the last one wins) and replaces bytes
//   that are not UTF-8. Both are refused here: an edit of such a file would change
//   one of two values, or bytes which nobody can be shown.

import { printParseErrorCode, visit } from 'jsonc-parser';
import { masked } from './safe.ts';

/** A piece of the text: `offset` (inclusive) to `end` (exclusive), in UTF-16 units of `text`. */
export interface JsonSpan {
	readonly offset: number;
	readonly end: number;
}

export interface JsonProperty {
	readonly key: string;
	/** The quoted key as it stands in the file, quotes included. */
	readonly keySpan: JsonSpan;
	readonly value: JsonNode;
}

export interface JsonObjectNode extends JsonSpan {
	readonly kind: 'object';
	readonly properties: readonly JsonProperty[];
}

export interface JsonArrayNode extends JsonSpan {
	readonly kind: 'array';
	readonly items: readonly JsonNode[];
}

export interface JsonStringNode extends JsonSpan {
	readonly kind: 'string';
	readonly value: string;
}

/** A number keeps its text: 20 digits or `1.10` survive a round trip. */
export interface JsonNumberNode extends JsonSpan {
	readonly kind: 'number';
	readonly text: string;
}

export interface JsonBooleanNode extends JsonSpan {
	readonly kind: 'boolean';
	readonly value: boolean;
}

export interface JsonNullNode extends JsonSpan {
	readonly kind: 'null';
}

export type JsonNode =
	| JsonObjectNode
	| JsonArrayNode
	| JsonStringNode
	| JsonNumberNode
	| JsonBooleanNode
	| JsonNullNode;

/** A value to write or compare. Integers beyond 2^53 are bigints. */
export type JsonValue =
	| null
	| boolean
	| number
	| bigint
	| string
	| readonly JsonValue[]
	| { readonly [key: string]: JsonValue };

export type JsonProblemReason =
	| 'empty'
	| 'utf-16'
	| 'not-utf8'
	| 'syntax'
	| 'comment'
	| 'trailing-comma'
	| 'duplicate-key'
	| 'not-an-object'
	| 'too-deep'
	| 'wrong-type';

/** Where a file is wrong, and how. `Reason` lets a caller add reasons of its own. */
export interface Problem<Reason extends string> {
	readonly reason: Reason;
	/** From 1. */
	readonly line: number;
	/** From 1, in characters (code points); a tab is one. */
	readonly column: number;
	/** From 0, in bytes of the file, a byte order mark included. */
	readonly offset: number;
	readonly message: string;
	/**
	 * Two lines: the line of the file (at most 76 columns of it) and a `^` below the
	 * place. It shows file content, so a caller that prints it redacts secrets first.
	 * Empty if there is no line to show.
	 */
	readonly caret: string;
}

export type JsonProblem = Problem<JsonProblemReason>;

/** A parsed file. `bytes` are the bytes as given; `text` is without the byte order mark. */
export interface JsonObjectDoc {
	readonly kind: 'object';
	readonly bytes: Uint8Array;
	readonly text: string;
	/** The file starts with a UTF-8 byte order mark; dockerd accepts it since 23.0 only. */
	readonly bom: boolean;
	readonly tree: JsonObjectNode;
	/** The content as plain values, made when asked for; see {@link toValue}. */
	readonly value: () => { readonly [key: string]: JsonValue };
}

/** A file that does not exist yet, or holds nothing but whitespace. */
export interface JsonBlankDoc {
	readonly kind: 'blank';
	readonly bytes: Uint8Array;
	/** True if there is no file at all. */
	readonly missing: boolean;
}

export type JsonDoc = JsonObjectDoc | JsonBlankDoc;

export type Refused<Reason extends string = JsonProblemReason> = {
	readonly kind: 'refused';
	readonly problem: Problem<Reason>;
};

/** encoding/json stops at 10,000 levels; no daemon.json needs more than ten. */
const MAX_DEPTH = 256;
const CARET_COLUMNS = 76;
const TAB_COLUMNS = 4;
const BOM_BYTES = 3;

const encoder = new TextEncoder();

/**
 * Parses bytes as one strict JSON object.
 *
 * Refused: empty or blank input (reason `empty`: dockerd 23.0 and later read it as
 * `{}`, so the caller decides), UTF-16, bytes that are not UTF-8, comments, trailing
 * commas, any other syntax error, a key given twice in one object (at the second one),
 * a top level that is not an object, more than 256 levels.
 */
export function readJsonObject(bytes: Uint8Array): JsonObjectDoc | Refused {
	const decoded = decode(bytes);
	if (decoded.kind === 'refused') {
		return decoded;
	}
	const { text, bom } = decoded;
	const source = { text, bom };
	if (isBlank(text)) {
		return refuseAt(
			source,
			0,
			'empty',
			'the file is empty; dockerd 23.0 and later read that as {}, older versions refuse to start',
		);
	}
	try {
		const root = parse(source);
		if (root.kind !== 'object') {
			return refuseAt(
				source,
				root.offset,
				'not-an-object',
				`expected an object { … } at the top level, found ${describeKind(root.kind)}`,
			);
		}
		return { kind: 'object', bytes, text, bom, tree: root, value: () => objectValue(root) };
	} catch (error) {
		if (error instanceof ParseStop) {
			return { kind: 'refused', problem: error.problem };
		}
		throw error;
	}
}

/**
 * Like {@link readJsonObject}, but a missing file and a file of whitespace only become
 * a blank document, which `setKey` can fill.
 */
export function readJsonDoc(current: Uint8Array | 'missing'): JsonDoc | Refused {
	if (current === 'missing') {
		return { kind: 'blank', bytes: new Uint8Array(), missing: true };
	}
	const read = readJsonObject(current);
	if (read.kind === 'refused' && read.problem.reason === 'empty') {
		return { kind: 'blank', bytes: current, missing: false };
	}
	return read;
}

/** The property of that name, compared after decoding escapes. */
export function findProperty(node: JsonObjectNode, key: string): JsonProperty | undefined {
	return node.properties.find(property => property.key === key);
}

/**
 * The plain value of a node. Integers that a JavaScript number cannot hold become
 * bigints. A fraction beyond double precision is rounded: use the node's `text` where
 * that matters (equality checks do).
 */
export function toValue(node: JsonNode): JsonValue {
	switch (node.kind) {
		case 'object':
			return objectValue(node);
		case 'array':
			return node.items.map(toValue);
		case 'string':
		case 'boolean':
			return node.value;
		case 'null':
			return null;
		case 'number':
			return numberValue(node.text);
	}
}

/** Deep equality of a node and a value; key order does not matter, numbers compare exactly. */
export function nodeEquals(node: JsonNode, value: JsonValue): boolean {
	switch (node.kind) {
		case 'object':
			return (
				isJsonObject(value) &&
				Object.keys(value).length === node.properties.length &&
				node.properties.every(property => {
					const other = Object.hasOwn(value, property.key) ? value[property.key] : undefined;
					return other !== undefined && nodeEquals(property.value, other);
				})
			);
		case 'array':
			return (
				isJsonArray(value) &&
				value.length === node.items.length &&
				value.every((item, index) => {
					const own = node.items[index];
					return own !== undefined && nodeEquals(own, item);
				})
			);
		case 'string':
		case 'boolean':
			return value === node.value;
		case 'null':
			return value === null;
		case 'number':
			return (
				(typeof value === 'bigint' || typeof value === 'number') &&
				canonicalNumber(node.text) === canonicalNumber(String(value))
			);
	}
}

export function isJsonArray(value: JsonValue): value is readonly JsonValue[] {
	return Array.isArray(value);
}

export function isJsonObject(value: JsonValue): value is { readonly [key: string]: JsonValue } {
	return typeof value === 'object' && value !== null && !isJsonArray(value);
}

/** A word for messages: "an array", "a string", … */
export function describeKind(kind: JsonNode['kind']): string {
	switch (kind) {
		case 'object':
			return 'an object';
		case 'array':
			return 'an array';
		case 'string':
			return 'a string';
		case 'number':
			return 'a number';
		case 'boolean':
			return 'true or false';
		case 'null':
			return 'null';
	}
}

/** The byte offset in the file of a UTF-16 offset in `text`. */
export function byteOffset(source: { readonly text: string; readonly bom: boolean }, index: number): number {
	return (source.bom ? BOM_BYTES : 0) + utf8Length(source.text.slice(0, index));
}

/** How many bytes a text takes as UTF-8. */
export function utf8Length(text: string): number {
	return encoder.encode(text).length;
}

/** Describes a place in a text; `index` is in UTF-16 units of `text`. */
export function problemAt<Reason extends string>(
	source: { readonly text: string; readonly bom: boolean },
	index: number,
	reason: Reason,
	message: string,
): Problem<Reason> {
	const { text } = source;
	const lineStart = index === 0 ? 0 : text.lastIndexOf('\n', index - 1) + 1;
	let line = 1;
	for (let at = text.indexOf('\n'); at !== -1 && at < lineStart; at = text.indexOf('\n', at + 1)) {
		line += 1;
	}
	return {
		reason,
		line,
		column: [...text.slice(lineStart, index)].length + 1,
		offset: byteOffset(source, index),
		message,
		caret: caretLines(text, lineStart, index),
	};
}

/** A refusal at a place in a text. */
export function refuseAt<Reason extends string>(
	source: { readonly text: string; readonly bom: boolean },
	index: number,
	reason: Reason,
	message: string,
): Refused<Reason> {
	return { kind: 'refused', problem: problemAt(source, index, reason, message) };
}

interface Source {
	readonly text: string;
	readonly bom: boolean;
}

class ParseStop extends Error {
	readonly problem: JsonProblem;

	constructor(problem: JsonProblem) {
		super(problem.message);
		this.problem = problem;
	}
}

function decode(bytes: Uint8Array): { readonly kind: 'text'; readonly text: string; readonly bom: boolean } | Refused {
	if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
		return refuseAt(
			{ text: '', bom: false },
			0,
			'utf-16',
			'the file is UTF-16; save it as UTF-8 (dockerd before 23.0 cannot read it either)',
		);
	}
	const bom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
	const body = bom ? bytes.subarray(BOM_BYTES) : bytes;
	try {
		return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body), bom };
	} catch {
		const good = validPrefix(body);
		// The caret needs the rest of the line, so the bad bytes are shown as replacement characters.
		const text = good + new TextDecoder('utf-8', { ignoreBOM: true }).decode(body.subarray(utf8Length(good)));
		return refuseAt({ text, bom }, good.length, 'not-utf8', 'these bytes are not UTF-8');
	}
}

/** The longest text that whole characters at the start of the bytes decode to. */
function validPrefix(bytes: Uint8Array): string {
	const attempt = (length: number): string | undefined => {
		try {
			const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
			return decoder.decode(bytes.subarray(0, length), { stream: true });
		} catch {
			return undefined;
		}
	};
	let low = 0;
	let high = bytes.length;
	while (low < high) {
		const middle = Math.ceil((low + high) / 2);
		if (attempt(middle) === undefined) {
			high = middle - 1;
		} else {
			low = middle;
		}
	}
	return attempt(low) ?? '';
}

function isBlank(text: string): boolean {
	return !/[^ \t\r\n]/.test(text);
}

/** A node while its text is still read: an open bracket's end is set when it closes. */
type Growing =
	| { kind: 'object'; offset: number; end: number; properties: JsonProperty[] }
	| { kind: 'array'; offset: number; end: number; items: JsonNode[] };

/** The tree of a text, or a {@link ParseStop} at its first problem. */
function parse(source: Source): JsonNode {
	const { text } = source;
	/** What is open here, with the keys that an object has so far and the one whose value comes next. */
	const open: { readonly node: Growing; readonly keys: Map<string, JsonSpan>; next: string }[] = [];
	let root: JsonNode | undefined;
	let comma = -1;

	const stop = (index: number, reason: JsonProblemReason, message: string): never => {
		throw new ParseStop(problemAt(source, index, reason, message));
	};
	const enter = (node: Growing): void => {
		// jsonc-parser recurses with each level: at 10,000 of them it would overflow the stack.
		if (open.length >= MAX_DEPTH) stop(node.offset, 'too-deep', `nested more than ${MAX_DEPTH} levels deep`);
		open.push({ node, keys: new Map(), next: '' });
	};
	/** Hangs a finished value into what is open. */
	const add = (value: JsonNode): void => {
		const parent = open.at(-1);
		if (parent === undefined) root = value;
		else if (parent.node.kind === 'array') parent.node.items.push(value);
		else {
			const keySpan = parent.keys.get(parent.next) as JsonSpan;
			parent.node.properties.push({ key: parent.next, keySpan, value });
		}
	};
	const leave = (offset: number): void => {
		const closed = open.pop();
		if (closed === undefined) return;
		closed.node.end = offset + 1;
		add(closed.node);
	};
	visit(
		text,
		{
			onObjectBegin: offset => enter({ kind: 'object', offset, end: offset, properties: [] }),
			onObjectProperty: (key, offset, length) => {
				const object = open.at(-1);
				if (object?.keys.has(key))
					stop(offset, 'duplicate-key', `the key ${JSON.stringify(key)} is given twice in the same object`);
				object?.keys.set(key, { offset, end: offset + length });
				if (object !== undefined) object.next = key;
			},
			onObjectEnd: leave,
			onArrayBegin: offset => enter({ kind: 'array', offset, end: offset, items: [] }),
			onArrayEnd: leave,
			onLiteralValue: (value: unknown, offset, length) => add(literal(text, value, offset, offset + length)),
			onSeparator: (character, offset) => {
				if (character === ',') comma = offset;
			},
			onError: (code, offset) => {
				const name = printParseErrorCode(code);
				if (name === 'InvalidCommentToken') stop(offset, 'comment', 'JSON has no comments; dockerd refuses this file');
				const next = text[offset];
				if ((next === '}' || next === ']') && comma !== -1 && isBlank(text.slice(comma + 1, offset)))
					stop(comma, 'trailing-comma', `a comma before ${next} is not allowed in JSON`);
				stop(offset, 'syntax', SYNTAX_MESSAGES[name] ?? 'not valid JSON here');
			},
		},
		{ disallowComments: true, allowTrailingComma: false },
	);
	return root ?? stop(0, 'syntax', 'not valid JSON here');
}

function literal(text: string, value: unknown, offset: number, end: number): JsonNode {
	if (typeof value === 'string') return { kind: 'string', offset, end, value };
	if (typeof value === 'boolean') return { kind: 'boolean', offset, end, value };
	// The text, not the number: 20 digits or `1.10` survive.
	return value === null
		? { kind: 'null', offset, end }
		: { kind: 'number', offset, end, text: text.slice(offset, end) };
}

const SYNTAX_MESSAGES: Readonly<Record<string, string>> = {
	InvalidSymbol: 'this is not a JSON value (strings need double quotes)',
	PropertyNameExpected: 'expected a key in double quotes',
	ValueExpected: 'expected a value',
	ColonExpected: 'expected a colon after the key',
	CommaExpected: 'expected a comma before this',
	CloseBraceExpected: 'expected }, the object is not closed',
	CloseBracketExpected: 'expected ], the array is not closed',
	EndOfFileExpected: 'nothing may follow the end of the object',
	UnexpectedEndOfString: 'the string is not closed on its line',
	UnexpectedEndOfNumber: 'the number is not complete',
	InvalidUnicode: 'not a valid \\u escape in this string',
	InvalidEscapeCharacter: 'not a valid escape in this string',
	InvalidCharacter: 'a control character in a string must be written as an escape',
};

function objectValue(node: JsonObjectNode): { readonly [key: string]: JsonValue } {
	// fromEntries defines own properties, so a key "__proto__" stays a plain key.
	return Object.fromEntries(node.properties.map(property => [property.key, toValue(property.value)]));
}

function numberValue(text: string): number | bigint {
	const number = Number(text);
	const exact = Number.isFinite(number) && canonicalNumber(text) === canonicalNumber(String(number));
	return !exact && /^-?\d+$/.test(text) ? BigInt(text) : number;
}

/** One spelling per decimal number: `1.50e1`, `15` and `15.0` all give `15e0`. */
function canonicalNumber(text: string): string {
	const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
	if (match === null) {
		return text;
	}
	const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
	const digits = (whole + fraction).replace(/^0+/, '');
	const significant = trimZeros(digits);
	if (significant === '') {
		return '0';
	}
	const scale = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length);
	return `${sign}${significant}e${scale}`;
}

/** `replace(/0+$/, '')` would be quadratic on a long number with zeros inside. */
function trimZeros(digits: string): string {
	let end = digits.length;
	while (digits[end - 1] === '0') {
		end -= 1;
	}
	return digits.slice(0, end);
}

function caretLines(text: string, lineStart: number, index: number): string {
	const newline = text.indexOf('\n', index);
	const lineEnd = newline === -1 ? text.length : newline;
	if (text === '') {
		return '';
	}
	// Only the neighbourhood is laid out: a minified file is one line of any length.
	const from = Math.max(lineStart, index - 2 * CARET_COLUMNS);
	const to = Math.min(lineEnd, index + 2 * CARET_COLUMNS);
	const before = displayCells(text.slice(from, index));
	const after = displayCells(text.slice(index, to).replace(/\r$/, ''));
	const cells = [...before, ...after];

	const start =
		cells.length <= CARET_COLUMNS
			? 0
			: Math.max(0, Math.min(before.length - CARET_COLUMNS / 2, cells.length - CARET_COLUMNS));
	const shown = cells.slice(start, start + CARET_COLUMNS);
	if (start > 0) {
		shown[0] = '…';
	}
	if (start + CARET_COLUMNS < cells.length) {
		shown[shown.length - 1] = '…';
	}
	return `${shown.join('')}\n${' '.repeat(before.length - start)}^`;
}

/** One entry a column, for characters of normal width. */
function displayCells(text: string): string[] {
	const spaced = text.replaceAll('\t', ' '.repeat(TAB_COLUMNS));
	return [...masked(spaced)];
}
