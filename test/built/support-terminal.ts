import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type IPty, spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { onTestFinished } from 'vitest';

const entry = new URL('../../dist/cli.js', import.meta.url).pathname;

/** The program has its name there, so that what it prints can be typed as it stands. */
export const pathWithProgram = `${new URL('bin', import.meta.url).pathname}:${process.env['PATH'] ?? ''}`;

/** How long a screen may take to show something on a loaded machine. */
const patienceMs = 40_000;

/** Ink draws each frame between these two, and a terminal shows nothing of it before the second. */
const frameBegins = '\u001b[?2026h';
const frameEnds = '\u001b[?2026l';

export type Wanted = string | RegExp | ((screen: string) => boolean);

export interface Session {
	/** Everything that was written, as it was written. */
	readonly raw: () => string;
	readonly screen: () => string;
	/** The scrollback and the screen. */
	readonly everything: () => string;
	/** Waits until the screen shows it. */
	readonly until: (wanted: Wanted) => Promise<void>;
	/** Waits until it has been written, wherever the screen is by now. */
	readonly written: (words: string) => Promise<void>;
	readonly type: (keys: string) => void;
	/** A slow line is none any more; what a program wrote last on one is lost with its end. */
	readonly becomesFast: () => void;
	readonly resize: (columns: number, rows: number) => void;
	readonly kill: (signal: NodeJS.Signals) => void;
	/** The terminal goes away, as with a broken ssh connection. */
	readonly hangUp: () => void;
	/** The exit code, or 128 and the signal's number, as a shell has it. */
	readonly ended: Promise<number>;
	readonly over: () => boolean;
	readonly pid: number;
	readonly directory: string;
	/** The most rows that one frame took. */
	readonly tallest: () => number;
	readonly frames: () => number;
}

/** An empty directory of root's own for the state of a run. It goes with its test. */
export function sessionDirectory(): string {
	const directory = realpathSync(mkdtempSync(join(tmpdir(), 'wizard-')));
	onTestFinished(() => {
		// A test may have taken the right to write away.
		chmodSync(directory, 0o700);
		rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
	});
	return directory;
}

/** What a person's terminal has around it; what a CI machine exports is taken out. */
export function terminalEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
	const hidden = [
		'CI',
		'CONTINUOUS_INTEGRATION',
		'NO_COLOR',
		'FORCE_COLOR',
		'LC_ALL',
		'LC_CTYPE',
		'npm_command',
		'TMUX',
	];
	const inherited = Object.entries(process.env).filter(([name]) => !hidden.includes(name));
	return { ...Object.fromEntries(inherited), PATH: pathWithProgram, LANG: 'C.UTF-8', ...more } as Record<
		string,
		string
	>;
}

/** The built program on the simulated host, in a terminal of its own. */
export function startInTerminal(
	options: {
		readonly args?: readonly string[];
		readonly env?: Readonly<Record<string, string>>;
		readonly columns?: number;
		readonly rows?: number;
		readonly directory?: string;
		/** A module that is run before the program, as text. */
		readonly preload?: string;
		/** Runs this instead of the program: a shell around it. */
		readonly shell?: (program: string) => string;
		readonly node?: string;
	} = {},
): Session {
	const directory = options.directory ?? sessionDirectory();
	const preload =
		options.preload === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(options.preload)}`];
	const args = [...preload, entry, '--demo', '--session-dir', directory, ...(options.args ?? [])];
	const node = options.node ?? process.execPath;
	const program = [node, ...args].map(word => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
	const argv = options.shell === undefined ? [node, ...args] : ['/bin/sh', '-c', options.shell(program)];
	return openTerminal(argv, { ...options, directory, env: terminalEnvironment(options.env) });
}

/** Any program in a terminal, its screen kept by a terminal emulator. It does not outlive its test. */
export function openTerminal(
	argv: readonly string[],
	options: {
		readonly env: Readonly<Record<string, string>>;
		readonly columns?: number | undefined;
		readonly rows?: number | undefined;
		readonly directory: string;
		readonly cwd?: string;
		/** A slow line: after each piece of at most 4 KiB nothing is read for so many milliseconds. */
		readonly slowMs?: number | undefined;
	},
): Session {
	const { columns = 80, rows = 24, directory, env, cwd } = options;
	const [file = '', ...args] = argv;
	const size = { cols: columns, rows };
	const pty: IPty = spawn(file, [...args], { ...size, name: 'xterm-256color', env, ...(cwd !== undefined && { cwd }) });
	const terminal = new xterm.Terminal({ ...size, allowProposedApi: true, scrollback: 5000 });
	let raw = '';
	let exit: number | undefined;
	let { slowMs } = options;
	/** Those who wait for something: asked whenever the screen may have changed. */
	const waiting = new Set<() => void>();
	const look = (): void => {
		for (const one of [...waiting]) one();
	};
	pty.onData(data => {
		raw += data;
		if (slowMs !== undefined) {
			pty.pause();
			setTimeout(() => pty.resume(), slowMs);
		}
		terminal.write(data, look);
	});
	terminal.onData(data => {
		if (exit === undefined) pty.write(data);
	});
	const ended = new Promise<number>(resolve => {
		pty.onExit(({ exitCode, signal }) => {
			// What was written last may still be on its way to the emulator.
			terminal.write('', () => {
				exit = signal === undefined || signal === 0 ? exitCode : 128 + signal;
				resolve(exit);
				look();
			});
		});
	});
	onTestFinished(async () => {
		if (exit === undefined) pty.kill('SIGKILL');
		await ended;
		terminal.dispose();
	});

	const lines = (from: number, count: number): string =>
		Array.from(
			{ length: count },
			(_, row) => terminal.buffer.active.getLine(from + row)?.translateToString(true) ?? '',
		).join('\n');
	const screen = (): string => lines(terminal.buffer.active.baseY, terminal.rows);
	const whole = (): boolean => raw.lastIndexOf(frameBegins) <= raw.lastIndexOf(frameEnds) || exit !== undefined;

	/** Nobody asks a clock whether it is so yet: what the program writes makes it so, or its end makes it impossible. */
	const wait = (met: () => boolean, what: string): Promise<void> =>
		new Promise((resolve, reject) => {
			const waitUntil = (done: () => void): void => {
				waiting.delete(check);
				clearTimeout(patience);
				done();
			};
			const lost = (why: string): void =>
				waitUntil(() =>
					reject(
						new Error(`not seen: ${what} (${why})\n${screen()}\n--- written last\n${JSON.stringify(raw.slice(-600))}`),
					),
				);
			const check = (): void => {
				if (met()) waitUntil(resolve);
				else if (exit !== undefined) lost(`ended with ${exit}`);
			};
			const patience = setTimeout(() => lost(`not within ${patienceMs / 1000} s`), patienceMs);
			waiting.add(check);
			check();
		});

	return {
		raw: () => raw,
		screen,
		everything: () => lines(0, terminal.buffer.active.length),
		pid: pty.pid,
		directory,
		ended,
		over: () => exit !== undefined,
		type: keys => pty.write(keys),
		becomesFast: () => {
			slowMs = undefined;
			pty.resume();
		},
		kill: signal => pty.kill(signal),
		hangUp: () => (pty as IPty & { destroy: () => void }).destroy(),
		resize: (cols, height) => {
			pty.resize(cols, height);
			terminal.resize(cols, height);
		},
		until: wanted => {
			const met = (text: string): boolean =>
				typeof wanted === 'string'
					? text.includes(wanted)
					: wanted instanceof RegExp
						? wanted.test(text)
						: wanted(text);
			return wait(() => whole() && met(screen()), String(wanted));
		},
		written: words => wait(() => raw.includes(words), words),
		// Ink goes up over the frame before to draw the next: the longest climb is the tallest frame.
		tallest: () => Math.max(0, ...raw.split(frameBegins).map(part => (part.match(/\u001b\[1A/g) ?? []).length)),
		frames: () => raw.split(frameBegins).length - 1,
	};
}
