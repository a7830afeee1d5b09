import { type Container, describeOwner } from '../../src/docker/container.ts';
import { isJob } from '../../src/docker/container-impact.ts';
import { duration } from '../../src/model/impact.ts';
import { type Question, textAnswer } from '../../src/model/question.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import { nameSome } from '../../src/text/name-some.ts';
import type { DockerStepFacts } from './facts.ts';
import { jenkinsAgents } from './jenkins.ts';
import { isAtWork, type Runner, runnerName, undrainable } from './runners.ts';

export const jobsId = 'docker.jobs';

export type JobsChoice = 'drain' | 'later' | 'now';

const halfAnHourMs = 30 * 60_000;

/** How long jobs are waited for, before the window is looked at. */
const drainTimeout = ({ options }: JudgeContext): number => options.drainTimeoutMs ?? halfAnHourMs;

/** Containers of CI jobs that run now. */
export function runningJobs({ docker }: Pick<DockerStepFacts, 'docker'>): readonly Container[] {
	return docker.containers.kind === 'ok' ? docker.containers.value.filter(c => c.running && isJob(c)) : [];
}

/** How long jobs are waited for: what was said, cut to what the window leaves once the restart has had its share. */
export function waitForJobsMs(context: JudgeContext, restartMs: number): number {
	const { until } = context.options;
	const window = until === undefined ? Number.POSITIVE_INFINITY : until.getTime() - context.now.getTime() - restartMs;
	return Math.max(0, Math.min(drainTimeout(context), window));
}

/** Runners that work and can be told to finish. */
export const drainable = ({ runners }: Pick<DockerStepFacts, 'runners'>): readonly Runner[] =>
	runners.filter(runner => isAtWork(runner) && undrainable(runner) === undefined);

export function jobsChoice({ answers }: Pick<JudgeContext, 'answers'>): JobsChoice | undefined {
	const answer = textAnswer(answers, jobsId);
	return answer === 'drain' || answer === 'later' || answer === 'now' ? answer : undefined;
}

/** What about the CI jobs of this host, where Docker is to be restarted. */
export function askJobs(facts: DockerStepFacts, context: JudgeContext): readonly Question[] {
	const jobs = runningJobs(facts);
	const able = drainable(facts);
	const unable = facts.runners
		.filter(isAtWork)
		.map(undrainable)
		.filter(why => why !== undefined);
	const agents = jenkinsAgents(facts.docker);
	if (jobs.length + able.length + unable.length + agents.length === 0) return [];
	// All or nothing: to wait for some jobs and kill the others is no drain.
	const ownerless = able.length === 0 && jobs.some(job => job.owner?.kind === 'gitlab-runner');
	const pausable = unable.length === 0 && !ownerless && (able.length > 0 || agents.length > 0);
	const { options } = context;
	const wait = duration(drainTimeout(context));
	const named = nameSome([...new Set(jobs.map(job => (describeOwner(job) ?? job.name).replace(/ \(\w+\)$/, '')))]);
	// Nobody is made to wait who did not say so: unattended, jobs are lost only by a risk that is accepted by name.
	const careful = options.attended === true || options.drainTimeoutMs !== undefined;
	return [
		{
			id: jobsId,
			label: 'Running jobs',
			alone: true,
			kind: 'choice',
			leadsOn: true,
			title:
				jobs.length > 0
					? `CI jobs run on this host: ${named}`
					: `${nameSome([...able.map(runnerName), ...agents.map(c => c.name)])} ${able.length + agents.length === 1 ? 'takes' : 'take'} CI jobs on this host`,
			help: [
				able.length > 0 && pausable
					? `${nameSome(able.map(runnerName))} can be told to take no new job and to finish those it has; it takes jobs again afterwards, however this ends. No job is ever killed.`
					: pausable
						? ''
						: 'What started them cannot be paused from here.',
				...unable,
				agents.length > 0 && pausable
					? `Whether Jenkins builds in ${nameSome(agents.map(c => c.name))} only its controller can tell; it is asked for next.`
					: '',
			]
				.filter(sentence => sentence !== '')
				.join(' '),
			options: [
				...(pausable
					? [
							{
								value: 'drain',
								label: `Pause the ${able.length > 0 ? 'runner' : 'agent'}, wait at most ${wait} for its jobs, then restart`,
							},
						]
					: []),
				{ value: 'later', label: 'Later: everything so far stays' },
				{ value: 'now', label: 'Restart now: running jobs fail' },
			],
			initial: !careful ? 'now' : pausable ? 'drain' : 'later',
		},
	];
}
