import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EditResult, type EditStyle, passesPackageGuard, removeKey, setKey } from '../../src/text/json-edit.ts';
import { type JsonDoc, type JsonValue, readJsonDoc } from '../../src/text/json-text.ts';
import {
	daemonJsonText,
	FAST_CHECK,
	PROPERTY_TIMEOUT,
	parseExactly,
	replay,
	textOf,
	utf8,
	withKey,
	withoutKey,
} from '../docker/support.ts';

function docOf(text: string | 'missing'): JsonDoc {
	const doc = readJsonDoc(text === 'missing' ? text : utf8(text));
	if (doc.kind === 'refused') {
		throw new Error(`${doc.problem.message}\n${doc.problem.caret}`);
	}
	return doc;
}

type Done = Extract<EditResult, { kind: 'done' }>;

function done(result: EditResult): Done {
	if (result.kind === 'refused') {
		throw new Error(result.problem.message);
	}
	return result;
}

const set = (text: string, path: readonly string[], value: JsonValue, style?: EditStyle): string =>
	textOf(done(setKey(docOf(text), path, value, style)).bytes);

const remove = (text: string, path: readonly string[]): string => textOf(done(removeKey(docOf(text), path)).bytes);

const GUARD: EditStyle = { lineStyle: 'package-guard' };
const RUNTIME = { path: '/usr/bin/sysbox-runc' };

describe('setting a key', () => {
	it.each([
		['adds after the last key', '{\n  "a": 1\n}\n', '{\n  "a": 1,\n  "k": "v"\n}\n'],
		['follows tabs', '{\n\t"a": 1\n}', '{\n\t"a": 1,\n\t"k": "v"\n}'],
		['follows four spaces', '{\n    "a": 1\n}\n', '{\n    "a": 1,\n    "k": "v"\n}\n'],
		['follows CR LF', '{\r\n  "a": 1\r\n}\r\n', '{\r\n  "a": 1,\r\n  "k": "v"\r\n}\r\n'],
		['keeps a byte order mark', '\ufeff{\n  "a": 1\n}', '\ufeff{\n  "a": 1,\n  "k": "v"\n}'],
		['keeps a missing last line end', '{\n  "a": 1\n}', '{\n  "a": 1,\n  "k": "v"\n}'],
		['keeps a blank line before the brace', '{\n  "a": 1\n\n}', '{\n  "a": 1,\n  "k": "v"\n\n}'],
		['gives a compact file a line for the key', '{"a":1}', '{"a":1,\n    "k": "v"\n}'],
		['drops the blank before the brace of a compact file', '{ "a": 1 }', '{ "a": 1,\n    "k": "v"\n}'],
		['fills an empty object', '{}', '{\n    "k": "v"\n}'],
		['fills an empty object with a blank line', '{\n\n}\n', '{\n    "k": "v"\n}\n'],
		['follows the last own line, not a shared one', '{\n\t"a": 1, "b": 2\n}', '{\n\t"a": 1, "b": 2,\n\t"k": "v"\n}'],
		['keeps keys without indentation at the margin', '{\n"a": 1\n}', '{\n"a": 1,\n"k": "v"\n}'],
		[
			'keeps escapes and big numbers',
			'{\n "\\u0061": 1e400,\n "b": "\\/"\n}',
			'{\n "\\u0061": 1e400,\n "b": "\\/",\n "k": "v"\n}',
		],
		['replaces a string', '{"a": 1, "k" : "old", "b": 2}', '{"a": 1, "k" : "v", "b": 2}'],
		['replaces an object', '{\n  "k": {\n    "x": 1\n  },\n  "b": 2\n}', '{\n  "k": "v",\n  "b": 2\n}'],
		['replaces null', '{"k": null}', '{"k": "v"}'],
		['replaces behind wide characters', '{"ü😀": "é", "k": "😀"}', '{"ü😀": "é", "k": "v"}'],
	])('%s', (_, before, after) => {
		expect(set(before, ['k'], 'v')).toBe(after);
	});

	it.each([
		['two spaces', '{\n  "a": 1\n}', '{\n  "a": 1,\n  "k": {\n    "x": [\n      1,\n      {}\n    ]\n  }\n}'],
		['tabs', '{\n\t"a": 1\n}', '{\n\t"a": 1,\n\t"k": {\n\t\t"x": [\n\t\t\t1,\n\t\t\t{}\n\t\t]\n\t}\n}'],
		['CR LF', '{\r\n "a": 1\r\n}', '{\r\n "a": 1,\r\n "k": {\r\n  "x": [\r\n   1,\r\n   {}\r\n  ]\r\n }\r\n}'],
	])('indents a nested value with %s', (_, before, after) => {
		expect(set(before, ['k'], { x: [1, {}] })).toBe(after);
	});

	it.each([
		['keys at the margin', '{\n"a": 1\n}', '{\n"a": 1,\n"k": [\n    1\n]\n}'],
		['a brace further in than its keys', '    {\n "a": 1\n}', '    {\n "a": 1,\n "k": [\n     1\n ]\n}'],
		['tabs below spaces', '  {\n\t\t\t"a": 1\n}', '  {\n\t\t\t"a": 1,\n\t\t\t"k": [\n\t\t\t    1\n\t\t\t]\n}'],
	])('indents a nested value by four spaces where the file gives no measure: %s', (_, before, after) => {
		expect(set(before, ['k'], [1])).toBe(after);
	});

	it('takes the indentation of a nested object when the top level shows none', () => {
		expect(set('{"a": {\n  "b": 1\n}}', ['k'], [1])).toBe('{"a": {\n  "b": 1\n},\n  "k": [\n    1\n  ]\n}');
	});

	it.each([
		[
			'in an existing object',
			'{\n  "runtimes": {\n    "nvidia": {}\n  }\n}',
			'{\n  "runtimes": {\n    "nvidia": {},\n    "s": 1\n  }\n}',
		],
		['in an empty object', '{\n  "runtimes": {}\n}', '{\n  "runtimes": {\n    "s": 1\n  }\n}'],
		['in an object on one line', '{\n\t"runtimes": {"n": 1}\n}', '{\n\t"runtimes": {"n": 1,\n\t\t"s": 1\n\t}\n}'],
		['with the object above', '{\n  "a": 1\n}', '{\n  "a": 1,\n  "runtimes": {\n    "s": 1\n  }\n}'],
	])('descends %s', (_, before, after) => {
		expect(set(before, ['runtimes', 's'], 1)).toBe(after);
	});

	it.each([
		['a missing file', 'missing'],
		['an empty file', ''],
		['a blank file', ' \n\n'],
		['a file with nothing but a byte order mark', '\ufeff'],
	])('turns %s into a new document', (_, before) => {
		const result = done(setKey(docOf(before), ['runtimes', 'sysbox-runc'], RUNTIME));
		expect(textOf(result.bytes)).toBe(
			'{\n    "runtimes": {\n        "sysbox-runc": {\n            "path": "/usr/bin/sysbox-runc"\n        }\n    }\n}\n',
		);
	});

	it.each([
		['a string', '{"k": "v"}', 'v'],
		['an escaped string', '{"k": "\\u0076"}', 'v'],
		['a number in another spelling', '{"k": 1.0e1}', 10],
		['a big number', '{"k": 12345678901234567890}', 12345678901234567890n],
		['an object in another key order', '{"k": {"a": 1, "b": [null]}}', { b: [null], a: 1 }],
	])('leaves %s alone that has the value already', (_, text, value) => {
		const doc = docOf(text);
		expect(setKey(doc, ['k'], value)).toEqual({ kind: 'done', changed: false, bytes: doc.bytes, edits: [] });
	});

	it('reports the edit in bytes, with what stood there', () => {
		expect(done(setKey(docOf('\ufeff{"ü": 1, "k": "é"}'), ['k'], 'v')).edits).toEqual([
			{ offset: 18, length: 4, text: '"v"', removed: '"é"' },
		]);
	});

	it.each([
		['an array', '{\n\t"runtimes": []\n}', 'an array'],
		['a string', '{\n\t"runtimes": "x"\n}', 'a string'],
		['null', '{\n\t"runtimes": null\n}', 'null'],
	])('refuses to descend into %s', (_, text, found) => {
		expect(setKey(docOf(text), ['runtimes', 's'], 1)).toMatchObject({
			kind: 'refused',
			problem: {
				reason: 'wrong-type',
				line: 2,
				column: 14,
				offset: 15,
				message: `"runtimes" must be an object { … }, found ${found}`,
				caret: expect.stringMatching(/\n {16}\^$/),
			},
		});
	});

	it('refuses to descend at the deeper place', () => {
		expect(setKey(docOf('{"a": {"b": 1}}'), ['a', 'b', 'c'], 1)).toMatchObject({
			kind: 'refused',
			problem: { offset: 12 },
		});
	});

	it('throws on an empty path and on numbers that JSON lacks', () => {
		expect(() => setKey(docOf('{}'), [], 1)).toThrow(RangeError);
		expect(() => removeKey(docOf('{}'), [])).toThrow(RangeError);
		expect(() => setKey(docOf('{}'), ['a'], Number.NaN)).toThrow(RangeError);
		expect(() => setKey(docOf('{"a": 1}'), ['a'], Number.POSITIVE_INFINITY)).toThrow(RangeError);
	});

	it('writes big integers and keys called __proto__', () => {
		expect(set('{}', ['a'], 12345678901234567890n)).toBe('{\n    "a": 12345678901234567890\n}');
		expect(set('{}', ['__proto__', 'x'], 1)).toBe('{\n    "__proto__": {\n        "x": 1\n    }\n}');
	});
});

describe('removing a key', () => {
	it.each([
		['the first', '{\n  "k": 1,\n  "b": 2\n}', '{\n  "b": 2\n}'],
		['one in the middle', '{\n  "a": 1,\n  "k": 1,\n\t"b": 2\n}', '{\n  "a": 1,\n\t"b": 2\n}'],
		['the last', '{\n  "a": 1,\n  "k": 1\n}\n', '{\n  "a": 1\n}\n'],
		['the only', '{\n  "k": 1\n}\n', '{}\n'],
		['one of a compact file', '{"a":1,"k":[1,{"x":","}],"b":2}', '{"a":1,"b":2}'],
		['one with a blank before its comma', '{"k": 1 , "b": 2}', '{ "b": 2}'],
		['one with CR LF', '{\r\n\t"k": 1,\r\n\t"b": 2\r\n}', '{\r\n\t"b": 2\r\n}'],
		['one behind a byte order mark', '\ufeff{"é": 1, "k": 2}', '\ufeff{"é": 1}'],
	])('takes %s with its comma', (_, before, after) => {
		expect(remove(before, ['k'])).toBe(after);
	});

	it('leaves the object around a nested key', () => {
		expect(remove('{\n  "runtimes": {\n    "s": {}\n  }\n}', ['runtimes', 's'])).toBe('{\n  "runtimes": {}\n}');
	});

	it.each([
		['a key that is not there', '{"a": 1}', ['k']],
		['a nested key that is not there', '{"a": 1}', ['k', 'x']],
		['a key of an empty file', '', ['k']],
		['a key called like a method of objects', '{"a": 1}', ['toString']],
	])('changes nothing for %s', (_, text, path) => {
		const doc = docOf(text);
		expect(removeKey(doc, path)).toEqual({ kind: 'done', changed: false, bytes: doc.bytes, edits: [] });
	});

	it('refuses to descend into a string', () => {
		expect(removeKey(docOf('{"a": "x"}'), ['a', 'b'])).toMatchObject({ kind: 'refused', problem: { offset: 6 } });
	});
});

describe('the layout that the sysbox package looks for', () => {
	it.each([
		['a line with spaces', '{\n    "bip": "172.20.0.1/16"\n}', true, false],
		['a line with one space', '{\n "bip": "1"\n}', true, false],
		['a tab', '{\n\t"bip": "172.20.0.1/16"\n}', false, false],
		['no indentation', '{\n"bip": "172.20.0.1/16"\n}', false, false],
		['a compact file', '{"bip": "172.20.0.1/16"}', false, false],
		['no blank after the colon', '{\n    "bip":"172.20.0.1/16"\n}', false, false],
		['a blank before the colon', '{\n    "bip" : "172.20.0.1/16"\n}', false, false],
		['an empty address', '{\n    "bip": ""\n}', false, false],
		['pools with spaces', '{\n  "default-address-pools" : []\n}', false, true],
		['pools with a tab', '{\n\t"default-address-pools": []\n}', false, false],
		['both with CR LF', '{\r\n  "bip": "1.2.3.4/8",\r\n  "default-address-pools": []\r\n}', true, true],
	])('is seen or not: %s', (_, text, bip, pools) => {
		expect(passesPackageGuard(text)).toEqual({ bip, pools });
	});

	it.each([
		['tabs', '{\n\t"a": 1\n}', '{\n\t"a": 1,\n    "bip": "10.0.0.1/8"\n}'],
		['two spaces', '{\n  "a": 1\n}', '{\n  "a": 1,\n  "bip": "10.0.0.1/8"\n}'],
		['no indentation', '{\n"a": 1\n}', '{\n"a": 1,\n    "bip": "10.0.0.1/8"\n}'],
		['a compact file', '{"a":1}', '{"a":1,\n    "bip": "10.0.0.1/8"\n}'],
		['an empty object', '{}', '{\n    "bip": "10.0.0.1/8"\n}'],
		['a tab-indented other address', '{\n\t"bip": "1.1.1.1/8"\n}', '{\n    "bip": "10.0.0.1/8"\n}'],
		['a compact other address', '{"a":1,"bip":"1.1.1.1/8","b":2}', '{"a":1,\n    "bip": "10.0.0.1/8","b":2}'],
		['a fitting line with another address', '{\n "bip": "1.1.1.1/8"\n}', '{\n "bip": "10.0.0.1/8"\n}'],
		[
			'the same address behind a tab',
			'{\n\t"a": 1,\n\n\t"bip": "10.0.0.1/8"\n}',
			'{\n\t"a": 1,\n\n    "bip": "10.0.0.1/8"\n}',
		],
		['the same address in escapes', '{\n  "bip": "\\u00310.0.0.1/8"\n}', '{\n  "bip": "10.0.0.1/8"\n}'],
		['the key in escapes', '{\n  "b\\u0069p": "10.0.0.1/8"\n}', '{\n  "bip": "10.0.0.1/8"\n}'],
		['a lone carriage return', '{\r"bip":\r"10.0.0.1/8"}', '{\n    "bip": "10.0.0.1/8"}'],
		['nothing', '', '{\n    "bip": "10.0.0.1/8"\n}\n'],
	])('is written into a file with %s', (_, before, after) => {
		expect(set(before, ['bip'], '10.0.0.1/8', GUARD)).toBe(after);
		expect(passesPackageGuard(after).bip).toBe(true);
	});

	it('uses spaces below the pools of a tab-indented file', () => {
		expect(set('{\n\t"a": 1\n}', ['default-address-pools'], [{ size: 24 }], GUARD)).toBe(
			'{\n\t"a": 1,\n    "default-address-pools": [\n        {\n            "size": 24\n        }\n    ]\n}',
		);
	});

	it('moves only the key if the pools themselves are right', () => {
		expect(
			set('{\n\t"default-address-pools":[\n\t\t{"size": 24}\n\t]\n}', ['default-address-pools'], [{ size: 24 }], GUARD),
		).toBe('{\n    "default-address-pools": [\n\t\t{"size": 24}\n\t]\n}');
	});

	it('changes nothing once it is there', () => {
		const doc = docOf('{\n  "bip": "10.0.0.1/8"\n}');
		expect(setKey(doc, ['bip'], '10.0.0.1/8', GUARD)).toMatchObject({ changed: false });
	});

	it('is not applied to other keys or deeper ones', () => {
		expect(set('{\n\t"a": 1\n}', ['mtu'], 1, GUARD)).toBe('{\n\t"a": 1,\n\t"mtu": 1\n}');
		expect(set('{\n\t"x": {}\n}', ['x', 'bip'], '1', GUARD)).toBe('{\n\t"x": {\n\t\t"bip": "1"\n\t}\n}');
		expect(set('{\n\t"bip": "1"\n}', ['bip'], '1')).toBe('{\n\t"bip": "1"\n}');
	});
});

const path = fc.oneof(
	fc.constantFrom<string[]>(
		['bip'],
		['default-address-pools'],
		['runtimes'],
		['runtimes', 'sysbox-runc'],
		['runtimes', 'sysbox-runc', 'path'],
		['__proto__'],
		['new', 'deep', 'key'],
	),
	fc.array(fc.string({ unit: 'grapheme', maxLength: 4 }), { minLength: 1, maxLength: 3 }),
);
const value: fc.Arbitrary<JsonValue> = fc.oneof(
	fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>,
	fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }),
	fc.constant([{ base: '172.25.0.0/16', size: 24 }]),
	fc.constant('172.20.0.1/16'),
);

/** A key of the file itself, so that replacing and removing are common. */
const textAndPath = fc.tuple(daemonJsonText, fc.option(fc.nat()), path).map(([text, index, other]) => {
	const keys = Object.keys(JSON.parse(text.replace(/^\ufeff/, '')) as object);
	const own = index === null ? undefined : keys[index % (keys.length + 1)];
	return { text, path: own === undefined ? other : [own] };
});

function asText(json: JsonValue): string {
	if (typeof json === 'bigint') {
		return String(json);
	}
	return JSON.stringify(json);
}

function checkEdit(before: Uint8Array, result: Done): void {
	expect(textOf(replay(before, result.edits))).toBe(textOf(result.bytes));
	expect(result.edits).toHaveLength(result.changed ? 1 : 0);
}

/** What an edit replaces is the key that it is for, or the blanks between two: never a byte of another key. */
function checkRange(text: string, [key]: readonly string[], result: Done): void {
	const doc = docOf(text);
	const own = doc.kind === 'object' ? doc.tree.properties.find(property => property.key === key) : undefined;
	const raw = own === undefined || doc.kind !== 'object' ? '' : doc.text.slice(own.keySpan.offset, own.value.end);
	for (const { removed } of result.edits) expect(raw).toContain(removed.replace(/^[ \t\r\n,]+|[ \t\r\n,]+$/g, ''));
}

/** Texts of the top-level values by key, by JSON.parse and an independent pattern alone. */
const exactly = (bytes: Uint8Array): unknown => parseExactly(textOf(bytes));

describe('on any file', () => {
	it(
		'setting a key gives the wanted value and nothing else, and can be taken back',
		() => {
			fc.assert(
				fc.property(textAndPath, value, fc.boolean(), ({ text, path: keys }, wanted, guarded) => {
					const before = utf8(text);
					const style: EditStyle = guarded ? GUARD : {};
					const result = setKey(docOf(text), keys, wanted, style);
					if (result.kind === 'refused') {
						expect(result.problem.reason).toBe('wrong-type');
						return;
					}
					checkEdit(before, result);
					checkRange(text, keys, result);
					if (result.changed) {
						expect(exactly(result.bytes)).toEqual(withKey(parseExactly(text), keys, parseExactly(asText(wanted))));
					}
					expect(setKey(docOf(textOf(result.bytes)), keys, wanted, style)).toMatchObject({ changed: false });
					const [key] = keys;
					if (guarded && keys.length === 1 && key === 'default-address-pools') {
						expect(passesPackageGuard(textOf(result.bytes)).pools).toBe(true);
					}
					if (guarded && keys.length === 1 && key === 'bip' && wanted === '172.20.0.1/16') {
						expect(passesPackageGuard(textOf(result.bytes)).bip).toBe(true);
					}
				}),
				FAST_CHECK,
			);
		},
		PROPERTY_TIMEOUT,
	);

	it(
		'removing a key takes that key and nothing else, and can be taken back',
		() => {
			fc.assert(
				fc.property(textAndPath, ({ text, path: keys }) => {
					const before = utf8(text);
					const result = removeKey(docOf(text), keys);
					if (result.kind === 'refused') {
						expect(result.problem.reason).toBe('wrong-type');
						return;
					}
					checkEdit(before, result);
					checkRange(text, keys, result);
					expect(exactly(result.bytes)).toEqual(withoutKey(parseExactly(text), keys));
				}),
				FAST_CHECK,
			);
		},
		PROPERTY_TIMEOUT,
	);

	it(
		'adding a key to a file with a line for each key and removing it gives the same bytes',
		() => {
			fc.assert(
				fc.property(daemonJsonText, value, (text, wanted) => {
					const doc = docOf(text);
					fc.pre(doc.kind === 'object' && /\n\s*\}\s*$/.test(text) && doc.tree.properties.length > 0);
					const added = done(setKey(doc, ['brand-new'], wanted));
					expect(remove(textOf(added.bytes), ['brand-new'])).toBe(text);
				}),
				FAST_CHECK,
			);
		},
		PROPERTY_TIMEOUT,
	);
});
