/** The part of the shell's grammar that probes and container commands use. */

export type Part =
	| { readonly kind: 'text'; readonly text: string; readonly quoted: boolean }
	| { readonly kind: 'variable'; readonly name: string; readonly quoted: boolean; readonly fallback?: string }
	| { readonly kind: 'command'; readonly source: string; readonly quoted: boolean }
	| { readonly kind: 'arithmetic'; readonly source: string; readonly quoted: boolean };

export type Word = readonly Part[];

export interface Redirect {
	readonly from: number;
	readonly how: '>' | '>>' | '<' | '>&' | '<<';
	readonly to: Word;
}

export type Command = { readonly redirects: readonly Redirect[] } & (
	| {
			readonly kind: 'simple';
			readonly assignments: readonly { readonly name: string; readonly value: Word }[];
			readonly words: readonly Word[];
	  }
	| { readonly kind: 'for'; readonly name: string; readonly words: readonly Word[]; readonly body: List }
	| { readonly kind: 'while'; readonly until: boolean; readonly condition: List; readonly body: List }
	| {
			readonly kind: 'if';
			readonly branches: readonly { readonly condition: List; readonly body: List }[];
			readonly otherwise?: List;
	  }
	| { readonly kind: 'group'; readonly body: List; readonly subshell: boolean }
);

export interface Pipeline {
	readonly negate: boolean;
	readonly commands: readonly Command[];
}

/** `join` says how this pipeline hangs on the one before it. */
export type List = readonly {
	readonly join: ';' | '&&' | '||';
	readonly pipeline: Pipeline;
	readonly background: boolean;
}[];

type Token =
	| { readonly kind: 'word'; readonly word: Word; readonly raw: string }
	| { readonly kind: 'operator'; readonly text: string }
	| { readonly kind: 'redirect'; readonly from: number; readonly how: Redirect['how'] };

export class ShellSyntaxError extends Error {
	override readonly name = 'ShellSyntaxError';
}

export function parseShell(source: string): List {
	const tokens = tokenise(source);
	let at = 0;
	const peek = () => tokens[at];
	const isWord = (text: string) => {
		const token = peek();
		return token?.kind === 'word' && token.raw === text;
	};
	const isOperator = (...texts: string[]) => {
		const token = peek();
		return token?.kind === 'operator' && texts.includes(token.text);
	};
	const fail = (): never => {
		const token = peek();
		throw new ShellSyntaxError(
			`syntax error: unexpected ${token === undefined ? 'end of file' : token.kind === 'word' ? `"${token.raw}"` : `"${token.kind === 'operator' ? token.text : token.how}"`}`,
		);
	};
	const expect = (text: string) => {
		if (!isWord(text) && !isOperator(text)) fail();
		at += 1;
	};
	const skipBreaks = () => {
		while (isOperator(';', '\n')) at += 1;
	};
	const list = (...ends: string[]): List => {
		const items: { join: ';' | '&&' | '||'; pipeline: Pipeline; background: boolean }[] = [];
		let join: ';' | '&&' | '||' = ';';
		skipBreaks();
		while (peek() !== undefined && !ends.some(end => isWord(end) || isOperator(end))) {
			const item = { join, pipeline: pipeline(), background: false };
			items.push(item);
			join = ';';
			if (isOperator('&')) {
				item.background = true;
				at += 1;
				skipBreaks();
			} else if (isOperator('&&', '||')) {
				const token = peek();
				join = token?.kind === 'operator' && token.text === '&&' ? '&&' : '||';
				at += 1;
				skipBreaks();
			} else if (isOperator(';', '\n')) skipBreaks();
			else if (peek() !== undefined && !ends.some(end => isWord(end) || isOperator(end))) fail();
		}
		return items;
	};
	const pipeline = (): Pipeline => {
		let negate = false;
		while (isWord('!')) {
			negate = !negate;
			at += 1;
		}
		const commands = [command()];
		while (isOperator('|')) {
			at += 1;
			skipBreaks();
			commands.push(command());
		}
		return { negate, commands };
	};
	const redirects = (): Redirect[] => {
		const found: Redirect[] = [];
		for (let token = peek(); token?.kind === 'redirect'; token = peek()) {
			at += 1;
			const target = peek();
			if (target?.kind !== 'word') return fail();
			at += 1;
			found.push({ from: token.from, how: token.how, to: target.word });
		}
		return found;
	};
	const command = (): Command => {
		if (isOperator('(')) {
			at += 1;
			const body = list(')');
			expect(')');
			return { kind: 'group', subshell: true, body, redirects: redirects() };
		}
		if (isWord('{')) {
			at += 1;
			const body = list('}');
			expect('}');
			return { kind: 'group', subshell: false, body, redirects: redirects() };
		}
		if (isWord('for')) return forLoop();
		if (isWord('while') || isWord('until')) {
			const until = isWord('until');
			at += 1;
			const condition = list('do');
			expect('do');
			const body = list('done');
			expect('done');
			return { kind: 'while', until, condition, body, redirects: redirects() };
		}
		if (isWord('if')) return conditional();
		return simple();
	};
	const forLoop = (): Command => {
		at += 1;
		const name = peek();
		if (name?.kind !== 'word') return fail();
		at += 1;
		const words: Word[] = [];
		skipBreaks();
		if (isWord('in')) {
			at += 1;
			for (let token = peek(); token?.kind === 'word'; token = peek()) {
				words.push(token.word);
				at += 1;
			}
		}
		skipBreaks();
		expect('do');
		const body = list('done');
		expect('done');
		return { kind: 'for', name: name.raw, words, body, redirects: redirects() };
	};
	const conditional = (): Command => {
		at += 1;
		const branches: { condition: List; body: List }[] = [];
		let otherwise: List | undefined;
		for (;;) {
			const condition = list('then');
			expect('then');
			branches.push({ condition, body: list('elif', 'else', 'fi') });
			if (!isWord('elif')) break;
			at += 1;
		}
		if (isWord('else')) {
			at += 1;
			otherwise = list('fi');
		}
		expect('fi');
		return { kind: 'if', branches, ...(otherwise !== undefined && { otherwise }), redirects: redirects() };
	};
	const simple = (): Command => {
		const assignments: { name: string; value: Word }[] = [];
		const words: Word[] = [];
		const found: Redirect[] = [];
		for (;;) {
			const token = peek();
			if (token?.kind === 'redirect') {
				found.push(...redirects());
				continue;
			}
			if (token?.kind !== 'word') break;
			const assignment = words.length === 0 ? /^([A-Za-z_]\w*)=/.exec(token.raw) : null;
			const first = token.word[0];
			if (assignment !== null && first?.kind === 'text' && !first.quoted) {
				const name = assignment[1] ?? '';
				assignments.push({
					name,
					value: [{ ...first, text: first.text.slice(name.length + 1) }, ...token.word.slice(1)],
				});
			} else words.push(token.word);
			at += 1;
		}
		if (words.length === 0 && assignments.length === 0 && found.length === 0) fail();
		return { kind: 'simple', assignments, words, redirects: found };
	};
	const parsed = list();
	if (peek() !== undefined) fail();
	return parsed;
}

function tokenise(source: string): Token[] {
	const tokens: Token[] = [];
	let at = 0;
	while (at < source.length) {
		const rest = source.slice(at);
		const space = /^(?:[ \t]+|\\\n|#[^\n]*)/.exec(rest);
		// A # starts a comment only where a word could start; words are read below, so here it does.
		if (space !== null) {
			at += space[0].length;
			continue;
		}
		const both = /^&>/.exec(rest);
		if (both !== null) {
			at += 2;
			const [word, raw, next] = readWord(source, skipSpace(source, at));
			at = next;
			tokens.push({ kind: 'redirect', from: 1, how: '>' }, { kind: 'word', word, raw });
			tokens.push(
				{ kind: 'redirect', from: 2, how: '>&' },
				{ kind: 'word', word: [{ kind: 'text', text: '1', quoted: false }], raw: '1' },
			);
			continue;
		}
		const redirect = /^(\d?)(>>|>&|<<|>|<)/.exec(rest);
		if (redirect !== null) {
			const how = redirect[2] as Redirect['how'];
			at += redirect[0].length;
			tokens.push({
				kind: 'redirect',
				from: redirect[1] === '' ? (how.startsWith('<') ? 0 : 1) : Number(redirect[1]),
				how,
			});
			at = skipSpace(source, at);
			continue;
		}
		const operator = /^(?:&&|\|\||[;&|()\n])/.exec(rest);
		if (operator !== null) {
			at += operator[0].length;
			tokens.push({ kind: 'operator', text: operator[0] });
			continue;
		}
		const [word, raw, next] = readWord(source, at);
		tokens.push({ kind: 'word', word, raw });
		at = next;
	}
	return tokens;
}

const skipSpace = (source: string, at: number): number => at + (/^[ \t]*/.exec(source.slice(at))?.[0].length ?? 0);

function readWord(source: string, start: number): [word: Part[], raw: string, next: number] {
	const parts: Part[] = [];
	let at = start;
	let text = '';
	const flush = (quoted: boolean, always = false) => {
		if (text !== '' || always) parts.push({ kind: 'text', text, quoted });
		text = '';
	};
	while (at < source.length) {
		const char = source.charAt(at);
		if (/[\s;&|()<>]/.test(char)) break;
		if (char === '\\') {
			flush(false);
			text = source.charAt(at + 1);
			flush(true);
			at += 2;
		} else if (char === "'") {
			flush(false);
			const end = source.indexOf("'", at + 1);
			if (end === -1) throw new ShellSyntaxError('syntax error: unterminated quoted string');
			text = source.slice(at + 1, end);
			flush(true, true);
			at = end + 1;
		} else if (char === '"') {
			flush(false);
			at += 1;
			let empty = true;
			while (source.charAt(at) !== '"') {
				if (at >= source.length) throw new ShellSyntaxError('syntax error: unterminated quoted string');
				empty = false;
				const inner = source.charAt(at);
				if (inner === '\\' && /["\\$`\n]/.test(source.charAt(at + 1))) {
					text += source.charAt(at + 1);
					at += 2;
				} else if (inner === '$' || inner === '`') {
					flush(true);
					const [part, next] = readDollar(source, at, true);
					if (part.kind === 'text') text += part.text;
					else parts.push(part);
					at = next;
				} else {
					text += inner;
					at += 1;
				}
			}
			flush(true, empty);
			at += 1;
		} else if (char === '$' || char === '`') {
			flush(false);
			const [part, next] = readDollar(source, at, false);
			parts.push(part);
			at = next;
		} else {
			text += char;
			at += 1;
		}
	}
	flush(false);
	return [parts, source.slice(start, at), at];
}

function readDollar(source: string, at: number, quoted: boolean): [part: Part, next: number] {
	if (source.charAt(at) === '`') {
		const end = source.indexOf('`', at + 1);
		if (end === -1) throw new ShellSyntaxError('syntax error: EOF in backquote substitution');
		return [{ kind: 'command', source: source.slice(at + 1, end), quoted }, end + 1];
	}
	if (source.startsWith('$((', at)) {
		const end = source.indexOf('))', at);
		if (end === -1) throw new ShellSyntaxError('syntax error: missing "))"');
		return [{ kind: 'arithmetic', source: source.slice(at + 3, end), quoted }, end + 2];
	}
	if (source.startsWith('$(', at)) {
		let depth = 1;
		let end = at + 2;
		for (; end < source.length && depth > 0; end += 1) {
			const char = source.charAt(end);
			if (char === "'") end = Math.max(end, source.indexOf("'", end + 1));
			else if (char === '(') depth += 1;
			else if (char === ')') depth -= 1;
		}
		if (depth > 0) throw new ShellSyntaxError('syntax error: unterminated "$("');
		return [{ kind: 'command', source: source.slice(at + 2, end - 1), quoted }, end];
	}
	const braced = /^\$\{(\w+|[?#@*$!])(?::?-([^}]*))?\}/.exec(source.slice(at));
	if (braced !== null) {
		return [
			{ kind: 'variable', name: braced[1] ?? '', quoted, ...(braced[2] !== undefined && { fallback: braced[2] }) },
			at + braced[0].length,
		];
	}
	const plain = /^\$([A-Za-z_]\w*|[0-9?#@*$!])/.exec(source.slice(at));
	if (plain !== null) return [{ kind: 'variable', name: plain[1] ?? '', quoted }, at + plain[0].length];
	return [{ kind: 'text', text: '$', quoted }, at + 1];
}
