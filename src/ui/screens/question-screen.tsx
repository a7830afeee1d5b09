import type { ReactElement } from 'react';
import type { Finding } from '../../model/finding.ts';
import type { StepState } from '../../model/state.ts';
import { notFine } from '../../view/finding.ts';
import { keyLines, type Look, promptLines } from '../layout.ts';
import { blank, line, span, wrap } from '../line.ts';
import { Frame } from '../parts/frame.tsx';
import type { Prompt } from '../prompt.ts';
import { countsLine, findingsLines } from '../text/findings-text.ts';
import { sentence } from '../text/words.ts';
import { stepTitle } from './step-title.ts';

/** One question: what is asked, why, and what may be answered. */
export function QuestionScreen({
	look,
	step,
	title,
	body,
	findings,
	why,
	prompt,
}: {
	readonly look: Look;
	readonly step: StepState | undefined;
	/** What the step is for. */
	readonly why: string | undefined;
	readonly title: string;
	/** Why it is asked, and then what limits the answer. */
	readonly body: readonly string[];
	readonly findings: readonly Finding[];
	readonly prompt: Prompt;
}): ReactElement {
	const { theme, width, rows } = look;
	const [help = '', ...notes] = body;
	const asked = [
		line(span(title, 'strong')),
		...wrap(line(help), width),
		blank,
		...notes.flatMap(note => wrap(line(span(note, 'dim')), width)),
	];
	// Where little is asked there is room for what it is asked about, and for what the step is for.
	const troubles = notFine(findings);
	const found = troubles.length === 0 ? [] : [...findingsLines(troubles, 'one-line', width, theme), blank];
	const counts = findings.length === 0 ? [] : [countsLine(findings, theme)];
	const purpose = why === undefined ? [] : wrap(line(sentence(why)), width);
	const answers = promptLines(prompt, width, rows, theme);
	const least = 1 + counts.length + 1 + found.length + asked.length + 1 + answers.length + keyLines(look).length;
	return (
		<Frame
			look={look}
			title={stepTitle(step, look)}
			about={[...(purpose.length + least < rows ? purpose : []), ...counts]}
			bodies={[[...found, ...asked], asked]}
			prompt={prompt}
		/>
	);
}
