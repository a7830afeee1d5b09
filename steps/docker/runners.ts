import type { Container } from '../../src/docker/container.ts';
import type { DockerFacts } from '../../src/docker/daemon.ts';
import type { Argv, ReadHost } from '../../src/port/host.ts';
import { parseUnits } from '../../src/system/systemd-show.ts';
import { readTimeSpan } from '../../src/system/systemd-time.ts';

/**
 * What fetches CI jobs for this host. A GitLab runner that gets SIGQUIT takes no new job, finishes those it has and ends
 * (docs of gitlab-runner, "Signals"); SIGTERM, which `systemctl stop` sends, aborts them.
 */
export type Runner =
	| {
			readonly kind: 'unit';
			readonly unit: string;
			/** 0 when no process of it runs. */
			readonly pid: number;
			/** systemd starts it again so long after it has ended by itself; undefined: it does not. */
			readonly startsAgainAfterMs?: number | undefined;
	  }
	| {
			readonly kind: 'container';
			readonly name: string;
			readonly id: string;
			readonly running: boolean;
			/** docker(1): a signal that is not its stop signal leaves the restart policy in place. */
			readonly staysDown: boolean;
	  };

export const runnerUnit = 'gitlab-runner.service';

/** The command line that {@link inspectRunners} runs. */
export const showRunnerCommand: Argv = [
	'systemctl',
	'show',
	runnerUnit,
	'-p',
	'Id',
	'-p',
	'LoadState',
	'-p',
	'MainPID',
	'-p',
	'Restart',
	'-p',
	'RestartUSec',
];

export async function inspectRunners(
	host: ReadHost,
	docker: DockerFacts,
	signal: AbortSignal,
): Promise<readonly Runner[]> {
	const shown = await host.exec(showRunnerCommand, { timeoutMs: 10_000, signal });
	const parsed = parseUnits(shown.code === 0 ? shown.stdout : undefined);
	const unit =
		parsed.kind === 'ok' ? parsed.value.find(u => u.id === runnerUnit && u.loadState === 'loaded') : undefined;
	const containers = docker.containers.kind === 'ok' ? docker.containers.value.filter(isRunner) : [];
	const again =
		unit?.properties['Restart'] === 'always' ? readTimeSpan(unit.properties['RestartUSec'] ?? '') : undefined;
	return [
		...(unit === undefined
			? []
			: [
					{
						kind: 'unit' as const,
						unit: unit.id,
						pid: unit.mainPid,
						startsAgainAfterMs: again,
					},
				]),
		...containers.map(({ name, id, running, stopSignal }) => ({
			kind: 'container' as const,
			name,
			id,
			running,
			staysDown: ['', '3', 'QUIT', 'SIGQUIT'].includes(stopSignal.toUpperCase()),
		})),
	];
}

/** `gitlab/gitlab-runner:latest`, from any registry; its helper image is not one, nor is a job. */
const isRunner = ({ image, owner }: Container): boolean =>
	/(^|\/)gitlab-runner(:|@|$)/.test(image) && owner?.kind !== 'gitlab-runner';

export const isAtWork = (runner: Runner): boolean => (runner.kind === 'unit' ? runner.pid !== 0 : runner.running);

export const runnerName = (runner: Runner): string => (runner.kind === 'unit' ? runner.unit : runner.name);

/**
 * Why a runner cannot be drained; undefined: it can. Between its end and its next start there has to be time to hold it
 * back, and after a wait that was given up it has to come up again without us.
 */
export function undrainable(runner: Runner): string | undefined {
	if (runner.kind === 'container')
		return runner.staysDown
			? undefined
			: `${runner.name} has a stop signal of its own, so Docker starts it again at once`;
	if (runner.startsAgainAfterMs === undefined) return `${runner.unit} is not started again by systemd (Restart=always)`;
	return runner.startsAgainAfterMs >= shortestPauseMs
		? undefined
		: `systemd starts ${runner.unit} again ${runner.startsAgainAfterMs} ms after it has ended`;
}

/** gitlab-runner's own unit says RestartSec=120. */
const shortestPauseMs = 10_000;
