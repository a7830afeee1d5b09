import type { ReactElement } from 'react';
import type { PreviewedStep } from '../../model/review.ts';
import type { RiskName } from '../../model/risk.ts';
import type { Look } from '../layout.ts';
import { blank, line } from '../line.ts';
import { Frame } from '../parts/frame.tsx';
import type { Prompt } from '../prompt.ts';
import { reviewLines, reviewNotes } from '../text/review-text.ts';

/** Everything that the run would do, before the first change is put to the operator. */
export function ReviewScreen({
	look,
	title,
	body,
	run,
	accepted,
	command,
	prompt,
}: {
	readonly look: Look;
	readonly title: string;
	readonly body: readonly string[];
	readonly run: readonly PreviewedStep[];
	/** Risks that were accepted when the run was started. */
	readonly accepted: readonly RiskName[];
	readonly command: string;
	readonly prompt: Prompt;
}): ReactElement {
	const { width, theme } = look;
	const notes = reviewNotes(run, accepted, command, width, theme);
	const steps = reviewLines(run, 'steps', width, theme);
	return (
		<Frame
			look={look}
			title={title}
			about={body.map(text => line(text))}
			bodies={[
				[...reviewLines(run, 'changes', width, theme), blank, ...notes],
				[...steps, blank, ...notes],
				[...steps, ...notes],
			]}
			prompt={prompt}
		/>
	);
}
