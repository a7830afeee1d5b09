import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JsonProblem, nodeEquals, readJsonDoc, readJsonObject, toValue } from '../../src/text/json-text.ts';
import { daemonJsonText, FAST_CHECK, PROPERTY_TIMEOUT, parseExactly, textOf, utf8 } from '../docker/support.ts';

function problemOf(content: string | Uint8Array): JsonProblem {
	const read = readJsonObject(typeof content === 'string' ? utf8(content) : content);
	if (read.kind !== 'refused') {
		throw new Error('expected a refusal');
	}
	return read.problem;
}

function contentOf(content: string): unknown {
	const read = readJsonObject(utf8(content));
	if (read.kind !== 'object') {
		throw new Error(read.problem.message);
	}
	return read.value();
}

describe('reading a JSON object', () => {
	it.each([
		['an empty file', '', 'empty', 1, 1, 0],
		['blanks only', ' \n\t\r\n', 'empty', 1, 1, 0],
		['a byte order mark only', '\ufeff', 'empty', 1, 1, 3],
		['a line comment', '{\n\t"a": 1, // no\n\t"b": 2\n}', 'comment', 2, 10, 11],
		['a block comment', '{ /* x */ }', 'comment', 1, 3, 2],
		['a comment before the object', '// x\n{}', 'comment', 1, 1, 0],
		['a trailing comma in an object', '{\n    "a": 1,\n}', 'trailing-comma', 2, 11, 12],
		['a trailing comma in an array', '{"a": [1, 2, ]}', 'trailing-comma', 1, 12, 11],
		['a comma without a value', '{,}', 'syntax', 1, 2, 1],
		['two commas', '{"a": 1,, "b": 2}', 'syntax', 1, 9, 8],
		['a missing comma', '{\r\n  "a": 1\r\n  "b": 2\r\n}', 'syntax', 3, 3, 15],
		['a missing colon', '{"a" 1}', 'syntax', 1, 6, 5],
		['a missing value', '{"a":}', 'syntax', 1, 6, 5],
		['a single-quoted string', "{'a': 1}", 'syntax', 1, 2, 1],
		['a key without quotes', '{a: 1}', 'syntax', 1, 2, 1],
		['an unclosed object', '{"a": 1', 'syntax', 1, 8, 7],
		['an unclosed array', '{"a": [1', 'syntax', 1, 9, 8],
		['an unclosed string', '{"a": "b\n}', 'syntax', 1, 7, 6],
		['a tab in a string', '{"a": "b\tc"}', 'syntax', 1, 7, 6],
		['a wrong escape', '{"a": "\\x"}', 'syntax', 1, 7, 6],
		['a leading zero', '{"a": 01}', 'syntax', 1, 8, 7],
		['NaN', '{"a": NaN}', 'syntax', 1, 7, 6],
		['text after the object', '{"a": 1}\n{}', 'syntax', 2, 1, 9],
		['a non-breaking space', '{\u00a0"a": 1}', 'syntax', 1, 2, 1],
		['a key given twice', '{\n  "a": 1,\n  "a": 2\n}', 'duplicate-key', 3, 3, 14],
		['a key given twice in different spelling', '{"a": 1, "\\u0061": 2}', 'duplicate-key', 1, 10, 9],
		['a key given twice deep down', '{"x": [{"y": {"k": 1, "k": 1}}]}', 'duplicate-key', 1, 23, 22],
		['an array', '[]', 'not-an-object', 1, 1, 0],
		['null', ' null', 'not-an-object', 1, 2, 1],
		['a string', '"x"', 'not-an-object', 1, 1, 0],
		['a byte order mark given twice', '\ufeff\ufeff{}', 'syntax', 1, 1, 3],
		['a problem behind a byte order mark', '\ufeff{"a": x}', 'syntax', 1, 7, 9],
		['a problem behind wide characters', '{"ü😀": x}', 'syntax', 1, 8, 11],
	])('refuses %s and says where', (_, content, reason, line, column, offset) => {
		expect(problemOf(content)).toMatchObject({ reason, line, column, offset });
	});

	it.each([1, 2, 7, 8, 9, 10, 100])('finds a repeated key among %i others, wherever the first one is', count => {
		const keys = Array.from({ length: count }, (_, index) => `k${index}`);
		for (const key of [keys[0], keys[count >> 1], keys[count - 1]]) {
			const text = `{${[...keys, key].map(each => `"${each}": 1`).join(', ')}}`;
			expect(problemOf(text)).toMatchObject({ reason: 'duplicate-key', offset: text.lastIndexOf('"k') });
		}
		expect(readJsonObject(utf8(`{${keys.map(each => `"${each}": 1`).join(', ')}}`)).kind).toBe('object');
	});

	it.each([
		[[0x7b, 0xfe, 0x7d], 'not-utf8'],
		[[0x7b, 0xbb, 0xbf], 'not-utf8'],
		[[0x7b, 0x22, 0xbf], 'not-utf8'],
		[[0xef, 0xbc, 0xbf], 'syntax'],
		[[0xef, 0xbb, 0xbe], 'syntax'],
	])('takes %j for no byte order mark', (bytes, reason) => {
		expect(problemOf(Uint8Array.from(bytes)).reason).toBe(reason);
	});

	it.each([
		['{"a" 1}', 'expected a colon after the key'],
		['{"a": 1 "b": 2}', 'expected a comma before this'],
		['{"a": 1', 'expected }, the object is not closed'],
		['{"a": [}', 'expected a value'],
		['{"a": x}', 'this is not a JSON value (strings need double quotes)'],
		['true', 'expected an object { … } at the top level, found true or false'],
	])('says what is wrong with %s', (content, message) => {
		expect(problemOf(content).message).toBe(message);
	});

	it('says for an empty file what dockerd makes of it', () => {
		expect(problemOf('').message).toContain('23.0');
	});

	it.each([
		['in the middle', [0x7b, 0x22, 0xff, 0x22, 0x7d], 3, 2],
		['on a later line', [0x7b, 0x0a, 0xc3, 0xa9, 0xc3, 0x28, 0x7d], 2, 4],
		['cut off at the end', [0x7b, 0x7d, 0xe2, 0x82], 3, 2],
		['after many characters that are', [0x7b, ...Array(50).fill([0xc3, 0xa9]).flat(), 0xff, 0x7d], 52, 101],
		['at the start of a byte order mark', [0xef, 0xbb, 0x7b, 0x7d], 1, 0],
		['like one half of a UTF-16 mark', [0xff, 0x7b, 0x7d], 1, 0],
		['like the other half of it', [0xfe, 0x7b, 0x7d], 1, 0],
		['after a byte order mark given twice', [0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf, 0xff], 2, 6],
		['an encoded surrogate', [0x7b, 0xed, 0xa0, 0x80, 0x7d], 2, 1],
	])('refuses bytes that are not UTF-8 %s', (_, bytes, column, offset) => {
		expect(problemOf(Uint8Array.from(bytes))).toMatchObject({ reason: 'not-utf8', column, offset });
	});

	it.each([
		['little endian', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
		['big endian', [0xfe, 0xff, 0x00, 0x7b, 0x00, 0x7d]],
	])('refuses UTF-16 %s by name', (_, bytes) => {
		expect(problemOf(Uint8Array.from(bytes))).toMatchObject({ reason: 'utf-16', offset: 0, caret: '' });
	});

	it('refuses nesting that would exhaust the stack', () => {
		const problem = problemOf(`{"a": ${'['.repeat(1_000_000)}`);
		expect(problem).toMatchObject({ reason: 'too-deep', line: 1, offset: 6 + 255 });
	});

	it('accepts 256 levels', () => {
		expect(readJsonObject(utf8(`{"a": ${'['.repeat(255)}${']'.repeat(255)}}`)).kind).toBe('object');
	});

	it('keeps the byte order mark apart from the text', () => {
		const read = readJsonObject(utf8('\ufeff{"a": 1}'));
		expect(read).toMatchObject({ kind: 'object', bom: true, text: '{"a": 1}' });
	});

	it('keeps numbers exactly', () => {
		expect(contentOf('{"a": 12345678901234567890, "b": -9007199254740993, "c": 1.50, "d": 10}')).toEqual({
			a: 12345678901234567890n,
			b: -9007199254740993n,
			c: 1.5,
			d: 10,
		});
	});

	it('keeps a key called __proto__ as a plain key', () => {
		const value = contentOf('{"__proto__": {"x": 1}}');
		expect(Object.keys(value as object)).toEqual(['__proto__']);
		expect((value as { x?: unknown }).x).toBeUndefined();
	});

	it('reads a missing and an empty file as a blank document on request', () => {
		expect(readJsonDoc('missing')).toMatchObject({ kind: 'blank', missing: true });
		expect(readJsonDoc(utf8(' \n'))).toMatchObject({ kind: 'blank', missing: false });
		expect(readJsonDoc(utf8('{'))).toMatchObject({ kind: 'refused' });
	});

	it(
		'accepts exactly what JSON.parse accepts of damaged files',
		() => {
			const damaged = fc.tuple(
				daemonJsonText,
				fc.nat(),
				fc.nat(3),
				fc.constantFrom(
					'',
					',',
					'"',
					'}',
					'{',
					']',
					':',
					'0',
					'-',
					'.',
					'e',
					'\\',
					'n',
					'\u0000',
					'\u00a0',
					'\u2028',
					'/',
					'\ufeff',
				),
			);
			fc.assert(
				fc.property(damaged, ([text, at, cut, insert]) => {
					const body = text.replace(/^\ufeff/, '');
					const position = at % (body.length + 1);
					const broken = textOf(utf8(body.slice(0, position) + insert + body.slice(position + cut))).replace(
						/^\ufeff/,
						'',
					);
					const read = readJsonObject(utf8(broken));
					let valid = true;
					try {
						JSON.parse(broken);
					} catch {
						valid = false;
					}
					const extra = ['duplicate-key', 'not-an-object'];
					if (valid && read.kind === 'refused') {
						expect(extra).toContain(read.problem.reason);
					} else {
						expect(read.kind === 'object').toBe(valid);
					}
				}),
				{ ...FAST_CHECK, numRuns: FAST_CHECK.numRuns * 4 },
			);
		},
		PROPERTY_TIMEOUT,
	);

	it(
		'reads any file to the value which JSON.parse sees',
		() => {
			fc.assert(
				fc.property(daemonJsonText, text => {
					const read = readJsonObject(utf8(text));
					if (read.kind !== 'object') {
						throw new Error(read.problem.message);
					}
					const plain = JSON.parse(text.replace(/^\ufeff/, '')) as Record<string, unknown>;
					expect(Object.keys(read.value())).toEqual(Object.keys(plain));
					expect(parseExactly(read.text.slice(read.tree.offset, read.tree.end))).toEqual(parseExactly(text));
				}),
				FAST_CHECK,
			);
		},
		PROPERTY_TIMEOUT,
	);
});

describe('the caret', () => {
	it('stands below the place, with tabs as four columns', () => {
		expect(problemOf('{\n\t"a":\tx\n}').caret).toBe('    "a":    x\n            ^');
	});

	it('cuts a long line around the place', () => {
		const [line = '', caret = ''] = problemOf(`{"a": "${'b'.repeat(200)}", x, "${'c'.repeat(200)}": 1}`).caret.split(
			'\n',
		);
		expect(line).toHaveLength(76);
		expect(line.startsWith('…')).toBe(true);
		expect(line.endsWith('…')).toBe(true);
		expect(line[caret.indexOf('^')]).toBe('x');
	});

	it.each([
		['start', `{x, "${'c'.repeat(500)}": 1}`],
		['end', `{"${'c'.repeat(500)}": x}`],
	])('shows the %s of a long line without a cut there', (where, content) => {
		const [line = '', caret = ''] = problemOf(content).caret.split('\n');
		expect(line).toHaveLength(76);
		expect(line[caret.indexOf('^')]).toBe('x');
		expect(where === 'start' ? line.startsWith('{x') : line.endsWith('x}')).toBe(true);
	});

	it('shows no control characters and no carriage return', () => {
		const { caret } = problemOf('{"\u001b[31m": x}\r\n');
		expect(caret).not.toMatch(/[\u001b\r]/);
	});

	it('stands on the empty last line of an unclosed file', () => {
		expect(problemOf('{"a": 1\n')).toMatchObject({ line: 2, column: 1, caret: '\n^' });
	});

	it('stands at the end of an unclosed file', () => {
		expect(problemOf('{"a": 1').caret).toBe('{"a": 1\n       ^');
	});
});

describe('comparing a node with a value', () => {
	it.each([
		['1.0', 1, true],
		['1e2', 100, true],
		['100', 1e2, true],
		['-0', 0, true],
		['0.10', 0.1, true],
		['1e21', 1e21, true],
		['12345678901234567890', 12345678901234567890n, true],
		['12345678901234567891', 12345678901234567000, false],
		['9007199254740993', 9007199254740992, false],
		['1', true, false],
		['"1"', 1, false],
		['null', false, false],
		['null', null, true],
		['"\\u0061"', 'a', true],
		['[1, 2]', [1, 2], true],
		['[1, 2]', [2, 1], false],
		['[1]', [1, 2], false],
		['[]', {}, false],
		['{"a": 1, "b": 2}', { b: 2, a: 1 }, true],
		['{"a": 1}', { a: 1, b: 2 }, false],
		['{"a": 1, "b": 2}', { a: 1 }, false],
		['{"toString": 1}', { valueOf: 1 }, false],
		['{}', [], false],
	])('%s and %o: %s', (text, value, equal) => {
		const read = readJsonObject(utf8(`{"v": ${text}}`));
		if (read.kind !== 'object') {
			throw new Error('not read');
		}
		expect(nodeEquals(read.tree.properties[0]!.value, value)).toBe(equal);
	});

	it(
		'finds every node equal to its own value, unless a fraction was rounded',
		() => {
			fc.assert(
				fc.property(daemonJsonText, text => {
					fc.pre(!/e400|0\.1000000/.test(text));
					const read = readJsonObject(utf8(text));
					expect(read.kind === 'object' && nodeEquals(read.tree, toValue(read.tree))).toBe(true);
				}),
				FAST_CHECK,
			);
		},
		PROPERTY_TIMEOUT,
	);
});
