import { errnoOf } from '../host/local/errno-text.ts';
import { exitCode } from '../model/exit.ts';
import { CannotGoOn, WrongInput } from '../model/wrong-input.ts';
import { LogWriteError } from '../session/log-write-error.ts';
import { hanging, lineOf, type SafeText } from '../text/safe.ts';

/**
 * Says what went wrong, without a stack trace for anything that an operator can put right. Returns the exit code that
 * it stands for.
 */
export function explainError(error: unknown, say: (text: SafeText) => void): number {
	const tell = (message: string): void => {
		for (const line of hanging('sysbox-setup: ', message, 4)) say(lineOf(line));
	};
	if (error instanceof WrongInput || error instanceof CannotGoOn) {
		tell(error.message);
		for (const line of error.next) say(lineOf(`  ${line}`));
		return error instanceof WrongInput ? exitCode.wrongInput : error.exit;
	}
	if (error instanceof LogWriteError) {
		tell(`${error.message}. Without its log nothing could be taken back, so nothing more was done.`);
		say(lineOf('  make room there, then start the same command again: it goes on where it was'));
		return exitCode.failed;
	}
	// What the system refused (a full disk, a read-only one) has a cause outside, and its message names the path.
	if (error instanceof Error && isErrno(errnoOf(error))) {
		tell(`${error.message}. Everything that was done is in the log; nothing more was done.`);
		return exitCode.failed;
	}
	const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
	tell(
		`this is a defect of sysbox-setup, not of your host. Everything that was done is in the log; nothing more was done.\n${text}`,
	);
	return exitCode.failed;
}

/** Node has codes of its own (`ERR_…`), for what its callers do wrong; those are ours. */
const isErrno = (code: string): boolean => code !== 'EUNKNOWN' && /^E[A-Z0-9]+$/.test(code);
