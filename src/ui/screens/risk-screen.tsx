import type { ReactElement } from 'react';
import type { RiskName } from '../../model/risk.ts';
import type { StepState } from '../../model/state.ts';
import type { Look } from '../layout.ts';
import { blank, line, span, wrap } from '../line.ts';
import { Frame } from '../parts/frame.tsx';
import type { Prompt } from '../prompt.ts';
import { actionsOf } from '../screen.ts';
import { impactLines, planLines } from '../text/plan-text.ts';
import { stepTitle } from './step-title.ts';

/** One risk, asked alone: what it means here, what it hits, and its name to be typed. */
export function RiskScreen({
	look,
	step,
	title,
	risk,
	prompt,
}: {
	readonly look: Look;
	readonly step: StepState | undefined;
	/** What accepting it means. */
	readonly title: string;
	readonly risk: RiskName;
	readonly prompt: Prompt;
}): ReactElement {
	const { width, theme } = look;
	/** What it hits comes before what is run: the latter was on the screen before this one. */
	const body = (rows: number, detail: 'how' | 'title') => {
		const hit = impactLines(step?.plan?.impact, width, theme, rows);
		return [
			...hit,
			...(hit.length > 0 ? [blank] : []),
			...planLines(actionsOf(step, risk), detail, width, theme),
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
			about={[line(span(`${theme.glyphs.warn} `, 'warn'), span(title, 'strong'))]}
			bodies={[body(12, 'how'), body(12, 'title'), body(8, 'title'), body(5, 'title')]}
			prompt={prompt}
		/>
	);
}
