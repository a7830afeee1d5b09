import type { ShownAction } from '../../model/shown-action.ts';
import type { ActionState, RunState, StepState } from '../../model/state.ts';
import { inPlaceWords } from '../../view/end.ts';
import { saysMore } from '../../view/plan.ts';
import { actionNames } from '../../view/words.ts';
import { clip, type Line, line, pad, span, wrap } from '../line.ts';
import type { Clock } from '../screen.ts';
import { markSpan, type Theme } from '../theme.ts';
import { elapsed } from './words.ts';

/** Output of a running command that is shown: enough to see that it goes on, few enough to read. */
const tailRows = 3;

export interface Work {
	readonly run: RunState;
	readonly step: StepState;
	readonly clocks: Readonly<Record<string, Clock>>;
	readonly now: number;
}

/** The same where not all of it fits: what runs, what comes next, and how much lies before and behind. */
export function foldedWorkLines(work: Work, width: number, theme: Theme, spinner: string): readonly Line[] {
	const { step, clocks, run } = work;
	const actions = step.plan?.actions ?? [];
	const ended = actions.filter(({ id }) => clocks[`action ${step.id} ${id}`]?.to !== undefined);
	const fine = ended.filter(
		({ id }) => run.actions.findLast(a => a.step === step.id && a.id === id)?.outcome === 'done',
	);
	const shown = actions.filter(action => !fine.includes(action)).slice(0, ended.length - fine.length + 3);
	const rest = actions.length - fine.length - shown.length;
	return [
		...(fine.length === 0
			? []
			: [line(span(theme.glyphs.ok, 'ok'), ` ${fine.length} of ${actions.length} changes are done`)]),
		...linesOf(shown, work, width, theme, spinner),
		...(rest > 0 ? [line(span(`${theme.glyphs.neutral} then  ${rest} more`, 'dim'))] : []),
	];
}

/** What of the approved plan is done, what runs and for how long, and what comes then. */
export const workLines = (work: Work, width: number, theme: Theme, spinner: string): readonly Line[] =>
	linesOf(work.step.plan?.actions ?? [], work, width, theme, spinner);

function linesOf(
	actions: readonly ShownAction[],
	{ run, step, clocks, now }: Work,
	width: number,
	theme: Theme,
	spinner: string,
): readonly Line[] {
	return actions.flatMap(action => {
		const clock = clocks[`action ${step.id} ${action.id}`];
		if (clock === undefined)
			return [
				clip(line(span(`${theme.glyphs.neutral} `, 'dim'), span(`then  ${action.title}`, 'dim')), width, theme.more),
			];
		const state = run.actions.findLast(a => a.step === step.id && a.id === action.id);
		const time = elapsed((clock.to ?? now) - clock.from);
		return clock.to === undefined
			? runningLines(action, state, time, width, theme, spinner)
			: [endedLine(action, state, time, width, theme)];
	});
}

function endedLine(
	action: ShownAction,
	state: ActionState | undefined,
	time: string,
	width: number,
	theme: Theme,
): Line {
	const { mark, word } = actionNames[state?.outcome ?? 'intended'];
	const outcome = mark !== 'ok' ? `  ${word}` : state?.inPlace === true ? inPlaceWords : '';
	return besideTime(line(markSpan(mark, theme), ` ${action.title}${outcome}`), time, width, theme);
}

function runningLines(
	action: ShownAction,
	state: ActionState | undefined,
	time: string,
	width: number,
	theme: Theme,
	spinner: string,
): readonly Line[] {
	const bar = state?.progress === undefined ? [] : [progressLine(state.progress)];
	const tail = (state?.tail ?? [])
		.filter(text => text.trim() !== '')
		.slice(-tailRows)
		.map(text => clip(line('    ', span(text, 'dim')), width, theme.more));
	const waits =
		action.waitsFor === undefined || tail.length > 0
			? []
			: wrap(line('    ', span(`waits until ${action.waitsFor}`, 'dim')), width, 4);
	const does = saysMore(action) ? atMost(2, wrap(line('    ', action.does), width, 8), width, theme) : [];
	return [
		besideTime(line(span(spinner, 'cursor'), ' ', span(action.title, 'strong')), time, width, theme),
		...does,
		...bar,
		...tail,
		...waits,
	];
}

/** The first rows; the last of them says so when it is not the last of all. */
const atMost = (most: number, rows: readonly Line[], width: number, theme: Theme): readonly Line[] =>
	rows.length <= most
		? rows
		: [...rows.slice(0, most - 1), clip(line(...(rows[most - 1] ?? []), ` ${theme.more}`), width, theme.more)];

/** A time at the right edge, or nearer where the row is narrow. */
function besideTime(of: Line, time: string, width: number, theme: Theme): Line {
	const room = Math.min(width, 76) - time.length - 2;
	const text = clip(of, room, theme.more);
	const used = text.reduce((sum, part) => sum + part.text.length, 0);
	return line(...text, pad('', Math.max(2, room - used + 2)), span(time, 'dim'));
}

function progressLine({ done, total, unit }: NonNullable<ActionState['progress']>): Line {
	const told = (n: number): string => (unit === 'bytes' ? `${(n / 1_000_000).toFixed(1)} MB` : `${n}`);
	const share = total === undefined || total === 0 ? '' : `  ${Math.floor((done / total) * 100)} %`;
	return line(
		`    ${told(done)}${total === undefined ? '' : ` of ${told(total)}`}${unit === 'bytes' ? '' : ` ${unit}`}${share}`,
	);
}
