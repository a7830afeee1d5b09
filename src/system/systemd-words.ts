/**
 * The words of a command line as systemd reads it (systemd.service(5) COMMAND LINES, systemd.syntax(7) QUOTING): quotes
 * anywhere in a word, C escapes, `%%` for a percent sign. Variables and other specifiers stay as they are written.
 * A quote that does not close goes on to the end of the line; systemd refuses such a line.
 */
export function systemdWords(line: string): readonly string[] {
	const words: string[] = [];
	let word: string | undefined;
	let quote: string | undefined;
	const put = (text: string): void => {
		word = (word ?? '') + text;
	};
	for (let at = 0; at < line.length; at += 1) {
		const sign = line[at] ?? '';
		if (sign === '\\') {
			escaped.lastIndex = at;
			const found = escaped.exec(line)?.[0];
			put(found === undefined ? (line[at + 1] ?? '') : unescaped(found));
			at += (found?.length ?? 2) - 1;
		} else if (sign === quote) quote = undefined;
		else if (quote === undefined && (sign === '"' || sign === "'")) {
			quote = sign;
			put('');
		} else if (quote === undefined && /\s/.test(sign)) {
			if (word !== undefined) words.push(word);
			word = undefined;
		} else if (sign === '%' && line[at + 1] === '%') {
			put('%');
			at += 1;
		} else put(sign);
	}
	return word === undefined ? words : [...words, word];
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
