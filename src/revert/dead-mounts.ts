import type { Action } from '../model/action.ts';
import type { ReadHost } from '../port/host.ts';
import { parseMountInfo } from '../system/mountinfo.ts';
import { readTextOr } from '../system/text-file.ts';

/** Where sysbox-fs mounts the emulated files of each container, one directory a container. */
const mountRoot = '/var/lib/sysboxfs/';

/** Mounts of sysbox-fs: FUSE, directly below its own directory. Nothing else on this host is ever one of them. */
export async function sysboxMounts(host: ReadHost): Promise<readonly string[]> {
	const mounts = parseMountInfo(await readTextOr(host, '/proc/self/mountinfo'));
	if (mounts.kind !== 'ok') return [];
	return mounts.value
		.filter(({ fsType, point }) => {
			const name = point.startsWith(mountRoot) ? point.slice(mountRoot.length) : '';
			return (fsType === 'fuse' || fsType.startsWith('fuse.')) && name !== '' && !name.includes('/');
		})
		.map(({ point }) => point);
}

/**
 * Takes away what a sysbox-fs that is gone has left: every look at such a mount fails ("Transport endpoint is not
 * connected"), also those of df and find, until it is unmounted or the host restarts.
 */
export function unmountDead(mounts: readonly string[]): readonly Action[] {
	if (mounts.length === 0) return [];
	return [
		{
			id: 'dead-mounts',
			kind: 'exec',
			title: `Unmount ${mounts.length === 1 ? 'a dead mount' : `${mounts.length} dead mounts`} of sysbox-fs`,
			why: 'sysbox-fs is gone, and every look at them fails ("Transport endpoint is not connected")',
			argv: ['umount', '-l', ...mounts],
			timeoutMs: 60_000,
			nothingToDo: 'not mounted',
			undo: { kind: 'none', why: 'nothing serves them any more' },
		},
	];
}
