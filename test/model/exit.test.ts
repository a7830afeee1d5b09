import { describe, expect, it } from 'vitest';
import { emptyTally, exitCode, judgeTally, mergeTally, type Tally } from '../../src/model/exit.ts';

describe('the exit code of a run', () => {
	const classes = ['failed', 'blocked', 'undecided', 'open'] as const;
	const codes = { failed: 1, blocked: 3, undecided: 5, open: 4 } as const;
	const every: Tally[] = Array.from({ length: 32 }, (_, bits) => ({
		failed: (bits & 1) !== 0,
		blocked: (bits & 2) !== 0,
		undecided: (bits & 4) !== 0,
		open: (bits & 8) !== 0,
		changed: (bits & 16) !== 0,
	}));

	it.each(every)('is the first of 1, 3, 5, 4, 0 that holds: %o', tally => {
		const worst = classes.find(name => tally[name]);
		expect(judgeTally(tally)).toEqual(
			worst === undefined
				? { exit: 0, outcome: tally.changed ? 'done' : 'nothing-to-do' }
				: { exit: codes[worst], outcome: worst },
		);
	});

	it('gathers what each step came to, and loses none of it', () => {
		for (const tally of every) {
			expect(mergeTally(tally, {})).toEqual(tally);
			expect(mergeTally(emptyTally, tally)).toEqual(tally);
			expect(mergeTally(tally, emptyTally)).toEqual(tally);
		}
	});

	it('is one of the documented numbers', () => {
		expect(Object.values(exitCode)).toEqual([0, 1, 2, 3, 4, 5, 75, 129, 130, 143]);
	});
});
