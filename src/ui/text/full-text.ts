import type { Finding } from '../../model/finding.ts';
import { changesMade, type RunState, type StepState } from '../../model/state.ts';
import type { AnnouncedProbe } from '../../prompts/decision.ts';
import { bySeverity } from '../../view/finding.ts';
import { blank, type Line, labelled, line, span, wrap } from '../line.ts';
import { findingsAbout, type Screen } from '../screen.ts';
import type { Theme } from '../theme.ts';
import { countsLine, findingLines } from './findings-text.ts';
import { actionLines, impactLines } from './plan-text.ts';
import { probeCounts, probeEvidence } from './probe-text.ts';
import { reviewText } from './review-text.ts';

/** Everything that is known about the step on the screen, in full; what the screen is about comes first. */
export function fullText(
	run: RunState,
	step: StepState | undefined,
	screen: Screen | undefined,
	width: number,
	theme: Theme,
): readonly Line[] {
	if (screen?.kind === 'review') return reviewText(screen.run, width, theme);
	const announced = screen?.kind === 'proof' ? announcedSection(screen.probes, width) : [];
	const steps = step === undefined || screen?.kind === 'end' || screen?.kind === 'start' ? run.steps : [step];
	const sections = steps.flatMap(of => [
		...(steps.length > 1 ? [line(span(`${of.n} ${of.title}`, 'strong')), blank] : []),
		...(screen?.kind === 'result' ? probeSection(of, width, theme) : []),
		...planSection(of, width, theme),
		...findingSection(findingsAbout(of, screen), width, theme),
		...(screen?.kind === 'result' ? [] : probeSection(of, width, theme)),
		...outputSection(run, of, width),
	]);
	const answers = Object.entries(run.answers);
	const longest = Math.max(0, ...answers.map(([id]) => id.length));
	const given =
		answers.length === 0
			? []
			: [
					heading('Answers'),
					...answers.flatMap(([id, value]) =>
						labelled(id, Array.isArray(value) ? value.join(', ') || 'none' : String(value), width, {
							indent: 2,
							column: Math.max(24, longest + 2),
						}),
					),
					blank,
				];
	const all = [
		...announced,
		...(screen?.kind === 'end' ? changesSection(run, width, theme) : []),
		...sections,
		...given,
	];
	return all.length === 0 ? [line('Nothing was looked at yet.')] : all;
}

const heading = (text: string): Line => line(span(text, 'strong'));

/** Each change of the run by its step, before all that led to it. */
function changesSection(run: RunState, width: number, theme: Theme): readonly Line[] {
	const done = changesMade(run);
	if (done.length === 0) return [];
	return [
		heading('Changed'),
		...run.steps.flatMap(step => {
			const titles = done.filter(action => action.step === step.id).map(action => action.title);
			if (titles.length === 0) return [];
			return [
				line(`  ${step.n} ${step.title}`),
				...titles.flatMap(title => wrap(line(`    ${theme.glyphs.neutral} ${title}`), width, 6)),
			];
		}),
		blank,
	];
}

function planSection(step: StepState, width: number, theme: Theme): readonly Line[] {
	if (step.plan === undefined || step.plan.actions.length === 0) return [];
	return [
		heading('Plan'),
		...impactLines(step.plan.impact, width, theme),
		...step.plan.actions.flatMap((action, index) => [...actionLines(action, index + 1, 'all', width, theme), blank]),
	];
}

function findingSection(about: readonly Finding[], width: number, theme: Theme): readonly Line[] {
	const findings = bySeverity(about);
	if (findings.length === 0) return [];
	return [
		line(span('Findings   ', 'strong'), ...countsLine(findings, theme)),
		...findings.flatMap(finding => [
			...findingLines(finding, 'all', width, theme),
			line(' '.repeat(12), span(finding.id, 'dim')),
		]),
		blank,
	];
}

/** What is going to be tried, before any of it is. */
function announcedSection(probes: readonly AnnouncedProbe[], width: number): readonly Line[] {
	return [
		heading('To be tried'),
		...probes.flatMap(({ title, attempt, expectation, control }, index) => [
			...wrap(line(span(`${String(index + 1).padStart(2)} `, 'dim'), span(title, 'strong')), width, 4),
			...labelled('does', attempt, width, { column: 9 }),
			...labelled('must', expectation, width, { column: 9 }),
			...(control === undefined ? [] : labelled('control', control, width, { column: 9 })),
		]),
		blank,
	];
}

function probeSection(step: StepState, width: number, theme: Theme): readonly Line[] {
	if (step.probes.length === 0) return [];
	return [
		heading('Evidence'),
		...probeCounts(step.probes, theme),
		blank,
		...probeEvidence(step.probes, width, theme),
		blank,
	];
}

function outputSection(run: RunState, step: StepState, width: number): readonly Line[] {
	const told = run.actions.filter(action => action.step === step.id && action.tail.length > 0);
	if (told.length === 0) return [];
	return [
		heading('Last lines of the commands'),
		...told.flatMap(action => [
			line('  ', span(action.does, 'strong')),
			...action.tail.flatMap(text => labelled('', text, width, { indent: 4, column: 0, tone: 'dim' })),
		]),
		blank,
	];
}
