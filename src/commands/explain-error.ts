import { exitCode } from '../core/exit.ts';
import { CannotGoOn, WrongInput } from '../core/wrong-input.ts';
import { errnoOf } from '../host/local/errno-text.ts';
import { LogWriteError } from '../state/log-write-error.ts';

/**
 * Says what went wrong, without a stack trace for anything that an operator can put right. Returns the exit code that
 * it stands for.
 */
export function explainError(error: unknown, say: (text: string) => void): number {
	if (error instanceof WrongInput || error instanceof CannotGoOn) {
		say(`sysbox-setup: ${error.message}\n`);
		for (const line of error.next) say(`  ${line}\n`);
		return error instanceof WrongInput ? exitCode.wrongInput : error.exit;
	}
	if (error instanceof LogWriteError) {
		say(
			`sysbox-setup: ${error.message}. Without its log nothing could be taken back, so nothing more was done.\n  make room there, then start the same command again: it goes on where it was\n`,
		);
		return exitCode.failed;
	}
	// What the system refused (a full disk, a read-only one) has a cause outside, and its message names the path.
	if (error instanceof Error && isErrno(errnoOf(error))) {
		say(`sysbox-setup: ${error.message}. Everything that was done is in the log; nothing more was done.\n`);
		return exitCode.failed;
	}
	const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
	say(
		`sysbox-setup: this is a defect of sysbox-setup, not of your host. Everything that was done is in the log; nothing more was done.\n${text}\n`,
	);
	return exitCode.failed;
}

/** Node has codes of its own (`ERR_…`), for what its callers do wrong; those are ours. */
const isErrno = (code: string): boolean => code !== 'EUNKNOWN' && /^E[A-Z0-9]+$/.test(code);
