/** The part of Go's templates that `--format` is used with: fields, json, index, range, if, and the docker functions. */

type Value = unknown;

type Node =
	| { readonly kind: 'text'; readonly text: string }
	| { readonly kind: 'action'; readonly source: string }
	| {
			readonly kind: 'block';
			readonly how: 'range' | 'if' | 'with';
			readonly source: string;
			readonly body: readonly Node[];
			readonly otherwise: readonly Node[];
	  };

export class TemplateError extends Error {
	override readonly name = 'TemplateError';
}

export function renderTemplate(template: string, data: Value): string {
	const pieces = template
		.replaceAll('\\n', '\n')
		.replaceAll('\\t', '\t')
		.split(/(\{\{-?.*?-?\}\})/s);
	let at = 0;
	const parse = (ends: readonly string[]): { nodes: Node[]; end: string } => {
		const nodes: Node[] = [];
		while (at < pieces.length) {
			const piece = pieces[at] ?? '';
			at += 1;
			if (!piece.startsWith('{{')) {
				if (piece !== '') nodes.push({ kind: 'text', text: piece });
				continue;
			}
			const source = piece.replace(/^\{\{-?\s*|\s*-?\}\}$/g, '');
			const word = source.split(/\s+/)[0] ?? '';
			if (ends.includes(word)) return { nodes, end: word };
			if (word === 'range' || word === 'if' || word === 'with') {
				const body = parse(['else', 'end']);
				const otherwise = body.end === 'else' ? parse(['end']).nodes : [];
				nodes.push({ kind: 'block', how: word, source: source.slice(word.length).trim(), body: body.nodes, otherwise });
			} else nodes.push({ kind: 'action', source });
		}
		if (ends.length > 0) throw new TemplateError('template parsing error: template: :1: unexpected EOF');
		return { nodes, end: '' };
	};
	return render(parse([]).nodes, data, { $: data });
}

type Variables = Record<string, Value>;

function render(nodes: readonly Node[], dot: Value, variables: Variables): string {
	return nodes
		.map(node => {
			if (node.kind === 'text') return node.text;
			if (node.kind === 'action') {
				const assignment = /^(\$\w+)\s*:?=\s*(.+)$/s.exec(node.source);
				if (assignment !== null) {
					variables[assignment[1] ?? ''] = evaluate(assignment[2] ?? '', dot, variables);
					return '';
				}
				return show(evaluate(node.source, dot, variables));
			}
			const range = /^(?:(\$\w+)\s*,\s*)?(\$\w+)\s*:=\s*(.+)$/s.exec(node.source);
			const value = evaluate(range?.[3] ?? node.source, dot, variables);
			if (node.how === 'if') return render(truth(value) ? node.body : node.otherwise, dot, { ...variables });
			if (node.how === 'with')
				return render(truth(value) ? node.body : node.otherwise, truth(value) ? value : dot, { ...variables });
			const entries: [Value, Value][] = Array.isArray(value)
				? value.map((v, n) => [n, v])
				: typeof value === 'object' && value !== null
					? Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
					: [];
			if (entries.length === 0) return render(node.otherwise, dot, { ...variables });
			return entries
				.map(([key, item]) =>
					render(node.body, item, {
						...variables,
						...(range?.[1] !== undefined && { [range[1]]: key }),
						...(range?.[2] !== undefined && { [range[2]]: item }),
					}),
				)
				.join('');
		})
		.join('');
}

function truth(value: Value): boolean {
	if (Array.isArray(value)) return value.length > 0;
	if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
	return Boolean(value);
}

/** As fmt.Print shows it. */
export function show(value: Value): string {
	if (value === null || value === undefined) return '<no value>';
	if (Array.isArray(value)) return `[${value.map(show).join(' ')}]`;
	if (typeof value === 'object')
		return `map[${Object.entries(value)
			.sort(([a], [b]) => (a < b ? -1 : 1))
			.map(([k, v]) => `${k}:${show(v)}`)
			.join(' ')}]`;
	return String(value);
}

/** Go's encoder escapes these; JSON.stringify does not. */
export const goJson = (value: Value): string =>
	JSON.stringify(value ?? null).replace(/[<>&]/g, c => `\\u00${c.charCodeAt(0).toString(16)}`);

function evaluate(source: string, dot: Value, variables: Variables): Value {
	let value: Value;
	for (const [index, stage] of splitTop(source, '|').entries()) {
		const words = splitTop(stage.trim(), ' ').filter(Boolean);
		const [first = '', ...rest] = words;
		const args = rest.map(word => operand(word, dot, variables));
		if (index > 0) args.push(value);
		value = functions[first] === undefined ? operand(first, dot, variables) : functions[first](args);
	}
	return value;
}

function splitTop(source: string, separator: string): string[] {
	const parts: string[] = [];
	let depth = 0;
	let quote = '';
	let text = '';
	for (const char of source) {
		if (quote !== '') {
			if (char === quote) quote = '';
		} else if (char === '"' || char === '`') quote = char;
		else if (char === '(') depth += 1;
		else if (char === ')') depth -= 1;
		if (char === separator && depth === 0 && quote === '') {
			parts.push(text);
			text = '';
		} else text += char;
	}
	return [...parts, text];
}

function operand(word: string, dot: Value, variables: Variables): Value {
	if (/^["`]/.test(word)) return word.slice(1, -1).replaceAll('\\t', '\t').replaceAll('\\n', '\n');
	if (/^-?\d+$/.test(word)) return Number(word);
	if (word === 'true' || word === 'false') return word === 'true';
	if (word === 'nil') return null;
	if (word.startsWith('(')) {
		const close = word.lastIndexOf(')');
		return field(evaluate(word.slice(1, close), dot, variables), word.slice(close + 1));
	}
	const variable = /^\$\w*/.exec(word);
	if (variable !== null)
		return field(variables[variable[0]] ?? (variable[0] === '$' ? dot : undefined), word.slice(variable[0].length));
	if (word.startsWith('.')) return field(dot, word);
	throw new TemplateError(`template parsing error: template: :1: function "${word}" not defined`);
}

function field(value: Value, path: string): Value {
	let current = value;
	for (const name of path.split('.').filter(Boolean)) {
		if (typeof current !== 'object' || current === null) return undefined;
		if (!(name in current) && !Array.isArray(current) && isRecordOfFields(current)) {
			throw new TemplateError(`template: :1:2: executing "" at <${path}>: map has no entry for key "${name}"`);
		}
		current = (current as Record<string, Value>)[name];
	}
	return current;
}

/** Fields of docker's own types begin with a capital; keys of maps (labels, runtimes) may be missing without an error. */
const isRecordOfFields = (value: object): boolean =>
	Object.keys(value).length > 3 && Object.keys(value).every(key => /^[A-Z]/.test(key));

const functions: Readonly<Record<string, (args: readonly Value[]) => Value>> = {
	json: ([value]) => goJson(value),
	index: ([value, ...keys]) =>
		keys.reduce(
			(current, key) =>
				typeof current === 'object' && current !== null ? (current as Record<string, Value>)[String(key)] : undefined,
			value,
		),
	len: ([value]) =>
		Array.isArray(value) || typeof value === 'string' ? value.length : Object.keys((value ?? {}) as object).length,
	join: ([list, separator]) => (Array.isArray(list) ? list.map(show).join(String(separator)) : ''),
	split: ([text, separator]) => String(text).split(String(separator)),
	lower: ([text]) => String(text).toLowerCase(),
	upper: ([text]) => String(text).toUpperCase(),
	title: ([text]) => String(text).replace(/^./, c => c.toUpperCase()),
	println: args => `${args.map(show).join(' ')}\n`,
	print: args => args.map(show).join(''),
	printf: ([format, ...args]) => {
		let at = 0;
		return String(format).replace(/%[svdq]/g, kind => {
			const value = args[at];
			at += 1;
			return kind === '%q' ? JSON.stringify(show(value)) : show(value);
		});
	},
	eq: ([a, ...others]) => others.some(b => a === b),
	ne: ([a, b]) => a !== b,
	not: ([a]) => !truth(a),
	and: args => args.every(truth),
	or: args => args.find(truth) ?? args.at(-1),
	truncate: ([text, length]) => String(text).slice(0, Number(length)),
};
