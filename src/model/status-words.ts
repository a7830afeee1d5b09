import type { StepStatus } from './event.ts';

/** How a step came out, as text output, status and record say it. */
export const statusWords: Readonly<Record<StepStatus, string>> = {
	unchanged: 'nothing to change',
	done: 'done',
	proved: 'proved',
	failed: 'failed',
	blocked: 'blocked',
	undecided: 'could not tell everything',
	skipped: 'skipped',
	open: 'something is left to do',
	reported: 'written',
	'not-run': 'not run',
};
