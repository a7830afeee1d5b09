import type { ReactElement } from 'react';
import type { Finding } from '../../core/finding.ts';
import type { StepState } from '../../core/state.ts';
import type { Look } from '../layout.ts';
import { blank, type Line, line, span } from '../line.ts';
import { Frame } from '../parts/frame.tsx';
import type { Prompt } from '../prompt.ts';
import { type FindingDetail, findingCounts, findingsLines, notFine } from '../text/findings-text.ts';
import { impactLines, planLinesIn } from '../text/plan-text.ts';
import { count } from '../text/words.ts';
import { stepTitle } from './step-title.ts';

/** What was found, what would be changed and how it is taken back, and whether it is done. */
export function PlanScreen({
	look,
	step,
	why,
	findings,
	command,
	prompt,
}: {
	readonly look: Look;
	readonly step: StepState | undefined;
	readonly why: string | undefined;
	readonly findings: readonly Finding[];
	/** How this tool is started again. */
	readonly command: string;
	readonly prompt: Prompt;
}): ReactElement {
	const { width, theme } = look;
	const plan = step?.plan;
	const actions = plan?.actions ?? [];
	const troubles = notFine(findings);
	const impact = impactLines(plan?.impact, width, theme);
	const risks = [...new Set(actions.flatMap(action => action.risks ?? []))];
	const consent =
		risks.length === 0
			? []
			: [line(span(theme.glyphs.warn, 'warn'), ` has to be accepted by name: ${risks.join(', ')}`)];
	const head = line(span(`To be done, in this order (${count(actions.length, 'change')}; nothing is done yet)`, 'dim'));
	const undo = line(span(`Taken back with:  ${command} revert`, 'dim'));
	const body = (finding: FindingDetail | 'none', rows: number): readonly Line[] => {
		const found = finding === 'none' ? [] : findingsLines(troubles, finding, width, theme);
		const before = [
			...(found.length > 0 ? [...found, blank] : []),
			...impact,
			...consent,
			...(impact.length + consent.length > 0 ? [blank] : []),
			head,
		];
		return [...before, ...planLinesIn(rows - before.length - 1, actions, width, theme), undo];
	};
	const titles = actions.length + 3;
	/** Findings give way before changes do. */
	const fill = (rows: number): readonly Line[] => {
		const one = findingsLines(troubles, 'one-line', width, theme).length + impact.length + consent.length + 3;
		const wanted = rows > 30 ? 'fix' : one + titles <= rows ? 'one-line' : 'none';
		return body(wanted, rows);
	};
	return (
		<Frame
			look={look}
			title={stepTitle(step, look)}
			about={[
				...(why === undefined ? [] : [line(sentence(why))]),
				...(findings.length > 0 ? [findingCounts(findings, theme)] : []),
			]}
			fill={fill}
			bodies={[body('none', 0)]}
			prompt={prompt}
		/>
	);
}

/** A step's reason is written to stand behind its title; alone it is a sentence. */
export const sentence = (text: string): string =>
	`${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
