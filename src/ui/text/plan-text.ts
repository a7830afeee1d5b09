import { type Impact, impactRows } from '../../model/impact.ts';
import type { ShownAction } from '../../model/shown-action.ts';
import { blank, clip, type Line, labelled, line, pad, span, wrap } from '../line.ts';
import type { Theme } from '../theme.ts';

/** How much of a change is told: as much as fits the screen; `v` always tells all. */
export type PlanDetail = 'title' | 'line' | 'brief' | 'how' | 'why' | 'all';

const levels: readonly PlanDetail[] = ['title', 'line', 'brief', 'how', 'why', 'all'];

const diffRows: Readonly<Record<PlanDetail, number>> = { title: 0, line: 4, brief: 8, how: 14, why: 14, all: Infinity };

/** Rows that all changes take in that detail. */
export const planRows = (actions: readonly ShownAction[], detail: PlanDetail, width: number, theme: Theme): number =>
	actions.flatMap((action, index) => actionLines(action, index + 1, detail, width, theme)).length;

/** The changes of a plan in as much detail as so many rows hold: first each a little more, from the first on. */
export function planLinesIn(
	rows: number,
	actions: readonly ShownAction[],
	width: number,
	theme: Theme,
): readonly Line[] {
	const told = actions.map((action, index) => levels.map(level => actionLines(action, index + 1, level, width, theme)));
	const chosen = actions.map(() => 0);
	const height = (index: number, level: number): number => told[index]?.[level]?.length ?? 0;
	let used = told.reduce((sum, of) => sum + (of[0]?.length ?? 0), 0);
	if (used > rows) return foldedLines(rows, actions, width, theme);
	for (let level = 1; level < levels.length; level++) {
		for (const index of actions.keys()) {
			const more = height(index, level) - height(index, level - 1);
			if (chosen[index] !== level - 1 || used + more > rows) continue;
			chosen[index] = level;
			used += more;
		}
	}
	return told.flatMap((of, index) => of[chosen[index] ?? 0] ?? []);
}

/** Where not even all titles fit: what has a risk stands alone, and what lies between is told in one row, but for what there is room for. */
function foldedLines(rows: number, actions: readonly ShownAction[], width: number, theme: Theme): readonly Line[] {
	const runs: (readonly [from: number, to: number])[] = [];
	for (const [index, { risks = [] }] of actions.entries()) {
		const last = runs.at(-1);
		const joins = risks.length === 0 && last !== undefined && (actions[last[1]]?.risks ?? []).length === 0;
		if (joins) runs[runs.length - 1] = [last[0], index];
		else runs.push([index, index]);
	}
	const title = (index: number): Line =>
		clip(
			line(span(`${String(index + 1).padStart(2)} `, 'dim'), span(actions[index]?.title ?? '', 'strong')),
			width,
			theme.more,
		);
	const folded = runs.map(fold);
	let spare = rows - folded.flat().length;
	return runs.flatMap(([from, to], n) => {
		// Two titles and their fold take more room than the fold alone by as many rows as are told one by one.
		const alone = Math.max(0, Math.min(spare, to - from - 1));
		if (alone === 0) return folded[n] ?? [];
		spare -= alone;
		return [...Array.from({ length: alone }, (_, at) => title(from + at)), ...fold([from + alone, to])];
	});

	function fold([from, to]: readonly [number, number]): readonly Line[] {
		const [first, last] = [actions[from], actions[to]];
		if (first === undefined || last === undefined) return [];
		if (from === to) return actionLines(first, from + 1, 'title', width, theme);
		const place = `${String(from + 1).padStart(2)} to ${to + 1} `;
		const between = to - from > 1 ? ` ${theme.more} ` : ', ';
		return wrap(line(span(place, 'dim'), `${first.title}${between}${last.title}`), width, 4);
	}
}

/** The changes in full, as many a page as so many rows hold; one that is longer goes on on the next. */
export function planPages(
	actions: readonly ShownAction[],
	rows: number,
	width: number,
	theme: Theme,
): readonly (readonly Line[])[] {
	const pages: Line[][] = [];
	for (const [index, action] of actions.entries()) {
		const told = actionLines(action, index + 1, 'all', width, theme);
		const last = pages.at(-1);
		if (last !== undefined && last.length + 1 + told.length <= rows) {
			last.push(blank, ...told);
			continue;
		}
		pages.push(told.slice(0, rows));
		// Its title again, so that the middle of a diff is not without a name.
		for (let at = rows; at < told.length; at += rows - 1)
			pages.push([
				line(span(`${String(index + 1).padStart(2)} `, 'dim'), span(`${theme.more} ${action.title}`, 'dim')),
				...told.slice(at, at + rows - 1),
			]);
	}
	return pages;
}

/** The changes of a plan, numbered in their order. */
export function planLines(
	actions: readonly ShownAction[],
	detail: PlanDetail,
	width: number,
	theme: Theme,
): readonly Line[] {
	return actions.flatMap((action, index) => actionLines(action, index + 1, detail, width, theme));
}

export function actionLines(
	action: ShownAction,
	n: number,
	detail: PlanDetail,
	width: number,
	theme: Theme,
): readonly Line[] {
	const beside = (label: string, text: string | undefined, on: boolean): readonly Line[] =>
		!on || text === undefined || text === '' ? [] : labelled(label, text, width, { indent: 4, column: 8 });
	const much = detail === 'all' || detail === 'why';
	const how = much || detail === 'how';
	const more = how || detail === 'brief';
	const risks = action.risks ?? [];
	const says = !action.title.includes(action.does.replace(/^write |^rm /, ''));
	return [
		...wrap(
			line(
				span(`${String(n).padStart(2)} `, 'dim'),
				span(action.title, 'strong'),
				...(risks.length > 0 ? ['   ', span(theme.glyphs.warn, 'warn'), ` ${risks.join(', ')}`] : []),
			),
			width,
			4,
		),
		...beside('why', action.why, much),
		...(detail === 'line' && says
			? [clip(line('    ', span(pad(doesLabel(action.kind), 8), 'dim'), action.does), width, theme.more)]
			: beside(doesLabel(action.kind), action.does, more && says)),
		...(action.diff === undefined || detail === 'title' ? [] : diffLines(action.diff, diffRows[detail], width, theme)),
		...beside('touches', (action.touches ?? []).join(', '), how),
		...beside('waits', action.waitsFor === undefined ? undefined : `until ${action.waitsFor}`, much),
		...beside('undo', action.undo, how),
		...beside('if not', (action.rollback ?? []).join('; '), much),
	];
}

function doesLabel(kind: ShownAction['kind']): string {
	switch (kind) {
		case 'exec':
		case 'load-image':
		case 'signal':
		case 'make-folder':
		case 'remove-folder':
		case 'copy':
			return 'runs';
		case 'download':
			return 'fetches';
		case 'write':
		case 'restore':
		case 'remove':
			return 'file';
		case 'manual':
			return 'you';
		default:
			return kind satisfies never;
	}
}

/** Added and removed lines with their numbers; where not all fit, the unchanged ones go first. */
export function diffLines(
	diff: NonNullable<ShownAction['diff']>,
	most: number,
	width: number,
	theme: Theme,
): readonly Line[] {
	const whole = diff.length <= most;
	const shown = whole ? diff : diff.filter(({ kind }) => kind === 'add' || kind === 'remove').slice(0, most);
	const rows = shown.flatMap(({ kind, text, oldLine, newLine }) => {
		const number = kind === 'remove' ? oldLine : newLine;
		const mark = { add: '+', remove: '-', context: ' ', hunk: ' ', note: ' ' }[kind];
		const tone = kind === 'add' ? 'add' : kind === 'remove' ? 'remove' : 'dim';
		const body = text;
		return wrap(
			line(
				span(`    ${pad(number === undefined ? '' : String(number).padStart(3), 4)}`, 'dim'),
				span(`${mark} `, tone),
				kind === 'add' || kind === 'remove' ? body : span(body, 'dim'),
			),
			width,
			10,
		);
	});
	const rest = whole ? 0 : diff.filter(({ kind }) => kind === 'add' || kind === 'remove').length - shown.length;
	return rest > 0 ? [...rows, line(span(`        ${theme.more} ${rest} more changed lines`, 'dim'))] : rows;
}

/**
 * What stops, in about so many rows (without `most` everything, one container a row), and what else is worth knowing.
 * A row that is longer than the screen is cut where rows are counted: `v` tells it in full.
 */
export function impactLines(
	impact: Impact | undefined,
	width: number,
	theme: Theme,
	most = Number.POSITIVE_INFINITY,
): readonly Line[] {
	if (impact === undefined) return [];
	const notes = impact.notes.map(note => wrap(line(span(theme.glyphs.neutral, 'dim'), ` ${note}`), width, 2));
	const counted = Number.isFinite(most);
	if (impact.containers !== undefined) {
		const rows = impactRows(impact.containers, counted ? Math.max(4, most - notes.flat().length) : most).map(
			({ mark, text }, index) =>
				line(
					...(index === 0 ? [] : ['  ']),
					span(theme.glyphs[mark], mark === 'neutral' ? 'dim' : mark),
					' ',
					index === 0 ? span(text, 'strong') : text,
				),
		);
		return [...rows.flatMap(row => (counted ? [clip(row, width, theme.more)] : wrap(row, width, 4))), ...notes.flat()];
	}
	const stops = impact.stops.map(stop => wrap(line(span(theme.glyphs.block, 'block'), ' stops     ', stop), width, 12));
	return [...stops.flat(), ...notes.flat()];
}

/** What an operator could type instead of it. */
export const planCommands = (actions: readonly ShownAction[]): readonly string[] =>
	actions.map(({ kind, does }) => (kind === 'write' || kind === 'restore' || kind === 'manual' ? `# ${does}` : does));
