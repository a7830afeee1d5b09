import { type DockerInfo, parseDockerInfo } from '../../src/facts/docker-info.ts';
import type { ReadHost } from '../../src/host/port.ts';

/** What Docker has loaded, or what was said instead of it. */
export async function askInfo(host: ReadHost, signal: AbortSignal): Promise<DockerInfo | string> {
	const result = await host.exec(['docker', 'info', '--format', '{{json .}}'], { timeoutMs: 10_000, signal });
	if (result.code !== 0) return result.stderr.trim() || `docker info: ${result.problem ?? `exit code ${result.code}`}`;
	const info = parseDockerInfo(result.stdout);
	return info.kind === 'ok' ? info.value : info.why;
}

export const describeInfo = (info: DockerInfo): string =>
	`docker lists ${Object.keys(info.runtimes).toSorted().join(', ')}; the default is ${info.defaultRuntime}`;

/**
 * Waits until the daemon says that it has reloaded, which it says only when it did (moby daemon/reload.go), or until the
 * time is over. Seconds with a fraction, as an event of the same second may be an earlier one's.
 */
export async function hearReload(host: ReadHost, since: Date, forMs: number, signal: AbortSignal): Promise<boolean> {
	const heard = new AbortController();
	const argv = [
		'docker',
		'events',
		`--since=${(since.getTime() / 1000).toFixed(3)}`,
		'--filter=type=daemon',
		'--filter=event=reload',
		'--format={{json .}}',
	] as const;
	const result = await host.exec(argv, {
		timeoutMs: forMs,
		signal: AbortSignal.any([signal, heard.signal]),
		onLine: () => heard.abort(),
	});
	return heard.signal.aborted || result.stdout.trim() !== '';
}
