import type { Container } from '../docker/container.ts';
import type { ReadHost } from '../port/host.ts';
import { valueIn } from '../system/reading.ts';
import type { UnitState } from '../system/systemd-show.ts';
import { readTextOr } from '../system/text-file.ts';
import { type IdMapping, parseIdMap } from '../system/uid-map.ts';

/** What runs under Sysbox, and whether it still can be entered. */
export interface Liveness {
	/** Up, and cannot be entered: Sysbox is down, or was started after them. */
	readonly dead: readonly Container[];
	/** Daemons that systemd calls active and that are stopped (`T` in /proc/PID/stat), by name. */
	readonly stopped: readonly string[];
	/** The map of a container that the running sysbox-mgr has started. Undefined: there is none, or it cannot be read. */
	readonly usedIds: readonly IdMapping[] | undefined;
}

/**
 * Compares when each container and each daemon was started. A container that is older than the sysbox-mgr or sysbox-fs
 * that runs now cannot be entered; while one of the two is down none can (seen with Sysbox 0.7.0).
 */
export async function inspectLiveness(
	host: ReadHost,
	users: readonly Container[],
	daemons: readonly (UnitState | undefined)[],
): Promise<Liveness> {
	const seen = await Promise.all(
		daemons.map(async unit => ({ unit, process: await processOf(host, unit?.mainPid ?? 0) })),
	);
	const known = daemons.every(unit => unit !== undefined && unit.loadState === 'loaded');
	const down = known && daemons.some(unit => unit?.activeState !== 'active');
	const since = Math.max(0, ...seen.map(({ process }) => process?.startedTicks ?? 0));
	const starts = await Promise.all(users.map(user => processOf(host, user.pid)));
	const dead = users.filter((_, at) => down || (starts[at]?.startedTicks ?? since) < since);
	const [alive] = users.filter(user => !dead.includes(user));
	return {
		dead,
		stopped: seen.flatMap(({ unit, process }) =>
			unit !== undefined && process?.state === 'T' ? [unit.id.replace(/\.service$/, '')] : [],
		),
		usedIds:
			alive === undefined ? undefined : valueIn(parseIdMap(await readTextOr(host, `/proc/${alive.pid}/uid_map`))),
	};
}

/**
 * State and start of a process, the latter in the kernel's ticks since boot: fields 3 and 22 of /proc/PID/stat
 * (proc_pid_stat(5)). The fields are counted behind the name, which may hold spaces and brackets. One clock for all, and
 * no time zone to be read.
 */
async function processOf(
	host: ReadHost,
	pid: number,
): Promise<{ readonly state: string; readonly startedTicks: number } | undefined> {
	if (pid === 0) return undefined;
	const text = await readTextOr(host, `/proc/${pid}/stat`);
	const behindName = text?.slice(text.lastIndexOf(')') + 2).split(' ');
	const startedTicks = Number(behindName?.[19]);
	return Number.isFinite(startedTicks) && startedTicks > 0 ? { state: behindName?.[0] ?? '', startedTicks } : undefined;
}
