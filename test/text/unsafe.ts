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
	'\ud800',
	'\udc00',
];

/** Those that stand in a text, by their numbers. Line feeds and tabs may. */
export const mayObey = (text: string): readonly string[] =>
	[...new Set(text)]
		.filter(character => everyUnsafe.includes(character))
		.map(character => `U+${character.codePointAt(0)?.toString(16)}`);

/** What stands in for a hostile source: a colour, the clipboard, a title, the cursor, directions, and a line of ours. */
export const hostile = `x\u001b]52;c;eA==\u0007\u001b[2J\u009b1;1H\u202eX\u2066\u2028\u200b\u0085\r\n${'✔ all fine: FORGED'}`;
