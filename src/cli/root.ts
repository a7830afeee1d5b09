import { exitCode } from '../model/exit.ts';
import { WrongInput } from '../model/wrong-input.ts';
import { lineOf } from '../text/safe.ts';
import { shellLine } from '../text/shell-line.ts';
import type { Terminal } from './terminal.ts';

/** What starts this program again: node, its own flags, and the entry file. */
export interface OwnCommand {
	readonly node: string;
	readonly entry: string;
}

/** How sudo ended: with a code, by a signal, or not started at all. */
export type SudoResult =
	| { readonly kind: 'ended'; readonly code: number }
	| { readonly kind: 'signalled' }
	| { readonly kind: 'not-started' };

/** Terminal and language settings; and what says how to talk to this operator. */
const kept = ['LANG', 'LC_ALL', 'TERM', 'NO_COLOR', 'INK_SCREEN_READER'];

/** This tool's options, and the proxies that the package is fetched through. */
const ownOrProxy = /^(?:SBXSETUP_.*|(?:https?|all|no)_proxy)$/i;

/**
 * A run that may change something is root for its whole life. Started as somebody else it shows the command and starts
 * itself again through sudo, once, before anything else. Returns the exit code of that second start.
 */
export async function startAgainAsRoot(
	own: OwnCommand,
	typed: readonly string[],
	terminal: Terminal,
	sudo: (args: readonly string[]) => Promise<SudoResult> = runSudo,
): Promise<number> {
	// Without a terminal sudo could only hang at its prompt; -n makes it refuse instead.
	const options = terminal.interactive ? [] : ['-n'];
	// sudo drops the environment, and with it every option that was given there.
	const names = [...kept, ...Object.keys(terminal.environment).filter(name => ownOrProxy.test(name))];
	terminal.err(lineOf('This changes the host and needs root. Starting again with:'));
	terminal.err(lineOf(`  ${shellLine(['sudo', ...options, 'sysbox-setup', ...typed])}`));
	const result = await sudo([...options, `--preserve-env=${names.join(',')}`, own.node, own.entry, ...typed]);
	switch (result.kind) {
		case 'ended':
			// sudo's own refusal (no password given, not in sudoers) ends 1 before this program was started.
			return result.code;
		case 'signalled':
			return exitCode.interrupted;
		case 'not-started':
			throw new WrongInput('this changes the host and needs root, and there is no sudo here.', [
				'become root, then start the same command again',
				'look only, without root: sysbox-setup check',
			]);
		default:
			return result satisfies never;
	}
}

async function runSudo(args: readonly string[]): Promise<SudoResult> {
	const { execa } = await import('execa');
	const result = await execa('sudo', args, { stdio: 'inherit', reject: false });
	if (result.exitCode !== undefined) return { kind: 'ended', code: result.exitCode };
	// A directory of PATH that may not be read makes a missing program look like EACCES, so every failure to start is one.
	return result.signal === undefined ? { kind: 'not-started' } : { kind: 'signalled' };
}
