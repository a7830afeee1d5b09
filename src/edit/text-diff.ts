// Unified diff of a file before and after, for people: what a terminal would hide
// (line ends, a byte order mark, control characters) is made visible.

import { structuredPatch } from 'diff';
import { withoutControls } from './json-text.ts';

export type DiffLine =
	/** `@@ -1,3 +1,4 @@` */
	| { readonly kind: 'hunk'; readonly text: string }
	| { readonly kind: 'context'; readonly text: string; readonly oldLine: number; readonly newLine: number }
	| { readonly kind: 'remove'; readonly text: string; readonly oldLine: number }
	| { readonly kind: 'add'; readonly text: string; readonly newLine: number }
	/** Says that the line above is the last one and does not end with a line end. */
	| { readonly kind: 'note'; readonly text: string };

export interface DiffOptions {
	/** Unchanged lines around a change, 3 by default. */
	readonly context?: number;
	/** Called with each whole text, as a secret can go over several lines; returns its lines without secrets. */
	readonly redact?: (text: string) => readonly string[];
}

const NO_NEWLINE = '\\ No newline at end of file';
const CARRIAGE_RETURN_MARK = '␍';

/**
 * Lines of the unified diff from `before` to `after`; none if the texts are equal.
 *
 * If the two texts do not use the same line end throughout, each line that ends with
 * CR LF shows `␍` at its end. Other control characters show as `<U+001B>`.
 */
export function diffTexts(before: string, after: string, options: DiffOptions = {}): readonly DiffLine[] {
	const markReturns = mixesLineEnds([before, after]);
	/** The lines as they are shown; the carriage returns of their ends are no part of what is redacted. */
	const shownLines = (text: string): readonly string[] => {
		const lines = text.split('\n');
		const bodies = lines.map(line => (line.endsWith('\r') ? line.slice(0, -1) : line));
		const redacted = options.redact?.(bodies.join('\n')) ?? bodies;
		return lines.map((line, index) => {
			const body = visible(redacted[index] ?? '');
			return line.endsWith('\r') && markReturns ? body + CARRIAGE_RETURN_MARK : body;
		});
	};
	const [oldLines, newLines] = [shownLines(before), shownLines(after)];

	const patch = structuredPatch('', '', before, after, undefined, undefined, { context: options.context ?? 3 });
	return patch.hunks.flatMap(hunk => {
		let oldLine = hunk.oldStart;
		let newLine = hunk.newStart;
		const range = (start: number, count: number): string => `${count === 0 ? start - 1 : start},${count}`;
		const header = `@@ -${range(hunk.oldStart, hunk.oldLines)} +${range(hunk.newStart, hunk.newLines)} @@`;
		const lines: DiffLine[] = [{ kind: 'hunk', text: header }];
		for (const line of hunk.lines) {
			switch (line[0]) {
				case ' ':
					lines.push({ kind: 'context', text: newLines[newLine - 1] ?? '', oldLine, newLine });
					oldLine += 1;
					newLine += 1;
					break;
				case '-':
					lines.push({ kind: 'remove', text: oldLines[oldLine - 1] ?? '', oldLine });
					oldLine += 1;
					break;
				case '+':
					lines.push({ kind: 'add', text: newLines[newLine - 1] ?? '', newLine });
					newLine += 1;
					break;
				default:
					lines.push({ kind: 'note', text: NO_NEWLINE });
			}
		}
		return lines;
	});
}

/** The diff as text with a head line for the path, empty if there is no difference. */
export function formatDiff(path: string, lines: readonly DiffLine[]): string {
	if (lines.length === 0) {
		return '';
	}
	return [`--- ${visible(path)}`, `+++ ${visible(path)}`, ...lines.map(formatLine), ''].join('\n');
}

function formatLine(line: DiffLine): string {
	switch (line.kind) {
		case 'hunk':
		case 'note':
			return line.text;
		case 'context':
			return ` ${line.text}`;
		case 'remove':
			return `-${line.text}`;
		case 'add':
			return `+${line.text}`;
	}
}

function mixesLineEnds(texts: readonly string[]): boolean {
	return texts.some(text => text.includes('\r\n')) && texts.some(text => /(?:^|[^\r])\n/.test(text));
}

function visible(text: string): string {
	return withoutControls(
		text,
		character => `<U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`,
	);
}
