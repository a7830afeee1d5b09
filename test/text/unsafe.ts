import { expect } from 'vitest';

const range = (from: number, to: number): readonly string[] =>
	Array.from({ length: to - from + 1 }, (_, index) => String.fromCodePoint(from + index));

/**
 * What a terminal obeys or hides: C0 but tab and line feed, DEL, C1, directions, separators, joiners, fillers, tags, a half
 * of a pair. Written down by number, not taken from the class that the product uses.
 */
export const everyUnsafe: readonly string[] = [
	...range(0x00, 0x08),
	...range(0x0b, 0x1f),
	...range(0x7f, 0x9f),
	'\u00ad',
	'\u061c',
	...range(0x200b, 0x200f),
	...range(0x2028, 0x202e),
	...range(0x2060, 0x2069),
	'\u3164',
	'\ufe0f',
	'\ufeff',
	...range(0xfff9, 0xfffb),
	...range(0xe0020, 0xe0023),
	'\u{e0041}',
	'\ud800',
	'\udc00',
];

/** Those that stand in a text, by their numbers. Line feeds and tabs may. */
export const mayObey = (text: string): readonly string[] =>
	[...new Set(text)]
		.filter(character => everyUnsafe.includes(character))
		.map(character => `U+${character.codePointAt(0)?.toString(16)}`);

export const forged = '✔ all fine: FORGED';

/** One of each class: what `safe.test.ts` tries one by one would make every output ten times as long. */
const someUnsafe =
	'\0\u0007\b\u000b\u007f\u0085\u009b1;1H\u009d0;x\u061c\u200b\u2028\u202e\u2066\ufe0f\ufeff\u{e0041}\udc00' +
	'\u001b]52;c;eA==\u0007\u001b[2J\u001b[1A\r';

/**
 * What stands in for outside text: a mark to find it by, what a reader of Markdown fetches, the clipboard, a title, the
 * cursor, directions, half a pair, and a line that looks like ours.
 */
export const hostile = (mark: string): string => `MARK-${mark}.<img src=x>|${someUnsafe}\n${forged}`;

/** Our own lines begin in one of the first columns. */
const firstColumns = /^[ ]{0,3}✔ all fine/m;

/** A fenced block of Markdown, which quotes line by line. */
const fenced = /^(`{3,})[a-z]*\n[\s\S]*?\n\1$/gm;

const codeSpan = /(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)/g;

/** Nothing in an output is obeyed, and no line of it is forged; in Markdown (`record`) nothing is fetched either. */
export function expectSafe(output: string, text: string): void {
	expect(mayObey(text), output).toEqual([]);
	const lines = output === 'record' ? text.replaceAll(fenced, '') : text;
	expect(firstColumns.exec(lines)?.[0], output).toBeUndefined();
	if (output === 'record') expect(/.*(?<!\\)<img.*/.exec(lines.replaceAll(codeSpan, ''))?.[0]).toBeUndefined();
}
