/**
 * Takes secrets out of text by what they are, not by where they were found, before anything is logged or shown. The
 * bytes that revert needs lie in the backup folder and never pass here.
 */
const hidden = '[redacted]';

/**
 * What stands for a secret and is none: a reference without a default, as in a compose file or a script, an ellipsis, and
 * the word that our runner's file has for the token until it is registered.
 * Hidden, they would keep an operator from reading what a file is going to hold. `$NAME` is not among them, as a password
 * may begin so.
 */
const reference = String.raw`["']?(?:\$\{[A-Za-z_]\w*(?::?\?[^}"']*)?\}|…|GIVEN-TO-REGISTER)["']?`;
const placeholder = String.raw`(?!${reference}(?:[\s,;)]|$))`;
const placeholderLine = String.raw`(?!${reference}[ \t]*(?:#.*)?$)`;

const rules: readonly { readonly pattern: RegExp; readonly replacement: string }[] = [
	// user:password@host in a URL, as in a proxy setting; the user may be empty, and a password may hold an @
	{ pattern: /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@:"']*:[^\s/"']+@/gi, replacement: `$1${hidden}@` },
	// GitLab (glpat, glrt, gldt, glcbt …), GitHub (ghp, gho, ghs, ghr, github_pat), Slack and npm tokens
	{ pattern: /\b(?:gl[a-z]{2,5}-|gh[opsru]_|github_pat_|xox[abps]-|npm_)[A-Za-z0-9_-]{10,}/g, replacement: hidden },
	// JSON web tokens
	{ pattern: /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g, replacement: hidden },
	// PEM and PGP private keys
	{
		pattern: /-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|$)/g,
		replacement: hidden,
	},
	// Authorization: Bearer …, in a header, an option or JSON
	{ pattern: /(\bauthorization["']?\s*[:=]\s*["']?(?:bearer|basic|token)\s+)[^\s"']+/gi, replacement: `$1${hidden}` },
	// a quoted value after a key that names a secret: "auth": "…", token = '…'
	{
		pattern: new RegExp(
			String.raw`((?:["'])?\b[\w.-]*(?:passw(?:or)?d|secret|token|api[_-]?key|private[_-]?key|identitytoken|registrytoken|auth)\b["']?\s*[:=]\s*)${placeholder}(["'])(?:\\.|(?!\2).)+\2`,
			'gi',
		),
		replacement: `$1$2${hidden}$2`,
	},
	// the same unquoted, as in an environment or an option: GITLAB_TOKEN=…, --token …
	{
		pattern: new RegExp(
			String.raw`(\b[\w-]*(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY)\w*=)${placeholder}[^\s"']+`,
			'gi',
		),
		replacement: `$1${hidden}`,
	},
	// a plain YAML value, as in a compose file's environment: POSTGRES_PASSWORD: …
	{
		pattern: new RegExp(
			String.raw`^([ \t]*(?:-[ \t]+)?[\w.-]*(?:passw(?:or)?d|secret|token|api[_-]?key|private[_-]?key):[ \t]+)${placeholderLine}[^\s"'[{|>&*!#].*$`,
			'gim',
		),
		replacement: `$1${hidden}`,
	},
	{
		pattern: new RegExp(String.raw`(--[a-z-]*(?:password|secret|token)(?:=|\s+))${placeholder}[^\s"'-][^\s"']*`, 'gi'),
		replacement: `$1${hidden}`,
	},
];

/** A part of whatever a rule or {@link secretBlock} matches: one look at a line spares all of theirs at most lines. */
const mayHoldSecret =
	/:\/\/|gl[a-z]{2,5}-|gh[opsru]_|github_pat_|xox[abps]-|npm_|eyJ|PRIVATE KEY|passw|secret|token|api[_-]?key|private[_-]?key|auth/i;

export function redact(text: string): string {
	if (!mayHoldSecret.test(text)) return text;
	let result = text;
	for (const { pattern, replacement } of rules) result = result.replace(pattern, replacement);
	return result;
}

const keyBegins = /-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----/g;
const keyEnds = /-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----/g;

/** A YAML key that names a secret, whose value follows on lines that are indented further. */
const secretBlock =
	/^([ \t]*)(?:-[ \t]+)?[\w.-]*(?:passw(?:or)?d|secret|token|api[_-]?key|private[_-]?key):[ \t]+[|>][-+0-9]*[ \t]*$/i;

/**
 * Redacts a text that comes line by line, as diffs and the output of commands do. What goes over several lines, such as
 * the body of a private key, is only known by the lines before it.
 */
export function lineRedactor(): (line: string) => string {
	let inKey = false;
	/** The indentation of the key whose value is being left out. */
	let inBlock: number | undefined;
	return line => {
		if (inBlock !== undefined) {
			const indentation = /^[ \t]*/.exec(line)?.[0].length ?? 0;
			if (line.trim() === '' || indentation > inBlock) return line.trim() === '' ? line : hidden;
			inBlock = undefined;
		}
		if (!inKey && !mayHoldSecret.test(line)) return line;
		inBlock = secretBlock.exec(line)?.[1]?.length;
		const began = inKey;
		const marks = [...line.matchAll(keyBegins), ...line.matchAll(keyEnds)].toSorted((a, b) => a.index - b.index);
		const last = marks.at(-1)?.[0];
		if (last !== undefined) inKey = last.startsWith('-----BEGIN');
		if (!began) return redact(line);
		const [end] = marks;
		return end === undefined ? hidden : `${hidden}${redact(line.slice(end.index + end[0].length))}`;
	};
}

/** The lines of a text, each without secrets: as many as there were. */
export function redactLines(text: string): readonly string[] {
	return text.split('\n').map(lineRedactor());
}

/** Redacts every string in a piece of plain data. */
export function redactDeep<T>(value: T): T {
	if (typeof value === 'string') return redact(value) as T;
	if (Array.isArray(value)) return value.map(redactDeep) as T;
	if (value !== null && typeof value === 'object') {
		return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redactDeep(inner)])) as T;
	}
	return value;
}
