import type { EventOf } from './event.ts';
import type { ThreatId } from './finding.ts';

type Verdict = EventOf<'probe'>['verdict'];

const ofAttack: Readonly<Record<Verdict, string>> = {
	pass: 'blocked',
	fail: 'got through',
	'could-not-tell': 'unknown',
	'left-out': 'left out',
};

const ofTest: Readonly<Record<Verdict, string>> = { ...ofAttack, pass: 'passed', fail: 'failed' };

/** What a verdict is called: that of an attack, which a threat rests on, or that of a test of what a job needs. */
export const verdictWord = ({ threats }: { readonly threats: readonly ThreatId[] }, verdict: Verdict): string =>
	(threats.length > 0 ? ofAttack : ofTest)[verdict];
