import { whyDockerFailed } from '../../src/docker/journal.ts';
import { askInfo, describeInfo } from '../../src/docker/reload-answers.ts';
import type { Action, ReadinessState } from '../../src/model/action.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import type { Difference } from '../../src/sysbox/reload.ts';
import { fatalLine, unitJournal } from '../../src/system/unit-failure.ts';
import { nameSome } from '../../src/text/name-some.ts';
import { armWatchdog, describeWatchdog, disarmWatchdog } from '../../src/watchdog/actions.ts';
import { deadlineMs, patienceMs } from '../../src/watchdog/timing.ts';
import { nodeOfRestart, runnersOfRestart } from './around-restart.ts';
import { releaseCommand } from './drain.ts';
import { type DockerStepFacts, earlierFile } from './facts.ts';
import { stopsContainers } from './impact.ts';
import { onlineAgain } from './jenkins.ts';

export interface Restart {
	/** The dead man's switch is armed: before anything that stops. */
	readonly arm: readonly Action[];
	readonly restart: Action;
	/** It is taken away: behind everything that belongs to the restart. */
	readonly disarm: readonly Action[];
}

/** A restart of Docker between the arming and the disarming of the switch. */
export function restartDocker(
	facts: DockerStepFacts,
	context: JudgeContext,
	differences: readonly Difference[],
): Restart {
	const arm = armWatchdog(
		{
			file: facts.realFile,
			sha256: facts.file.content.kind === 'read' ? facts.file.content.sha256 : undefined,
			earlier: earlierFile(facts),
			dockerHost: endpointOf(facts),
			// Who was told to take no job takes jobs again, also when nobody is there to tell them.
			afterwards: [
				...runnersOfRestart(facts, context).map(releaseCommand),
				...[nodeOfRestart(facts, context)].flatMap(node => (node === undefined ? [] : [onlineAgain(node)])),
			],
		},
		facts.watchdog,
	);
	const disarm = disarmWatchdog(arm);
	return { arm, disarm, restart: restartAction(facts, context, differences, disarm) };
}

const endpointOf = ({ docker: { endpoint } }: DockerStepFacts): string =>
	endpoint.kind === 'ok' && endpoint.value.address.startsWith('unix://')
		? endpoint.value.address
		: 'unix:///var/run/docker.sock';

function restartAction(
	facts: DockerStepFacts,
	context: JudgeContext,
	differences: readonly Difference[],
	disarm: readonly Action[],
): Action {
	const stops = stopsContainers(facts, context);
	return {
		id: 'restart',
		role: 'restart-docker',
		kind: 'exec',
		title: 'Restart Docker',
		why: `it reads ${nameSome(differences.map(d => d.key))} only when it starts`,
		argv: ['systemctl', 'restart', 'docker'],
		// docker.service sets no limit of its own (TimeoutStartSec=0), and a slow start is not a failed one.
		timeoutMs: patienceMs(facts.watchdog.lastStart),
		uninterruptible: true,
		explain: whyDockerFailed,
		whenItFails: ['see why it did not come up (journalctl -u docker -n 50), then start again'],
		risks: ['restart-docker', ...(stops ? (['stop-containers'] as const) : [])],
		waitUntil: {
			what: 'Docker answers again',
			deadlineMs: 30_000,
			check: async (host, signal, since): Promise<ReadinessState> => {
				const info = await askInfo(host, signal);
				if (typeof info !== 'string') return { kind: 'settled', evidence: describeInfo(info) };
				return { kind: 'waiting', seen: fatalLine(await unitJournal(host, 'docker', since, signal)) ?? info };
			},
		},
		rollback: [...wayBack(facts, context), ...disarm],
		undo: { kind: 'none', why: 'revert reloads Docker itself' },
	};
}

/**
 * From a Docker that does not come back to one that runs: the file as it was before this run wrote it, then another
 * start. Three bad starts within a minute end in systemd's start limit, which has to be forgotten first. A restart and
 * not a start, as a start would only wait for the one that hangs. When this fails too, the switch is still armed.
 */
function wayBack(facts: DockerStepFacts, { state }: JudgeContext): readonly Action[] {
	const { path, content } = facts.file;
	const written = state.actions.findLast(a => a.undo.kind === 'file' && a.undo.path === path && a.kind !== 'restore');
	const ours =
		written?.undo.kind === 'file' &&
		written.outcome === 'done' &&
		content.kind === 'read' &&
		written.undo.after === content.sha256;
	// What this run wrote is back by then.
	const armed = describeWatchdog({ file: facts.realFile, earlier: ours ? 'unchanged' : earlierFile(facts) });
	const seconds = deadlineMs(facts.watchdog.lastStart) / 1000;
	const run = (id: string, title: string, verb: string): Action => ({
		id,
		kind: 'exec',
		title,
		why: 'Docker did not come back',
		argv: ['systemctl', verb, 'docker'],
		timeoutMs: patienceMs(facts.watchdog.lastStart),
		uninterruptible: true,
		explain: whyDockerFailed,
		whenItFails: [
			`the dead man's switch is still armed: ${seconds} s after it was armed it looks for Docker, and ${armed}`,
		],
		undo: { kind: 'none', why: 'it is itself a step back' },
	});
	const restore: Action = {
		id: 'daemon-json',
		kind: 'restore',
		title: `Put ${path} back`,
		why: 'Docker did not come back with it',
		path,
		first: true,
	};
	return [
		...(ours ? [restore] : []),
		run('reset-failed', 'Forget the failed starts', 'reset-failed'),
		run('start', 'Start Docker', 'restart'),
	];
}
