import type { ReactElement } from 'react';
import type { ActionFailure } from '../../model/decider.ts';
import type { StepState } from '../../model/state.ts';
import type { Look } from '../layout.ts';
import { labelled, line, span, wrap } from '../line.ts';
import { Frame } from '../parts/frame.tsx';
import type { Prompt } from '../prompt.ts';
import { stepTitle } from './step-title.ts';

/** What went wrong: what was said, why, what is true on the host now, and the ways out. */
export function FailureScreen({
	look,
	step,
	failure,
	body,
	prompt,
}: {
	readonly look: Look;
	readonly step: StepState | undefined;
	readonly failure: ActionFailure;
	/** What of the plan is done, and what was not begun. */
	readonly body: readonly string[];
	readonly prompt: Prompt;
}): ReactElement {
	const { width, theme } = look;
	const told = (label: string, text: string | undefined) =>
		text === undefined || text === '' ? [] : labelled(label, text, width, { indent: 2, column: 8 });
	const rest = [
		...told('why', failure.why),
		...told('now', failure.now ?? 'nothing after this was done'),
		...body.flatMap(text => wrap(line(`  ${text}`), width, 4)),
		...failure.next.flatMap((text, index) => told(index === 0 ? 'you can' : '', text)),
	];
	const said = told('said', failure.said);
	return (
		<Frame
			look={look}
			title={stepTitle(step, look)}
			about={[line(span(theme.glyphs.block, 'block'), ' Failed: ', span(failure.action.title, 'strong'))]}
			bodies={[
				[...said, ...rest],
				[...said.slice(0, 4), ...rest],
				[...said.slice(0, 2), ...rest],
			]}
			prompt={prompt}
		/>
	);
}
