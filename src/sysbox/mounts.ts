import type { ReadHost } from '../port/host.ts';
import { parseMountInfo } from '../system/mountinfo.ts';
import { valueIn } from '../system/reading.ts';
import { readTextOr } from '../system/text-file.ts';
import type { StoppedContainer } from './runtime.ts';

/** sysbox-fs mounts one file system per container below it, named with the container's id. */
export const fuseDirectory = '/var/lib/sysboxfs';

/** A mount of sysbox-fs that does not answer as it should. */
export interface BadMount {
	readonly path: string;
	/** `dead`: the sysbox-fs that served it is gone. `hangs`: nothing came back within the deadline. */
	readonly state: 'dead' | 'hangs';
}

/** A FUSE server that is well answers in milliseconds. */
const deadlineMs = 2_000;

/**
 * Mounts of sysbox-fs that are dead or hang. Each is asked by a `stat` in a process of its own, killed at the deadline:
 * a system call of this process would hang with it (seen with a stopped sysbox-fs: `df` hangs, all units are active).
 */
export async function inspectFuseMounts(host: ReadHost, signal: AbortSignal): Promise<readonly BadMount[]> {
	const mounts = valueIn(parseMountInfo(await readTextOr(host, '/proc/self/mountinfo'))) ?? [];
	const points = mounts
		.filter(m => m.point === fuseDirectory || m.point.startsWith(`${fuseDirectory}/`))
		.map(m => m.point);
	const asked = await Promise.all(
		[...new Set(points)].map(async (path): Promise<readonly BadMount[]> => {
			const result = await host.exec(['stat', '--file-system', '--format=%T', path], { timeoutMs: deadlineMs, signal });
			if (result.problem === 'timeout') return [{ path, state: 'hangs' }];
			return /Transport endpoint is not connected/i.test(result.stderr) ? [{ path, state: 'dead' }] : [];
		}),
	);
	return asked.flat();
}

/**
 * How a container that is "Up" and dead, or does not start, comes back with its inner store. Never `docker restart`: it
 * fails, and a start after it can come up without the store (seen with Sysbox 0.7.0).
 */
export function reviveCommand({ id, name }: StoppedContainer, badMounts: readonly BadMount[]): string {
	const mount = `${fuseDirectory}/${id}`;
	const unmount = badMounts.some(({ path }) => path === mount) ? [`umount -l ${mount}`] : [];
	return [`docker stop ${name}`, ...unmount, `docker start ${name}`].join(' && ');
}
