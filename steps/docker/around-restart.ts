import type { Action } from '../../src/model/action.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import { nameSome } from '../../src/text/name-some.ts';
import { guardRestart, startAgain, waitForReturning } from './afterwards.ts';
import { drainedByRun, drainRunners, holdRunners, releaseRunners, releaseUnfinished } from './drain.ts';
import type { DockerStepFacts } from './facts.ts';
import { drainJenkins, type JenkinsAccess, pausedByRun, releaseJenkins } from './jenkins.ts';
import { drainable, jobsChoice, runningJobs, waitForJobsMs } from './jobs-choice.ts';
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
	const drains = waits
		? [...drainJenkins(facts.jenkins, waitForJobsMs(context, needsMs)), ...drainRunners(facts, context, needsMs)]
		: [];
	const paused = nodeOfRestart(facts, context);
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
		...(paused === undefined ? [] : [releaseJenkins(paused)]),
	];
}

/** The Jenkins node that is offline when Docker restarts, and was set so by this run or is about to be. */
export function nodeOfRestart({ jenkins }: DockerStepFacts, context: JudgeContext): JenkinsAccess | undefined {
	const told = jobsChoice(context) === 'drain' && jenkins?.kind === 'node' && !jenkins.paused;
	return told ? jenkins.access : pausedByRun(jenkins, context.state);
}

/** Runners that take no job when Docker restarts: those that are about to be told so, and those that were. */
export function runnersOfRestart(facts: DockerStepFacts, context: JudgeContext): readonly Runner[] {
	const told = [...(jobsChoice(context) === 'drain' ? drainable(facts) : []), ...drainedByRun(facts, context.state)];
	return facts.runners.filter(runner => told.some(other => runnerName(other) === runnerName(runner)));
}

/**
 * Builds that cannot be waited for from here, where waiting was asked for: Jenkins does not answer, or has made agents
 * of its own for builds. Then the restart is left to whoever can pause them.
 */
export function cannotWait(facts: DockerStepFacts, context: JudgeContext): Action | undefined {
	if (jobsChoice(context) !== 'drain') return undefined;
	const builds = runningJobs(facts).filter(c => c.owner?.kind === 'jenkins');
	const { jenkins } = facts;
	if (builds.length === 0 && jenkins?.kind !== 'unreachable') return undefined;
	return {
		id: 'pause-jenkins',
		kind: 'manual',
		title: 'Pause Jenkins, then restart Docker',
		why:
			jenkins?.kind === 'unreachable'
				? `${jenkins.access.url} cannot be asked: ${jenkins.said}`
				: `Jenkins builds in ${nameSome(builds.map(c => c.name))}, which cannot be waited for from here`,
		text: 'In Jenkins: Manage Jenkins, Nodes, the node of this host, Mark this node temporarily offline; wait until it builds nothing; then start this step again',
	};
}

/** What the step owes the host when it ends, however it ends. */
export const owed = (facts: DockerStepFacts, context: JudgeContext): readonly Action[] =>
	[
		...startAgain(facts, context),
		...releaseUnfinished(drainedByRun(facts, context.state)),
		...[pausedByRun(facts.jenkins, context.state)].flatMap(access =>
			access === undefined ? [] : [releaseJenkins(access)],
		),
	].map(action => ({
		...action,
		givesBack: true,
	}));
