import type { ReadHost } from '../port/host.ts';
import { valueIn } from '../system/reading.ts';
import { parseReloadEvent, type Reloaded } from './event.ts';
import { type DockerInfo, parseDockerInfo } from './info.ts';

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
 * time is over. Undefined: it has not, as far as can be told.
 */
export async function hearReload(
	host: ReadHost,
	since: Date,
	forMs: number,
	signal: AbortSignal,
): Promise<Reloaded | undefined> {
	const heard = new AbortController();
	let line = '';
	await host.exec(
		[
			'docker',
			'events',
			// With its fraction, as an event of the same second may be an earlier one.
			`--since=${(since.getTime() / 1000).toFixed(3)}`,
			'--filter=type=daemon',
			'--filter=event=reload',
			'--format={{json .}}',
		],
		{
			timeoutMs: forMs,
			signal: AbortSignal.any([signal, heard.signal]),
			onLine: ({ stream, text }) => {
				if (stream !== 'stdout') return;
				line = text;
				heard.abort();
			},
		},
	);
	return valueIn(parseReloadEvent(line));
}
