import stringWidth from 'string-width';
import { padTo } from '../text/pad.ts';
import { oneLine, type SafeText } from '../text/safe.ts';

/** What a piece of text means; the theme says how that looks. */
export type Tone = 'dim' | 'strong' | 'ok' | 'warn' | 'block' | 'unknown' | 'cursor' | 'add' | 'remove' | 'caret';

/** Only {@link span} and {@link line} make one, so nothing on a screen is obeyed by the terminal. */
export interface Span {
	readonly text: SafeText;
	readonly tone?: Tone | undefined;
}

/** One row of a screen. Screens are made of these, so that their height is known before anything is drawn. */
export type Line = readonly Span[];

/** A tab goes to a column that only the terminal knows, so a few spaces stand for it. */
export const clean = (text: string): SafeText => oneLine(text.replaceAll('\t', '    '));

export const span = (text: string, tone?: Tone): Span =>
	tone === undefined ? { text: clean(text) } : { text: clean(text), tone };

export const line = (...parts: readonly (string | Span)[]): Line =>
	parts.map(part => (typeof part === 'string' ? span(part) : part));

export const blank: Line = [];

export const isBlank = (of: Line): boolean => of.every(({ text }) => text.trim() === '');

export const widthOf = (of: Line): number => of.reduce((sum, { text }) => sum + stringWidth(text), 0);

export const plainText = (of: Line): string => of.map(({ text }) => text).join('');

/** Pads to a column by what the terminal shows, not by length. */
export const pad = (text: string, width: number): string => padTo(clean(text), width);

const segments = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** The beginning of a text that fits, and the rest. */
function splitAt(text: string, width: number): readonly [string, string] {
	let used = 0;
	let end = 0;
	for (const { segment } of segments.segment(text)) {
		const wide = stringWidth(segment);
		if (used + wide > width) break;
		used += wide;
		end += segment.length;
	}
	return [text.slice(0, end), text.slice(end)];
}

/** Cuts a row to a width; the mark says that something is missing. */
export function clip(of: Line, width: number, mark = '…'): Line {
	if (widthOf(of) <= width) return of;
	const room = Math.max(0, width - stringWidth(mark));
	const kept: Span[] = [];
	let used = 0;
	for (const part of of) {
		const wide = stringWidth(part.text);
		if (used + wide <= room) {
			kept.push(part);
			used += wide;
			continue;
		}
		const [head] = splitAt(part.text, room - used);
		kept.push(span(head + mark, part.tone));
		break;
	}
	return kept;
}

/** Breaks a row at spaces; what goes over is indented by `hang`. A word longer than a row is cut where the row ends. */
export function wrap(of: Line, width: number, hang = 0): readonly Line[] {
	if (widthOf(of) <= width) return [of];
	const rows: Span[][] = [[]];
	let used = 0;
	/** Spaces of several parts may meet: a mark's and those that its text begins with. */
	let pending: Span[] = [];
	const put = (text: string, tone: Tone | undefined): void => {
		rows.at(-1)?.push(span(text, tone));
		used += stringWidth(text);
	};
	const newRow = (): void => {
		rows.push(hang > 0 ? [span(' '.repeat(hang))] : []);
		used = hang;
		pending = [];
	};
	const putWord = (word: string, tone: Tone | undefined): void => {
		let rest = word;
		while (stringWidth(rest) > width - used) {
			const [head, tail] = splitAt(rest, width - used);
			if (head === '') break;
			put(head, tone);
			rest = tail;
			newRow();
		}
		if (rest !== '') put(rest, tone);
	};
	for (const { text, tone } of of) {
		for (const word of text.split(/( +)/)) {
			if (word === '') continue;
			if (word.startsWith(' ')) {
				// A space at a break is dropped; the indent at the very beginning is kept.
				if (used === 0 && rows.length === 1) put(word, tone);
				else pending.push(span(word, tone));
				continue;
			}
			const gap = widthOf(pending);
			if (used + gap + stringWidth(word) > width && used > hang) newRow();
			else for (const space of pending) put(space.text, space.tone);
			pending = [];
			putWord(word, tone);
		}
	}
	return rows;
}

export const wrapAll = (lines: readonly Line[], width: number, hang = 0): readonly Line[] =>
	lines.flatMap(one => wrap(one, width, hang));

/** `label   text`, the text wrapped beside its label. */
export function labelled(
	label: string,
	text: string,
	width: number,
	options: {
		readonly indent?: number | undefined;
		readonly column?: number | undefined;
		readonly tone?: Tone | undefined;
	} = {},
): readonly Line[] {
	const { indent = 4, column = 9, tone } = options;
	const left = indent + column;
	return text
		.split('\n')
		.flatMap((row, index) =>
			wrap(
				line(' '.repeat(indent), index === 0 ? span(pad(label, column), 'dim') : ' '.repeat(column), span(row, tone)),
				width,
				left,
			),
		);
}
