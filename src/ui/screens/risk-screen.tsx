import type { ReactElement } from 'react';
import type { Impact } from '../../model/impact.ts';
import { type RiskName, riskWords } from '../../model/risk.ts';
import type { ShownAction } from '../../model/shown-action.ts';
import type { StepState } from '../../model/state.ts';
import type { Look } from '../layout.ts';
import { blank, line, span, wrap } from '../line.ts';
import { Frame } from '../parts/frame.tsx';
import type { Prompt } from '../prompt.ts';
import { impactLines, planLines } from '../text/plan-text.ts';
import { stepTitle } from './step-title.ts';

/** One risk, asked alone: what it means here, what it hits, and its name to be typed. */
export function RiskScreen({
	look,
	step,
	risk,
	actions,
	impact,
	prompt,
}: {
	readonly look: Look;
	readonly step: StepState | undefined;
	readonly risk: RiskName;
	readonly actions: readonly ShownAction[];
	readonly impact: Impact;
	readonly prompt: Prompt;
}): ReactElement {
	const { width, theme } = look;
	/** What it hits comes before what is run: the latter was on the screen before this one. */
	const body = (rows: number, detail: 'how' | 'title') => {
		const hit = impactLines(impact, width, theme, rows);
		return [
			...hit,
			...(hit.length > 0 ? [blank] : []),
			...planLines(actions, detail, width, theme),
			blank,
			...wrap(
				line('If you accept this, type  ', span(risk, 'strong'), '  and press enter. Esc goes back; nothing is done.'),
				width,
			),
		];
	};
	return (
		<Frame
			look={look}
			title={stepTitle(step, look)}
			about={[line(span(`${theme.glyphs.warn} `, 'warn'), span(riskWords[risk], 'strong'))]}
			bodies={[body(12, 'how'), body(12, 'title'), body(8, 'title'), body(5, 'title')]}
			prompt={prompt}
		/>
	);
}
