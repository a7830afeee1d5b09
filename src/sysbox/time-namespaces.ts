import type { DockerFacts } from '../docker/daemon.ts';
import { type DaemonFile, viewOf } from '../docker/daemon-file.ts';
import type { ReadHost } from '../port/host.ts';
import { runtimeName } from './runtime.ts';

/** The known issue of Docker 29 with its time namespaces, by its id in the table. */
export const timeNamespaceIssue = 'time-namespace';

/**
 * Whether the dockerd that runs gives its containers a time namespace of their own. It reads the setting only when it
 * starts, and neither `docker info` nor its journal tells what it has read: so a container tells, or the time of the
 * file.
 */
export interface TimeNamespaces {
	/** What the file says: dockerd goes by it from its next start on. */
	readonly file: 'on' | 'off';
	readonly loaded: 'on' | 'off' | 'unknown';
	/** How that was seen, or why it was not. */
	readonly seen: string;
}

/** dockerd writes it when it starts, right behind the reading of its configuration. */
const pidFile = '/run/docker.pid';

/** Two files are looked at, and one command is run at most. */
export async function inspectTimeNamespaces(
	host: ReadHost,
	daemonFile: DaemonFile,
	docker: DockerFacts,
	signal: AbortSignal,
): Promise<TimeNamespaces> {
	const file = viewOf(daemonFile)?.features?.get('time-namespaces') === false ? 'off' : 'on';
	const [pid, settings] = await Promise.all([host.stat(pidFile), host.stat(daemonFile.path)]);
	const started = pid.kind === 'found' ? pid.meta.changedAtMs : undefined;
	const told = started === undefined ? undefined : await byContainer(host, docker, started, signal);
	if (told !== undefined) return { file, ...told };
	const changed = settings.kind === 'found' ? settings.meta.changedAtMs : undefined;
	if (started !== undefined && changed !== undefined && changed <= started)
		return { file, loaded: file, seen: `${daemonFile.path} did not change since Docker started` };
	// Without the setting, or without a file, it is on.
	if (file === 'on') return { file, loaded: 'on', seen: `${daemonFile.path} does not switch them off` };
	return {
		file,
		loaded: 'unknown',
		seen: `${daemonFile.path} was changed after Docker started, and no container tells what Docker has loaded`,
	};
}

/** What a container that this dockerd has started is like. One of an earlier dockerd (live-restore) proves nothing. */
async function byContainer(
	host: ReadHost,
	{ containers, info }: DockerFacts,
	started: number,
	signal: AbortSignal,
): Promise<Pick<TimeNamespaces, 'loaded' | 'seen'> | undefined> {
	if (containers.kind !== 'ok' || info.kind !== 'ok') return undefined;
	const plain = containers.value.find(
		c =>
			c.running &&
			c.pid > 0 &&
			Date.parse(c.startedAt) >= started &&
			(c.runtime || info.value.defaultRuntime) !== runtimeName &&
			c.pidMode === '' &&
			!c.privileged,
	);
	if (plain === undefined) return undefined;
	const links = ['/proc/1/ns/time', `/proc/${plain.pid}/ns/time`] as const;
	const { stdout } = await host.exec(['readlink', ...links], { timeoutMs: 10_000, signal });
	const [ours, theirs] = stdout.split('\n').filter(line => /^time:\[\d+\]$/.test(line));
	if (ours === undefined || theirs === undefined) return undefined;
	return ours === theirs
		? { loaded: 'off', seen: `${plain.name} shares the time namespace of this host` }
		: { loaded: 'on', seen: `${plain.name} has a time namespace of its own` };
}
