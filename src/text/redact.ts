/**
 * Takes secrets out of text by what they are and by what they are called, not by where they were found, before anything
 * is logged or shown. The bytes that revert needs lie in the backup directory and never pass here.
 *
 * It reads each line once from left to right, so that a label of a megabyte costs what a megabyte costs: no rule looks
 * back, and each looks ahead by a bounded number of characters or over what it then leaves out.
 */
const hidden = '[redacted]';

/** Counts the characters that were looked at, for the test that the cost grows with the length and not its square. */
export interface Meter {
	looked: number;
}

// --- what a name says ---------------------------------------------------------

/** A name with one of these words in it names a secret. */
const secretWords = new Set(
	'password passwd passphrase passcode pass pwd pw bindpw rootpw secret secrets token apikey privatekey accesskey credential credentials creds authorization identitytoken registrytoken signature cookie pgpassword'.split(
		' ',
	),
);
/** What stands behind such a word when the value is about a secret and is none itself: DB_PASSWORD_FILE=/run/secrets/db. */
const aboutSecret = new Set(
	'file files path paths dir folder name names type url uri length count ttl expires expiry policy plugin plugins provider store helpers stdin prompt env ref hash users'.split(
		' ',
	),
);
/** A key of one of these is a secret; others (a public key, a key of a table) are not. */
const secretKeys = new Set(
	'access account api app deploy encryption license master private secret shared signing ssh storage'.split(' '),
);

/** The words of `runner_token`, `X-Amz-Signature`, `AccountKey`, in lower case. */
const wordsOf = (name: string): readonly string[] =>
	name
		.replace(/([a-z0-9])([A-Z])/g, '$1_$2')
		.toLowerCase()
		.split(/[_.-]+/)
		.filter(word => word !== '');

/** The end of a name is what says what it is; no name that people give is longer. */
const nameLength = 80;

function namesSecret(whole: string): boolean {
	const name = whole.slice(-nameLength);
	const words = wordsOf(name);
	const last = words.at(-1) ?? '';
	if (aboutSecret.has(last)) return false;
	// `auth` alone, as in Docker's config.json, or REDIS_AUTH; `authors` and `auth-plugins` are something else.
	if (last === 'auth' || /^(?:\w*(?:passwd|password|passphrase|secret|token|pwd)|auth[_.-]?config)$/i.test(name))
		return true;
	if (last === 'key' || last === 'keys')
		return (
			words.some(word => secretKeys.has(word)) ||
			(words.length > 1 && /^[A-Z0-9_]+$/.test(name) && !words.includes('public'))
		);
	// `secrets: [a, b]` and `tokens: 3` list or count.
	if (words.length === 1 && last === 'secrets') return /^[A-Z]+$/.test(name);
	return words.some(word => secretWords.has(word));
}

/**
 * What stands for a secret and is none: a reference without a default, as in a compose file or a script, an ellipsis, and
 * the word that our runner's file has for the token until it is registered. Hidden, they would keep an operator from
 * reading what a file is going to hold. `$NAME` is not among them, as a password may begin so.
 */
const standsFor = String.raw`(?:\$\{[A-Za-z_]\w{0,80}(?::?\?[^}"']{0,200})?\}|…|GIVEN-TO-REGISTER)`;
const placeholder = new RegExp(`^["']?${standsFor}["']?$`);
const reference = new RegExp(`${standsFor}(?=[\\s"',;)}\\]]|$)`, 'y');
const placeholderLength = 320;

// --- what is a secret by its own shape ---------------------------------------------

/** Each begins with letters that nothing else begins with; the lengths are those of what was issued, or shorter. */
const shapes: readonly RegExp[] = [
	// GitLab (glpat, glrt, gldt, glcbt …), GitHub, Slack, npm, Docker Hub, Vault, Grafana, Stripe
	/(?:gl[a-z]{2,5}-|gh[opsru]_|github_pat_|xox[abeprs]-|xapp-|npm_|dckr_[a-z]{2,4}_|hv[sbr]\.|glsa_|[srp]k_(?:live|test)_|whsec_)[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_.-]+)?/y,
	// OpenAI and its kin, Hugging Face, PyPI, SendGrid, DigitalOcean, Atlassian, Tailscale, RubyGems, Databricks
	/(?:sk-|hf_|pypi-|SG\.|do[opr]_v1_|ATATT|tskey-|rubygems_|dapi|shp(?:at|ss|ca)_|lin_api_|figd_|ATCTT|BBDC-|nvapi-|r8_)[A-Za-z0-9_.=-]{16,}/y,
	// Amazon's key ids, Google's keys and access tokens, an age key
	/(?:A3T[A-Z0-9]|AKIA|ASIA|AGPA|AIDA|AROA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])|AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{10,}|AGE-SECRET-KEY-1[A-Z0-9]{20,}/y,
	// JSON web tokens
	/eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/y,
];

/** A part of whatever is hidden below: one look at a line spares all others at most lines. */
const mayHoldSecret =
	/:\/\/|gl[a-z]{2,5}-|gh[opsru]_|_pat_|xox|xapp-|npm_|dckr_|hv[sbr]\.|glsa_|k_live_|k_test_|sk-|hf_|pypi-|SG\.|_v1_|AT[AC]TT|tskey|rubygems|dapi|shp[asc]|lin_api|figd_|BBDC-|nvapi-|r8_|A3T|AKIA|ASIA|AGPA|AIDA|AROA|ABIA|ACCA|AIza|ya29|eyJ|Private-Lines|pass|pwd|pw|cred|secret|token|key|auth|cookie|sig|curl|mysql|maria|redis-cli|login|hook/i;

// --- one line -----------------------------------------------------------------------

/** `:`, `=`, `=>` or the blank behind an option; a quote that closes the name stands before it. */
const separator = /(\\{0,7}["'])?([ \t]{0,8})(=>|[:=]|)([ \t]{0,8})/y;
const quote = /\\{0,7}["']/y;
const word = /[A-Za-z0-9_.-]+/g;
/** What may stand before the first name of a line: the sign of a diff, its indentation, the dash of a list. */
const lineBegins = /[+-]?[ \t]{0,200}(?:-[ \t]{1,8})?/y;

/** Words that make what follows them a secret, where another word of the line says so: an option of a program, mostly. */
const inContext: readonly { readonly context: RegExp; readonly option: RegExp }[] = [
	{ context: /\bcurl\b/, option: /(?<=\s)(?:-u|--user|-U|--proxy-user)(?:\s{1,4}|=)?["']?[^\s:"']{0,80}:/g },
	{ context: /\blogin\b|\bsshpass\b/, option: /(?<=\s)-p(?:\s{1,4}|=)?/g },
	{ context: /\b(?:mysql|mysqldump|mysqladmin|mariadb|mariadb-dump)\b/, option: /(?<=\s)-p(?=[^\s-])/g },
	{ context: /\bredis-cli\b/, option: /(?<=\s)-a\s{1,4}/g },
	// .netrc, a Dockerfile's and a Windows shell's way to set a variable, ssh-keygen's words
	{ context: /\bmachine\b/, option: /(?<=\s)password\s{1,4}/g },
	{
		context: /\b(?:ENV|set|setx)\b/,
		option: /(?<=\b(?:ENV|set|setx)\s{1,4})\w{0,40}(?:PASSWORD|PASSWD|SECRET|TOKEN|_KEY)\s{1,4}/g,
	},
	{ context: /\bpassphrase\b/, option: /(?<=\b)passphrase\s{1,4}(?=["'])/g },
	{
		context: /<\/\w{0,40}(?:password|secret|token|passphrase)>/i,
		option: /<\w{0,40}(?:password|secret|token|passphrase)>(?=[^<]{1,400}<\/)/gi,
	},
	// an address that whoever knows it may post to
	{ context: /hooks?\./, option: /\bhooks\.slack\.com\/(?:services|workflows)\/|\bwebhook\.office\.com\//g },
];

interface Cut {
	readonly from: number;
	readonly to: number;
	/** It stands for a secret and is none: it is shown, and not looked into. */
	readonly kept?: true | undefined;
}

/** The end of a value that began with this quote, which a string around it may have escaped several times. */
function endOfQuoted(line: string, from: number, opening: string, meter: Meter): number {
	const mark = opening.at(-1) ?? '"';
	const depth = opening.length - 1;
	for (let at = line.indexOf(mark, from); at !== -1; at = line.indexOf(mark, at + 1)) {
		let slashes = 0;
		while (at - slashes > from && line[at - slashes - 1] === '\\') slashes += 1;
		meter.looked += slashes;
		// At the first level a backslash escapes the quote; further in, the same number of them is part of it.
		if (depth === 0 ? slashes % 2 === 0 : slashes <= depth) {
			meter.looked += at - from;
			return at - (depth === 0 ? 0 : slashes);
		}
	}
	meter.looked += line.length - from;
	return line.length;
}

/** Where a run of characters that are none of these ends. */
function endOfRun(line: string, from: number, stop: RegExp, meter: Meter): number {
	const sticky = new RegExp(stop.source, 'g');
	sticky.lastIndex = from;
	const end = sticky.exec(line)?.index ?? line.length;
	meter.looked += end - from;
	return end;
}

/** The part of a URL before its host: `user:password@`, or a token in the place of the user. */
function userInfo(line: string, scheme: string, from: number, meter: Meter): Cut | undefined {
	let end = endOfRun(line, from, /[\s"'<>\\]|:\/\//, meter);
	// Another URL begins within the run: its scheme is not ours.
	if (line.startsWith('://', end)) while (end > from && /[A-Za-z0-9+.-]/.test(line[end - 1] ?? '')) end -= 1;
	const run = line.slice(from, end);
	const length = run.lastIndexOf('@');
	if (length === -1) return undefined;
	const at = from + length;
	const info = run.slice(0, length);
	const colon = info.indexOf(':');
	const path = info.search(/[/?#]/);
	if (colon === -1 || (path !== -1 && path < colon)) {
		// A user alone: `git@` of an address for ssh is no secret; what stands there for https is a token.
		if (path !== -1 || /^(?:ssh|git|git\+ssh|svn\+ssh|sftp|rsync)$/i.test(scheme)) return undefined;
		return { from, to: at };
	}
	// `host:3128/path@x` is a port; a password of digits with a slash is told by the port behind the host.
	if (
		path !== -1 &&
		/^\d*$/.test(info.slice(colon + 1, path)) &&
		!/^[\w.-]{1,200}:\d{1,5}/.test(line.slice(at + 1, at + 220))
	)
		return undefined;
	return { from, to: at };
}

/** What of the value behind a name is to be hidden; undefined: nothing is there, or what stands for a secret. */
function valueCut(line: string, name: { from: number; to: number }, meter: Meter): Cut | undefined {
	separator.lastIndex = name.to;
	const match = separator.exec(line);
	meter.looked += 24;
	if (match === null) return undefined;
	const [, closing, before = '', sign = '', after = ''] = match;
	const option = /^--?[A-Za-z]/.test(line.slice(name.from, name.from + 3));
	const query = /[?&;]/.test(line[name.from - 1] ?? '');
	if (sign === '' && !(option && closing === undefined && before !== '')) return undefined;
	let from = separator.lastIndex;
	if (from >= line.length) return undefined;
	const text = line.slice(name.from, name.to);
	if (/authorization$/i.test(text)) return credentialsCut(line, from, meter);
	quote.lastIndex = from;
	const opening = quote.exec(line)?.[0];
	if (opening !== undefined) {
		from += opening.length;
		return valueFrom(line, from, endOfQuoted(line, from, opening, meter));
	}
	// A list or a table: what is in it has names of its own. A block of YAML is told by the lines below.
	if (/[[{]/.test(line[from] ?? '') || /^[|>][-+0-9]{0,3}[ \t]*$/.test(line.slice(from, from + 12))) return undefined;
	if (query) return valueFrom(line, from, endOfRun(line, from, /[&\s"'#\\]/, meter));
	// The whole assignment is quoted: -e "TOKEN=two words".
	quote.lastIndex = Math.max(0, name.from - 1);
	const around = quote.exec(line)?.[0];
	if (sign === '=' && around !== undefined && name.from > 0 && quote.lastIndex === name.from)
		return valueFrom(line, from, endOfQuoted(line, from, around, meter));
	// `key: value` and `key = value` that fill a line go on to its end, blanks included.
	lineBegins.lastIndex = 0;
	lineBegins.test(line);
	if (name.from <= lineBegins.lastIndex && (after !== '' || before !== '') && !option)
		return restOfLineCut(line, from, meter);
	if (option && sign === '' && line[from] === '-') return undefined;
	const inWord = sign === ':' && after === '' && !/^[A-Za-z]/.test(line[name.from] ?? '');
	return wordCut(line, from, { sign, inWord }, meter);
}

/** A value that is one word, or a reference to one. `inWord`: the sign is part of a word, so only a reference counts. */
function wordCut(
	line: string,
	from: number,
	{ sign, inWord }: { readonly sign: string; readonly inWord: boolean },
	meter: Meter,
): Cut | undefined {
	reference.lastIndex = from;
	if (reference.test(line)) return { from, to: reference.lastIndex, kept: true };
	if (inWord) return undefined;
	let to = endOfRun(line, from, /[\s"']/, meter);
	// What closes the clause around it is not the secret's.
	if (sign !== '=') while (to > from && /[,;)}\]]/.test(line[to - 1] ?? '')) to -= 1;
	return valueFrom(line, from, to);
}

/** Behind `Authorization`: what follows the scheme. */
function credentialsCut(line: string, at: number, meter: Meter): Cut | undefined {
	// No header: Docker's "may require authorization: server message: insufficient_scope" of a pull that is refused.
	if (line.startsWith('server message: ', at)) return undefined;
	const scheme = /["']?(?:bearer|basic|token|digest|negotiate|apikey)[ \t]{1,4}/iy;
	scheme.lastIndex = at;
	quote.lastIndex = at;
	const from = scheme.test(line) ? scheme.lastIndex : quote.test(line) ? quote.lastIndex : at;
	return valueFrom(line, from, endOfRun(line, from, /[\s"'\\]/, meter));
}

function restOfLineCut(line: string, from: number, meter: Meter): Cut | undefined {
	// A reference may be followed by a comment, which says what to do.
	const comment = line.indexOf(' #', from);
	const whole = line.slice(from, comment === -1 ? undefined : comment).trim();
	meter.looked += line.length - from;
	if (/^[&*!#]/.test(whole)) return undefined;
	return { from, to: line.trimEnd().length, kept: placeholder.test(whole) || undefined };
}

function valueFrom(line: string, from: number, to: number): Cut | undefined {
	if (to <= from) return undefined;
	const kept = placeholder.test(line.slice(from, Math.min(to, from + placeholderLength)).replace(/[,;)]$/, ''));
	return { from, to, kept: kept || undefined };
}

/** What of a line is hidden, from left to right and without overlap. */
function cutsOf(line: string, meter: Meter): readonly Cut[] {
	const cuts: Cut[] = [];
	for (const { context, option } of inContext) {
		if (!context.test(line)) continue;
		for (const found of line.matchAll(option)) {
			let from = found.index + found[0].length;
			quote.lastIndex = from;
			const opening = /["'][^\s]{0,80}:$/.test(found[0]) ? found[0].match(/["']/)?.[0] : quote.exec(line)?.[0];
			if (opening !== undefined && !found[0].includes(opening)) from += opening.length;
			const cut = valueFrom(
				line,
				from,
				opening === undefined
					? endOfRun(line, from, found[0].startsWith('<') ? /</ : /\s/, meter)
					: endOfQuoted(line, from, opening, meter),
			);
			if (cut !== undefined) cuts.push(cut);
		}
		meter.looked += 2 * line.length;
	}
	word.lastIndex = 0;
	for (let match = word.exec(line); match !== null; match = word.exec(line)) {
		const from = match.index;
		const to = word.lastIndex;
		meter.looked += to - from;
		const cut = cutAt(line, from, to, meter);
		if (cut === undefined) continue;
		cuts.push(cut);
		word.lastIndex = Math.max(to, cut.to);
	}
	return cuts.toSorted((a, b) => a.from - b.from);
}

/** How far into a word the shape of a secret is looked for. */
const farthestShape = 200;

/** The secret that a word is, or that it names. */
function cutAt(line: string, from: number, to: number, meter: Meter): Cut | undefined {
	if (line.startsWith('://', to)) {
		const info = userInfo(line, line.slice(Math.max(from, to - 20), to), to + 3, meter);
		if (info !== undefined) return info;
	}
	// A shape may follow a dash or a dot of the word: `sha-ghp_…`; it never begins within letters.
	for (let start = from; start < to; ) {
		for (const shape of shapes) {
			shape.lastIndex = start;
			if (shape.test(line)) {
				meter.looked += shape.lastIndex - start;
				return { from: start, to: shape.lastIndex };
			}
		}
		meter.looked += shapes.length * 8;
		const next = line.slice(start, Math.min(to, from + farthestShape)).search(/[._-]/);
		if (next === -1) break;
		start += next + 1;
	}
	const name = line.slice(Math.max(from, to - nameLength), to);
	if (!namesSecret(name) && !(/^(?:sig|x-amz-credential)$/i.test(name) && /[?&]/.test(line[from - 1] ?? '')))
		return undefined;
	return valueCut(line, { from, to }, meter);
}

function redactLine(line: string, meter: Meter): string {
	meter.looked += line.length;
	if (!mayHoldSecret.test(line)) return line;
	let result = '';
	let done = 0;
	for (const { from, to, kept } of cutsOf(line, meter)) {
		if (kept || to <= done) continue;
		result += `${line.slice(done, Math.max(done, from))}${hidden}`;
		done = to;
	}
	return result + line.slice(done);
}

// --- several lines -------------------------------------------------------------------

const keyMark = /-----(BEGIN|END) [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const puttyKey = /^[ \t]*Private-Lines:[ \t]*(\d{1,4})[ \t]*$/;

/** A YAML key that names a secret, whose value follows on lines that are indented further. */
const block = /^([ \t]*)(?:-[ \t]{1,8})?["']?([\w.-]{1,80})["']?:[ \t]{1,8}[|>][-+0-9]{0,3}[ \t]*$/;

/**
 * Redacts a text that comes line by line, as diffs and the output of commands do. What goes over several lines, such as
 * the body of a private key, is only known by the lines before it.
 */
export function lineRedactor(meter: Meter = { looked: 0 }): (line: string) => string {
	let inKey = false;
	/** The indentation of the key whose value is being left out. */
	let inBlock: number | undefined;
	let puttyLines = 0;
	/** Without the bodies of the keys in it. */
	const withoutKeys = (line: string): string => {
		let result = '';
		let done = 0;
		for (const mark of line.matchAll(keyMark)) {
			if (mark[1] === 'BEGIN' && !inKey) {
				result += `${redactLine(line.slice(done, mark.index), meter)}${hidden}`;
				inKey = true;
			} else if (mark[1] === 'END' && inKey) {
				if (done === 0 && result === '') result = hidden;
				inKey = false;
			}
			done = mark.index + mark[0].length;
		}
		if (inKey) return result === '' ? hidden : result;
		return result + redactLine(line.slice(done), meter);
	};
	/** A line of what an earlier one began; undefined: it stands for itself. */
	const goesOn = (line: string): string | undefined => {
		if (puttyLines > 0) {
			puttyLines -= 1;
			return hidden;
		}
		if (inBlock === undefined) return undefined;
		if (line.trim() === '') return line;
		const indentation = /^[ \t]*/.exec(line)?.[0].length ?? 0;
		if (indentation > inBlock) return hidden;
		inBlock = undefined;
		return undefined;
	};
	return line => {
		const more = goesOn(line);
		if (more !== undefined) return more;
		if (!inKey && !mayHoldSecret.test(line)) {
			meter.looked += line.length;
			return line;
		}
		puttyLines = Number(puttyKey.exec(line)?.[1] ?? 0);
		const named = block.exec(line.slice(0, 400));
		if (named !== null && namesSecret(named[2] ?? '')) inBlock = named[1]?.length;
		meter.looked += line.length;
		return withoutKeys(line);
	};
}

/** The lines of a text, each without secrets: as many as there were. */
export function redactLines(text: string): readonly string[] {
	return text.split('\n').map(lineRedactor());
}

/** A text without its secrets. One that went over several lines, as a private key does, becomes one word. */
export function redact(text: string, meter: Meter = { looked: 0 }): string {
	if (!mayHoldSecret.test(text)) return text;
	const redactNext = lineRedactor(meter);
	let result = '';
	let hiding = false;
	for (const [index, line] of text.split('\n').entries()) {
		const next = redactNext(line);
		// Further lines of what is already hidden add nothing.
		if (hiding && next.startsWith(hidden) && !line.startsWith(hidden)) result += next.slice(hidden.length);
		else result += `${index === 0 ? '' : '\n'}${next}`;
		hiding = next.endsWith(hidden) && !line.endsWith(hidden);
	}
	return result;
}

/** The words of a command: a word can say that the next one is a secret, as `-p` behind `docker login` does. */
export function redactArgv(argv: readonly string[]): readonly string[] {
	const plain = argv.map(word => word.replaceAll(/\s/g, '_'));
	const together = redact(plain.join(' ')).split(' ');
	return argv.map((word, index) => {
		const alone = redact(word);
		// Words that were hidden as one cannot be told apart again.
		const behind = together.length === argv.length ? together[index] : undefined;
		return alone !== word || behind === undefined || behind === plain[index] ? alone : behind;
	});
}

/** Redacts every string in a piece of plain data. */
export function redactDeep<T>(value: T): T {
	if (typeof value === 'string') return redact(value) as T;
	if (Array.isArray(value)) return value.map(inner => redactDeep(inner)) as T;
	if (value !== null && typeof value === 'object') {
		return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redactDeep(inner)])) as T;
	}
	return value;
}
