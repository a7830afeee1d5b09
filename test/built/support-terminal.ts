import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type IPty, spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';

const entry = new URL('../../dist/cli.js', import.meta.url).pathname;

/** How long a screen may take to show something on a loaded machine. */
const patienceMs = 40_000;

export interface Session {
	/** Everything that was written, as it was written. */
	readonly raw: () => string;
	readonly screen: () => string;
	/** Waits until the screen shows it. */
	readonly until: (wanted: string | RegExp) => Promise<void>;
	readonly type: (keys: string) => void;
	readonly resize: (columns: number, rows: number) => void;
	readonly kill: (signal: string) => void;
	/** The exit code. */
	readonly ended: Promise<number>;
	readonly pid: number;
	readonly folder: string;
	/** The most rows that one frame took. */
	readonly tallest: () => number;
}

/** The built program in a terminal of its own, its screen kept by a terminal emulator. */
export function startInTerminal(
	options: {
		readonly args?: readonly string[];
		readonly env?: Readonly<Record<string, string>>;
		readonly columns?: number;
		readonly rows?: number;
		readonly folder?: string;
		/** Runs this instead of the program: a shell around it. */
		readonly shell?: (program: string) => string;
	} = {},
): Session {
	const { columns = 80, rows = 24 } = options;
	const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'wizard-'));
	const args = [entry, '--demo', '--session-dir', folder, ...(options.args ?? [])];
	const outer = process.env;
	const inherited = Object.entries(outer).filter(
		([name]) =>
			!['CI', 'CONTINUOUS_INTEGRATION', 'NO_COLOR', 'FORCE_COLOR', 'LC_ALL', 'LC_CTYPE', 'npm_command'].includes(name),
	);
	const env = { ...Object.fromEntries(inherited), LANG: 'C.UTF-8', ...options.env } as Record<string, string>;
	const program = [process.execPath, ...args].map(word => `'${word}'`).join(' ');
	const [file, argv] =
		options.shell === undefined ? [process.execPath, args] : ['/bin/sh', ['-c', options.shell(program)]];
	const pty: IPty = spawn(file, argv, { cols: columns, rows, name: 'xterm-256color', env });
	const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 5000 });
	let raw = '';
	let exit: number | undefined;
	pty.onData(data => {
		raw += data;
		terminal.write(data);
	});
	terminal.onData(data => pty.write(data));
	const ended = new Promise<number>(resolve => {
		pty.onExit(({ exitCode }) => {
			exit = exitCode;
			// What was written last may still be on its way to the emulator.
			terminal.write('', () => resolve(exitCode));
		});
	});
	const screen = (): string => {
		const { active } = terminal.buffer;
		const lines = Array.from(
			{ length: terminal.rows },
			(_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? '',
		);
		return lines.join('\n');
	};
	return {
		raw: () => raw,
		screen,
		pid: pty.pid,
		folder,
		ended,
		type: keys => pty.write(keys),
		kill: signal => pty.kill(signal),
		resize: (cols, height) => {
			pty.resize(cols, height);
			terminal.resize(cols, height);
		},
		until: async wanted => {
			const begun = Date.now();
			for (;;) {
				const text = screen();
				if (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)) return;
				if (Date.now() - begun > patienceMs || (exit !== undefined && Date.now() - begun > 2000))
					throw new Error(
						`not seen: ${String(wanted)} (exit ${exit})\n${text}\n--- raw\n${JSON.stringify(raw.slice(-800))}`,
					);
				await new Promise(resolve => setTimeout(resolve, 15));
			}
		},
		// Ink goes up over the frame before to draw the next: the longest climb is the tallest frame.
		tallest: () => Math.max(0, ...raw.split('\u001b[?2026h').map(part => (part.match(/\u001b\[1A/g) ?? []).length)),
	};
}
