import { changesMade, type RunState, type StepState, survivesFailure } from '../../model/state.ts';
import { probesPassed, survivedWords } from '../../view/end.ts';
import { statusNames } from '../../view/words.ts';
import { type Line, line, pad, type Span, span, widthOf, wrap } from '../line.ts';
import { findingsOf, type Intro } from '../screen.ts';
import { markSpan, type Theme } from '../theme.ts';
import { countsLine } from './findings-text.ts';
import { count } from './words.ts';

/** What this is, and on which host, as soon as that is known. */
export function introLines(
	intro: Pick<Intro, 'tool' | 'simulated'> & Partial<Pick<Intro, 'host'>>,
	width: number,
	theme: Theme,
): readonly Line[] {
	const on = intro.host === undefined ? '' : ` on ${intro.host}`;
	return [
		...wrap(line(span(`sysbox-setup ${intro.tool}`, 'strong'), on), width),
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

/** A finished step, in one row where that holds it: what it was, what it came to, and what that rests on. */
export function stepLines(run: RunState, step: StepState, width: number, theme: Theme): readonly Line[] {
	const made = step.kind === 'report' ? run.actions.filter(a => a.outcome === 'done') : changesMade(run);
	const changed = made.filter(a => a.step === step.id).map(a => a.title);
	// A run that was gone on with found its own work done.
	const status = step.status === 'unchanged' && changed.length > 0 ? 'done' : step.status;
	const { mark, word } = statusNames[status];
	const row = (rest: readonly (string | Span)[]): Line =>
		line(markSpan(mark, theme), ` ${step.n} ${pad(step.title, titleColumn)}  `, word, ...rest);
	const named = row([span(`  ${changed.join(', ')}`, 'dim')]);
	// Many are counted: the summary names them.
	if (status === 'done' && changed.length > 0)
		return changed.length === 1 || widthOf(named) <= width
			? wrap(named, width, titleColumn + 6)
			: [row([span(`  ${count(changed.length, 'change')}`, 'dim')])];
	const back = run.actions.find(a => a.step === step.id && survivesFailure(run, a));
	if (status === 'done' && back !== undefined)
		return wrap(row([span(`  ${back.title}: ${survivedWords}`, 'dim')]), width, titleColumn + 6);
	return wrap(row(details(step, theme)), width, titleColumn + 6);
}

function details(step: StepState, theme: Theme): readonly (string | Span)[] {
	if (step.status === 'proved' || step.status === 'undecided' || step.kind === 'proof') {
		if (step.probes.some(probe => probe.verdict !== 'left-out')) return [`  ${probesPassed(step.probes)}`];
	}
	// Its reason names the findings by their ids; what they say is on the screen, in the summary and in the record.
	const hinders = findingsOf(step).filter(f => f.severity === 'block' && f.waived === undefined);
	if (step.status === 'blocked' && hinders.length > 0)
		return [span(`  ${hinders.length === 1 ? (hinders[0]?.summary ?? '') : count(hinders.length, 'problem')}`, 'dim')];
	if (step.why !== undefined && step.status !== 'unchanged') return [span(`  ${step.why}`, 'dim')];
	const findings = findingsOf(step);
	return findings.length === 0 ? [] : ['   ', ...countsLine(findings, theme)];
}
