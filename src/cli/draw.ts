import { glyphsFor } from '../view/glyphs.ts';
import type { CommonOptions, Invocation } from './args.ts';
import type { Terminal } from './terminal.ts';

/** A terminal that can be drawn on, and nobody who asked for plain lines. */
export const canDraw = (terminal: Terminal, options: CommonOptions): boolean =>
	terminal.interactive &&
	!options.plain &&
	terminal.environment['TERM'] !== 'dumb' &&
	terminal.environment['INK_SCREEN_READER'] !== 'true';

/** A command that a person follows on the wizard's screens, on this terminal, as this user. */
function isDrawn(invocation: Invocation, terminal: Terminal): boolean {
	const { command, options } = invocation;
	const followed = command === 'run' || command === 'revert' || (command === 'test' && !invocation.clean);
	// Somebody else is sent through sudo first, and root's process draws.
	const here = options.demo !== undefined || (process.platform === 'linux' && process.getuid?.() === 0);
	return followed && here && !options.yes && options.format === 'text' && canDraw(terminal, options);
}

/**
 * Draws the first frame where the wizard is going to be, before the rest of the program is loaded; that takes longer
 * than Ink itself.
 */
export async function drawOpening(invocation: Invocation, terminal: Terminal, version: string): Promise<void> {
	if (!isDrawn(invocation, terminal)) return;
	const { noColor, demo } = invocation.options;
	const { openTerminal } = await inColourOrNot(terminal, noColor, () => import('../ui/opening.tsx'));
	terminal.attach(
		openTerminal({
			tool: version,
			simulated: demo !== undefined,
			glyphs: glyphsFor(terminal.environment),
			stdin: process.stdin,
			stdout: process.stdout,
			interrupt: () => process.kill(process.pid, 'SIGINT'),
		}),
	);
}

/**
 * Loads Ink, which nothing else does. NO_COLOR is not heard by its colours, FORCE_COLOR is, and only while they are
 * loaded; it is for this process and goes to no child.
 */
export async function inColourOrNot<T>(terminal: Terminal, noColor: boolean, load: () => Promise<T>): Promise<T> {
	const forced = process.env['FORCE_COLOR'];
	const plain = noColor || (terminal.environment['NO_COLOR'] ?? '') !== '';
	if (plain) process.env['FORCE_COLOR'] = '0';
	try {
		return await load();
	} finally {
		if (plain && forced === undefined) delete process.env['FORCE_COLOR'];
		else if (plain) process.env['FORCE_COLOR'] = forced;
	}
}
