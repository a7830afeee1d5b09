import { createInterface } from 'node:readline/promises';
import { isatty } from 'node:tty';
import type { AskLine } from '../prompts/ask-in-lines.ts';
import { oneLine, type SafeText } from '../text/safe.ts';
import type { Opening } from '../ui/opening.tsx';

/**
 * What a command may say and hear. Everything printed goes through here, and only text that was made safe gets in, so
 * no source of outside text can be forgotten.
 */
export interface Terminal {
	/** stdout: data. */
	readonly out: (text: SafeText) => void;
	/** stderr: talk. */
	readonly err: (text: SafeText) => void;
	/** True when a person can see and answer. */
	readonly interactive: boolean;
	readonly environment: Readonly<Record<string, string | undefined>>;
	readonly ask: AskLine;
	/**
	 * Something draws on the terminal: talk goes to it, and it is closed with the terminal, or before data is printed.
	 * Returns how it is taken off.
	 */
	readonly attach: (drawing: Drawing) => () => void;
	/** What the first frame is drawn on, for the wizard; undefined where nothing was drawn yet. */
	readonly handOver: Opening['handOver'];
	readonly close: () => void;
}

export type Drawing = Pick<Opening, 'say' | 'close'> & Partial<Pick<Opening, 'handOver'>>;

export function processTerminal(): Terminal {
	const interactive = process.stdin.isTTY === true && process.stdout.isTTY === true;
	// A lost terminal sends SIGHUP to the leader of its session only, which may be a shell that keeps it to itself.
	let gone = false;
	const noticeLoss = (): void => {
		if (gone || !interactive || isatty(0)) return;
		gone = true;
		process.kill(process.pid, 'SIGHUP');
	};
	process.stdin.on('end', noticeLoss).on('error', noticeLoss);
	// Whoever reads us may leave early (`| head`): that ends the talk, not the work.
	process.stdout.on('error', noticeLoss);
	process.stderr.on('error', noticeLoss);
	let lines: ReturnType<typeof createInterface> | undefined;
	let ended = false;
	let drawing: Drawing | undefined;
	const stopDrawing = (): void => {
		drawing?.close();
		drawing = undefined;
	};
	return {
		out: text => {
			stopDrawing();
			process.stdout.write(text);
		},
		err: text => (drawing === undefined ? void process.stderr.write(text) : drawing.say(text)),
		interactive,
		environment: process.env,
		async ask(prompt) {
			if (ended) return null;
			if (lines === undefined) {
				lines = createInterface({ input: process.stdin, output: process.stderr });
				// Ctrl+C belongs to the stop signals, not to readline.
				lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
			}
			const open = lines;
			return new Promise<string | null>(resolve => {
				const close = (): void => {
					ended = true;
					resolve(null);
				};
				open.once('close', close);
				open.question(oneLine(prompt)).then(
					line => {
						open.off('close', close);
						resolve(line);
					},
					() => resolve(null),
				);
			});
		},
		attach(next) {
			drawing = next;
			return () => {
				drawing = undefined;
			};
		},
		handOver: () => drawing?.handOver?.(),
		close: () => {
			lines?.close();
			stopDrawing();
		},
	};
}
