import { execa } from 'execa';
import { exitCode } from '../core/exit.ts';
import { shellLine } from '../core/shell-line.ts';
import { WrongInput } from '../core/wrong-input.ts';
import type { Terminal } from './terminal.ts';

/** What starts this program again: node, its own flags, and the entry file. */
export interface OwnCommand {
	readonly node: string;
	readonly entry: string;
}

/**
 * A run that may change something is root for its whole life. Started as somebody else it shows the command and starts
 * itself again through sudo, once, before anything else. Returns the exit code of that second start.
 */
export async function startAgainAsRoot(own: OwnCommand, typed: readonly string[], terminal: Terminal): Promise<number> {
	// Without a terminal sudo could only hang at its prompt; -n makes it refuse instead.
	const options = terminal.interactive ? [] : ['-n'];
	const argv = ['sudo', ...options, '--preserve-env=LANG,LC_ALL,TERM,NO_COLOR', own.node, own.entry, ...typed];
	terminal.err(
		`This changes the host and needs root. Starting again with:\n  ${shellLine(['sudo', ...options, 'sysbox-setup', ...typed])}\n`,
	);
	const result = await execa('sudo', argv.slice(1), { stdio: 'inherit', reject: false });
	if (result.code === 'ENOENT') {
		throw new WrongInput('this changes the host and needs root, and there is no sudo here.', [
			'become root, then start the same command again',
			'look only, without root: sysbox-setup check',
		]);
	}
	if (result.exitCode === undefined) return exitCode.wrongInput;
	// sudo's own refusal (no password given, not in sudoers) ends 1 before this program was started.
	return result.exitCode;
}
