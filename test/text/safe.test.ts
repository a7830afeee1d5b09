import { describe, expect, it } from 'vitest';
import { hanging, lineOf, oneLine, safeJson, safeLines, shellWord } from '../../src/text/safe.ts';
import { block, code, inline, table } from '../../steps/record/markdown.ts';
import { everyUnsafe, mayObey } from './unsafe.ts';

describe('outside text on a terminal', () => {
	it.each(everyUnsafe.map(character => [character.codePointAt(0)?.toString(16).padStart(4, '0'), character] as const))(
		'U+%s is named',
		(hex, character) => {
			expect(oneLine(`a${character}b`)).toBe(`a<U+${hex?.toUpperCase()}>b`);
			expect(safeLines(`a${character}b`)).toBe(`a<U+${hex?.toUpperCase()}>b`);
		},
	);

	it('keeps what is only unusual: letters of any script, wide ones, accents, a tab', () => {
		const text = 'é ß 漢字 한글 עברית العربية 🐳 a\u0301\tx';
		expect(oneLine(text)).toBe(text);
		expect(safeLines(text)).toBe(text);
	});

	it('has no line of its own where one line is meant, and keeps lines where they are meant', () => {
		expect(lineOf('a\n✔ all fine')).toBe('a<U+000A>✔ all fine\n');
		expect(safeLines('a\r\nb\n')).toBe('a\nb\n');
		expect(safeLines('100 %\rdone')).toBe('100 %<U+000D>done');
		expect(hanging('said ', 'a\r\n✔ all fine', 5)).toEqual(['said a', '     ✔ all fine']);
	});

	it('is safe already when it is made safe again', () => {
		for (const text of everyUnsafe) expect(oneLine(oneLine(text))).toBe(oneLine(text));
	});
});

describe('outside text that is copied', () => {
	it('is the same value in JSON', () => {
		for (const character of [...everyUnsafe, '\n', '"', '\\', '\u{1f433}']) {
			const value = { [`k${character}`]: [`v${character}w`] };
			for (const json of [safeJson(value), safeJson(value, 2)]) {
				expect(mayObey(json)).toEqual([]);
				expect(JSON.parse(json)).toEqual(value);
				// What goes through the terminal's own door is not changed there.
				expect(safeLines(json)).toBe(json);
			}
		}
	});

	it('is one word without anything that a terminal obeys', () => {
		for (const character of [...everyUnsafe, '\n']) expect(mayObey(shellWord(`a${character}b`))).toEqual([]);
	});
});

describe('outside text in Markdown', () => {
	it('is no formatting, no HTML, no character reference and no link', () => {
		expect(inline('<b>x</b> &lt; [a](javascript:b) `c` **d** | ~e~')).toBe(
			'\\<b\\>x\\</b\\> \\&lt; \\[a\\](javascript:b) \\`c\\` \\*\\*d\\*\\* \\| \\~e\\~',
		);
		expect(inline('see https://x.example or www.x.example')).toBe('see https\\://x.example or www\\.x.example');
	});

	it('ends no cell, whatever stands before its bar', () => {
		const cells = ['|', '\\|', '\\\\|', '\\\\\\|'].map(text => code(`a${text}b`));
		const [, , row = ''] = table(cells, [cells]);
		// As GFM takes a row apart: a backslash goes with what follows it.
		expect(
			row
				.match(/(?:\\.|[^|\\])+/g)
				?.map(cell => cell.trim())
				.filter(cell => cell !== ''),
		).toHaveLength(4);
	});

	it('keeps the blanks of a command, and no line break', () => {
		expect(code("docker stop 'a  b'")).toBe("`docker stop 'a  b'`");
		expect(code('a\n# b')).toBe('`a<U+000A># b`');
		expect(block(['a\u001b', '````'], 'text')).toEqual(['`````text', 'a<U+001B>', '````', '`````']);
	});
});

describe('a text of a megabyte', () => {
	it('is looked at once: twice the text has twice the characters, however they are arranged', () => {
		for (const unit of ['\u001b]52;c;', '\n', '\\', "'", '`', '|', '\u{e0041}', 'www.', ':/']) {
			const text = unit.repeat(2 ** 20 / unit.length);
			expect(oneLine(text).length).toBeLessThanOrEqual(9 * text.length);
			expect(safeJson(text).length).toBeLessThanOrEqual(7 * text.length);
			expect(shellWord(text).length).toBeLessThanOrEqual(9 * text.length);
			expect(block([text], '').length).toBe(3);
			expect(table(['a'], [[code(text), inline(text)]]).length).toBe(3);
		}
	});
});
