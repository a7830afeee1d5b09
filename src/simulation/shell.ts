import { readByteByByte } from './byte-reads.ts';
import { errnoWords } from './errno.ts';
import { absolute, resolve } from './file-tree.ts';
import { canFork, startInBackground } from './inner-processes.ts';
import { runProgram } from './run-program.ts';
import { changedScope, readText, writeText } from './scope.ts';
import {
	type Command,
	type List,
	type Pipeline,
	parseShell,
	type Redirect,
	ShellSyntaxError,
	type Word,
} from './shell-syntax.ts';
import { type Call, type Exit, type Io, noInput, type Scope, type Stdin, spend } from './world.ts';

/** Loops that turn more often than this are taken for endless. */
const turnsOfAnEndlessLoop = 3000;

interface Shell {
	scope: Scope;
	variables: Record<string, string>;
	readonly positional: readonly string[];
	status: number;
	lastJob: number;
	/** When the background jobs end; undefined for one that never does. */
	jobs: (number | undefined)[];
	stopOnError: boolean;
	leave?: { readonly kind: 'exit' | 'break' | 'continue' | 'endless' };
	turns: number;
	readonly timeoutMs: number;
	readonly deadline: number;
}

interface Streams {
	readonly stdin: Stdin;
	readonly io: Io;
}

/** `sh -c SCRIPT [NAME ARGS…]`, or a script on its standard input. */
export function runShell(scope: Scope, call: Call): Exit {
	let [, ...rest] = call.argv;
	let stopOnError = false;
	let script = call.stdin.text;
	let inline = false;
	while (rest[0]?.startsWith('-')) {
		const [flag = '', ...more] = rest;
		rest = more;
		if (flag.includes('e')) stopOnError = true;
		if (!flag.includes('c')) continue;
		inline = true;
		break;
	}
	if (inline) {
		script = rest[0] ?? '';
		rest = rest.slice(1);
	} else if (rest[0] !== undefined) {
		const file = readText(scope, rest[0]);
		if (file.kind !== 'text') {
			call.io.err(`sh: can't open '${rest[0]}': ${file.kind === 'error' ? errnoWords(file.errno) : ''}\n`);
			return 2;
		}
		script = file.text;
	}
	const shell: Shell = {
		scope,
		variables: { ...scope.env },
		// A script's own path is its $0, as the name behind `sh -c SCRIPT` is.
		positional: rest.length === 0 ? ['sh'] : rest,
		status: 0,
		lastJob: 0,
		jobs: [],
		stopOnError,
		turns: 0,
		timeoutMs: call.timeoutMs,
		deadline: scope.world.state.now + call.timeoutMs,
	};
	try {
		runList(shell, parseShell(script), { stdin: inline ? call.stdin : noInput, io: call.io });
	} catch (error) {
		if (!(error instanceof ShellSyntaxError)) throw error;
		call.io.err(`sh: ${error.message}\n`);
		return 2;
	}
	return shell.leave?.kind === 'endless' ? 'endless' : shell.status;
}

function runList(shell: Shell, list: List, streams: Streams): void {
	for (const item of list) {
		if (shell.leave !== undefined) return;
		if (item.join === '&&' && shell.status !== 0) continue;
		if (item.join === '||' && shell.status === 0) continue;
		if (item.background) {
			background(shell, item.pipeline, streams);
			continue;
		}
		runPipeline(shell, item.pipeline, streams);
		if (
			shell.stopOnError &&
			shell.status !== 0 &&
			!item.pipeline.negate &&
			item.join === ';' &&
			list[list.indexOf(item) + 1]?.join !== '||'
		) {
			shell.leave ??= { kind: 'exit' };
		}
	}
}

function background(shell: Shell, pipeline: Pipeline, streams: Streams): void {
	const { world } = shell.scope;
	if (!canFork(shell.scope)) {
		streams.io.err("sh: can't fork: Resource temporarily unavailable\n");
		shell.status = 2;
		shell.leave = { kind: 'exit' };
		return;
	}
	const started = world.state.now;
	const child: Shell = { ...shell, jobs: [], variables: { ...shell.variables } };
	runPipeline(child, pipeline, streams);
	const endsAt = child.leave?.kind === 'endless' ? undefined : world.state.now;
	// The shell does not wait for it, so for the shell no time has passed.
	world.state.now = started;
	const argv =
		pipeline.commands[0]?.kind === 'simple' ? pipeline.commands[0].words.map(word => expandText(shell, word)) : ['sh'];
	shell.lastJob = startInBackground(shell.scope, argv, endsAt);
	shell.jobs.push(endsAt);
	shell.status = 0;
}

function runPipeline(shell: Shell, pipeline: Pipeline, streams: Streams): void {
	let stdin = streams.stdin;
	let waitsFor = false;
	for (const [index, command] of pipeline.commands.entries()) {
		const last = index === pipeline.commands.length - 1;
		if (last) {
			runCommand(shell, command, { stdin, io: streams.io });
			// `tail -f X | cat`: the reader waits for a writer that never ends.
			if (waitsFor && shell.leave === undefined && !endsEarly(command)) shell.leave = { kind: 'endless' };
			break;
		}
		let text = '';
		const part: Shell = { ...shell, variables: { ...shell.variables }, jobs: [] };
		runCommand(part, command, {
			stdin,
			io: {
				out: more => {
					text += more;
				},
				err: streams.io.err,
			},
		});
		waitsFor ||= part.leave?.kind === 'endless';
		stdin = { text };
	}
	if (pipeline.negate) shell.status = shell.status === 0 ? 1 : 0;
}

const endsEarly = (command: Command): boolean =>
	command.kind === 'simple' &&
	['head', 'grep', 'dd'].includes(command.words[0]?.[0]?.kind === 'text' ? command.words[0][0].text : '');

function runCommand(shell: Shell, command: Command, outer: Streams): void {
	const streams = redirected(shell, command.redirects, outer);
	if (streams === undefined) {
		shell.status = 1;
		return;
	}
	switch (command.kind) {
		case 'simple':
			runSimple(shell, command, streams.streams);
			break;
		case 'group': {
			if (!command.subshell) {
				runList(shell, command.body, streams.streams);
				break;
			}
			const child: Shell = { ...shell, variables: { ...shell.variables }, jobs: [] };
			runList(child, command.body, streams.streams);
			shell.status = child.status;
			if (child.leave?.kind === 'endless') shell.leave = child.leave;
			break;
		}
		case 'if': {
			const branch = command.branches.find(({ condition }) => {
				if (shell.leave !== undefined) return false;
				runList(shell, condition, streams.streams);
				return shell.status === 0;
			});
			if (shell.leave !== undefined) break;
			if (branch !== undefined) runList(shell, branch.body, streams.streams);
			else if (command.otherwise !== undefined) runList(shell, command.otherwise, streams.streams);
			else shell.status = 0;
			break;
		}
		case 'for':
			shell.status = 0;
			for (const value of command.words.flatMap(word => expand(shell, word))) {
				shell.variables[command.name] = value;
				if (!turn(shell, command.body, streams.streams)) break;
			}
			break;
		case 'while': {
			let status = 0;
			for (;;) {
				runList(shell, command.condition, streams.streams);
				if (shell.leave !== undefined || (shell.status === 0) === command.until) break;
				if (!turn(shell, command.body, streams.streams)) break;
				status = shell.status;
			}
			if (shell.leave === undefined) shell.status = status;
			break;
		}
		default:
			command satisfies never;
	}
	streams.finish();
}

/** One turn of a loop; false when the loop is over. */
function turn(shell: Shell, body: List, streams: Streams): boolean {
	shell.turns += 1;
	if (shell.turns > turnsOfAnEndlessLoop || shell.scope.world.state.now > shell.deadline) {
		shell.leave = { kind: 'endless' };
		return false;
	}
	runList(shell, body, streams);
	if (shell.leave?.kind === 'continue') delete shell.leave;
	else if (shell.leave?.kind === 'break') {
		delete shell.leave;
		return false;
	}
	return shell.leave === undefined;
}

/** Opens the files of a command, or says why one could not be opened. */
function redirected(
	shell: Shell,
	redirects: readonly Redirect[],
	outer: Streams,
): { streams: Streams; finish: () => void } | undefined {
	let { stdin } = outer;
	const { io } = outer;
	const targets: Record<number, (text: string) => void> = { 1: io.out, 2: io.err };
	const pending: (() => void)[] = [];
	for (const redirect of redirects) {
		const target = expandText(shell, redirect.to);
		if (redirect.how === '>&') {
			const other = targets[Number(target)];
			targets[redirect.from] = other ?? (() => undefined);
			continue;
		}
		if (redirect.how === '<') {
			const file = readText(shell.scope, target);
			if (file.kind === 'error') {
				io.err(`sh: can't open ${target}: ${file.errno === 'ENOENT' ? 'no such file' : errnoWords(file.errno)}\n`);
				return undefined;
			}
			stdin =
				file.kind === 'text'
					? {
							text: file.text,
							byteByByte: readByteByByte(shell.scope, target, file.text),
							...(file.node.kind === 'file' && { file: file.node }),
						}
					: { text: '\0'.repeat(65_536) };
			continue;
		}
		if (redirect.how === '<<') continue;
		const path = absolute(target, shell.scope.cwd);
		// What is opened for writing may refuse at once or only when something is written (seen: EIO of a sysctl).
		const opened = tryOpen(shell, path, redirect.how === '>>');
		if (opened !== undefined) {
			const words =
				opened === 'ENOENT' || opened === 'ENOTDIR'
					? 'nonexistent directory'
					: opened === 'EISDIR'
						? 'Is a directory'
						: errnoWords(opened);
			io.err(`sh: can't create ${target}: ${words}\n`);
			return undefined;
		}
		let first = true;
		let buffered = '';
		targets[redirect.from] = text => {
			buffered += text;
		};
		pending.push(() => {
			if (buffered === '') return;
			const errno = writeText(shell.scope, path, buffered, redirect.how === '>>' || !first ? 'append' : 'replace');
			first = false;
			if (errno === undefined) return;
			io.err(`sh: write error: ${errnoWords(errno)}\n`);
			if (shell.status === 0) shell.status = 1;
		});
	}
	return {
		streams: { stdin, io: { out: text => targets[1]?.(text), err: text => targets[2]?.(text) } },
		finish: () => {
			for (const write of pending) write();
		},
	};
}

function tryOpen(shell: Shell, path: string, append: boolean): ReturnType<typeof writeText> {
	if (path.startsWith('/proc/') || path.startsWith('/sys/') || /\/(?:proc|sys)\//.test(path)) {
		// Writing what is there already shows whether the file opens, and leaves it as it is.
		const now = readText(shell.scope, path);
		if (now.kind === 'error' && now.errno === 'ENOENT') return 'ENOENT';
		if (/sysrq-trigger$|drop_caches$/.test(path)) {
			const { world } = shell.scope;
			const before = { log: world.state.kernelLog.length, changed: world.changed };
			const errno = writeText(shell.scope, path, 'h');
			world.state.kernelLog.length = before.log;
			world.changed = before.changed;
			return errno;
		}
		const { changed } = shell.scope.world;
		const errno = writeText(shell.scope, path, now.kind === 'text' ? now.text : '');
		shell.scope.world.changed = changed;
		return errno;
	}
	return append ? writeText(shell.scope, path, '', 'append') : writeText(shell.scope, path, '');
}

function runSimple(shell: Shell, command: Extract<Command, { kind: 'simple' }>, streams: Streams): void {
	const words = command.words.flatMap(word => expand(shell, word));
	const values = command.assignments.map(({ name, value }) => [name, expandText(shell, value)] as const);
	const [name, ...args] = words;
	if (name === undefined) {
		for (const [variable, value] of values) shell.variables[variable] = value;
		shell.status = 0;
		return;
	}
	const builtIn = builtIns[name];
	if (builtIn !== undefined) {
		for (const [variable, value] of values) shell.variables[variable] = value;
		shell.status = builtIn(shell, args, streams);
		return;
	}
	if (!canFork(shell.scope)) {
		streams.io.err("sh: can't fork: Resource temporarily unavailable\n");
		shell.status = 2;
		shell.leave = { kind: 'exit' };
		return;
	}
	const scope = changedScope(shell.scope, {
		env: { ...exported(shell), ...Object.fromEntries(values) },
		pid: nextInnerPid(shell),
	});
	const exit = runProgram(scope, {
		argv: words,
		stdin: streams.stdin,
		io: streams.io,
		timeoutMs: Math.max(0, shell.deadline - shell.scope.world.state.now),
	});
	if (exit === undefined) {
		streams.io.err(
			`sh: ${name}: ${name.includes('/') && resolve(scope.view, absolute(name, scope.cwd)).kind === 'found' ? 'Permission denied' : 'not found'}\n`,
		);
		shell.status = 127;
		return;
	}
	if (exit === 'endless') {
		shell.leave = { kind: 'endless' };
		return;
	}
	shell.status = exit;
	// Killed by whoever has set it a limit.
	if (shell.scope.world.state.now > shell.deadline) shell.leave = { kind: 'endless' };
	if (exit === 137) streams.io.err('Killed\n');
}

const nextInnerPid = (shell: Shell): number => shell.scope.pid + 1 + shell.turns;

const exported = (shell: Shell): Record<string, string> => ({ ...shell.scope.env, ...shell.variables });

type BuiltIn = (shell: Shell, args: readonly string[], streams: Streams) => number;

const builtIns: Readonly<Record<string, BuiltIn>> = {
	':': () => 0,
	cd: (shell, [to = '/root'], { io }) => {
		const found = resolve(shell.scope.view, absolute(to, shell.scope.cwd), shell.scope.who);
		if (found.kind === 'problem' || found.node.kind !== 'folder') {
			io.err(
				`sh: cd: can't cd to ${to}: ${found.kind === 'problem' ? errnoWords(found.errno) : errnoWords('ENOTDIR')}\n`,
			);
			return 2;
		}
		shell.scope = changedScope(shell.scope, { cwd: found.path });
		return 0;
	},
	exit: (shell, [code]) => {
		shell.leave = { kind: 'exit' };
		return code === undefined ? shell.status : Number.parseInt(code, 10) & 255;
	},
	break: shell => {
		shell.leave = { kind: 'break' };
		return 0;
	},
	continue: shell => {
		shell.leave = { kind: 'continue' };
		return 0;
	},
	set: (shell, args) => {
		for (const arg of args) if (/^-\w*e/.test(arg)) shell.stopOnError = true;
		for (const arg of args) if (/^\+\w*e/.test(arg)) shell.stopOnError = false;
		return 0;
	},
	export: (shell, args) => {
		for (const arg of args) {
			const [name = '', ...value] = arg.split('=');
			if (arg.includes('=')) shell.variables[name] = value.join('=');
		}
		return 0;
	},
	unset: (shell, args) => {
		for (const arg of args) delete shell.variables[arg];
		return 0;
	},
	trap: () => 0,
	ulimit: (_, args, { io }) => {
		if (!args.some(a => a.startsWith('-'))) io.out('unlimited\n');
		else io.out(args.includes('-u') ? '96365\n' : '1048576\n');
		return 0;
	},
	umask: (_, args, { io }) => {
		if (args.length === 0) io.out('0022\n');
		return 0;
	},
	wait: shell => {
		const { world } = shell.scope;
		if (shell.jobs.includes(undefined)) {
			shell.leave = { kind: 'endless' };
			return 0;
		}
		const end = Math.max(world.state.now, ...shell.jobs.map(at => at ?? 0));
		spend(world, end - world.state.now);
		shell.jobs = [];
		return 0;
	},
	read: (shell, args, { stdin }) => {
		const [line = '', ...rest] = (stdin.byteByByte ?? stdin.text).split('\n');
		shell.variables[args.at(-1) ?? 'REPLY'] = line;
		// Without the end of a line it is the end of the file that ends the reading.
		return rest.length === 0 ? 1 : 0;
	},
	command: (shell, args, { io }) => {
		const name = args.find(a => !a.startsWith('-')) ?? '';
		const found = (shell.scope.env['PATH'] ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
			.split(':')
			.map(folder => `${folder}/${name}`)
			.find(path => resolve(shell.scope.view, path, shell.scope.who).kind === 'found');
		if (found === undefined) return 127;
		io.out(`${found}\n`);
		return 0;
	},
	exec: (shell, args, streams) => {
		if (args.length === 0) return 0;
		runSimple(
			shell,
			{
				kind: 'simple',
				assignments: [],
				redirects: [],
				words: args.map(text => [{ kind: 'text', text, quoted: true }]),
			},
			streams,
		);
		shell.leave ??= { kind: 'exit' };
		return shell.status;
	},
};

function lookUp(shell: Shell, name: string): string | undefined {
	if (name === '?') return String(shell.status);
	if (name === '$') return String(shell.scope.pid);
	if (name === '!') return String(shell.lastJob);
	if (name === '#') return String(shell.positional.length - 1);
	if (name === '@' || name === '*') return shell.positional.slice(1).join(' ');
	if (/^\d+$/.test(name)) return shell.positional[Number(name)];
	return shell.variables[name];
}

/** The text of a word, without splitting. */
function expandText(shell: Shell, word: Word): string {
	return word.map(part => expandPart(shell, part)).join('');
}

function expandPart(shell: Shell, part: Word[number]): string {
	switch (part.kind) {
		case 'text':
			return part.text;
		case 'variable':
			return lookUp(shell, part.name) || part.fallback || '';
		case 'arithmetic':
			return String(arithmetic(shell, part.source));
		case 'command': {
			let text = '';
			const child: Shell = { ...shell, variables: { ...shell.variables }, jobs: [] };
			runList(child, parseShell(part.source), {
				stdin: noInput,
				io: {
					out: more => {
						text += more;
					},
					err: () => undefined,
				},
			});
			if (child.leave?.kind === 'endless') shell.leave = child.leave;
			shell.status = child.status;
			return text.replace(/\n+$/, '');
		}
		default:
			return part satisfies never;
	}
}

function expand(shell: Shell, word: Word): string[] {
	const fields: { text: string; glob: boolean; quoted: boolean }[] = [{ text: '', glob: false, quoted: false }];
	for (const part of word) {
		const text = expandPart(shell, part);
		const current = fields.at(-1);
		if (current === undefined) break;
		if (part.quoted || part.kind === 'text') {
			current.text += text;
			current.quoted ||= part.quoted;
			if (!part.quoted && isPattern.test(text)) current.glob = true;
			continue;
		}
		const pieces = text.split(/[ \t\n]+/);
		current.text += pieces[0] ?? '';
		for (const piece of pieces.slice(1)) fields.push({ text: piece, glob: false, quoted: false });
	}
	return fields.filter(f => f.text !== '' || f.quoted).flatMap(f => (f.glob ? glob(shell, f.text) : [f.text]));
}

/** A bracket that nothing closes is a letter: `[` is a program too (POSIX 2.13.1). */
const isPattern = /[*?]|\[[^\]]+\]/;

function glob(shell: Shell, pattern: string): string[] {
	const full = absolute(pattern, shell.scope.cwd);
	let paths = ['/'];
	for (const part of full.split('/').filter(Boolean)) {
		const matcher = isPattern.test(part)
			? new RegExp(
					`^${part
						.replace(/[.+^${}()|\\]/g, '\\$&')
						.replaceAll('*', '.*')
						.replaceAll('?', '.')
						.replaceAll('[!', '[^')}$`,
				)
			: undefined;
		paths = paths.flatMap(base => {
			const join = (name: string) => (base === '/' ? `/${name}` : `${base}/${name}`);
			if (matcher === undefined) return [join(part)];
			const found = resolve(shell.scope.view, base, shell.scope.who);
			if (found.kind === 'problem') return [];
			return shell.scope.view
				.names(found.path)
				.filter(name => matcher.test(name) && (!name.startsWith('.') || part.startsWith('.')))
				.map(join);
		});
	}
	const existing = paths.filter(
		path =>
			shell.scope.view.get(path) !== undefined || resolve(shell.scope.view, path, shell.scope.who).kind === 'found',
	);
	return existing.length === 0 ? [pattern] : existing;
}

/** Whole numbers with + - * / %, comparisons and brackets: what loops of probes count with. */
function arithmetic(shell: Shell, source: string): number {
	const tokens = source.match(/\d+|[A-Za-z_]\w*|<=|>=|==|!=|[-+*/%()<>]/g) ?? [];
	let at = 0;
	const levels = [
		['==', '!=', '<', '>', '<=', '>='],
		['+', '-'],
		['*', '/', '%'],
	];
	const apply: Readonly<Record<string, (a: number, b: number) => number>> = {
		'==': (a, b) => Number(a === b),
		'!=': (a, b) => Number(a !== b),
		'<': (a, b) => Number(a < b),
		'>': (a, b) => Number(a > b),
		'<=': (a, b) => Number(a <= b),
		'>=': (a, b) => Number(a >= b),
		'+': (a, b) => a + b,
		'-': (a, b) => a - b,
		'*': (a, b) => a * b,
		'/': (a, b) => Math.trunc(a / b),
		'%': (a, b) => a % b,
	};
	const primary = (): number => {
		const token = tokens[at] ?? '0';
		at += 1;
		if (token === '-') return -primary();
		if (token === '(') {
			const value = level(0);
			at += 1;
			return value;
		}
		return /^\d/.test(token) ? Number(token) : Number(lookUp(shell, token) ?? 0);
	};
	const level = (n: number): number => {
		const operators = levels[n];
		if (operators === undefined) return primary();
		let value = level(n + 1);
		for (let token = tokens[at]; token !== undefined && operators.includes(token); token = tokens[at]) {
			at += 1;
			value = apply[token]?.(value, level(n + 1)) ?? 0;
		}
		return value;
	};
	return level(0);
}
