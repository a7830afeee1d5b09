import type { MountEntry } from './mountinfo.ts';

export interface Cgroups {
	/** `hybrid`: version 1 with an empty version 2 tree beside it; dockers and Sysbox use version 1 there. */
	readonly version: '1' | '2' | 'hybrid' | 'none';
	readonly controllers: readonly string[];
}

/** Version 1 has an option for each controller, and others that are none. */
const v1Controllers = new Set([
	'cpu',
	'cpuacct',
	'cpuset',
	'memory',
	'devices',
	'freezer',
	'blkio',
	'pids',
	'net_cls',
	'net_prio',
	'perf_event',
	'hugetlb',
	'rdma',
	'misc',
]);

/**
 * The control groups of a host, from its mounts and, for version 2, the text of the root's cgroup.controllers
 * (undefined when that file is not there).
 */
export function cgroupsOf(mounts: readonly MountEntry[], rootControllers: string | undefined): Cgroups {
	const root = mounts.findLast(m => m.point === '/sys/fs/cgroup');
	const v1 = mounts.filter(m => m.fsType === 'cgroup');
	if (root?.fsType === 'cgroup2')
		return { version: '2', controllers: (rootControllers ?? '').split(/\s+/).filter(Boolean) };
	if (v1.length === 0) return { version: 'none', controllers: [] };
	const controllers = [...new Set(v1.flatMap(m => m.superOptions).filter(option => v1Controllers.has(option)))];
	return { version: mounts.some(m => m.fsType === 'cgroup2') ? 'hybrid' : '1', controllers };
}
