import type { RunState, StepState } from '../../core/state.ts';
import { clean, clip, type Line, line, pad, type Span, span, wrap } from '../line.ts';
import { type Intro, latestFindings } from '../screen.ts';
import type { Theme } from '../theme.ts';
import { findingCounts } from './findings-text.ts';
import { statusWords } from './words.ts';

export function introLines(intro: Intro, width: number, theme: Theme): readonly Line[] {
	return [
		...wrap(line(span(`sysbox-setup ${intro.tool}`, 'strong'), ` on ${intro.host}`), width),
		...(intro.simulated
			? wrap(
					line(span(theme.glyphs.warn, 'warn'), ' simulated host: nothing on this machine is looked at or changed'),
					width,
					2,
				)
			: []),
	];
}

const titleColumn = 24;

/** A finished step as one row: what it was, what it came to, and what that rests on. */
export function stepLine(run: RunState, step: StepState, width: number, theme: Theme): Line {
	const status = step.status === 'running' ? 'open' : step.status;
	return clip(
		line(
			statusMark(status, theme),
			` ${step.n} ${pad(step.title, titleColumn)}  `,
			statusWords[status],
			...details(run, step, theme),
		),
		width,
		theme.more,
	);
}

function details(run: RunState, step: StepState, theme: Theme): readonly (string | Span)[] {
	const changed = run.actions.filter(a => a.step === step.id && a.outcome === 'done').map(a => clean(a.title));
	if (step.status === 'done' && changed.length > 0) return [span(`  ${changed.join(', ')}`, 'dim')];
	if (step.status === 'proved' || step.status === 'undecided' || step.kind === 'proof') {
		const held = step.probes.filter(probe => probe.verdict === 'pass').length;
		const counted = step.probes.filter(probe => probe.verdict !== 'left-out').length;
		const word = step.probes.some(probe => probe.threats.length > 0) ? 'held' : 'work';
		if (counted > 0) return [`  ${held} of ${counted} ${word}`];
	}
	if (step.why !== undefined && step.status !== 'unchanged') return [span(`  ${clean(step.why)}`, 'dim')];
	const findings = latestFindings(step);
	return findings.length === 0 ? [] : ['   ', ...findingCounts(findings, theme)];
}

export function statusMark(status: StepState['status'], theme: Theme): Span {
	const { glyphs } = theme;
	switch (status) {
		case 'unchanged':
		case 'done':
		case 'proved':
		case 'reported':
			return span(glyphs.ok, 'ok');
		case 'failed':
		case 'blocked':
			return span(glyphs.block, 'block');
		case 'undecided':
			return span(glyphs.unknown, 'unknown');
		case 'open':
		case 'running':
			return span(glyphs.warn, 'warn');
		case 'skipped':
		case 'not-run':
			return span(glyphs.neutral, 'dim');
		default:
			return status satisfies never;
	}
}
