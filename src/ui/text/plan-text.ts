import type { Impact } from '../../model/impact.ts';
import type { ShownAction } from '../../model/shown-action.ts';
import { actionView, diffMarks, type ImpactLine, impactView } from '../../view/plan.ts';
import { blank, clip, type Line, labelled, line, pad, span, wrap } from '../line.ts';
import { markSpan, type Theme } from '../theme.ts';

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
	const each = actions.map((action, index) => levels.map(level => actionLines(action, index + 1, level, width, theme)));
	const chosen = actions.map(() => 0);
	const height = (index: number, level: number): number => each[index]?.[level]?.length ?? 0;
	let used = each.reduce((sum, of) => sum + (of[0]?.length ?? 0), 0);
	if (used > rows) return foldedLines(rows, actions, width, theme);
	for (let level = 1; level < levels.length; level++) {
		for (const index of actions.keys()) {
			const more = height(index, level) - height(index, level - 1);
			if (chosen[index] !== level - 1 || used + more > rows) continue;
			chosen[index] = level;
			used += more;
		}
	}
	return each.flatMap((of, index) => of[chosen[index] ?? 0] ?? []);
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

const told: Readonly<Record<PlanDetail, readonly string[]>> = {
	title: [],
	line: [],
	brief: ['does'],
	how: ['does', 'touches', 'undo'],
	why: ['why', 'does', 'touches', 'waits', 'undo', 'rollback'],
	all: ['why', 'does', 'touches', 'waits', 'undo', 'rollback'],
};

export function actionLines(
	action: ShownAction,
	n: number,
	detail: PlanDetail,
	width: number,
	theme: Theme,
): readonly Line[] {
	const { title, facts, saysMore, missing, content } = actionView(action);
	const rows = (of: readonly string[]): readonly Line[] =>
		facts
			.filter(({ fact }) => of.includes(fact) && told[detail].includes(fact) && (fact !== 'does' || saysMore))
			.flatMap(({ label, text }) => labelled(label, text, width, { indent: 4, column: 8 }));
	const does = facts.find(({ fact }) => fact === 'does');
	const risks = missing.length === 0 ? [] : ['   ', markSpan('warn', theme), ` ${missing.join(', ')}`];
	return [
		...wrap(line(span(`${String(n).padStart(2)} `, 'dim'), span(title, 'strong'), ...risks), width, 4),
		...rows(['why', 'does']),
		...(detail === 'line' && saysMore && does !== undefined
			? [clip(line('    ', span(pad(does.label, 8), 'dim'), does.text), width, theme.more)]
			: []),
		...(action.diff === undefined || detail === 'title' ? [] : diffLines(action.diff, diffRows[detail], width, theme)),
		...(content === undefined || detail !== 'all'
			? []
			: [line('    ', span('the whole file:', 'dim')), ...labelled('', content, width, { indent: 8, column: 0 })]),
		...rows(['touches', 'waits', 'undo', 'rollback']),
	];
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
		const tone = kind === 'add' || kind === 'remove' ? kind : 'dim';
		return wrap(
			line(
				span(`    ${pad(number === undefined ? '' : String(number).padStart(3), 4)}`, 'dim'),
				span(`${diffMarks[kind].padEnd(1)} `, tone),
				tone === 'dim' ? span(text, 'dim') : text,
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
	const counted = Number.isFinite(most);
	const row = ({ kind, mark, text }: ImpactLine): readonly Line[] => {
		const sign = markSpan(mark, theme);
		if (kind === 'note') return wrap(line(sign, ` ${text}`), width, 2);
		if (kind === 'stop') return wrap(line(sign, ' stops     ', text), width, 12);
		const of = kind === 'head' ? line(sign, ' ', span(text, 'strong')) : line('  ', sign, ' ', text);
		return counted ? [clip(of, width, theme.more)] : wrap(of, width, 4);
	};
	const notes = impactView(impact).filter(({ kind }) => kind === 'note');
	return impactView(impact, counted ? Math.max(4, most - notes.flatMap(row).length) : most).flatMap(row);
}

/** What an operator could type instead of it. */
export const planCommands = (actions: readonly ShownAction[]): readonly string[] =>
	actions.map(({ kind, does }) => (kind === 'write' || kind === 'restore' || kind === 'manual' ? `# ${does}` : does));
