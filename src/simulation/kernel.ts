import { absolute, putFolder, putLink } from './file-tree.ts';
import type { Container, FileSystem, FileTree, SimulatedState } from './state.ts';
import type { Scope } from './world.ts';

/**
 * The files of the kernel that this tool reads on a host: /proc, /sys and /dev, made afresh for each command. What a
 * container sees of them is not made up here: see recordings.
 */
export function kernelTree(scope: Scope): FileTree {
	const { state } = scope.world;
	const tree: FileTree = {};
	for (const path of ['/proc', '/sys', '/dev']) putFolder(tree, path, 0o555);
	machineFiles(state, tree);
	for (const process of processesOf(scope)) processFiles(state, tree, process);
	putLink(tree, '/proc/self', String(scope.pid));
	for (const [key, value] of Object.entries(sysctlsOf(state))) add(tree, sysctlPath(key), `${value}\n`, 0o644);
	sysFiles(state, tree);
	cgroupFiles(state, tree);
	for (const [name, device, mode] of devices) {
		putFolder(tree, `/dev/${name}`.slice(0, `/dev/${name}`.lastIndexOf('/')));
		tree[`/dev/${name}`] = { kind: 'device', device, mode, uid: 0, gid: 0 };
	}
	return tree;
}

function add(tree: FileTree, path: string, text: string, mode = 0o444, uid = 0): void {
	putFolder(tree, path.slice(0, path.lastIndexOf('/')), 0o555);
	tree[path] = { kind: 'file', text, mode, uid, gid: uid };
}

function machineFiles(state: SimulatedState, tree: FileTree): void {
	const { machine } = state;
	const row = (name: string, part: number) =>
		`${`${name}:`.padEnd(16)}${String(Math.round(machine.memoryKb * part)).padStart(8)} kB\n`;
	add(tree, '/proc/meminfo', row('MemTotal', 1) + row('MemFree', 0.31) + row('MemAvailable', 0.72));
	const uptime = ((state.now - machine.bootedAt) / 1000).toFixed(2);
	add(tree, '/proc/uptime', `${uptime} ${uptime}\n`);
	const filesystems = machine.filesystems.map(n => (n.startsWith('nodev ') ? `nodev\t${n.slice(6)}\n` : `\t${n}\n`));
	add(tree, '/proc/filesystems', filesystems.join(''));
	add(tree, '/proc/modules', machine.modules.map(name => `${name} 16384 0 - Live 0x0000000000000000\n`).join(''));
	add(
		tree,
		'/proc/stat',
		`cpu  120000 0 40000 9000000 1200 0 800 0 0 0\nbtime ${Math.floor(machine.bootedAt / 1000)}\n`,
	);
	add(
		tree,
		'/proc/partitions',
		'major minor  #blocks  name\n\n 252        0   83886080 vda\n 252        1   82837504 vda1\n',
	);
}

interface SeenProcess {
	readonly pid: number;
	readonly ppid: number;
	readonly comm: string;
	readonly argv: readonly string[];
	readonly startedAt: number;
	readonly uid: number;
	readonly cgroup: string;
	readonly container?: Container | undefined;
}

const commOf = (argv: readonly string[]): string => (argv[0] ?? '').split('/').at(-1)?.slice(0, 15) ?? '';

function processesOf(scope: Scope): readonly SeenProcess[] {
	const { processes, docker } = scope.world.state;
	const host = processes.map(p => ({ ...p, cgroup: p.unit === undefined ? '/init.scope' : `/system.slice/${p.unit}` }));
	const self: SeenProcess = {
		pid: scope.pid,
		ppid: 1,
		comm: 'cat',
		argv: ['cat'],
		startedAt: scope.world.state.now,
		uid: scope.who.uid,
		cgroup: '/user.slice/user-0.slice/session-3.scope',
	};
	const inContainers = docker.engine.containers
		.filter(c => c.pid !== 0)
		.flatMap(container =>
			container.processes.map(
				(p): SeenProcess => ({
					pid: p.hostPid,
					ppid: 1,
					comm: commOf(p.argv),
					argv: p.argv,
					startedAt: p.startedAt,
					uid: uidOnHost(scope.world.state, container),
					cgroup: `/system.slice/docker-${container.id}.scope${container.isolation === 'sysbox' ? '/init.scope' : ''}`,
					container,
				}),
			),
		);
	return [...host, ...(host.some(p => p.pid === scope.pid) ? [] : [self]), ...inContainers];
}

/** The user of its processes in the numbers of the host. */
export function uidOnHost(state: SimulatedState, container: Container): number {
	const uid = /^\d+/.test(container.options.user) ? Number.parseInt(container.options.user, 10) : 0;
	return container.isolation === 'sysbox' ? state.sysbox.subidStart + uid : uid;
}

function processFiles(state: SimulatedState, tree: FileTree, process: SeenProcess): void {
	const at = `/proc/${process.pid}`;
	const { uid: owner, container } = process;
	tree[at] = { kind: 'folder', mode: 0o555, uid: owner, gid: owner };
	const map = container?.isolation === 'sysbox' ? [0, state.sysbox.subidStart, 65_536] : [0, 0, 4_294_967_295];
	add(tree, `${at}/uid_map`, `${map.map(n => String(n).padStart(10)).join(' ')}\n`, 0o644, owner);
	add(tree, `${at}/comm`, `${process.comm}\n`, 0o644, owner);
	add(tree, `${at}/cmdline`, process.argv.map(word => `${word}\0`).join(''), 0o444, owner);
	const ticks = Math.max(1, Math.round((process.startedAt - state.machine.bootedAt) / 10));
	const { hangs } = state.sysbox;
	const letter = hangs !== undefined && process.comm === `sysbox-${hangs}` ? 'T' : 'S';
	add(
		tree,
		`${at}/stat`,
		`${process.pid} (${process.comm}) ${letter} ${process.ppid} ${process.pid} ${process.pid} 0 -1 4194560 1520 0 3 0 4 2 0 0 20 0 1 0 ${ticks} 8912896 512 18446744073709551615 1 1 0 0 0 0 0 4096 1260 0 0 0 17 1 0 0 0 0 0\n`,
		0o444,
		owner,
	);
	const { cgroupVersion, cgroupControllers } = state.machine;
	const own = process.cgroup === '/init.scope' ? '/' : process.cgroup;
	const v1 = cgroupControllers.map((name, n) => `${n + 1}:${name}:${own}\n`);
	add(
		tree,
		`${at}/cgroup`,
		cgroupVersion === 2 ? `0::${process.cgroup}\n` : [...v1, `0::${own}\n`].join(''),
		0o444,
		owner,
	);
	if (container === undefined) add(tree, `${at}/mountinfo`, mountInfo(state), 0o444, owner);
	for (const [name, number] of Object.entries(container?.namespaces ?? state.machine.namespaces))
		putLink(tree, `${at}/ns/${name}`, `${name}:[${number}]`);
}

/** Keys of sysctls have dots, and so have some of their parts (interface names): none of ours does. */
export const sysctlPath = (key: string): string => `/proc/sys/${key.replaceAll('.', '/')}`;

const sysctlsOf = ({ sysctls, machine }: SimulatedState): Record<string, string> => ({
	...sysctls,
	'kernel.hostname': machine.hostname,
	'kernel.random.boot_id': machine.bootId,
	'kernel.osrelease': machine.kernel,
});

function sysFiles({ machine, apparmorProfiles }: SimulatedState, tree: FileTree): void {
	for (const name of ['debug', 'config', 'tracing', 'security']) putFolder(tree, `/sys/kernel/${name}`, 0o700);
	putFolder(tree, '/sys/module/overlay', 0o555);
	if (!machine.apparmor) return;
	add(tree, '/sys/module/apparmor/parameters/enabled', 'Y\n');
	const profiles = Object.entries(apparmorProfiles).map(([name, { mode }]) => `${name} (${mode})\n`);
	add(tree, '/sys/kernel/security/apparmor/profiles', profiles.join(''));
}

/** The quota of each container, where the host's own kernel keeps it. */
function cgroupFiles({ machine, docker }: SimulatedState, tree: FileTree): void {
	const root = '/sys/fs/cgroup';
	putFolder(tree, root, 0o555);
	const { cgroupControllers: controllers } = machine;
	const v1 = machine.cgroupVersion === 1;
	if (!v1) add(tree, `${root}/cgroup.controllers`, `${controllers.join(' ')}\n`);
	for (const name of v1 ? controllers : []) putFolder(tree, `${root}/${name}`, 0o555);
	if (!controllers.includes('cpu')) return;
	for (const { id, pid, options } of docker.engine.containers) {
		if (pid === 0) continue;
		const folder = `${root}${v1 ? '/cpu' : ''}/system.slice/docker-${id}.scope`;
		putFolder(tree, folder, 0o555);
		const quota = options.nanoCpus > 0 ? String(options.nanoCpus / 10_000) : undefined;
		if (!v1) add(tree, `${folder}/cpu.max`, `${quota ?? 'max'} 100000\n`, 0o644);
		else {
			add(tree, `${folder}/cpu.cfs_quota_us`, `${quota ?? -1}\n`, 0o644);
			add(tree, `${folder}/cpu.cfs_period_us`, '100000\n', 0o644);
		}
	}
}

const devices: readonly (readonly [string, string, number])[] = [
	['null', 'c 1 3', 0o666],
	['zero', 'c 1 5', 0o666],
	['vda', 'b 252 0', 0o660],
	['vda1', 'b 252 1', 0o660],
	['fuse', 'c 10 229', 0o666],
];

/** The file system of the host that holds a path. */
export function fileSystemOf(fileSystems: readonly FileSystem[], path: string): FileSystem | undefined {
	const full = absolute(path);
	return fileSystems
		.filter(fs => fs.point === '/' || full === fs.point || full.startsWith(`${fs.point}/`))
		.toSorted((a, b) => b.point.length - a.point.length)[0];
}

const kernelMounts: readonly (readonly [string, string, string])[] = [
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

/** /proc/PID/mountinfo of a process of the host. */
function mountInfo(state: SimulatedState): string {
	const lines: string[] = [];
	const push = (point: string, type: string, source: string, options: string, superOptions: string) => {
		const device = type === 'ext4' ? '252:1' : `0:${20 + lines.length}`;
		lines.push(
			`${22 + lines.length} ${point === '/' ? 1 : 28} ${device} / ${point} ${options} shared:${lines.length + 1} - ${type} ${source} ${superOptions}\n`,
		);
	};
	for (const [point, type, source] of kernelMounts) {
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
	for (const { id, pid } of state.docker.engine.containers) {
		if (pid === 0) continue;
		push(`/var/lib/docker/rootfs/overlayfs/${id}`, 'overlay', 'overlay', 'rw,relatime', 'rw,lowerdir=/');
	}
	for (const id of sysboxfsMounts(state))
		push(
			`/var/lib/sysboxfs/${id}`,
			'fuse',
			'sysboxfs',
			'rw,nosuid,nodev,relatime',
			'rw,user_id=0,group_id=0,allow_other',
		);
	return lines.join('');
}
