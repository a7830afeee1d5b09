import type { ReactElement } from 'react';
import type { Finding } from '../../model/finding.ts';
import { type Place, placeWords, type Question } from '../../model/question.ts';
import { riskWords } from '../../model/risk.ts';
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
	question,
	place,
	lastRun,
	findings,
	why,
	prompt,
}: {
	readonly look: Look;
	readonly step: StepState | undefined;
	/** What the step is for. */
	readonly why: string | undefined;
	readonly question: Question;
	readonly place: Place;
	/** What Enter takes is the answer from the last run. */
	readonly lastRun: boolean;
	readonly findings: readonly Finding[];
	readonly prompt: Prompt;
}): ReactElement {
	const { theme, width, rows } = look;
	const limits = limitsOf(question);
	const asked = [
		line(span(question.title, 'strong')),
		...wrap(line(question.help), width),
		blank,
		...(limits === undefined ? [] : [line(span(limits, 'dim'))]),
		...(lastRun ? [line(span('Enter takes the answer from the last run.', 'dim'))] : []),
		...wrap(line(span(placeWords(place), 'dim')), width),
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

function limitsOf(question: Question): string | undefined {
	switch (question.kind) {
		case 'number': {
			const { min, max, unit } = question;
			const range =
				min !== undefined && max !== undefined
					? `A number from ${min} to ${max}`
					: min !== undefined
						? `A number, at least ${min}`
						: max !== undefined
							? `A number, at most ${max}`
							: 'A number';
			return unit === undefined ? range : `${range} (${unit})`;
		}
		case 'path':
			return question.wants === 'folder'
				? 'A folder on this host'
				: question.wants === 'file'
					? 'A file on this host'
					: 'A path on this host';
		case 'many':
			return 'Space ticks what is marked. None is an answer too.';
		case 'risk':
			return `${riskWords[question.risk]} To accept it, type its name: ${question.risk}`;
		case 'confirm':
		case 'choice':
		case 'text':
			return undefined;
		default:
			return question satisfies never;
	}
}
