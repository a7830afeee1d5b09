/** The words in which Go's encoding/json refuses a text: dockerd passes them on. Undefined when the text is valid. */
export function goJsonError(text: string): string | undefined {
	let at = 0;
	const end = 'unexpected end of JSON input';
	const show = (char: string) =>
		char === "'" ? `'\\''` : char === '\n' ? `'\\n'` : char === '\t' ? `'\\t'` : `'${char}'`;
	const invalid = (where: string) => (at >= text.length ? end : `invalid character ${show(text.charAt(at))} ${where}`);
	const space = () => {
		while (/[ \t\r\n]/.test(text.charAt(at)) && at < text.length) at += 1;
	};
	const string = (): string | undefined => {
		at += 1;
		for (;;) {
			if (at >= text.length) return end;
			const char = text.charAt(at);
			if (char < ' ') return invalid('in string literal');
			if (char === '\\') {
				at += 1;
				if (!/["\\/bfnrtu]/.test(text.charAt(at))) return invalid('in string escape code');
			}
			at += 1;
			if (char === '"') return undefined;
		}
	};
	const literal = (word: string): string | undefined => {
		for (const [n, char] of [...word].entries()) {
			if (text.charAt(at) !== char || at >= text.length)
				return invalid(n === 0 ? 'looking for beginning of value' : `in literal ${word} (expecting ${show(char)})`);
			at += 1;
		}
		return undefined;
	};
	const value = (): string | undefined => {
		space();
		const char = text.charAt(at);
		if (at >= text.length) return end;
		if (char === '{') return object();
		if (char === '[') return array();
		if (char === '"') return string();
		if (char === 't') return literal('true');
		if (char === 'f') return literal('false');
		if (char === 'n') return literal('null');
		const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/.exec(text.slice(at));
		if (number === null) return invalid('looking for beginning of value');
		at += number[0].length;
		return undefined;
	};
	const object = (): string | undefined => {
		at += 1;
		space();
		if (text.charAt(at) === '}') {
			at += 1;
			return undefined;
		}
		for (;;) {
			space();
			if (text.charAt(at) !== '"') return invalid('looking for beginning of object key string');
			const key = string();
			if (key !== undefined) return key;
			space();
			if (text.charAt(at) !== ':') return invalid('after object key');
			at += 1;
			const inner = value();
			if (inner !== undefined) return inner;
			space();
			if (text.charAt(at) === '}') {
				at += 1;
				return undefined;
			}
			if (text.charAt(at) !== ',') return invalid('after object key:value pair');
			at += 1;
		}
	};
	const array = (): string | undefined => {
		at += 1;
		space();
		if (text.charAt(at) === ']') {
			at += 1;
			return undefined;
		}
		for (;;) {
			const inner = value();
			if (inner !== undefined) return inner;
			space();
			if (text.charAt(at) === ']') {
				at += 1;
				return undefined;
			}
			if (text.charAt(at) !== ',') return invalid('after array element');
			at += 1;
		}
	};
	const problem = value();
	if (problem !== undefined) return problem;
	space();
	return at < text.length ? invalid('after top-level value') : undefined;
}
