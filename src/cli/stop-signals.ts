import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { exitCode } from '../model/exit.ts';
import { type SafeText, safeLines } from '../text/safe.ts';

export interface StopSignals {
	readonly signal: AbortSignal;
	/** The exit code that the stop stands for; undefined while nobody asked to stop. */
	readonly exit: () => number | undefined;
	readonly release: () => void;
}

const codes = { SIGINT: exitCode.interrupted, SIGTERM: exitCode.terminated, SIGHUP: exitCode.terminalGone } as const;

/**
 * Node puts the terminal's modes back when it ends, and aborts with a core dump where the terminal is gone (node.cc,
 * ResetStdio). It leaves out what is closed. A terminal that is still there is left to it: closing that one would bring
 * the signal once more, and change the exit code.
 */
function leaveTerminal(): void {
	for (const fd of [0, 1, 2]) {
		if (isatty(fd)) continue;
		try {
			closeSync(fd);
		} catch {
			// Closed already.
		}
	}
}

/**
 * Turns Ctrl+C, SIGTERM and the loss of the terminal into an abort at the next safe point. A second one ends this
 * process at once: commands that change the host have process groups of their own, so that it reaches no package
 * manager, and files are replaced in one step, so that it reaches no half-written one.
 */
export function stopSignals(say: (text: SafeText) => void): StopSignals {
	const controller = new AbortController();
	let exit: number | undefined;
	const handlers = Object.entries(codes).map(([name, code]) => {
		const handler = (): void => {
			if (exit !== undefined && name !== 'SIGHUP') process.exit(code);
			exit ??= code;
			if (name === 'SIGHUP') {
				process.once('exit', leaveTerminal);
			}
			if (name === 'SIGINT') say(safeLines('\nstopping at the next safe point; Ctrl+C again ends at once\n'));
			controller.abort();
		};
		process.on(name, handler);
		return [name, handler] as const;
	});
	return {
		signal: controller.signal,
		exit: () => exit,
		release: () => {
			for (const [name, handler] of handlers) process.off(name, handler);
		},
	};
}
