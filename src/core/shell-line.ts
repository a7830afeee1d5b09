import type { Argv } from '../host/port.ts';

/** An argv as the line that an operator could type. For reading only: nothing of ours is ever run from it. */
export function shellLine(argv: Argv | readonly string[]): string {
	return argv.map(quote).join(' ');
}

function quote(word: string): string {
	if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
	return `'${word.replaceAll("'", `'\\''`)}'`;
}
