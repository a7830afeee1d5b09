import type { ReactElement } from 'react';
import type { Finding } from '../../model/finding.ts';
import { type RiskName, riskWords } from '../../model/risk.ts';
import type { StepState } from '../../model/state.ts';
import { notFine } from '../../view/finding.ts';
import type { Look } from '../layout.ts';
import { blank, type Line, line, span, wrap } from '../line.ts';
import { Frame } from '../parts/frame.tsx';
import { planPageRows } from '../press.ts';
import type { Prompt } from '../prompt.ts';
import { consentLines } from '../text/consent-text.ts';
import { countsLine, type FindingDetail, findingsLines } from '../text/findings-text.ts';
import { impactLines, planLinesIn, planPages, planRows } from '../text/plan-text.ts';
import { sentence } from '../text/words.ts';
import { stepTitle } from './step-title.ts';

/** What was found, what would be changed and how it is taken back, and whether it is done. */
export function PlanScreen({
	look,
	step,
	why,
	findings,
	page,
	accepted,
	title,
	body: notes,
	prompt,
}: {
	readonly look: Look;
	readonly step: StepState | undefined;
	readonly why: string | undefined;
	readonly findings: readonly Finding[];
	/** 0: all at a glance; then the changes in full. */
	readonly page: number;
	/** Risks that were accepted when the run was started. */
	readonly accepted: readonly RiskName[];
	readonly title: string;
	/** What comes after the plan, and how it is reverted. */
	readonly body: readonly string[];
	readonly prompt: Prompt;
}): ReactElement {
	const { width, theme } = look;
	const plan = step?.plan;
	const actions = plan?.actions ?? [];
	const pages = planPages(actions, planPageRows(look.rows), width, theme);
	const inFull = pages[Math.min(page, pages.length) - 1];
	if (inFull !== undefined) {
		const place = pages.length === 1 ? '' : `, page ${Math.min(page, pages.length)} of ${pages.length}`;
		return (
			<Frame
				look={look}
				title={stepTitle(step, look)}
				about={[line(span(`To be done, in full${place} (nothing is done yet)`, 'dim'))]}
				bodies={[inFull]}
				prompt={prompt}
			/>
		);
	}
	const troubles = notFine(findings);
	const impact = impactLines(plan?.impact, width, theme, 7);
	const risks = [...new Set(actions.flatMap(action => action.risks ?? []))];
	// What a restart means is told by the sheet of containers.
	const toName = plan?.impact?.containers === undefined ? risks.filter(risk => !accepted.includes(risk)) : [];
	const consent = [
		...consentLines(risks, accepted, width, theme),
		...toName.flatMap(risk => wrap(line('  ', span(riskWords[risk], 'dim')), width, 2)),
	];
	const head = line(span(title, 'dim'));
	const after = notes.flatMap(text => wrap(line(span(text, 'dim')), width, 2));
	const body = (of: readonly Finding[], detail: FindingDetail, rows: number): readonly Line[] => {
		const found = findingsLines(of, detail, width, theme);
		const before = [
			...(found.length > 0 ? [...found, blank] : []),
			...impact,
			...consent,
			...(impact.length + consent.length > 0 ? [blank] : []),
			head,
		];
		return [...before, ...planLinesIn(rows - before.length - after.length, actions, width, theme), ...after];
	};
	/** Findings give way before changes do. */
	const fill = (rows: number): readonly Line[] => {
		const space = rows - (impact.length + consent.length + 5);
		// What the plan itself ends is told by the plan.
		const open = troubles.filter(finding => finding.remedy?.kind !== 'planned');
		const fits = (of: readonly Finding[], found: FindingDetail, change: 'line' | 'why'): boolean =>
			findingsLines(of, found, width, theme).length + planRows(actions, change, width, theme) <= space;
		if (fits(troubles, 'fix', 'why')) return body(troubles, 'fix', rows);
		if (fits(troubles, 'one-line', 'line')) return body(troubles, 'one-line', rows);
		return body(fits(open, 'one-line', 'line') ? open : [], 'one-line', rows);
	};
	return (
		<Frame
			look={look}
			title={stepTitle(step, look)}
			about={[
				...(why === undefined ? [] : [line(sentence(why))]),
				...(findings.length > 0 ? [countsLine(findings, theme)] : []),
			]}
			fill={fill}
			bodies={[body([], 'one-line', 0)]}
			prompt={prompt}
		/>
	);
}
