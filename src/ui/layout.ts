import stringWidth from 'string-width';
import { blank, clip, isBlank, type Line, line, pad, span, widthOf, wrapAll } from './line.ts';
import type { Checklist, Field, Menu, Option, Prompt } from './prompt.ts';
import type { Theme } from './theme.ts';

/** What every screen is drawn with. */
export interface Look {
	readonly theme: Theme;
	/** Width of text. */
	readonly width: number;
	/** Rows of the terminal. A frame takes one less: a taller one would leave copies of itself in the scrollback. */
	readonly rows: number;
	readonly simulated: boolean;
	readonly spinner: string;
	/** The key line, hint by hint. */
	readonly keys: readonly string[];
}

export interface FrameParts {
	readonly title: string;
	/** What this is about; the last to be given up. */
	readonly about: readonly Line[];
	/** The same in less and less detail; the first that fits is drawn. */
	readonly bodies: readonly (readonly Line[])[];
	/** Makes a body for so many rows; drawn instead of the first of the others where it fits. */
	readonly fill?: ((rows: number) => readonly Line[]) | undefined;
	readonly prompt?: Prompt | undefined;
}

/** Rules end before the edge, so that a narrower window does not break them. */
const ruleWidth = 76;

/** `── 2 of 8 · Sysbox ──────────────── simulated host ──` */
export function rule(title: string, look: Pick<Look, 'theme' | 'width' | 'simulated'>): Line {
	const { rule: dash } = look.theme.glyphs;
	const width = Math.min(look.width, ruleWidth);
	const tag = look.simulated ? ' simulated host ' : '';
	const room = width - title.length - tag.length - 6;
	const between = dash.repeat(Math.max(2, room));
	return room < 2
		? line(span(`${dash}${dash} `, 'dim'), span(title, 'strong'), span(` ${dash}${dash}`, 'dim'))
		: line(
				span(`${dash}${dash} `, 'dim'),
				span(title, 'strong'),
				span(` ${between}`, 'dim'),
				span(tag, 'warn'),
				span(`${dash}${dash}`, 'dim'),
			);
}

/** The key line, broken between hints where it is longer than a row. */
export function keyLines({ keys, theme, width }: Pick<Look, 'keys' | 'theme' | 'width'>): readonly Line[] {
	const between = ` ${theme.glyphs.neutral} `;
	const rows: string[] = [];
	for (const hint of keys) {
		const last = rows.at(-1);
		const longer = last === undefined ? hint : `${last}${between}${hint}`;
		if (last === undefined || stringWidth(longer) > width) rows.push(hint);
		else rows[rows.length - 1] = longer;
	}
	return rows.map(row => line(span(row, 'dim')));
}

/** The rows of a frame, never more than the terminal's rows less one. */
export function frameRows(parts: FrameParts, look: Look): readonly Line[] {
	const { width, theme } = look;
	const budget = look.rows - 1;
	const title = rule(parts.title, look);
	const about = wrapAll(parts.about, width);
	const keys = keyLines(look);
	const space = budget - 2 - about.length - keys.length;
	const asks = parts.prompt === undefined ? [] : promptLines(parts.prompt, width, Math.max(3, space - 4), theme);
	const head = [title, ...about];
	const foot = [...asks, ...keys];
	const spare = budget - head.length - foot.length;

	// One row is left to what was finished last, which stands above: it is how a step that went well is told.
	const filled = parts.fill?.(spare - 3);
	const bodies = [...(filled === undefined ? [] : [filled]), ...(parts.bodies.length === 0 ? [[]] : parts.bodies)];
	const roomy = bodies.find(body => body.length > 0 && trim(body).length + 2 <= spare);
	if (roomy !== undefined) return [...head, blank, ...trim(roomy), blank, ...foot];
	if (bodies.every(body => body.length === 0) && spare >= 1) return [...head, blank, ...foot];

	// Blank rows go first, then the end of the body, then what it is about; prompt and keys always stay.
	const last = (bodies.at(-1) ?? []).filter(row => !isBlank(row));
	const rows = spare - 1 >= last.length ? last : cut(last, Math.max(0, spare - 1), theme);
	const separated = rows.length + 1 <= spare ? [...rows, blank] : rows;
	return [...head, ...separated, ...foot].length <= budget
		? [...head, ...separated, ...foot]
		: [title, ...foot].slice(0, budget);
}

function trim(rows: readonly Line[]): readonly Line[] {
	const first = rows.findIndex(row => !isBlank(row));
	const end = rows.findLastIndex(row => !isBlank(row));
	return rows.slice(Math.max(0, first), end + 1);
}

function cut(rows: readonly Line[], most: number, theme: Theme): readonly Line[] {
	if (most <= 0) return [];
	return [
		...rows.slice(0, most - 1),
		line(span(` ${theme.more} ${rows.length - most + 1} more rows: v shows all`, 'dim')),
	];
}

export function promptLines(prompt: Prompt, width: number, most: number, theme: Theme): readonly Line[] {
	const problem =
		prompt.problem === undefined
			? []
			: wrapAll([line(span(theme.glyphs.block, 'block'), ` ${prompt.problem}`)], width, 2);
	switch (prompt.kind) {
		case 'menu':
			return [...menuLines(prompt, width, most, theme), ...problem];
		case 'checklist':
			return [...checklistLines(prompt, width, most, theme), ...problem];
		case 'field':
			return [...fieldLines(prompt, width, theme), ...problem];
		default:
			return prompt satisfies never;
	}
}

const gap = '   ';

function menuLines(prompt: Menu, width: number, most: number, theme: Theme): readonly Line[] {
	const { options, at } = prompt;
	const beside = options.reduce((sum, option) => sum + option.label.length + 2 + gap.length, 0);
	if (options.length <= 4 && beside <= width && options.every(option => option.hint === undefined)) {
		return [
			line(
				...options.flatMap(({ label }, index) =>
					index === at
						? [span(`${theme.glyphs.cursor} ${label}`, 'cursor'), gap]
						: [`${' '.repeat(theme.glyphs.cursor.length + 1)}${label}`, gap],
				),
			),
		];
	}
	return optionRows(options, at, width, most, theme, () => '');
}

function checklistLines(prompt: Checklist, width: number, most: number, theme: Theme): readonly Line[] {
	return optionRows(prompt.options, prompt.at, width, most, theme, option =>
		prompt.ticked.includes(option.value) ? '[x] ' : '[ ] ',
	);
}

/** One option a row, those around the cursor where not all fit, and the whole hint of the one under the cursor. */
function optionRows(
	options: readonly Option[],
	at: number,
	width: number,
	most: number,
	theme: Theme,
	tick: (option: Option) => string,
): readonly Line[] {
	const shown = Math.min(options.length, most);
	const first = Math.max(0, Math.min(at - Math.floor(shown / 2), options.length - shown));
	const labels = Math.min(32, Math.max(...options.map(({ label }) => label.length)));
	const rows = options.slice(first, first + shown).flatMap((option, index) => {
		const here = first + index === at;
		const mark = here ? `${theme.glyphs.cursor} ` : ' '.repeat(theme.glyphs.cursor.length + 1);
		const head = [
			span(`${mark}${tick(option)}`, here ? 'cursor' : undefined),
			span(pad(option.label, option.hint === undefined ? 0 : labels), here ? 'cursor' : undefined),
		];
		if (option.hint === undefined) return wrapAll([line(...head)], width, 4);
		const whole = line(...head, span(`  ${option.hint}`, 'dim'));
		if (widthOf(whole) <= width) return [whole];
		return here
			? [line(...head), ...wrapAll([line('      ', span(option.hint, 'dim'))], width, 6).slice(0, 3)]
			: [clip(whole, width, theme.more)];
	});
	const hidden = options.length - shown;
	return hidden > 0
		? [...rows, line(span(`  ${theme.more} ${options.length} in all, ${at + 1} is marked`, 'dim'))]
		: rows;
}

function fieldLines(prompt: Field, width: number, theme: Theme): readonly Line[] {
	const chars = [...prompt.value];
	const shown = prompt.mask === true ? chars.map(() => '*') : chars;
	const at = Math.min(prompt.at, chars.length);
	const unit = prompt.unit === undefined ? '' : ` ${prompt.unit}`;
	// The part around the cursor, where the line is longer than the row.
	const room = Math.max(8, width - 6 - unit.length);
	const from = Math.max(0, at - room);
	const before = shown.slice(from, at).join('');
	const after = shown.slice(at + 1, from + room).join('');
	const typed = [span(before), span(shown[at] ?? '_', 'caret'), span(after)];
	const fallback =
		chars.length === 0 && prompt.fallback !== undefined && prompt.fallback !== ''
			? [span(` ${prompt.fallback}${unit}`), span('   (enter takes it)', 'dim')]
			: [span(chars.length > 0 ? unit : '', 'dim')];
	const found = prompt.completions ?? [];
	const some = found.slice(0, 12).join('   ') + (found.length > 12 ? `   ${theme.more} ${found.length} in all` : '');
	return [
		...wrapAll([line(span('> ', 'cursor'), ...typed, ...fallback)], width, 2),
		...(found.length === 0 ? [] : wrapAll([line('  ', span(some, 'dim'))], width, 2).slice(0, 3)),
	];
}
