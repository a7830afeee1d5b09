import type { Action } from '../../src/core/action.ts';
import type { JudgeContext } from '../../src/core/step.ts';
import { guardRestart, startAgain, waitForReturning } from './afterwards.ts';
import { drainedByRun, drainRunners, holdRunners, releaseRunners, releaseUnfinished } from './drain.ts';
import type { DockerStepFacts } from './facts.ts';
import { drainable, jobsChoice } from './jobs-choice.ts';
import { type Runner, runnerName } from './runners.ts';

/** The id of the action that stops and starts Docker. */
const restartId = 'restart';

/**
 * What a restart needs around it: new work is stopped and running jobs are waited for; what stops is compared with what
 * was accepted; what comes back by itself is waited for; runners take jobs again.
 */
export function aroundRestart(
	facts: DockerStepFacts,
	context: JudgeContext,
	restart: readonly Action[],
	needsMs: number,
): readonly Action[] {
	const waits = jobsChoice(context) === 'drain';
	const drains = waits ? drainRunners(facts, context, needsMs) : [];
	const told = runnersOfRestart(facts, context);
	return [
		...drains,
		...restart.flatMap(action =>
			action.id === restartId
				? [...holdRunners(told), { ...action, needsMs, guard: guardRestart(facts, context, !waits) }]
				: [action],
		),
		...waitForReturning(facts, context),
		...releaseRunners(told),
	];
}

/** Runners that take no job when Docker restarts: those that are about to be told so, and those that were. */
export function runnersOfRestart(facts: DockerStepFacts, context: JudgeContext): readonly Runner[] {
	const told = [...(jobsChoice(context) === 'drain' ? drainable(facts) : []), ...drainedByRun(facts, context.state)];
	return facts.runners.filter(runner => told.some(other => runnerName(other) === runnerName(runner)));
}

/** What the step owes the host when it ends, however it ends. */
export const owed = (facts: DockerStepFacts, context: JudgeContext): readonly Action[] =>
	[...startAgain(facts, context), ...releaseUnfinished(drainedByRun(facts, context.state))].map(action => ({
		...action,
		givesBack: true,
	}));
