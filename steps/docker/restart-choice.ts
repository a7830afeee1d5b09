import { type Question, yesNoAnswer } from '../../src/model/question.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import type { Difference } from '../../src/sysbox/reload.ts';
import { nameSome } from '../../src/text/name-some.ts';
import { askStartAgain } from './afterwards.ts';
import { describeDifference, isNeededBySysbox, ownDifferences } from './differences.ts';
import type { DockerStepFacts } from './facts.ts';
import { stoppedByRestart } from './impact.ts';
import { askJenkins, jenkinsAgents, jenkinsIds } from './jenkins.ts';
import { askJobs, jobsChoice, jobsId } from './jobs-choice.ts';
import { startAgainId } from './start-again-choice.ts';

export const restartId = 'docker.restart';
export const answerIds = [restartId, jobsId, ...Object.values(jenkinsIds), startAgainId] as const;

/**
 * Mostly Sysbox itself needs a reload only. What a restart puts in force are addresses, which can wait for the next
 * quiet hour: so it is asked for, and Enter leaves Docker running, unless no Sysbox container starts before it.
 */
export const wantsRestart = (facts: DockerStepFacts, context: JudgeContext): boolean =>
	(yesNoAnswer(context.answers, restartId) ?? restartByDefault(facts, context)) && jobsChoice(context) !== 'later';

const restartByDefault = (facts: DockerStepFacts, context: JudgeContext): boolean =>
	restartDifferences(facts, context).some(isNeededBySysbox);

export function restartDifferences(facts: DockerStepFacts, context: JudgeContext): readonly Difference[] {
	return ownDifferences(facts, context).filter(d => d.needs === 'restart');
}

/** This run has restarted Docker with the file as it is: once more would not help, and would stop everything again. */
export function restartedAlready(facts: DockerStepFacts, { state }: JudgeContext): boolean {
	const restarted = state.actions.findLast(a => a.role === 'restart-docker' && a.outcome === 'done');
	if (restarted === undefined) return false;
	const written = state.actions.findLast(a => a.undo.kind === 'file' && a.undo.path === facts.file.path);
	return written === undefined || written.seq < restarted.seq;
}

export function askRestart(facts: DockerStepFacts | undefined, context: JudgeContext): readonly Question[] {
	if (facts === undefined || facts.dockerd.unit === undefined || restartedAlready(facts, context)) return [];
	const waiting = restartDifferences(facts, context);
	if (waiting.length === 0) return [];
	const stops = stoppedByRestart(facts).map(c => c.name);
	const first: Question = {
		id: restartId,
		label: 'Restart Docker',
		alone: true,
		kind: 'confirm',
		leadsOn: true,
		title: `Restart Docker now for ${nameSome(waiting.map(d => d.key))}?`,
		help: [
			`Docker reads this only when it starts. ${waiting.map(describeDifference).join('; ')}.`,
			stops.length > 0 ? `A restart stops ${stops.length} containers: ${nameSome(stops)}.` : 'No container is stopped.',
			waiting.some(isNeededBySysbox)
				? 'No Sysbox container starts before it.'
				: 'Sysbox does not need it: left as it is, the setting counts from the next start of Docker on.',
		].join(' '),
		initial: restartByDefault(facts, context),
	};
	if (yesNoAnswer(context.answers, restartId) !== true) return [first];
	const jobs = askJobs(facts, context);
	if (jobsChoice(context) === 'later' || (jobs.length > 0 && jobsChoice(context) === undefined))
		return [first, ...jobs];
	const asked = jobsChoice(context) === 'drain' ? askJenkins(jenkinsAgents(facts.docker), context.answers) : [];
	return [first, ...jobs, ...asked, ...askStartAgain(facts, context)];
}
