import { describe, expect, it } from 'vitest';
import { headAndTailOutput, limitedOutput, lineSplitter, longestLine } from '../../src/host/local/command-output.ts';

function linesOf(...chunks: string[]): string[] {
	const lines: string[] = [];
	const splitter = lineSplitter(line => lines.push(line));
	for (const chunk of chunks) splitter.take(chunk);
	splitter.end();
	return lines;
}

describe('splitting output into lines', () => {
	it.each([
		['whole lines', ['a\nb\n'], ['a', 'b']],
		['a line in pieces', ['a', 'b', 'c\nd', '\n'], ['abc', 'd']],
		['a last line without an end', ['a\nb'], ['a', 'b']],
		['empty lines', ['\n\na\n\n'], ['', '', 'a', '']],
		['nothing', [''], []],
		['line ends of Windows', ['a\r\nb\r\n'], ['a', 'b']],
		['line ends of Windows, torn', ['a\r', '\nb'], ['a', 'b']],
		['a line that is drawn over', ['Reading… 5%\rReading… 100%\rDone\n'], ['Done']],
		['a line that is drawn over, in pieces', ['5%', '\r', '10%', '\r', 'Done', '\n'], ['Done']],
		['a return at the end of a piece', ['5%\r', 'Done\n'], ['Done']],
		['returns before the line end', ['a\r\r\n'], ['']],
	])('splits %s', (_, chunks, lines) => {
		expect(linesOf(...chunks)).toEqual(lines);
	});

	it('cuts a line that is too long, and says so', () => {
		const long = 'x'.repeat(longestLine);
		expect(linesOf(`${long}\n${long}y\nz\n`)).toEqual([long, `${long}…`, 'z']);
	});

	it('holds no more than that of a line without end', () => {
		const chunks = Array.from({ length: 1000 }, () => 'x'.repeat(1000));
		expect(linesOf(...chunks)).toEqual([`${'x'.repeat(longestLine)}…`]);
	});
});

describe('keeping output', () => {
	const bytes = (text: string): Uint8Array => Buffer.from(text);

	it('has one limit for both streams', () => {
		const budget = { left: 5 };
		const [out, err] = [limitedOutput(budget), limitedOutput(budget)];
		expect(out.take(bytes('abc'))).toBe(true);
		expect(err.take(bytes('de'))).toBe(true);
		expect(err.take(bytes('f'))).toBe(false);
		expect([out.text(), err.text()]).toEqual(['abc', 'de']);
	});

	it('joins characters that came in pieces', () => {
		const out = limitedOutput({ left: 100 });
		const text = bytes('ü€');
		for (const byte of text) out.take(Uint8Array.of(byte));
		expect(out.text()).toBe('ü€');
	});

	it('keeps beginning and end of what may be endless', () => {
		const out = headAndTailOutput(10);
		for (let i = 0; i < 1000; i++) out.take(bytes(`${String(i).padStart(4, '0')}\n`));
		expect(out.text()).toMatch(/^0000\n0001\n\n\[… \d+ bytes left out …\]\n(\d{4}\n)*0998\n0999\n$/);
		expect(out.text().length).toBeLessThan(100);
	});

	it('keeps all of what is short', () => {
		const out = headAndTailOutput(10);
		for (const part of ['abcdefgh', 'ijklmn', 'opqrstuvwxyz']) out.take(bytes(part));
		expect(out.text()).toBe('abcdefghijklmnopqrstuvwxyz');
	});
});
