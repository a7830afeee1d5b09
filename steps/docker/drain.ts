import type { Action, Guarded, ReadinessState } from '../../src/model/action.ts';
import { duration } from '../../src/model/impact.ts';
import type { RunState } from '../../src/model/state.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import type { Argv, ReadHost } from '../../src/port/host.ts';
import { nameSome } from '../../src/text/name-some.ts';
import type { DockerStepFacts } from './facts.ts';
import { drainable, runningJobs, waitForJobsMs } from './jobs-choice.ts';
import { type Runner, runnerName, showRunnerCommand } from './runners.ts';

/** A job ends when it ends, and each look is two commands. */
const lookEveryMs = 10_000;

const idOf = (verb: 'drain' | 'hold' | 'release', runner: Runner): string =>
	`${verb}-${runnerName(runner).replace(/\.service$/, '')}`;

/** Tells each runner to take no new job, and waits until no job runs. */
export function drainRunners(facts: DockerStepFacts, context: JudgeContext, restartMs: number): readonly Action[] {
	const deadlineMs = waitForJobsMs(context, restartMs);
	const jobs = runningJobs(facts).length;
	return drainable(facts).map(runner => ({
		id: idOf('drain', runner),
		kind: 'exec' as const,
		title: `Let ${runnerName(runner)} finish its jobs`,
		why: `it takes no new job from now on; ${jobs === 0 ? 'none runs' : `${jobs} containers of jobs run`}, and none of them is stopped`,
		argv: quit(runner),
		timeoutMs: 30_000,
		undo: {
			kind: 'none' as const,
			why: 'it takes jobs again at the end of this step, however that ends',
		},
		waitUntil: {
			what: `${runnerName(runner)} to end, with all of its jobs`,
			deadlineMs,
			everyMs: lookEveryMs,
			check: (host: ReadHost, signal: AbortSignal) => drained(host, runner, signal),
		},
		whenItFails: [
			`Docker was not restarted; ${runnerName(runner)} goes on with its jobs${runner.kind === 'unit' && runner.startsAgainAfterMs !== undefined ? `, and systemd starts it again ${duration(runner.startsAgainAfterMs)} after they have ended` : ''}`,
			'start again with a longer --drain-timeout (such as 2h), or at a quieter time',
		],
	}));
}

const quit = (runner: Runner): Argv =>
	runner.kind === 'unit'
		? // Abbreviated, as the option's name grew a letter with systemd 252.
			['systemctl', 'kill', '--kill-who=main', '--signal=SIGQUIT', runner.unit]
		: ['docker', 'kill', '--signal=SIGQUIT', runner.name];

async function drained(host: ReadHost, runner: Runner, signal: AbortSignal): Promise<ReadinessState> {
	const [works, jobs] = await Promise.all([stillWorks(host, runner, signal), runningGitlabJobs(host, signal)]);
	if (typeof jobs === 'string') return { kind: 'waiting', seen: jobs };
	if (works === 'unknown') return { kind: 'waiting', seen: `${runnerName(runner)} cannot be looked at` };
	if (works === 'again')
		return {
			kind: 'refused',
			said: `${runnerName(runner)} was started again after it had finished, and takes jobs again`,
		};
	if (!works && jobs.length === 0)
		return { kind: 'settled', evidence: `${runnerName(runner)} has ended, and no job runs` };
	const seen =
		jobs.length > 0
			? `${nameSome(jobs, 3)} still ${jobs.length === 1 ? 'runs' : 'run'}`
			: `${runnerName(runner)} has not ended`;
	return { kind: 'waiting', seen };
}

/** `again`: a process of it runs that is not the one that was told to end. */
async function stillWorks(host: ReadHost, runner: Runner, signal: AbortSignal): Promise<boolean | 'again' | 'unknown'> {
	if (runner.kind === 'unit') {
		const pid = await unitPid(host, signal);
		if (pid === undefined) return 'unknown';
		return pid === 0 ? false : pid === runner.pid ? true : 'again';
	}
	const argv: Argv = ['docker', 'inspect', '--format', '{{.State.Running}}', runner.name];
	const shown = await host.exec(argv, { timeoutMs: 10_000, signal });
	return shown.code === 0 ? shown.stdout.trim() === 'true' : 'unknown';
}

async function unitPid(host: ReadHost, signal: AbortSignal): Promise<number | undefined> {
	const shown = await host.exec(showRunnerCommand, { timeoutMs: 10_000, signal });
	const pid = /^MainPID=(\d+)$/m.exec(shown.stdout)?.[1];
	return shown.code === 0 && pid !== undefined ? Number(pid) : undefined;
}

/** `GitLab job 8812`, of which containers run; a sentence where Docker does not say. */
async function runningGitlabJobs(host: ReadHost, signal: AbortSignal): Promise<readonly string[] | string> {
	const label = 'com.gitlab.gitlab-runner.job.id';
	const argv: Argv = ['docker', 'ps', '--filter', `label=${label}`, '--format', '{{.Labels}}'];
	const listed = await host.exec(argv, { timeoutMs: 10_000, signal });
	if (listed.code !== 0) return listed.stderr.trim() || `docker ps: ${listed.problem ?? `exit code ${listed.code}`}`;
	const ids = listed.stdout
		.split('\n')
		.filter(line => line !== '')
		.map(line => line.split(',').find(pair => pair.startsWith(`${label}=`)) ?? '');
	return [...new Set(ids.map(pair => `GitLab job ${pair.slice(label.length + 1)}`))];
}

/**
 * systemd would start a runner that has ended again while Docker is away. It is stopped only while nothing of it runs: a
 * stop of a runner at work would abort its jobs.
 */
export function holdRunners(runners: readonly Runner[]): readonly Action[] {
	return runners.flatMap((runner): readonly Action[] =>
		runner.kind === 'container'
			? []
			: [
					{
						id: idOf('hold', runner),
						kind: 'exec',
						title: `Keep ${runner.unit} down while Docker restarts`,
						why: 'systemd would start it again by itself; it has ended, so that nothing of it is stopped',
						argv: ['systemctl', 'stop', runner.unit],
						timeoutMs: 30_000,
						guard: async (host, signal): Promise<Guarded> =>
							(await unitPid(host, signal)) === 0
								? { kind: 'go' }
								: { kind: 'stale', said: `${runner.unit} was started again, and takes jobs` },
						undo: { kind: 'none', why: 'it is started at the end of this step, however that ends' },
					},
				],
	);
}

/** The command that lets a runner that has ended take jobs again; harmless for one that does. */
export const releaseCommand = (runner: Runner): Argv =>
	runner.kind === 'unit' ? ['systemctl', 'start', runner.unit] : ['docker', 'start', runner.name];

export const releaseRunners = (runners: readonly Runner[]): readonly Action[] =>
	runners.map(runner => ({
		id: idOf('release', runner),
		kind: 'exec',
		title: `Let ${runnerName(runner)} take jobs again`,
		why: 'it was told to take none',
		argv: releaseCommand(runner),
		timeoutMs: 60_000,
		undo: { kind: 'none', why: 'it ran before' },
	}));

/**
 * The same for a wait that was given up. A unit that has not ended is started again by systemd once it has. A container
 * is not: with the signal Docker has put its restart policy aside until the next start (docker-kill(1)), which is no use
 * before it has ended. So somebody who outlives this process waits for that.
 */
export const releaseUnfinished = (runners: readonly Runner[]): readonly Action[] =>
	releaseRunners(runners).map((action, at) => {
		const runner = runners[at];
		if (runner?.kind !== 'container' || !runner.running || action.kind !== 'exec') return action;
		return {
			...action,
			title: `Let ${runner.name} take jobs again once it has finished`,
			argv: [
				'systemd-run',
				'--no-block',
				'--collect',
				`--unit=sysbox-setup-${action.id}`,
				'--property=Type=oneshot',
				`--property=ExecStartPost=docker start ${runner.name}`,
				'docker',
				'wait',
				runner.name,
			],
		};
	});

/** Runners that this run has told to take no job, and not yet let take jobs again. */
export function drainedByRun({ runners }: Pick<DockerStepFacts, 'runners'>, state: RunState): readonly Runner[] {
	const last = (id: string) =>
		state.actions.findLast(a => a.step === 'docker' && a.id === id && a.outcome !== 'refused');
	return runners.filter(runner => {
		const told = last(idOf('drain', runner));
		const released = last(idOf('release', runner));
		return told !== undefined && !(released !== undefined && released.outcome === 'done' && released.seq > told.seq);
	});
}
