// Unified diff of a file before and after, for people: what a terminal would hide
// (line ends, a byte order mark, control characters) is made visible.

import { type StructuredPatch, structuredPatch } from 'diff';
import * as z from 'zod';
import { oneLine } from './safe.ts';

export const diffLineSchema = z.object({
	/** `hunk`: `@@ -1,3 +1,4 @@`. `note`: the line above is the last one and does not end with a line end. */
	kind: z.enum(['context', 'add', 'remove', 'hunk', 'note']),
	text: z.string(),
	oldLine: z.number().optional(),
	newLine: z.number().optional(),
});
export type DiffLine = Readonly<z.infer<typeof diffLineSchema>>;

export interface DiffOptions {
	/** Unchanged lines around a change, 3 by default. */
	readonly context?: number | undefined;
	/** Called with each whole text, as a secret can go over several lines; returns its lines without secrets. */
	readonly redact?: ((text: string) => readonly string[]) | undefined;
	/** The sha256 of bytes in hexadecimal: named where a diff ends before its last line. */
	readonly sha256?: Sha256 | undefined;
}

/** sha256 in hexadecimal. Passed in, as nothing here reaches for the system. */
export type Sha256 = (bytes: Uint8Array) => string;

/** A file that is told by its size (bytes) and digest alone. */
export interface FileDigest {
	readonly size: number;
	readonly sha256: string;
}

/** One side of a change of a file; undefined: there is none. */
export type FileSide = string | Uint8Array | FileDigest | undefined;

/** Bytes up to which a file is shown as text. What a person edits by hand is far smaller, and a package far larger. */
export const mostShownBytes = 256 * 1024;
/** Lines of a diff that are shown. */
const mostShownLines = 2000;
/**
 * Lines that may differ before a whole replacement is shown instead: the search for the shortest difference costs the
 * square of it. 500 of them in two files of 256 KiB take less than 0.1 s.
 */
const mostEdits = 500;

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
			const body = oneLine(redacted[index] ?? '');
			return line.endsWith('\r') && markReturns ? body + CARRIAGE_RETURN_MARK : body;
		});
	};
	const [oldLines, newLines] = [shownLines(before), shownLines(after)];

	const patch = structuredPatch('', '', before, after, undefined, undefined, {
		context: options.context ?? 3,
		maxEditLength: mostEdits,
	});
	const lines = (patch?.hunks ?? [replacement(before, after)]).flatMap(hunk => {
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
	if (lines.length <= mostShownLines) return lines;
	const left = lines.length - mostShownLines;
	const { sha256 } = options;
	const digests =
		sha256 === undefined
			? ''
			: `; sha256 before ${digestOf(before, sha256)?.sha256}, after ${digestOf(after, sha256)?.sha256}`;
	return [...lines.slice(0, mostShownLines), { kind: 'note', text: `${left} more lines are not shown${digests}` }];
}

type Hunk = StructuredPatch['hunks'][number];

/** All of the old lines taken out, all of the new ones put in. */
function replacement(before: string, after: string): Hunk {
	const side = (text: string, sign: string): readonly string[] => {
		if (text === '') return [];
		const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n').map(line => sign + line);
		return text.endsWith('\n') ? lines : [...lines, NO_NEWLINE];
	};
	const count = (lines: readonly string[]): number => lines.filter(line => line !== NO_NEWLINE).length;
	const [old, now] = [side(before, '-'), side(after, '+')];
	return { oldStart: 1, oldLines: count(old), newStart: 1, newLines: count(now), lines: [...old, ...now] };
}

/**
 * The diff of a file of any kind. Text is shown line by line; of what is binary or larger than {@link mostShownBytes}
 * only size and sha256 are told, and never its bytes. None if the two are equal.
 */
export function diffFiles(
	before: FileSide,
	after: FileSide,
	options: DiffOptions & { readonly sha256: Sha256 },
): readonly DiffLine[] {
	const [old, now] = [shownText(before), shownText(after)];
	if (typeof old === 'string' && typeof now === 'string') return diffTexts(old, now, options);
	const [oldDigest, newDigest] = [digestOf(before, options.sha256), digestOf(after, options.sha256)];
	if (oldDigest?.sha256 === newDigest?.sha256) return [];
	const tell = (digest: FileDigest | undefined): string =>
		digest === undefined ? 'no file' : `${digest.size} bytes, sha256 ${digest.sha256}`;
	return [
		{ kind: 'note', text: `before: ${tell(oldDigest)}` },
		{ kind: 'note', text: `after: ${tell(newDigest)}` },
	];
}

/** The text of a file that can be shown as such; undefined where it is binary or too large. */
export function shownText(side: FileSide): string | undefined {
	if (side === undefined) return '';
	if (typeof side === 'string') return side.length > mostShownBytes ? undefined : side;
	if (!(side instanceof Uint8Array) || side.length > mostShownBytes || side.includes(0)) return undefined;
	try {
		return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(side);
	} catch {
		return undefined;
	}
}

/** Size and sha256 of a side; undefined where there is no file. */
export function digestOf(side: FileSide, sha256: Sha256): FileDigest | undefined {
	if (side === undefined) return undefined;
	if (typeof side !== 'string' && !(side instanceof Uint8Array)) return side;
	const bytes = typeof side === 'string' ? new TextEncoder().encode(side) : side;
	return { size: bytes.length, sha256: sha256(bytes) };
}

/** The diff as text with a head line for the path, empty if there is no difference. */
export function formatDiff(path: string, lines: readonly DiffLine[]): string {
	if (lines.length === 0) {
		return '';
	}
	return [`--- ${oneLine(path)}`, `+++ ${oneLine(path)}`, ...lines.map(formatLine), ''].join('\n');
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
