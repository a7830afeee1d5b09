import type { ReactElement } from 'react';
import type { Finding } from '../../model/finding.ts';
import type { StepState } from '../../model/state.ts';
import { notFine } from '../../view/finding.ts';
import type { Look } from '../layout.ts';
import { blank, type Line, line, span } from '../line.ts';
import { Frame } from '../parts/frame.tsx';
import type { Prompt } from '../prompt.ts';
import { countsLine, findingsLines } from '../text/findings-text.ts';
import { stepTitle } from './step-title.ts';

/** What stands in the way and is for the operator to put right. */
export function BlockedScreen({
	look,
	step,
	title,
	body,
	findings,
	prompt,
}: {
	readonly look: Look;
	readonly step: StepState | undefined;
	readonly title: string;
	readonly body: readonly string[];
	readonly findings: readonly Finding[];
	readonly prompt: Prompt;
}): ReactElement {
	const { width, theme } = look;
	const hinders = notFine(findings).filter(finding => finding.severity === 'block' && finding.waived === undefined);
	const others = notFine(findings).filter(finding => !hinders.includes(finding));
	/** One whose evidence is longer than the screen, as the difference of two plans is, is told as far as there is room. */
	const fill = (rows: number): readonly Line[] => {
		const all = findingsLines(hinders, 'fix', width, theme);
		if (hinders.length !== 1 || all.length <= rows || rows < 4) return [];
		const mark = line(span(`            ${theme.more} v shows all of it`, 'dim'));
		return [...all.slice(0, rows - 1), mark];
	};
	const more = others.length === 0 ? [] : [blank, ...findingsLines(others, 'one-line', width, theme)];
	return (
		<Frame
			look={look}
			title={stepTitle(step, look)}
			about={[line([title, ...body].join(' ')), countsLine(findings, theme)]}
			fill={fill}
			bodies={[
				[...findingsLines(hinders, 'all', width, theme), ...more],
				[...findingsLines(hinders, 'fix', width, theme), ...more],
				findingsLines(hinders, 'fix', width, theme),
				[
					...findingsLines(hinders, 'one-line', width, theme),
					line(span('            e tells of each what was seen and what helps', 'dim')),
				],
			]}
			prompt={prompt}
		/>
	);
}
