import { oneLine } from '../../src/text/safe.ts';

/**
 * Text of the host inside of a Markdown line: nothing in it may become formatting, a character reference, or a link by
 * itself (GFM 6.9 makes one of a bare address).
 */
export function inline(text: string): string {
	return oneLine(text.replaceAll(/\s+/g, ' '))
		.replaceAll(/[\\`*_{}[\]<>#|~&]|:(?=\/\/)|(?<=\bwww)\./gi, '\\$&')
		.trim();
}

/**
 * As code within a line, whatever backticks it holds (CommonMark 6.1: the fence is longer than any run inside). Often a
 * command to copy, so nothing but blanks around it is taken away.
 */
export function code(text: string): string {
	const flat = oneLine(text.trim());
	const fence = '`'.repeat(longestRun(flat) + 1);
	return fence.length > 1 ? `${fence} ${flat} ${fence}` : `${fence}${flat}${fence}`;
}

/** A fenced block, with a fence that nothing inside can close. */
export function block(lines: readonly string[], language: string): readonly string[] {
	const shown = lines.map(oneLine);
	const fence = '`'.repeat(shown.reduce((most, line) => Math.max(most, longestRun(line)), 2) + 1);
	return [`${fence}${language}`, ...shown, fence];
}

const longestRun = (text: string): number =>
	[...text.matchAll(/`+/g)].reduce((most, [run]) => Math.max(most, run.length), 0);

/** A bar inside of code ends a cell too (GFM 4.10), so it is escaped wherever it is not yet. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
	// Whole runs of backslashes, so that a long one is looked at once.
	const cellText = (cell: string): string =>
		cell
			.replaceAll('\n', ' ')
			.replaceAll(/\\+\|?|\|/g, run => (run.endsWith('|') && run.length % 2 === 1 ? `${run.slice(0, -1)}\\|` : run));
	const line = (cells: readonly string[]): string => `| ${cells.map(cellText).join(' | ')} |`;
	return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
