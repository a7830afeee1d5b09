import type { ReactElement } from 'react';
import { changing, type PreviewedStep } from '../../model/review.ts';
import type { RiskName } from '../../model/risk.ts';
import type { Look } from '../layout.ts';
import { blank, line } from '../line.ts';
import { Frame } from '../parts/frame.tsx';
import type { Prompt } from '../prompt.ts';
import { reviewLines, reviewNotes } from '../text/review-text.ts';
import { count } from '../text/words.ts';

/** Everything that the run would do, before the first change is put to the operator. */
export function ReviewScreen({
	look,
	run,
	begun,
	accepted,
	command,
	prompt,
}: {
	readonly look: Look;
	readonly run: readonly PreviewedStep[];
	/** The run has changed something before. */
	readonly begun: boolean;
	/** Risks that were accepted when the run was started. */
	readonly accepted: readonly RiskName[];
	readonly command: string;
	readonly prompt: Prompt;
}): ReactElement {
	const { width, theme } = look;
	const changes = run.reduce((sum, step) => sum + step.actions.length, 0);
	const notes = reviewNotes(run, accepted, command, width, theme);
	const steps = reviewLines(run, 'steps', width, theme);
	return (
		<Frame
			look={look}
			title={begun ? 'What is still to be done: the rest of the run' : 'Before the first change: the whole run'}
			about={[
				line(
					`${count(changes, 'change')} in ${count(changing(run).length, 'step')}. ${begun ? 'Nothing of it is done yet' : 'Nothing is done yet'}, and each step asks again.`,
				),
			]}
			bodies={[
				[...reviewLines(run, 'changes', width, theme), blank, ...notes],
				[...steps, blank, ...notes],
				[...steps, ...notes],
			]}
			prompt={prompt}
		/>
	);
}
