/** Words carry the meaning; a glyph only repeats it. The ASCII set is for locales that are not UTF-8. */
export interface Glyphs {
	readonly ok: string;
	readonly warn: string;
	readonly block: string;
	readonly unknown: string;
	readonly neutral: string;
	readonly cursor: string;
	readonly rule: string;
	readonly arrow: string;
}

export const unicodeGlyphs: Glyphs = {
	ok: '✔',
	warn: '▲',
	block: '✖',
	unknown: '?',
	neutral: '·',
	cursor: '❯',
	rule: '─',
	arrow: '→',
};
export const asciiGlyphs: Glyphs = {
	ok: '+',
	warn: '!',
	block: 'x',
	unknown: '?',
	neutral: '-',
	cursor: '>',
	rule: '-',
	arrow: '->',
};

/** The set for this locale: LC_ALL before LC_CTYPE before LANG, as setlocale(3) reads them. */
export function glyphsFor(environment: Readonly<Record<string, string | undefined>>): Glyphs {
	const locale =
		[environment['LC_ALL'], environment['LC_CTYPE'], environment['LANG']].find(
			value => value !== undefined && value !== '',
		) ?? '';
	return /utf-?8/i.test(locale) ? unicodeGlyphs : asciiGlyphs;
}

/** What a glyph says: the name of one in each set, and of the tone that a screen gives it. */
export type Mark = 'ok' | 'warn' | 'block' | 'unknown' | 'neutral';
