import type { EventOf, StepStatus } from '../model/event.ts';
import type { Outcome } from '../model/exit.ts';
import type { Severity, ThreatId } from '../model/finding.ts';
import type { ActionState } from '../model/state.ts';
import type { Mark } from './glyphs.ts';

/** What a state is called, in every format, and its mark. */
export interface Named {
	readonly mark: Mark;
	readonly word: string;
}

export const severityNames: Readonly<Record<Severity, Named>> = {
	ok: { mark: 'ok', word: 'ok' },
	info: { mark: 'neutral', word: 'note' },
	warn: { mark: 'warn', word: 'warning' },
	block: { mark: 'block', word: 'problem' },
	'could-not-tell': { mark: 'unknown', word: 'unknown' },
};

/** How a step came out. */
export const statusNames: Readonly<Record<StepStatus | 'running', Named>> = {
	unchanged: { mark: 'ok', word: 'nothing to change' },
	done: { mark: 'ok', word: 'done' },
	proved: { mark: 'ok', word: 'proved' },
	failed: { mark: 'block', word: 'failed' },
	blocked: { mark: 'block', word: 'blocked' },
	undecided: { mark: 'unknown', word: 'unknown' },
	skipped: { mark: 'neutral', word: 'skipped' },
	open: { mark: 'warn', word: 'action needed' },
	reported: { mark: 'ok', word: 'written' },
	'not-run': { mark: 'neutral', word: 'not run' },
	running: { mark: 'unknown', word: 'not finished' },
};

type Verdict = EventOf<'probe'>['verdict'];

const verdictMarks: Readonly<Record<Verdict, Mark>> = {
	pass: 'ok',
	fail: 'block',
	'could-not-tell': 'unknown',
	'left-out': 'neutral',
};
const ofAttack: Readonly<Record<Verdict, string>> = {
	pass: 'blocked',
	fail: 'got through',
	'could-not-tell': 'unknown',
	'left-out': 'left out',
};
const ofTest: Readonly<Record<Verdict, string>> = { ...ofAttack, pass: 'passed', fail: 'failed' };

/** A verdict on an attack, which a threat rests on, or on a test of what a job needs. */
export const verdictName = ({ threats }: { readonly threats: readonly ThreatId[] }, verdict: Verdict): Named => ({
	mark: verdictMarks[verdict],
	word: (threats.length > 0 ? ofAttack : ofTest)[verdict],
});

/** What an action came to. */
export const actionNames: Readonly<Record<ActionState['outcome'], Named>> = {
	intended: { mark: 'unknown', word: 'begun; how it ended was not seen' },
	done: { mark: 'ok', word: 'done' },
	failed: { mark: 'block', word: 'failed' },
	'rolled-back': { mark: 'block', word: 'failed, rolled back' },
	refused: { mark: 'block', word: 'refused' },
	interrupted: { mark: 'unknown', word: 'interrupted' },
	manual: { mark: 'warn', word: 'left for you' },
};

/** What a run came to. */
export const outcomeWords: Readonly<Record<Outcome, string>> = {
	done: 'done',
	'nothing-to-do': 'nothing to change',
	failed: 'failed',
	blocked: "can't continue",
	undecided: 'some results are unknown',
	open: 'action needed',
	refused: 'refused',
	interrupted: 'interrupted',
	locked: 'another run is at work',
	'wrong-input': 'what was passed is wrong',
};
