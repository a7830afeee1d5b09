import { type Action, emptyPlan, type Plan, type Settled } from '../../src/core/action.ts';
import type { JudgeContext } from '../../src/core/step.ts';
import { type DockerInfo, parseDockerInfo } from '../../src/facts/docker-info.ts';
import type { ReadHost } from '../../src/host/port.ts';
import { fileProblem } from '../daemon/daemon-file.ts';
import { dockerUnit } from '../daemon/dockerd-unit.ts';
import { nameSome, runtimeName } from '../daemon/sysbox-runtime.ts';
import { aroundRestart, owed } from './around-restart.ts';
import { type Difference, ownDifferences } from './differences.ts';
import type { DockerStepFacts } from './facts.ts';
import { impactOfReload, impactOfRestart, stopsContainers } from './impact.ts';
import { dockerJournal, messageOf, reloadRefusal } from './journal.ts';
import { restartDifferences, restartedAlready, wantsRestart } from './restart-choice.ts';

export function planLoading(facts: DockerStepFacts, context: JudgeContext): Plan {
	if (facts.docker.info.kind !== 'ok' || fileProblem(facts.file) !== undefined) return emptyPlan;
	const reload = ownDifferences(facts, context).filter(d => d.needs === 'reload');
	const restart = wantsRestart(context) && !restartedAlready(facts, context) ? restartDifferences(facts, context) : [];
	// What an earlier part of the run owes the host; a restart that is to come does it itself.
	if (reload.length + restart.length === 0) return { actions: owed(facts, context) };

	if (facts.dockerd.unit === undefined) return { actions: [byHand(facts, reload)] };
	// A restart reads everything, what a reload would have read too.
	if (restart.length > 0) {
		return {
			actions: aroundRestart(facts, context, [restartDocker(facts, context, [...reload, ...restart])], restartNeedsMs),
			impact: impactOfRestart(facts, context),
		};
	}
	return { actions: [reloadDocker(reload, context), ...owed(facts, context)], impact: impactOfReload(facts, context) };
}

/** A restart and the way back from it: each as long as Docker is waited for. */
const restartNeedsMs = 2 * 60_000;

function byHand(facts: DockerStepFacts, differences: readonly Difference[]): Action {
	return {
		id: 'reload-by-hand',
		kind: 'manual',
		title: 'Reload Docker the way it is run here',
		why: `it is not run as ${dockerUnit}, and reads ${nameSome(differences.map(d => d.key))} only when it is told to`,
		text: `Send the dockerd that reads ${facts.file.path} a SIGHUP (or restart it), then start this step again`,
	};
}

function reloadDocker(differences: readonly Difference[], context: JudgeContext): Action {
	const said = (key: string) => differences.find(d => d.key === key)?.said;
	const wanted = { runtime: said('runtimes'), defaultRuntime: said('default-runtime') };
	const words = nameSome([
		...(wanted.runtime === undefined ? [] : [`docker lists ${runtimeName}`]),
		...(wanted.defaultRuntime === undefined ? [] : [`the default runtime is ${wanted.defaultRuntime}`]),
	]);
	return {
		id: 'reload',
		kind: 'exec',
		title: 'Reload Docker',
		why: 'it reads its file again; no container is touched',
		argv: ['systemctl', 'reload', 'docker'],
		timeoutMs: 60_000,
		whenItFails: ['see what dockerd says (journalctl -u docker -n 50), then start again'],
		settle: {
			what: words,
			// systemctl is back before dockerd has done it (moby#47353); it takes dockerd milliseconds.
			deadlineMs: 15_000,
			check: async (host, signal): Promise<Settled> => {
				const info = await askInfo(host, signal);
				if (typeof info === 'string') return { kind: 'waiting', seen: info };
				if (isLoaded(info, wanted)) return { kind: 'settled', evidence: describeInfo(info) };
				const refusal = await reloadRefusal(host, context.now, signal);
				return refusal === undefined
					? { kind: 'waiting', seen: describeInfo(info) }
					: { kind: 'refused', said: `dockerd kept its old configuration: ${refusal}` };
			},
		},
		undo: { kind: 'none', why: 'revert reloads Docker itself after the file is back' },
	};
}

interface Wanted {
	readonly runtime: string | undefined;
	readonly defaultRuntime: string | undefined;
}

function isLoaded(info: DockerInfo, wanted: Wanted): boolean {
	const found = info.runtimes[runtimeName];
	const path = found?.path ?? found?.runtimeType;
	const runtime =
		wanted.runtime === undefined || (found !== undefined && (path === undefined || path === wanted.runtime));
	return runtime && (wanted.defaultRuntime === undefined || info.defaultRuntime === wanted.defaultRuntime);
}

const describeInfo = (info: DockerInfo): string =>
	`docker lists ${Object.keys(info.runtimes).toSorted().join(', ')}; the default is ${info.defaultRuntime}`;

async function askInfo(host: ReadHost, signal: AbortSignal): Promise<DockerInfo | string> {
	const result = await host.exec(['docker', 'info', '--format', '{{json .}}'], { timeoutMs: 10_000, signal });
	if (result.code !== 0) return result.stderr.trim() || `docker info: ${result.problem ?? `exit code ${result.code}`}`;
	const info = parseDockerInfo(result.stdout);
	return info.kind === 'ok' ? info.value : info.why;
}

function restartDocker(facts: DockerStepFacts, context: JudgeContext, differences: readonly Difference[]): Action {
	const stops = stopsContainers(facts, context);
	return {
		id: 'restart',
		kind: 'exec',
		title: 'Restart Docker',
		why: `it reads ${nameSome(differences.map(d => d.key))} only when it starts`,
		argv: ['systemctl', 'restart', 'docker'],
		// docker.service sets no limit of its own (TimeoutStartSec=0), and waits 15 s for each container to stop.
		timeoutMs: 180_000,
		uninterruptible: true,
		risks: ['restart-docker', ...(stops ? (['stop-containers'] as const) : [])],
		settle: {
			what: 'Docker answers again',
			deadlineMs: 60_000,
			check: async (host, signal): Promise<Settled> => {
				const info = await askInfo(host, signal);
				if (typeof info !== 'string') return { kind: 'settled', evidence: describeInfo(info) };
				const lines = await dockerJournal(host, context.now, signal);
				const fatal = lines.findLast(line =>
					/failed to start daemon|unable to configure the Docker daemon/i.test(line),
				);
				return { kind: 'waiting', seen: fatal === undefined ? info : messageOf(fatal) };
			},
		},
		rollback: wayBack(facts, context),
		undo: { kind: 'none', why: 'revert reloads Docker itself after the file is back' },
	};
}

/**
 * From a Docker that does not come back to one that runs: the file as it was before this run wrote it, then another
 * start. Three bad starts within a minute end in systemd's start limit, which has to be forgotten first.
 */
function wayBack(facts: DockerStepFacts, { state }: JudgeContext): readonly Action[] {
	const { path, content } = facts.file;
	const written = state.actions.findLast(a => a.undo.kind === 'file' && a.undo.path === path && a.kind !== 'restore');
	const ours =
		written?.undo.kind === 'file' &&
		written.outcome === 'done' &&
		content.kind === 'read' &&
		written.undo.after === content.sha256;
	const run = (id: string, title: string, verb: string): Action => ({
		id,
		kind: 'exec',
		title,
		why: 'Docker did not come back',
		argv: ['systemctl', verb, 'docker'],
		timeoutMs: 120_000,
		uninterruptible: true,
		undo: { kind: 'none', why: 'it is itself a step back' },
	});
	const restore: Action = {
		id: 'daemon-json',
		kind: 'restore',
		title: `Put ${path} back`,
		why: 'Docker did not come back with it',
		path,
	};
	return [
		...(ours ? [restore] : []),
		run('reset-failed', 'Forget the failed starts', 'reset-failed'),
		run('start', 'Start Docker', 'start'),
	];
}
