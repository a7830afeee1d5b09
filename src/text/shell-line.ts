import { posixWord, shellWord } from './safe.ts';

/**
 * An argv as the line that an operator could type into bash, safe to look at: a control character in a word is written
 * as an escape (`$'\033'`). For reading only: nothing of ours is ever run from it.
 */
export function shellLine(argv: readonly string[]): string {
	return argv.map(shellWord).join(' ');
}

/** An argv as a line of a script of ours, which any POSIX shell reads. */
export function scriptLine(argv: readonly string[]): string {
	return argv.map(posixWord).join(' ');
}
