import type { Container } from '../docker/container.ts';
import { impactOfStop, isJob } from '../docker/container-impact.ts';
import { inspectDocker } from '../docker/daemon.ts';
import type { Action, Guarded, ReadinessState } from '../model/action.ts';
import type { Fate, ImpactContainer } from '../model/impact.ts';
import type { RunState } from '../model/state.ts';
import type { StepId } from '../model/step-id.ts';
import type { ExecResult, ReadHost } from '../port/host.ts';
import { excerpt } from '../system/reading.ts';
import { nameSome } from '../text/name-some.ts';
import { type BadMount, reviveCommand } from './mounts.ts';
import type { StoppedContainer } from './runtime.ts';
import { runningUnderSysbox } from './runtime.ts';

/*
 * Sysbox containers around a stop of Sysbox (upgrade, restart, purge). Seen with Sysbox 0.7.0: one that is stopped
 * first starts again with its inner store, every time; one that runs on is "Up" and dead afterwards.
 *
 * A plan that takes Sysbox down reads:
 *
 *   const users = runningUnderSysbox(facts.docker);
 *   actions: [
 *     ...stopSysboxContainers(users),
 *     { …what takes Sysbox down, guard: noSysboxContainerRuns, rollback: [START SYSBOX, ...startAfterFailure(users)] },
 *     …start Sysbox, with a wait until it is ready…,
 *     ...startSysboxContainers(users),
 *   ],
 *   impact: { stops: …, notes: stopNotes(users), containers: impactOfSysboxStop(users, now, 'started-again') },
 *
 * A purge leaves the last line out, and shows the fate 'stays-stopped'. The first action asks for the risk
 * `stop-containers` by itself, writes down what it stops, and starts that again when it fails. After it, the step's next
 * look finds with {@link notBackAgain} what did not come back, and leaves it to the operator by {@link reviveByHand}.
 */

export const stopId = 'stop-sysbox-containers';
export const startId = 'start-sysbox-containers';

/** Key of the observation that says what a run has stopped, so that it is started again whatever happens to the run. */
const stoppedKey = 'sysbox.stopped-containers';

/** Docker's own patience where a container names none (moby, DefaultStopTimeout), in seconds. */
const usualStopS = 10;
/** The patience with a container whose stop timeout is "for ever", in seconds. */
const longestUnboundS = 600;
const marginMs = 30_000;

/** Seconds that Docker gives a container between the signal and the kill. */
function stopSeconds({ stopTimeoutS }: Container): number {
	const wanted = stopTimeoutS ?? usualStopS;
	return wanted < 0 ? longestUnboundS : wanted;
}

/** Neither removed by its stop, nor made for one job: what is started again once Sysbox is back. */
const isStartedAgain = (container: Container): boolean => !container.autoRemove && !isJob(container);

const plural = (containers: readonly unknown[], one: string, many: string): string =>
	containers.length === 1 ? one : many;

const namesOf = (containers: readonly StoppedContainer[]): readonly [string, ...string[]] => {
	const [first = '', ...rest] = containers.map(c => c.name);
	return [first, ...rest];
};

/** What is typed to Docker: another container can have taken the name since. */
const idsOf = (containers: readonly StoppedContainer[]): readonly string[] => containers.map(c => c.id);

/**
 * Stops Sysbox containers before Sysbox goes down: none or one action. It needs the risk `stop-containers`. Each
 * container gets its own stop timeout. When it fails, what it had stopped is started again.
 */
export function stopSysboxContainers(containers: readonly Container[]): readonly Action[] {
	if (containers.length === 0) return [];
	const again = containers.filter(isStartedAgain);
	return [
		{
			id: stopId,
			kind: 'exec',
			title: `Stop ${nameSome(namesOf(containers))}, which ${plural(containers, 'runs', 'run')} under Sysbox`,
			why: 'a container that is stopped before Sysbox goes down keeps its inner images and volumes; one that keeps running is dead afterwards',
			argv: ['docker', 'stop', ...idsOf(containers)],
			timeoutMs: Math.max(...containers.map(stopSeconds)) * 1000 + marginMs,
			risks: ['stop-containers'],
			guard: (host, signal) => onlyThese(host, signal, containers, again),
			waitUntil: {
				what: `${nameSome(namesOf(containers))} to have stopped`,
				deadlineMs: 10_000,
				check: async (host, signal): Promise<ReadinessState> => {
					const running = await runningOf(host, containers, signal);
					if (typeof running === 'string') return { kind: 'waiting', seen: running };
					return running.length === 0
						? { kind: 'settled', evidence: `${nameSome(namesOf(containers))} stopped` }
						: {
								kind: 'waiting',
								seen: `${nameSome(running.map(c => c.name))} still ${plural(running, 'runs', 'run')}`,
							};
				},
			},
			whenItFails: ['see which container does not stop (docker ps), stop it, then start again'],
			rollback: again.length > 0 ? startAfterFailure(again) : undefined,
			undo:
				again.length === 0
					? { kind: 'none', why: 'its CI system makes new ones' }
					: {
							kind: 'commands',
							commands: [
								{
									argv: ['docker', 'start', ...idsOf(again)],
									timeoutMs: startMs(again),
									why: `${plural(again, 'it', 'they')} ran before`,
									nothingLeft: 'No such container',
								},
							],
						},
		},
	];
}

const startMs = (containers: readonly unknown[]): number => 60_000 + containers.length * 20_000;

/**
 * Starts what {@link stopSysboxContainers} has stopped, once Sysbox is ready: none or one action. A container that does
 * not come back fails nothing: the next look finds it (see {@link notBackAgain}).
 */
export function startSysboxContainers(containers: readonly (Container | StoppedContainer)[]): readonly Action[] {
	const again = containers.filter(c => !('image' in c) || isStartedAgain(c));
	if (again.length === 0) return [];
	return [
		{
			...startAction(again),
			judgedByReadiness: true,
			waitUntil: {
				what: `${nameSome(namesOf(again))} to run again`,
				deadlineMs: 10_000,
				check: async (host, signal): Promise<ReadinessState> => {
					const missing = await notBackAgain(host, again, signal);
					return {
						kind: 'settled',
						evidence:
							missing.length === 0
								? `${nameSome(namesOf(again))} ${plural(again, 'runs', 'run')} again and can be entered`
								: missing.map(({ container, why }) => `${container.name} ${why}`).join('; '),
					};
				},
			},
		},
	];
}

/** The same for a rollback, and for what a run owes when it ends: what does not start is a failure that is told. */
export const startAfterFailure = (containers: readonly (Container | StoppedContainer)[]): readonly Action[] => {
	const again = containers.filter(c => !('image' in c) || isStartedAgain(c));
	return again.length === 0 ? [] : [startAction(again)];
};

function startAction(containers: readonly StoppedContainer[]): Extract<Action, { kind: 'exec' }> {
	return {
		id: startId,
		kind: 'exec',
		title: `Start ${nameSome(namesOf(containers))} again`,
		why: `${plural(containers, 'it', 'they')} ran before Sysbox went down`,
		argv: ['docker', 'start', ...idsOf(containers)],
		timeoutMs: startMs(containers),
		takesBack: [stopId],
		undo: { kind: 'none', why: `${plural(containers, 'it', 'they')} ran before` },
		whenItFails: [`start ${plural(containers, 'it', 'them')} (docker start ${namesOf(containers).join(' ')})`],
	};
}

/** What Sysbox's stop does to these containers, for the sheet of a plan. `fate` is that of those it does not remove. */
export function impactOfSysboxStop(
	containers: readonly Container[],
	now: Date,
	fate: Extract<Fate, 'started-again' | 'stays-stopped'>,
): readonly ImpactContainer[] {
	return containers.map(container => {
		const hit = impactOfStop(container, false, now);
		if (container.autoRemove) return hit;
		return fate === 'started-again' && !isJob(container)
			? { ...hit, fate, startedAgain: true as const }
			: { ...hit, fate: 'stays-stopped' as const };
	});
}

/** What to know of the stop itself: containers that may take long. */
export function stopNotes(containers: readonly Container[]): readonly string[] {
	return containers.flatMap(container => {
		const seconds = stopSeconds(container);
		if ((container.stopTimeoutS ?? 0) < 0)
			return [
				`${container.name} has no stop timeout: it gets ${longestUnboundS} s to stop. If it has not stopped by then, Sysbox is left as it is`,
			];
		return seconds > 60 ? [`${container.name} can take up to ${seconds} s to stop: that is its stop timeout`] : [];
	});
}

/** Guard of the action that takes Sysbox down: a job may have started a Sysbox container meanwhile. */
export async function noSysboxContainerRuns(host: ReadHost, signal: AbortSignal): Promise<Guarded> {
	return onlyThese(host, signal, [], undefined);
}

async function onlyThese(
	host: ReadHost,
	signal: AbortSignal,
	approved: readonly Container[],
	noted: readonly Container[] | undefined,
): Promise<Guarded> {
	const docker = await inspectDocker(host, signal);
	// A Docker that does not run, or is gone, has no running container either, and could not stop one.
	const none = docker.containers.kind === 'daemon-down' || docker.containers.kind === 'no-cli';
	if (none && approved.length === 0) return { kind: 'go' };
	if (docker.containers.kind !== 'ok')
		return { kind: 'stale', said: `the containers that run under Sysbox cannot be listed (${docker.containers.kind})` };
	const known = new Set(approved.map(c => c.id));
	const strangers = runningUnderSysbox(docker).filter(c => !known.has(c.id));
	if (strangers.length > 0)
		return {
			kind: 'stale',
			said: `${nameSome(strangers.map(c => c.name))} began to run under Sysbox since the plan was shown`,
		};
	if (noted === undefined) return { kind: 'go' };
	return { kind: 'go', seen: { key: stoppedKey, value: noted.map(({ id, name }) => ({ id, name })) } };
}

/** What this step of the run has stopped last, whether or not it was started since. Empty where it stopped nothing. */
export function stoppedByRun(state: RunState, step: StepId): readonly StoppedContainer[] {
	const stop = state.actions.findLast(a => a.step === step && a.id === stopId && a.outcome !== 'refused');
	const seen = state.observed[stoppedKey]?.last.value;
	if (stop === undefined || !Array.isArray(seen)) return [];
	return seen.flatMap((entry): readonly StoppedContainer[] => {
		if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return [];
		const { id, name } = entry;
		return typeof id === 'string' && typeof name === 'string' ? [{ id, name }] : [];
	});
}

/** Whether this step of the run has tried to start them since it stopped them last. */
export function startWasTried(state: RunState, step: StepId): boolean {
	const stop = state.actions.findLast(a => a.step === step && a.id === stopId && a.outcome !== 'refused');
	return state.actions.some(
		a => a.step === step && a.id === startId && a.outcome === 'done' && a.seq > (stop?.seq ?? Number.POSITIVE_INFINITY),
	);
}

export interface NotBack {
	readonly container: StoppedContainer;
	readonly running: boolean;
	/** Behind its name: `does not run: …`. */
	readonly why: string;
}

/**
 * Which of these do not run, or cannot be entered. Enters each one that runs (`docker exec NAME true`), so only for
 * containers that this tool has started itself. One that is gone is left out: its owner removed it.
 */
export async function notBackAgain(
	host: ReadHost,
	containers: readonly StoppedContainer[],
	signal: AbortSignal,
): Promise<readonly NotBack[]> {
	const found = await Promise.all(
		containers.map(async (container): Promise<readonly NotBack[]> => {
			const state = await host.exec(
				['docker', 'inspect', '--format', '{{.State.Running}} {{.State.Error}}', container.id],
				{ timeoutMs: 10_000, signal },
			);
			if (/No such (object|container)/i.test(state.stderr)) return [];
			if (state.code !== 0)
				return [{ container, running: false, why: `cannot be looked at: ${excerpt(state.stderr) || state.problem}` }];
			const [running, ...error] = state.stdout.trim().split(' ');
			if (running !== 'true') {
				const said = excerpt(error.join(' '), 300);
				return [{ container, running: false, why: `does not run${said === '' ? '' : `: ${said}`}` }];
			}
			const entered = await host.exec(['docker', 'exec', container.id, 'true'], { timeoutMs: 20_000, signal });
			return canBeEntered(entered)
				? []
				: [{ container, running: true, why: `runs and cannot be entered: ${saidBy(entered)}` }];
		}),
	);
	return found.flat();
}

/** An image without the program `true` says so from inside. */
const canBeEntered = ({ code, stdout, stderr }: ExecResult): boolean =>
	code === 0 || /executable file not found|"true": (stat true: )?no such file/i.test(`${stdout}${stderr}`);

const saidBy = ({ problem, stdout, stderr }: ExecResult): string =>
	problem === 'timeout' ? 'no answer within 20 s' : excerpt(stderr.trim() || stdout, 300);

/** Left to the operator: a container that this run stopped and could not bring back. */
export function reviveByHand({ container, why }: NotBack, badMounts: readonly BadMount[]): Action {
	return {
		id: `revive-${container.name}`,
		kind: 'manual',
		title: `Bring ${container.name} back`,
		why: `it ran before Sysbox went down, and ${why}`,
		text: reviveCommand(container, badMounts),
	};
}

async function runningOf(
	host: ReadHost,
	containers: readonly StoppedContainer[],
	signal: AbortSignal,
): Promise<readonly StoppedContainer[] | string> {
	const listed = await host.exec(['docker', 'ps', '--quiet', '--no-trunc'], { timeoutMs: 10_000, signal });
	if (listed.code !== 0) return listed.stderr.trim() || `docker ps: ${listed.problem ?? `exit code ${listed.code}`}`;
	const running = new Set(listed.stdout.split(/\s+/));
	return containers.filter(c => running.has(c.id));
}
