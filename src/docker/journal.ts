import type { ReadHost } from '../port/host.ts';
import { dockerUnits, messageOf, unitJournal, whyUnitsFailed } from '../system/unit-failure.ts';

/**
 * dockerd's own words when it refuses to reload. `systemctl reload` succeeds all the same, and the refusal stands
 * nowhere but in the journal (moby cmd/dockerd/daemon.go; seen with 26.1). Undefined: it refused nothing since then.
 */
export async function reloadRefusal(host: ReadHost, since: Date, signal: AbortSignal): Promise<string | undefined> {
	const lines = await unitJournal(host, 'docker', since, signal);
	const last = lines.findLast(line => /Reloaded configuration|Got signal to reload/.test(line) || isRefusal(line));
	return last === undefined || !isRefusal(last) ? undefined : messageOf(last);
}

const isRefusal = (line: string): boolean =>
	/unable to configure the Docker daemon with file|Error reconfiguring the daemon/i.test(line);

/** Why Docker did not start, restart or reload, from its journal: for an action's `explain`. */
export const whyDockerFailed = (host: ReadHost, signal: AbortSignal, since: Date): Promise<string | undefined> =>
	whyUnitsFailed(host, dockerUnits, since, signal);
