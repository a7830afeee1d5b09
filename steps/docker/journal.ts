import type { ReadHost } from '../../src/host/port.ts';

/**
 * dockerd's own words when it refuses to reload. `systemctl reload` succeeds all the same, and the refusal stands
 * nowhere but in the journal (moby cmd/dockerd/daemon.go; seen with 26.1). Undefined: it refused nothing since then.
 */
export async function reloadRefusal(host: ReadHost, since: Date, signal: AbortSignal): Promise<string | undefined> {
	const lines = await dockerJournal(host, since, signal);
	const last = lines.findLast(line => /Reloaded configuration|Got signal to reload/.test(line) || isRefusal(line));
	return last === undefined || !isRefusal(last) ? undefined : messageOf(last);
}

/** What dockerd said since then, newest last. Empty where the journal may not be read. */
export async function dockerJournal(host: ReadHost, since: Date, signal: AbortSignal): Promise<readonly string[]> {
	const from = `@${Math.floor(since.getTime() / 1000)}`;
	const argv = ['journalctl', '-u', 'docker', `--since=${from}`, '-n', '50', '--no-pager', '-o', 'cat'] as const;
	const result = await host.exec(argv, { timeoutMs: 10_000, signal });
	return result.code === 0 ? result.stdout.split('\n').filter(line => line.trim() !== '') : [];
}

const isRefusal = (line: string): boolean =>
	/unable to configure the Docker daemon with file|Error reconfiguring the daemon/i.test(line);

/** `time="…" level=error msg="…"` → the message, without its escapes. */
export function messageOf(line: string): string {
	const logged = /\bmsg="((?:[^"\\]|\\.)*)"/.exec(line);
	const message = logged?.[1]?.replace(/\\(["\\])/g, '$1') ?? line;
	const error = /\berror="((?:[^"\\]|\\.)*)"/.exec(line)?.[1]?.replace(/\\(["\\])/g, '$1');
	return error === undefined ? message : `${message}: ${error}`;
}
