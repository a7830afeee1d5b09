import { proofNames, stepNames } from '../../steps/step-names.ts';
import { safeLines } from '../text/safe.ts';
import { parseArgs } from './args.ts';
import { drawOpening } from './draw.ts';
import { explainError } from './explain-error.ts';
import { stopSignals } from './stop-signals.ts';
import { processTerminal } from './terminal.ts';

declare const __VERSION__: string;

/** The program: reads the command line, does one command, sets the exit code. */
export async function main(argv: readonly string[]): Promise<void> {
	const terminal = processTerminal();
	const parsed = parseArgs(argv, {
		version: __VERSION__,
		steps: stepNames,
		proofs: proofNames,
		out: text => terminal.out(safeLines(text)),
		err: text => terminal.err(safeLines(text)),
	});
	if (parsed.kind === 'answered') {
		process.exitCode = parsed.exit;
		return;
	}
	// Whatever draws gives the terminal back before anything is explained on it.
	const failed = (error: unknown): number => {
		terminal.close();
		return explainError(error, terminal.err);
	};
	// Thrown where nobody waits for it: what else is going on cannot be relied on any more.
	process.on('uncaughtException', error => process.exit(failed(error)));
	const stop = stopSignals(terminal.err);
	try {
		await drawOpening(parsed.invocation, terminal, __VERSION__);
		// All the rest of the program; what is above is small, so that something is on the screen before it is loaded.
		const { dispatch } = await import('./dispatch.ts');
		process.exitCode = await dispatch(parsed.invocation, argv, terminal, stop);
	} catch (error) {
		process.exitCode = failed(error);
	} finally {
		stop.release();
		terminal.close();
	}
}
