import type { EventOf } from './event.ts';

/** The exit codes. A stable interface: the table in the README says what each means. */
export const exitCode = {
	done: 0,
	failed: 1,
	wrongInput: 2,
	blocked: 3,
	open: 4,
	undecided: 5,
	locked: 75,
	terminalGone: 129,
	interrupted: 130,
	terminated: 143,
} as const;

export type Outcome = EventOf<'run.end'>['outcome'];

/** What a run came to, class by class. Several may hold; the order of design decides which one the exit code tells. */
export interface Tally {
	readonly failed: boolean;
	readonly blocked: boolean;
	readonly undecided: boolean;
	readonly open: boolean;
	readonly changed: boolean;
}

export const emptyTally: Tally = { failed: false, blocked: false, undecided: false, open: false, changed: false };

export const mergeTally = (a: Tally, b: Partial<Tally>): Tally => ({
	failed: a.failed || b.failed === true,
	blocked: a.blocked || b.blocked === true,
	undecided: a.undecided || b.undecided === true,
	open: a.open || b.open === true,
	changed: a.changed || b.changed === true,
});

/** When several hold, the first of 1, 3, 5, 4, 0. */
export function judgeTally(tally: Tally): { readonly exit: number; readonly outcome: Outcome } {
	if (tally.failed) return { exit: exitCode.failed, outcome: 'failed' };
	if (tally.blocked) return { exit: exitCode.blocked, outcome: 'blocked' };
	if (tally.undecided) return { exit: exitCode.undecided, outcome: 'undecided' };
	if (tally.open) return { exit: exitCode.open, outcome: 'open' };
	return { exit: exitCode.done, outcome: tally.changed ? 'done' : 'nothing-to-do' };
}
