/**
 * The words of a command line as systemd reads it (systemd.service(5) COMMAND LINES, systemd.syntax(7) QUOTING): quotes
 * anywhere in a word, C escapes, `%%` for a percent sign. Variables and other specifiers stay as they are written.
 * A quote that does not close goes on to the end of the line; systemd refuses such a line.
 */
export function systemdWords(line: string): readonly string[] {
	const words: string[] = [];
	let word: string | undefined;
	let quote: string | undefined;
	for (let at = 0; at < line.length; ) {
		const { text, length, plain } = pieceAt(line, at);
		at += length;
		if (plain && text === quote) quote = undefined;
		else if (plain && quote === undefined && (text === '"' || text === "'")) {
			quote = text;
			word ??= '';
		} else if (plain && quote === undefined && /\s/.test(text)) {
			if (word !== undefined) words.push(word);
			word = undefined;
		} else word = (word ?? '') + text;
	}
	return word === undefined ? words : [...words, word];
}

/** What stands at a place, and how much of the line it takes. What is escaped neither quotes nor parts words. */
function pieceAt(
	line: string,
	at: number,
): { readonly text: string; readonly length: number; readonly plain: boolean } {
	const sign = line[at] ?? '';
	if (sign === '%' && line[at + 1] === '%') return { text: '%', length: 2, plain: false };
	if (sign !== '\\') return { text: sign, length: 1, plain: true };
	escaped.lastIndex = at;
	const found = escaped.exec(line)?.[0];
	return found === undefined
		? { text: line[at + 1] ?? '', length: 2, plain: false }
		: { text: unescaped(found), length: found.length, plain: false };
}

const escaped = /\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[0-7]{3}|[abfnrtvs])/y;
const letters: Readonly<Record<string, string>> = {
	a: '\u0007',
	b: '\b',
	f: '\f',
	n: '\n',
	r: '\r',
	t: '\t',
	v: '\v',
	s: ' ',
};

function unescaped(text: string): string {
	const letter = text[1] ?? '';
	if (letter in letters) return letters[letter] ?? '';
	const code = /[xuU]/.test(letter) ? Number.parseInt(text.slice(2), 16) : Number.parseInt(text.slice(1), 8);
	return code <= 0x10ffff ? String.fromCodePoint(code) : '';
}
