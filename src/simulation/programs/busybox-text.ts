import { readByteByByte } from '../byte-reads.ts';
import { errnoNumber, errnoWords } from '../errno.ts';
import { sha256 } from '../file-tree.ts';
import { burnCpu, killedForMemory } from '../inner-processes.ts';
import { runProgram } from '../run-program.ts';
import { readText, writeText } from '../scope.ts';
import { passTime, somethingIsDue } from '../services.ts';
import { type Call, type Exit, type Program, type Scope, spend, UnsimulatedCommand } from '../world.ts';
import { allOf, lastOf, parseOptions } from './options.ts';

/** Programs that read, write and turn text. Words and codes are those of busybox 1.37; on the host, of GNU where known. */

const onHost = (scope: Scope): boolean => scope.inside === undefined;

type Input =
	| { readonly kind: 'text'; readonly text: string }
	| { readonly kind: 'endless' }
	| { readonly kind: 'error'; readonly words: string };

function inputOf(scope: Scope, call: Call, path: string | undefined): Input {
	if (path === undefined || path === '-') return { kind: 'text', text: call.stdin.text };
	const file = readText(scope, path);
	if (file.kind === 'error') return { kind: 'error', words: errnoWords(file.errno) };
	return file.kind === 'endless' ? file : { kind: 'text', text: file.text };
}

/** Runs `each` over the files (or standard input) and complains about those that cannot be opened. */
function overFiles(
	scope: Scope,
	call: Call,
	files: readonly string[],
	each: (text: string, path: string) => void,
	complaint: (path: string, words: string) => string,
): Exit {
	let code: Exit = 0;
	for (const path of files.length === 0 ? ['-'] : files) {
		const input = inputOf(scope, call, path);
		if (input.kind === 'error') {
			call.io.err(complaint(path, input.words));
			code = 1;
		} else if (input.kind === 'endless') code = 'endless';
		else each(input.text, path);
	}
	return code;
}

const plainComplaint = (name: string) => (path: string, words: string) => `${name}: ${path}: ${words}\n`;

const cat: Program = (scope, call) => {
	const { words } = parseOptions(call.argv.slice(1), {
		withValue: [],
		flags: ['-n', '-e', '-t', '-v', '-A', '-u', '-s'],
	});
	const complaint = onHost(scope)
		? plainComplaint('cat')
		: (path: string, text: string) => `cat: can't open '${path}': ${text}\n`;
	return overFiles(scope, call, words, text => call.io.out(text), complaint);
};

function countOf(text: string): number {
	const match = /^(\d+)([kKMGb]?)/.exec(text);
	const unit = { k: 1024, K: 1024, M: 1024 ** 2, G: 1024 ** 3, b: 512 }[match?.[2] ?? ''] ?? 1;
	return Number(match?.[1] ?? 0) * unit;
}

const head: Program = (scope, call) => {
	const args = call.argv.slice(1).flatMap(a => (/^-\d+$/.test(a) ? ['-n', a.slice(1)] : [a]));
	const options = parseOptions(args, { withValue: ['-n', '-c', '--lines', '--bytes'], flags: ['-q', '-v'] });
	const bytes = lastOf(options, '-c', '--bytes');
	const lines = Number(lastOf(options, '-n', '--lines') ?? 10);
	let code: Exit = 0;
	for (const path of options.words.length === 0 ? ['-'] : options.words) {
		const input = inputOf(scope, call, path);
		if (input.kind === 'error') {
			call.io.err(`head: ${onHost(scope) ? `cannot open '${path}' for reading` : path}: ${input.words}\n`);
			code = 1;
		} else if (input.kind === 'endless')
			call.io.out('\0'.repeat(Math.min(bytes === undefined ? 0 : countOf(bytes), 65_536)));
		else if (bytes !== undefined) call.io.out(input.text.slice(0, countOf(bytes)));
		else
			call.io.out(
				linesOf(input.text)
					.slice(0, lines)
					.map(line => `${line}\n`)
					.join(''),
			);
	}
	return code;
};

const linesOf = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));

const tail: Program = (scope, call) => {
	const args = call.argv.slice(1).flatMap(a => (/^-\d+$/.test(a) ? ['-n', a.slice(1)] : [a]));
	const options = parseOptions(args, { withValue: ['-n', '-c'], flags: ['-f', '-F', '-q'] });
	const path = options.words[0];
	const input = inputOf(scope, call, path);
	if (input.kind === 'error') {
		call.io.err(
			`tail: ${onHost(scope) ? `cannot open '${path}' for reading` : `can't open '${path}'`}: ${input.words}\n`,
		);
		return 1;
	}
	// Without a newline in it, tail keeps everything that it reads: the usual way to eat memory.
	if (input.kind === 'endless' || (input.text.length >= 65_536 && /^\0+$/.test(input.text)))
		return killedForMemory(scope, Number.MAX_SAFE_INTEGER) ? 137 : 'endless';
	const count = lastOf(options, '-n') ?? '10';
	const lines = linesOf(input.text);
	const shown = count.startsWith('+')
		? lines.slice(Number(count.slice(1)) - 1)
		: lines.slice(Math.max(0, lines.length - Number(count)));
	call.io.out(shown.map(line => `${line}\n`).join(''));
	return options.flags.has('-f') || options.flags.has('-F') ? 'endless' : 0;
};

const tee: Program = (scope, call) => {
	const { words, flags } = parseOptions(call.argv.slice(1), { withValue: [], flags: ['-a', '-i'] });
	call.io.out(call.stdin.text);
	let code = 0;
	for (const path of words) {
		const errno = writeText(scope, path, call.stdin.text, flags.has('-a') ? 'append' : 'replace');
		if (errno === undefined) continue;
		call.io.err(`tee: ${path}: ${errnoWords(errno)}\n`);
		code = 1;
	}
	return code;
};

const wc: Program = (scope, call) => {
	const { words, flags } = parseOptions(call.argv.slice(1), { withValue: [], flags: ['-l', '-c', '-w', '-m'] });
	return overFiles(
		scope,
		call,
		words,
		(text, path) => {
			const counts = [(text.match(/\n/g) ?? []).length, text.split(/\s+/).filter(Boolean).length, text.length];
			const shown = flags.has('-l')
				? [counts[0]]
				: flags.has('-w')
					? [counts[1]]
					: flags.has('-c') || flags.has('-m')
						? [counts[2]]
						: counts;
			call.io.out(`${shown.join(' ')}${path === '-' ? '' : ` ${path}`}\n`);
		},
		plainComplaint('wc'),
	);
};

const grep: Program = (scope, call) => {
	const options = parseOptions(call.argv.slice(1), {
		withValue: ['-e', '-m', '-A', '-B', '-C'],
		flags: [
			'-i',
			'-q',
			'-E',
			'-F',
			'-c',
			'-v',
			'-o',
			'-n',
			'-w',
			'-x',
			'-s',
			'-h',
			'-l',
			'-r',
			'-a',
			'-P',
			'--color=never',
		],
	});
	const [pattern = '', ...rest] =
		options.values['-e'] === undefined ? options.words : [options.values['-e'].join('|'), ...options.words];
	let source = options.flags.has('-F') ? pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : pattern;
	if (!options.flags.has('-E') && !options.flags.has('-F') && !options.flags.has('-P'))
		source = source.replace(/\\([|(){}+?])/g, '$1');
	source = source
		.replaceAll('[[:space:]]', '\\s')
		.replaceAll('[[:digit:]]', '\\d')
		.replaceAll('[:space:]', '\\s')
		.replaceAll('[:digit:]', '0-9');
	if (options.flags.has('-w')) source = `\\b(?:${source})\\b`;
	if (options.flags.has('-x')) source = `^(?:${source})$`;
	const matcher = new RegExp(source, options.flags.has('-i') ? 'i' : '');
	let matches = 0;
	const code = overFiles(
		scope,
		call,
		rest,
		(text, path) => {
			const prefix = rest.length > 1 && !options.flags.has('-h') ? `${path}:` : '';
			let own = 0;
			for (const [index, line] of linesOf(text).entries()) {
				if (matcher.test(line) === options.flags.has('-v')) continue;
				own += 1;
				if (options.flags.has('-q') || options.flags.has('-c') || options.flags.has('-l')) continue;
				const shown = options.flags.has('-o') ? (matcher.exec(line)?.[0] ?? '') : line;
				call.io.out(`${prefix}${options.flags.has('-n') ? `${index + 1}:` : ''}${shown}\n`);
			}
			if (options.flags.has('-c')) call.io.out(`${prefix}${own}\n`);
			if (options.flags.has('-l') && own > 0) call.io.out(`${path}\n`);
			matches += own;
		},
		(path, words) => (options.flags.has('-s') ? '' : `grep: ${path}: ${words}\n`),
	);
	return code === 'endless' ? code : matches > 0 ? 0 : code === 0 ? 1 : 2;
};

const sed: Program = (scope, call) => {
	const options = parseOptions(call.argv.slice(1), { withValue: ['-e'], flags: ['-n', '-E', '-r'] });
	const [script = '', ...files] =
		options.values['-e'] === undefined ? options.words : [options.values['-e'].join(';'), ...options.words];
	const edits = script.split(';').map(part => part.trim());
	return overFiles(
		scope,
		call,
		files,
		text => {
			for (const [index, original] of linesOf(text).entries()) {
				let line = original;
				let printed = !options.flags.has('-n');
				let stop = false;
				for (const edit of edits) {
					const substitution = /^s(.)(.*?)\1(.*?)\1([gp]*)$/.exec(edit);
					const only = /^(\d+|\$)?([pqd])$/.exec(edit);
					if (substitution !== null) {
						const [, , from = '', to = '', flags = ''] = substitution;
						const before = line;
						line = line.replace(new RegExp(from, flags.includes('g') ? 'g' : ''), to.replace(/\\(\d)/g, '$$$1'));
						if (flags.includes('p') && line !== before) printed = true;
					} else if (only !== null) {
						const here = only[1] === undefined || Number(only[1]) === index + 1;
						if (here && only[2] === 'p') printed = true;
						if (here && only[2] === 'd') printed = false;
						if (here && only[2] === 'q') stop = true;
					} else if (edit !== '') throw new UnsimulatedCommand(call.argv, `sed ${edit}`);
				}
				if (printed) call.io.out(`${line}\n`);
				if (stop) break;
			}
		},
		(path, words) => `sed: ${path}: ${words}\n`,
	);
};

const awk: Program = (scope, call) => {
	const options = parseOptions(call.argv.slice(1), { withValue: ['-F'], flags: [] });
	const [script = '', ...files] = options.words;
	const rule =
		/^\s*(?:\/(?<pattern>.*?)\/|NR==(?<line>\d+)|\$(?<field>\d+)(?<compare>==|!=|~)"?(?<value>[^"{]*?)"?)?\s*(?:\{\s*print\s*(?<what>[^}]*)\})?\s*$/.exec(
			script,
		);
	if (rule?.groups === undefined) throw new UnsimulatedCommand(call.argv, 'awk script');
	const { pattern, line: wantedLine, field, compare, value = '', what = '$0' } = rule.groups;
	const separator = options.values['-F']?.at(-1);
	return overFiles(
		scope,
		call,
		files,
		text => {
			for (const [index, line] of linesOf(text).entries()) {
				const fields = separator === undefined ? line.trim().split(/\s+/) : line.split(separator);
				const fieldOf = (n: number) => (n === 0 ? line : (fields[n - 1] ?? ''));
				if (pattern !== undefined && !new RegExp(pattern).test(line)) continue;
				if (wantedLine !== undefined && Number(wantedLine) !== index + 1) continue;
				if (field !== undefined) {
					const seen = fieldOf(Number(field));
					const fits =
						compare === '~'
							? new RegExp(value.replace(/^\/|\/$/g, '')).test(seen)
							: (seen === value) === (compare === '==');
					if (!fits) continue;
				}
				const shown = what.split(',').map(piece =>
					piece
						.trim()
						.replace(/\$(NF|\d+)|"([^"]*)"/g, (_, n, literal) =>
							n === undefined ? literal : fieldOf(n === 'NF' ? fields.length : Number(n)),
						)
						.replace(/\s*(?=)$/, ''),
				);
				call.io.out(`${shown.join(' ')}\n`);
			}
		},
		(path, words) => `awk: ${path}: ${words}\n`,
	);
};

const cut: Program = (scope, call) => {
	const options = parseOptions(call.argv.slice(1), { withValue: ['-d', '-f', '-c'], flags: ['-s'] });
	const [from = 1, to = from] = (lastOf(options, '-f', '-c') ?? '1')
		.split('-')
		.map(n => (n === '' ? Number.POSITIVE_INFINITY : Number(n)));
	const separator = lastOf(options, '-d') ?? '\t';
	return overFiles(
		scope,
		call,
		options.words,
		text => {
			for (const line of linesOf(text)) {
				if (options.values['-c'] !== undefined) call.io.out(`${line.slice(from - 1, to)}\n`);
				else
					call.io.out(
						`${line
							.split(separator)
							.slice(from - 1, to)
							.join(separator)}\n`,
					);
			}
		},
		plainComplaint('cut'),
	);
};

const tr: Program = (_, call) => {
	const { words, flags } = parseOptions(call.argv.slice(1), { withValue: [], flags: ['-d', '-s'] });
	const [from = '', to = ''] = words.map(w =>
		w
			.replaceAll('\\n', '\n')
			.replaceAll('\\0', '\0')
			.replaceAll('\\t', '\t')
			.replace(/(\w)-(\w)/g, (_all, a: string, b: string) => range(a, b)),
	);
	let text = '';
	for (const char of call.stdin.text) {
		const index = from.indexOf(char);
		if (index === -1) text += char;
		else if (!flags.has('-d')) text += to.charAt(Math.min(index, to.length - 1));
	}
	call.io.out(flags.has('-s') ? text.replace(/(.)\1+/gs, '$1') : text);
	return 0;
};

const range = (a: string, b: string): string =>
	Array.from({ length: Math.max(0, b.charCodeAt(0) - a.charCodeAt(0) + 1) }, (_, n) =>
		String.fromCharCode(a.charCodeAt(0) + n),
	).join('');

const sort: Program = (scope, call) => {
	const { words, flags } = parseOptions(call.argv.slice(1), {
		withValue: ['-k', '-t'],
		flags: ['-u', '-n', '-r', '-V'],
	});
	return overFiles(
		scope,
		call,
		words,
		text => {
			let lines = linesOf(text).sort(
				flags.has('-n') ? (a, b) => Number.parseFloat(a) - Number.parseFloat(b) : undefined,
			);
			if (flags.has('-u')) lines = [...new Set(lines)];
			if (flags.has('-r')) lines.reverse();
			call.io.out(lines.map(line => `${line}\n`).join(''));
		},
		plainComplaint('sort'),
	);
};

const uniq: Program = (_, call) => {
	call.io.out(
		linesOf(call.stdin.text)
			.filter((line, n, all) => line !== all[n - 1])
			.map(line => `${line}\n`)
			.join(''),
	);
	return 0;
};

const seq: Program = (_, call) => {
	const numbers = call.argv.slice(1).map(Number);
	const [from, step, to] =
		numbers.length === 1
			? [1, 1, numbers[0] ?? 0]
			: numbers.length === 2
				? [numbers[0] ?? 0, 1, numbers[1] ?? 0]
				: [numbers[0] ?? 0, numbers[1] ?? 1, numbers[2] ?? 0];
	for (let n = from; n <= to; n += step) call.io.out(`${n}\n`);
	return 0;
};

const escapes: Readonly<Record<string, string>> = {
	n: '\n',
	t: '\t',
	r: '\r',
	'0': '\0',
	'\\': '\\',
	a: '\x07',
	e: '\x1b',
};
const unescaped = (text: string): string =>
	text.replace(/\\([ntr0\\ae])/g, (all, letter: string) => escapes[letter] ?? all);

const echo: Program = (_, call) => {
	const args = call.argv.slice(1);
	let newline = true;
	let escaped = false;
	while (args[0] !== undefined && /^-[neE]+$/.test(args[0])) {
		if (args[0].includes('n')) newline = false;
		if (args[0].includes('e')) escaped = true;
		args.shift();
	}
	const text = args.join(' ');
	call.io.out(`${escaped ? unescaped(text) : text}${newline ? '\n' : ''}`);
	return 0;
};

const printf: Program = (_, call) => {
	const [, format = '', ...args] = call.argv;
	let at = 0;
	do {
		call.io.out(
			unescaped(format).replace(/%(-?\d*)([sdxcq%])/g, (_all, width: string, kind: string) => {
				if (kind === '%') return '%';
				const value = args[at] ?? '';
				at += 1;
				const text = kind === 'd' ? String(Number(value)) : kind === 'x' ? Number(value).toString(16) : value;
				return width.startsWith('-') ? text.padEnd(Number(width.slice(1))) : text.padStart(Number(width || 0));
			}),
		);
	} while (at > 0 && at < args.length);
	return 0;
};

const sleep: Program = (scope, call) => {
	const seconds = call.argv[1] ?? '';
	if (seconds === 'infinity' || seconds === 'inf') return 'endless';
	const unit = { s: 1, m: 60, h: 3600, d: 86_400 }[seconds.slice(-1)] ?? 1;
	const ms = Number.parseFloat(seconds) * unit * 1000;
	if (Number.isNaN(ms)) {
		call.io.err(onHost(scope) ? `sleep: invalid time interval '${seconds}'\n` : `sleep: invalid number '${seconds}'\n`);
		return 1;
	}
	spend(scope.world, ms);
	// Whoever sleeps on the host finds it afterwards as it has become.
	if (onHost(scope) && somethingIsDue(scope.world.state)) passTime(scope.world);
	return 0;
};

const timeout: Program = (scope, call) => {
	const options = parseOptions(call.argv.slice(1), {
		withValue: ['-s', '-k', '-t', '--signal', '--kill-after'],
		flags: ['--foreground', '--preserve-status'],
		stopAtWord: true,
	});
	const [limit = '0', ...argv] = options.words;
	const limitMs = Number.parseFloat(limit) * 1000;
	const started = scope.world.state.now;
	const exit = runProgram(scope, { ...call, argv, timeoutMs: limitMs });
	if (exit === undefined) {
		call.io.err(
			`timeout: ${onHost(scope) ? `failed to run command '${argv[0] ?? ''}'` : `can't execute '${argv[0] ?? ''}'`}: No such file or directory\n`,
		);
		return 127;
	}
	if (exit !== 'endless' && scope.world.state.now - started <= limitMs) return exit;
	scope.world.state.now = started + limitMs;
	burnCpu(scope, limitMs);
	// busybox gives the signal's code, GNU its own.
	return onHost(scope) ? 124 : lastOf(options, '-s', '--signal')?.includes('KILL') ? 137 : 143;
};

const yes: Program = (_, call) => {
	call.io.out(`${call.argv.slice(1).join(' ') || 'y'}\n`.repeat(1000));
	return 'endless';
};

const dd: Program = (scope, call) => {
	const given = Object.fromEntries(call.argv.slice(1).map(word => word.split('=') as [string, string]));
	const size = countOf(given['bs'] ?? '512');
	const count = given['count'] === undefined ? undefined : Number(given['count']);
	// dd takes one buffer of the block size.
	if (killedForMemory(scope, size)) return 137;
	const opened =
		given['if'] === undefined ? { kind: 'text' as const, text: call.stdin.text } : readText(scope, given['if']);
	const input =
		opened.kind === 'text' && size === 1 && given['if'] !== undefined
			? { ...opened, text: readByteByByte(scope, given['if'], opened.text) }
			: opened;
	if (input.kind === 'error') {
		call.io.err(
			`dd: ${onHost(scope) ? `failed to open '${given['if']}'` : `can't open '${given['if']}'`}: ${errnoWords(input.errno)}\n`,
		);
		return 1;
	}
	if (input.kind === 'endless' && count === undefined && given['of'] === '/dev/null') return 'endless';
	const bytes =
		input.kind === 'endless'
			? size * (count ?? 1_048_576)
			: Math.min(input.text.length, count === undefined ? input.text.length : size * count);
	const to = given['of'];
	spend(scope.world, bytes / 1_500_000);
	if (to !== undefined && to !== '/dev/null') {
		const inMemory =
			to.startsWith('/dev/shm/') ||
			scope.inside?.container.options.mounts.some(m => m.type === 'tmpfs' && to.startsWith(`${m.target}/`));
		if (inMemory && killedForMemory(scope, bytes)) return 137;
		if (to.startsWith('/dev/shm/') && bytes > 67_108_864) {
			call.io.err(`dd: error writing '${to}': No space left on device\n`);
			return 1;
		}
		const errno = writeText(
			scope,
			to,
			input.kind === 'text' ? input.text.slice(0, bytes) : '\0'.repeat(Math.min(bytes, 4096)),
		);
		if (errno !== undefined) {
			call.io.err(`dd: ${onHost(scope) ? `failed to open '${to}'` : `can't open '${to}'`}: ${errnoWords(errno)}\n`);
			return 1;
		}
	} else if (to === undefined)
		call.io.out(input.kind === 'text' ? input.text.slice(0, bytes) : '\0'.repeat(Math.min(bytes, 65_536)));
	const blocks = `${Math.floor(bytes / size)}+${bytes % size === 0 ? 0 : 1}`;
	call.io.err(
		`${blocks} records in\n${blocks} records out\n${bytes} bytes (${(bytes / 1_048_576).toFixed(1)}MB) copied, ${(bytes / 1_500_000_000).toFixed(6)} seconds, 1.4GB/s\n`,
	);
	return 0;
};

const sha256sum: Program = (scope, call) =>
	overFiles(
		scope,
		call,
		call.argv.slice(1),
		(text, path) => call.io.out(`${sha256(Buffer.from(text, 'utf8'))}  ${path}\n`),
		plainComplaint('sha256sum'),
	);

const xargs: Program = (scope, call) => {
	const options = parseOptions(call.argv.slice(1), {
		withValue: ['-n', '-I', '-P'],
		flags: ['-r', '-0', '-t'],
		stopAtWord: true,
	});
	const items = call.stdin.text.split(options.flags.has('-0') ? '\0' : /\s+/).filter(Boolean);
	const argv = options.words.length === 0 ? ['echo'] : options.words;
	if (items.length === 0 && options.flags.has('-r')) return 0;
	const per = Number(allOf(options, '-n').at(-1) ?? items.length) || 1;
	let code: Exit = 0;
	for (let at = 0; at < Math.max(1, items.length); at += per) {
		const exit = runProgram(scope, { ...call, argv: [...argv, ...items.slice(at, at + per)] });
		if (exit === undefined) return 127;
		if (exit !== 0) code = exit === 'endless' ? exit : 123;
	}
	return code;
};

const env: Program = (scope, call) => {
	const rest = [...call.argv.slice(1)];
	const added: Record<string, string> = {};
	for (;;) {
		const word = rest[0];
		if (word === undefined) break;
		if (word === '-i' || word === '-') rest.shift();
		else if (word === '-u') rest.splice(0, 2);
		else if (word.includes('=')) {
			const [name = '', ...value] = word.split('=');
			added[name] = value.join('=');
			rest.shift();
		} else break;
	}
	const variables = { ...scope.env, ...added };
	if (rest.length === 0) {
		for (const [name, value] of Object.entries(variables)) call.io.out(`${name}=${value}\n`);
		return 0;
	}
	const exit = runProgram({ ...scope, env: variables }, { ...call, argv: rest });
	if (exit !== undefined) return exit;
	call.io.err(`env: ${onHost(scope) ? `'${rest[0]}'` : `can't execute '${rest[0]}'`}: ${errnoWords('ENOENT')}\n`);
	return 127;
};

const printenv: Program = (scope, call) => {
	const names = call.argv.slice(1);
	if (names.length === 0) return env(scope, { ...call, argv: ['env'] });
	for (const name of names) {
		const value = scope.env[name];
		if (value === undefined) return 1;
		call.io.out(`${value}\n`);
	}
	return 0;
};

const basename: Program = (_, call) => {
	call.io.out(`${(call.argv[1] ?? '').replace(/\/+$/, '').split('/').at(-1) ?? ''}\n`);
	return 0;
};

const dirname: Program = (_, call) => {
	const path = (call.argv[1] ?? '').replace(/\/+$/, '');
	call.io.out(`${path.includes('/') ? path.slice(0, path.lastIndexOf('/')) || '/' : '.'}\n`);
	return 0;
};

export const textPrograms: Readonly<Record<string, Program>> = {
	cat,
	head,
	tail,
	tee,
	wc,
	grep,
	sed,
	awk,
	cut,
	tr,
	sort,
	uniq,
	seq,
	echo,
	printf,
	sleep,
	timeout,
	yes,
	dd,
	sha256sum,
	xargs,
	env,
	printenv,
	basename,
	dirname,
	true: () => 0,
	false: () => 1,
	sync: () => 0,
	expr: (_, call) => {
		const [, left = '', operator = '', right = ''] = call.argv;
		const value =
			operator === '+' ? Number(left) + Number(right) : operator === '-' ? Number(left) - Number(right) : Number(left);
		call.io.out(`${value}\n`);
		return value === 0 ? 1 : 0;
	},
};

/** busybox ends insmod and its kin with the negative error number. */
export const negativeExit = (errno: Parameters<typeof errnoNumber>[0]): number => 256 - errnoNumber(errno);
