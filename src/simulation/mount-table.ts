import { confinementOf } from './confinement.ts';
import { absolute } from './file-tree.ts';
import type { FileSystem, SimulatedState } from './state.ts';
import type { Scope } from './world.ts';

export interface Mount {
	readonly id: number;
	readonly parent: number;
	readonly device: string;
	readonly root: string;
	readonly point: string;
	readonly options: string;
	/** Optional fields, with a space in front. */
	readonly shared: string;
	readonly type: string;
	readonly source: string;
	readonly superOptions: string;
}

/** Types that can carry an ID-mapped mount; Sysbox does not try it on the others (its idMap library). */
const idMappable = new Set(['ext4', 'xfs', 'btrfs', 'tmpfs', 'vfat', 'f2fs', 'erofs']);

/** The file system of the host that holds a path. */
export function fileSystemOf(fileSystems: readonly FileSystem[], path: string): FileSystem | undefined {
	const full = absolute(path);
	return fileSystems
		.filter(fs => fs.point === '/' || full === fs.point || full.startsWith(`${fs.point}/`))
		.toSorted((a, b) => b.point.length - a.point.length)[0];
}

/** True when a bind mount of that host path shows its true owners to a Sysbox container. */
export function mountsIdMapped(scope: Scope, path: string): boolean {
	if (/^\/(?:proc|sys|dev)(?:\/|$)/.test(path)) return false;
	const type = fileSystemOf(scope.world.state.fileSystems, path)?.type;
	return type !== undefined && idMappable.has(type);
}

/** The mounts as a process there sees them, in the order of /proc/self/mountinfo. */
export function mountTable(scope: Scope): readonly Mount[] {
	return scope.inside === undefined ? hostMounts(scope) : containerMounts(scope, scope.inside);
}

const hostKernelMounts: readonly (readonly [string, string, string])[] = [
	['/sys', 'sysfs', 'sysfs'],
	['/proc', 'proc', 'proc'],
	['/dev', 'devtmpfs', 'udev'],
	['/dev/pts', 'devpts', 'devpts'],
	['/sys/kernel/security', 'securityfs', 'securityfs'],
	['/sys/fs/cgroup', 'cgroup2', 'cgroup2'],
	['/sys/fs/bpf', 'bpf', 'bpf'],
	['/proc/sys/fs/binfmt_misc', 'autofs', 'systemd-1'],
	['/sys/kernel/debug', 'debugfs', 'debugfs'],
	['/sys/kernel/tracing', 'tracefs', 'tracefs'],
	['/sys/kernel/config', 'configfs', 'configfs'],
];

/** Containers whose file system of sysbox-fs is mounted on the host: those that are served, and those that are dead. */
export const sysboxfsMounts = (state: SimulatedState): readonly string[] => [
	...new Set([
		...state.docker.engine.containers
			.filter(c => c.status === 'running' && c.isolation === 'sysbox' && !c.orphaned)
			.map(c => c.id),
		...(state.sysbox.deadMounts ?? []),
	]),
];

function hostMounts(scope: Scope): Mount[] {
	const { state } = scope.world;
	const mounts: Mount[] = [];
	const push = (point: string, type: string, source: string, options: string, superOptions: string, root = '/') => {
		mounts.push({
			id: 22 + mounts.length,
			parent: point === '/' ? 1 : 28,
			device: type === 'ext4' ? '252:1' : `0:${20 + mounts.length}`,
			root,
			point,
			options,
			shared: ` shared:${mounts.length + 1}`,
			type,
			source,
			superOptions,
		});
	};
	for (const [point, type, source] of hostKernelMounts) {
		if (type === 'cgroup2' && state.machine.cgroupVersion === 1) {
			push(point, 'tmpfs', 'tmpfs', 'ro,nosuid,nodev,noexec', 'ro,mode=755');
			for (const name of state.machine.cgroupControllers)
				push(`${point}/${name}`, 'cgroup', 'cgroup', 'rw,nosuid,nodev,noexec,relatime', `rw,${name}`);
			continue;
		}
		if (type === 'securityfs' && !state.machine.apparmor) continue;
		push(point, type, source, 'rw,nosuid,nodev,noexec,relatime', 'rw');
	}
	for (const fs of state.fileSystems) {
		const [flags = 'rw,relatime', superFlags = 'rw'] = fs.options.split(';');
		push(fs.point, fs.type, fs.source, flags, superFlags);
	}
	for (const container of state.docker.engine.containers) {
		if (container.pid === 0) continue;
		push(
			`/var/lib/docker/rootfs/overlayfs/${container.id}`,
			'overlay',
			'overlay',
			'rw,relatime',
			'rw,lowerdir=/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/1/fs',
		);
	}
	for (const id of sysboxfsMounts(state))
		push(
			`/var/lib/sysboxfs/${id}`,
			'fuse',
			'sysboxfs',
			'rw,nosuid,nodev,relatime',
			'rw,user_id=0,group_id=0,default_permissions,allow_other',
		);
	return mounts;
}

const sysboxVolumes = [
	'kubelet',
	'k0s',
	'rancher/k3s',
	'rancher/rke2',
	'buildkit',
	'containerd/io.containerd.snapshotter.v1.overlayfs',
	'docker',
];

function containerMounts(scope: Scope, inside: NonNullable<Scope['inside']>): Mount[] {
	const { container, parent } = inside;
	const confinement = confinementOf(scope);
	const sysbox = container.isolation === 'sysbox';
	const disk = fileSystemOf(scope.world.state.fileSystems, '/var/lib/docker');
	const mounts: Mount[] = [];
	const push = (point: string, type: string, source: string, options: string, superOptions = 'rw', root = '/') => {
		if (container.unmounted.includes(point)) return;
		const changed = container.remounted[point];
		mounts.push({
			id: 220 + mounts.length,
			parent: point === '/' ? 69 : 220,
			device: type === 'ext4' ? '252:1' : `0:${66 + mounts.length}`,
			root,
			point,
			options: changed === undefined ? options : options.replace(/^r[ow]/, changed),
			shared: '',
			type,
			source,
			superOptions,
		});
	};
	const kernel = confinement.readOnlyKernel ? 'ro' : 'rw';
	const noexec = 'nosuid,nodev,noexec,relatime';
	const owner = sysbox ? ',uid=100000,gid=100000' : '';
	push(
		'/',
		'overlay',
		'overlay',
		`${container.options.readOnly ? 'ro' : 'rw'},relatime`,
		'rw,lowerdir=/var/lib/docker/overlay2/l/A:/var/lib/docker/overlay2/l/B,upperdir=/var/lib/docker/overlay2/C/diff,workdir=/var/lib/docker/overlay2/C/work',
	);
	push('/proc', 'proc', 'proc', `rw,${noexec}`);
	push('/dev', 'tmpfs', 'tmpfs', 'rw,nosuid', `rw,size=65536k,mode=755${owner}`);
	push('/dev/pts', 'devpts', 'devpts', 'rw,nosuid,noexec,relatime', 'rw,gid=5,mode=620,ptmxmode=666');
	push('/sys', 'sysfs', 'sysfs', `${kernel},${noexec}`, sysbox ? 'rw' : kernel);
	push('/sys/fs/cgroup', 'cgroup2', 'cgroup', `${kernel},${noexec}`);
	push('/dev/mqueue', 'mqueue', 'mqueue', `rw,${noexec}`);
	push('/dev/shm', 'tmpfs', 'shm', `rw,${noexec}`, `rw,size=65536k${owner}`);
	const fuse = 'rw,user_id=0,group_id=0,default_permissions,allow_other';
	if (sysbox) {
		for (const point of [
			'/sys/devices/virtual',
			'/sys/kernel',
			'/sys/module/nf_conntrack/parameters',
			'/proc/swaps',
			'/proc/sys',
			'/proc/uptime',
		]) {
			push(point, 'fuse', 'sysboxfs', 'rw,nosuid,nodev,relatime', fuse, point);
		}
		push('/dev/kmsg', 'tmpfs', 'tmpfs', 'rw,nosuid', 'rw,size=65536k,mode=755', '/null');
	}
	for (const name of ['resolv.conf', 'hostname', 'hosts']) {
		push(
			`/etc/${name}`,
			'ext4',
			disk?.source ?? '/dev/vda1',
			`rw,relatime${sysbox ? ',idmapped' : ''}`,
			'rw',
			`/var/lib/docker/containers/${container.id}/${name}`,
		);
	}
	if (sysbox) {
		for (const name of sysboxVolumes) {
			if (container.options.mounts.some(m => m.target === `/var/lib/${name}`)) continue;
			push(
				`/var/lib/${name}`,
				'ext4',
				disk?.source ?? '/dev/vda1',
				'rw,relatime,idmapped',
				'rw',
				`/var/lib/sysbox/${name.replaceAll('/', '-')}/${container.id}`,
			);
		}
	}
	for (const mount of container.options.mounts) {
		const mode = mount.readOnly ? 'ro' : 'rw';
		if (mount.type === 'tmpfs') {
			push(
				mount.target,
				'tmpfs',
				'tmpfs',
				`${mode},nosuid,nodev,noexec,relatime`,
				mount.sizeBytes === undefined ? 'rw' : `rw,size=${mount.sizeBytes / 1024}k`,
			);
			continue;
		}
		const source = mount.type === 'volume' ? `/var/lib/docker/volumes/${mount.source}/_data` : mount.source;
		const fs = fileSystemOf(scope.world.state.fileSystems, source);
		const mapped = sysbox && mountsIdMapped(parent, source);
		push(
			mount.target,
			fs?.type ?? 'ext4',
			fs?.source ?? '/dev/vda1',
			`${mode},relatime${mapped ? ',idmapped' : ''}`,
			'rw',
			source,
		);
	}
	if (!confinement.privileged) {
		for (const name of ['bus', 'fs', 'irq']) push(`/proc/${name}`, 'proc', 'proc', `ro,${noexec}`, 'rw', `/${name}`);
		if (!sysbox && confinement.readOnlyKernel) push('/proc/sys', 'proc', 'proc', `ro,${noexec}`, 'rw', '/sys');
		push('/proc/sysrq-trigger', 'proc', 'proc', `ro,${noexec}`, 'rw', '/sysrq-trigger');
		push('/proc/acpi', 'tmpfs', 'tmpfs', 'ro,relatime', `ro${owner}`);
		push('/proc/kcore', 'tmpfs', 'tmpfs', 'rw,nosuid', 'rw,size=65536k,mode=755', '/null');
		push('/proc/keys', 'tmpfs', 'tmpfs', 'rw,nosuid', 'rw,size=65536k,mode=755', '/null');
		push('/proc/timer_list', 'tmpfs', 'tmpfs', 'rw,nosuid', 'rw,size=65536k,mode=755', '/null');
		push('/sys/firmware', 'tmpfs', 'tmpfs', 'ro,relatime', `ro${owner}`);
	}
	for (const mount of container.innerMounts) {
		push(mount.target, mount.type, mount.source, `${mount.readOnly ? 'ro' : 'rw'},relatime`, 'rw', mount.from ?? '/');
	}
	return mounts;
}
