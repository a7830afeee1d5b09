import { withoutControls } from '../../src/edit/json-text.ts';

/** What a terminal would obey when the file is shown in one is made visible instead. */
const tame = (text: string): string =>
	withoutControls(
		text,
		character => `<U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`,
	);

/** Text of the host inside of a Markdown line: nothing in it may become formatting. */
export function inline(text: string): string {
	return tame(text.replaceAll(/\s+/g, ' '))
		.replaceAll(/([\\`*_{}[\]<>#|~])/g, '\\$1')
		.trim();
}

/** As code within a line, whatever backticks it holds (CommonMark 6.1: the fence is longer than any run inside). */
export function code(text: string): string {
	const flat = tame(text.replaceAll(/\s+/g, ' ').trim());
	const longest = Math.max(0, ...[...flat.matchAll(/`+/g)].map(run => run[0].length));
	const fence = '`'.repeat(longest + 1);
	return longest > 0 ? `${fence} ${flat} ${fence}` : `${fence}${flat}${fence}`;
}

/** A fenced block, with a fence that nothing inside can close. */
export function block(lines: readonly string[], language: string): readonly string[] {
	const longest = Math.max(2, ...lines.flatMap(line => [...line.matchAll(/`+/g)].map(run => run[0].length)));
	const fence = '`'.repeat(longest + 1);
	return [`${fence}${language}`, ...lines.map(tame), fence];
}

/** A bar inside of code ends a cell too (GFM 4.10), so it is escaped wherever it is not yet. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
	const cellText = (cell: string): string => cell.replaceAll('\n', ' ').replaceAll(/(?<!\\)\|/g, '\\|');
	const line = (cells: readonly string[]): string => `| ${cells.map(cellText).join(' | ')} |`;
	return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
