import type { ReactElement } from 'react';
import type { ActionFailure } from '../../model/decider.ts';
import { changesMade, type RunState, type StepState } from '../../model/state.ts';
import type { Look } from '../layout.ts';
import { labelled, line, span } from '../line.ts';
import { Frame } from '../parts/frame.tsx';
import type { Prompt } from '../prompt.ts';
import { stepTitle } from './step-title.ts';

/** What went wrong: what was said, why, what is true on the host now, and the ways out. */
export function FailureScreen({
	look,
	run,
	step,
	failure,
	prompt,
}: {
	readonly look: Look;
	readonly run: RunState;
	readonly step: StepState | undefined;
	readonly failure: ActionFailure;
	readonly prompt: Prompt;
}): ReactElement {
	const { width, theme } = look;
	const told = (label: string, text: string | undefined) =>
		text === undefined || text === '' ? [] : labelled(label, text, width, { indent: 2, column: 8 });
	const planned = step?.plan?.actions ?? [];
	const at = planned.findIndex(action => action.id === failure.action.id);
	const ended = changesMade(run).filter(action => action.step === step?.id);
	/** The way back has done it already: a switch that was armed for the change is gone. */
	const wasDone = (id: string): boolean =>
		run.actions.some(of => of.id === `${failure.action.id}.${id}` && of.step === step?.id && of.outcome === 'done');
	const notBegun = planned.slice(at + 1).filter(({ id }) => !wasDone(id));
	const before = planned.slice(0, Math.max(0, at)).filter(({ id }) => ended.some(action => action.id === id));
	const titles = (actions: readonly { readonly title: string }[]): string => actions.map(a => a.title).join('; ');
	const rest = [
		...told('why', failure.why),
		...told('now', failure.now ?? 'nothing after this was done'),
		...told('done', before.length === 0 ? undefined : `${titles(before)}; that stays, and can be taken back`),
		...told('open', at < 0 || notBegun.length === 0 ? undefined : `not begun: ${titles(notBegun)}`),
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
