import {
	asksFirst,
	assumedAhead,
	changing,
	ownChanges,
	type PreviewedStep,
	quietly,
	risksAhead,
	stopsAhead,
} from '../../model/review.ts';
import type { RiskName } from '../../model/risk.ts';
import { howReverted } from '../../prompts/decisions.ts';
import { blank, clip, type Line, line, pad, span, wrap } from '../line.ts';
import type { Theme } from '../theme.ts';
import { consentLines } from './consent-text.ts';
import { actionLines, impactLines } from './plan-text.ts';
import { count } from './words.ts';

/** Every change of the run in a row of its own, or every step. What only prepares or follows a change is behind `v`. */
export function reviewLines(
	run: readonly PreviewedStep[],
	detail: 'changes' | 'steps',
	width: number,
	theme: Theme,
): readonly Line[] {
	const column = Math.max(...run.map(({ title }) => title.length));
	return run.flatMap(step => {
		const head = [span(`${String(step.n).padStart(2)} `, 'dim'), span(pad(step.title, column), 'strong'), '  '];
		const own = ownChanges(step);
		const shown = own.length > 0 ? own : step.actions;
		if (shown.length === 0)
			return [clip(line(...head, span(`${asksFirst(step, '; ')}${quietly(step)}`, 'dim')), width, theme.more)];
		const cells = shown.map(({ title, risks = [] }) =>
			line(title, ...(risks.length > 0 ? [span(` ${theme.glyphs.warn}`, 'warn')] : [])),
		);
		const asked = asksFirst(step, '; ');
		if (detail === 'changes')
			return cells.map((cell, index) =>
				clip(line(...(index === 0 ? [...head, asked] : [pad('', column + 5)]), ...cell), width, theme.more),
			);
		const more = shown.length === 1 ? '' : `${count(shown.length, 'change')}: `;
		return [clip(line(...head, `${asked}${more}`, ...(cells[0] ?? [])), width, theme.more)];
	});
}

/** What the changes mean: what stops, what has to be accepted, what is only assumed, and the way back. */
export function reviewNotes(
	run: readonly PreviewedStep[],
	accepted: readonly RiskName[],
	command: string,
	width: number,
	theme: Theme,
): readonly Line[] {
	const assumed = assumedAhead(run);
	return [
		...stopsAhead(run).flatMap(({ n, what }) =>
			wrap(line(span(theme.glyphs.block, 'block'), ` stops at step ${n}: ${what}`), width, 2),
		),
		...consentLines(risksAhead(run), accepted, width, theme),
		...(assumed.length === 0
			? []
			: wrap(
					line(
						span(theme.glyphs.unknown, 'unknown'),
						` ${count(
							run.reduce((sum, { asks }) => sum + asks, 0),
							'question',
						)} still to come may change this; v shows what is assumed`,
					),
					width,
					2,
				)),
		...wrap(line(span(howReverted(command), 'dim')), width, 2),
	];
}

/** All of it, diffs and all. */
export function reviewText(run: readonly PreviewedStep[], width: number, theme: Theme): readonly Line[] {
	const assumed = assumedAhead(run);
	return [
		...changing(run).flatMap(step => [
			line(span(`${step.n} ${step.title}`, 'strong')),
			blank,
			...impactLines(step.impact, width, theme),
			...step.actions.flatMap((action, index) => [...actionLines(action, index + 1, 'all', width, theme), blank]),
		]),
		...(assumed.length === 0
			? []
			: [
					line(span('Taken for what is still to be asked', 'strong')),
					...assumed.flatMap(text => wrap(line(`  ${text}`), width, 4)),
					blank,
				]),
	];
}
