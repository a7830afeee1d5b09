import { confinementOf, effectiveCapabilities, maskText } from './confinement.ts';
import { putFolder, putLink } from './file-tree.ts';
import { cpuInfo, kernelSymbols, limitsText, memoryInfo } from './kernel-text.ts';
import { mountTable } from './mount-table.ts';
import { processesSeen, type SeenProcess } from './process-table.ts';
import type { Container, FileTree } from './state.ts';
import type { Scope } from './world.ts';

/**
 * What the kernel shows as files: /proc, /sys and /dev as they look from one place. Made afresh for each command, so
 * that nothing can be out of date.
 */
export function kernelTree(scope: Scope): FileTree {
	const tree: FileTree = {};
	putFolder(tree, '/proc', 0o555);
	putFolder(tree, '/sys', 0o555);
	putFolder(tree, '/dev', 0o755);
	machineWideProc(scope, tree);
	for (const process of processesSeen(scope)) processFiles(scope, tree, process);
	putLink(tree, '/proc/self', String(scope.pid));
	putLink(tree, '/proc/thread-self', `${scope.pid}/task/${scope.pid}`);
	putLink(tree, '/proc/mounts', 'self/mounts');
	sysctlFiles(scope, tree);
	sysFiles(scope, tree);
	cgroupFiles(scope, tree);
	deviceFiles(scope, tree);
	return tree;
}

function add(tree: FileTree, path: string, text: string, mode = 0o444, uid = 0): void {
	putFolder(tree, path.slice(0, path.lastIndexOf('/')), 0o555);
	tree[path] = { kind: 'file', text, mode, uid, gid: uid };
}

function machineWideProc(scope: Scope, tree: FileTree): void {
	const { state } = scope.world;
	const { machine } = state;
	const confinement = confinementOf(scope);
	const uptime = ((state.now - (scope.inside?.container.startedAt ?? machine.bootedAt)) / 1000).toFixed(2);
	// Docker masks these with /dev/null; Sysbox keeps the masks (seen in mountinfo with Sysbox 0.7.0).
	const masked = confinement.kind !== 'host' && !confinement.privileged;
	add(tree, '/proc/cpuinfo', cpuInfo(state));
	add(tree, '/proc/meminfo', memoryInfo(state));
	// Only Sysbox gives a container an uptime of its own (sysboxfs on /proc/uptime).
	const hostUptime = ((state.now - machine.bootedAt) / 1000).toFixed(2);
	add(tree, '/proc/uptime', confinement.kind === 'sysbox' ? `${uptime} ${uptime}\n` : `${hostUptime} ${hostUptime}\n`);
	add(tree, '/proc/version', `Linux version ${machine.kernel} (buildd@lcy02) ${machine.kernelBuild}\n`);
	add(
		tree,
		'/proc/filesystems',
		machine.filesystems.map(name => (name.startsWith('nodev ') ? `nodev\t${name.slice(6)}\n` : `\t${name}\n`)).join(''),
	);
	add(tree, '/proc/modules', machine.modules.map(name => `${name} 16384 0 - Live 0x0000000000000000\n`).join(''));
	add(tree, '/proc/swaps', 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n');
	add(tree, '/proc/loadavg', '0.42 0.37 0.30 1/412 31337\n');
	add(
		tree,
		'/proc/stat',
		`cpu  120000 0 40000 9000000 1200 0 800 0 0 0\nbtime ${Math.floor(machine.bootedAt / 1000)}\nprocesses ${state.nextPid}\n`,
	);
	add(
		tree,
		'/proc/cmdline',
		`BOOT_IMAGE=/boot/vmlinuz-${machine.kernel} root=UUID=7a3c ro console=tty1 console=ttyS0\n`,
	);
	add(
		tree,
		'/proc/kallsyms',
		kernelSymbols(confinement.initialUserNamespace && confinement.privileged && scope.who.uid === 0),
	);
	add(
		tree,
		'/proc/keys',
		masked ? '' : '0d5e1f2a I--Q---     4 perm 3f030000     0     0 keyring   _ses: 1\n',
		masked ? 0o666 : 0o444,
	);
	add(tree, '/proc/timer_list', '', 0o400);
	add(tree, '/proc/kcore', masked ? '' : '\x7fELF', masked ? 0o666 : 0o400);
	add(tree, '/proc/kmsg', '', 0o400);
	add(tree, '/proc/sysrq-trigger', '', 0o200, confinement.initialUserNamespace ? 0 : 65534);
	add(tree, '/proc/cgroups', '#subsys_name\thierarchy\tnum_cgroups\tenabled\n');
	add(
		tree,
		'/proc/partitions',
		'major minor  #blocks  name\n\n 252        0   83886080 vda\n 252        1   82837504 vda1\n',
	);
}

function processFiles(scope: Scope, tree: FileTree, process: SeenProcess): void {
	const at = `/proc/${process.pid}`;
	const owner = process.uidSeen;
	const target = process.scope;
	const confinement = confinementOf(target);
	tree[at] = { kind: 'folder', mode: 0o555, uid: owner, gid: owner };
	const map = `${[0, confinement.userMap.outside, confinement.userMap.size].map(n => String(n).padStart(10)).join(' ')}\n`;
	add(tree, `${at}/uid_map`, map, 0o644, owner);
	add(tree, `${at}/gid_map`, map, 0o644, owner);
	add(tree, `${at}/setgroups`, 'allow\n', 0o644, owner);
	add(tree, `${at}/comm`, `${process.comm}\n`, 0o644, owner);
	add(tree, `${at}/cmdline`, process.argv.map(word => `${word}\0`).join(''), 0o444, owner);
	const ticks = Math.max(1, Math.round((process.startedAt - scope.world.state.machine.bootedAt) / 10));
	const { hangs } = scope.world.state.sysbox;
	const state = hangs !== undefined && process.comm === `sysbox-${hangs}` ? 'T' : 'S';
	add(
		tree,
		`${at}/stat`,
		`${process.pid} (${process.comm}) ${state} ${process.ppid} ${process.pid} ${process.pid} 0 -1 4194560 1520 0 3 0 4 2 0 0 20 0 1 0 ${ticks} 8912896 512 18446744073709551615 1 1 0 0 0 0 0 4096 1260 0 0 0 17 1 0 0 0 0 0\n`,
		0o444,
		owner,
	);
	add(tree, `${at}/status`, statusText(process), 0o444, owner);
	add(tree, `${at}/limits`, limitsText(Math.round(scope.world.state.machine.memoryKb / 256)), 0o444, owner);
	add(tree, `${at}/cgroup`, cgroupOf(scope, process), 0o444, owner);
	const mounts = mountTable(target);
	add(
		tree,
		`${at}/mountinfo`,
		mounts
			.map(
				m =>
					`${m.id} ${m.parent} ${m.device} ${m.root} ${m.point} ${m.options}${m.shared} - ${m.type} ${m.source} ${m.superOptions}\n`,
			)
			.join(''),
		0o444,
		owner,
	);
	add(
		tree,
		`${at}/mounts`,
		mounts
			.map(m =>
				`${m.source} ${m.point} ${m.type} ${m.options},${m.superOptions.replace(/^r[wo],?/, '')} 0 0\n`.replace(
					', 0 0',
					' 0 0',
				),
			)
			.join(''),
		0o444,
		owner,
	);
	add(
		tree,
		`${at}/oom_score_adj`,
		process.comm.startsWith('sysbox-') ? '-500\n' : process.comm === 'dockerd' ? '-500\n' : '0\n',
		0o644,
		owner,
	);
	add(tree, `${at}/attr/current`, confinement.apparmor ? 'docker-default (enforce)\n' : 'unconfined\n', 0o666, owner);
	add(tree, `${at}/environ`, '', 0o400, owner);
	for (const [name, number] of Object.entries(process.namespaces))
		putLink(tree, `${at}/ns/${name}`, `${name}:[${number}]`);
	putLink(tree, `${at}/root`, '/');
	putLink(tree, `${at}/cwd`, '/');
	putLink(tree, `${at}/exe`, process.exe);
}

function statusText(process: SeenProcess): string {
	const confinement = confinementOf(process.scope);
	const effective = effectiveCapabilities(process.scope);
	const root = process.scope.who.uid === 0;
	const row = (name: string, value: string | number) => `${name}:\t${value}\n`;
	const uid = Array(4).fill(process.uidSeen).join('\t');
	return (
		row('Name', process.comm) +
		row('Umask', '0022') +
		row('State', 'S (sleeping)') +
		row('Tgid', process.pid) +
		row('Ngid', 0) +
		row('Pid', process.pid) +
		row('PPid', process.ppid) +
		row('TracerPid', 0) +
		row('Uid', uid) +
		row('Gid', uid) +
		row('Groups', process.uidSeen) +
		row('CapInh', maskText(root ? confinement.ambient : 0n)) +
		row('CapPrm', maskText(effective)) +
		row('CapEff', maskText(effective)) +
		row('CapBnd', maskText(confinement.bounding)) +
		row('CapAmb', maskText(root ? confinement.ambient : 0n)) +
		row('NoNewPrivs', confinement.noNewPrivileges ? 1 : 0) +
		row('Seccomp', confinement.seccomp.mode) +
		row('Seccomp_filters', confinement.seccomp.filters)
	);
}

function cgroupOf(scope: Scope, process: SeenProcess): string {
	const { cgroupVersion, cgroupControllers } = scope.world.state.machine;
	// As seen from inside: Sysbox puts the first process into a child of the container's cgroup.
	const path =
		process.scope.inside !== undefined && scope.inside?.container.id === process.scope.inside.container.id
			? process.scope.inside.container.isolation === 'sysbox'
				? '/init.scope'
				: '/'
			: process.cgroup;
	if (cgroupVersion === 2) return `0::${path}\n`;
	const own = path === '/init.scope' ? '/' : path;
	return [...cgroupControllers.map((name, n) => `${n + 1}:${name}:${own}\n`), `0::${path}\n`].join('');
}

/** Sysctls that Sysbox lets a container change for itself only (seen with Sysbox 0.7.0: /proc/sys is sysboxfs). */
const emulated =
	/^(?:net\.|kernel\.(?:panic|panic_on_oops|hostname|domainname|pid_max|dmesg_restrict|sysrq|shm|msg|sem|kptr_restrict|yama\.ptrace_scope|ngroups_max|cap_last_cap|printk)|vm\.(?:overcommit_memory|mmap_min_addr)|fs\.(?:file-max|nr_open|protected_))/;

export const isEmulated = (key: string): boolean => emulated.test(key);

/** Sysctls of a container's own namespaces, whatever the runtime. */
const ownNamespace = /^net\.|^kernel\.(?:hostname|domainname|shm|msg|sem)/;

export function sysctlValue(scope: Scope, key: string): string | undefined {
	const { state } = scope.world;
	if (scope.inside === undefined) return key === 'kernel.hostname' ? state.machine.hostname : state.sysctls[key];
	const { container, parent } = scope.inside;
	if (key === 'kernel.hostname' && container.options.utsMode !== 'host') return container.hostname;
	const own = container.sysctls[key];
	return own !== undefined && (container.isolation === 'sysbox' || ownNamespace.test(key))
		? own
		: sysctlValue(parent, key);
}

function sysctlFiles(scope: Scope, tree: FileTree): void {
	const keys = new Set([
		...Object.keys(scope.world.state.sysctls),
		'kernel.hostname',
		...Object.keys(scope.inside?.container.sysctls ?? {}),
	]);
	for (const key of keys) {
		const value = sysctlValue(scope, key);
		if (value !== undefined) add(tree, sysctlPath(key), `${value}\n`, 0o644);
	}
	add(tree, '/proc/sys/kernel/random/boot_id', `${scope.world.state.machine.bootId}\n`);
	add(tree, '/proc/sys/kernel/osrelease', `${scope.world.state.machine.kernel}\n`);
	add(tree, '/proc/sys/kernel/ostype', 'Linux\n');
	add(tree, '/proc/sys/kernel/version', `${scope.world.state.machine.kernelBuild}\n`);
}

/** Keys of sysctls have dots, and so have some of their parts (interface names): none of ours does. */
export const sysctlPath = (key: string): string => `/proc/sys/${key.replaceAll('.', '/')}`;
export const sysctlKey = (path: string): string => path.slice('/proc/sys/'.length).replaceAll('/', '.');

function sysFiles(scope: Scope, tree: FileTree): void {
	const { machine, apparmorProfiles } = scope.world.state;
	const confinement = confinementOf(scope);
	for (const name of ['debug', 'config', 'tracing', 'security']) putFolder(tree, `/sys/kernel/${name}`, 0o700);
	add(tree, '/sys/kernel/uevent_seqnum', '4711\n');
	putFolder(tree, '/sys/firmware', 0o555);
	putFolder(tree, '/sys/module/overlay', 0o555);
	if (machine.apparmor) {
		add(tree, '/sys/module/apparmor/parameters/enabled', 'Y\n');
		if (confinement.kind === 'host') {
			const profiles = Object.entries(apparmorProfiles).map(([name, { mode }]) => `${name} (${mode})\n`);
			add(tree, '/sys/kernel/security/apparmor/profiles', profiles.join(''));
		}
	}
	add(tree, '/sys/power/state', 'freeze mem\n', 0o644, confinement.initialUserNamespace ? 0 : 65534);
	putFolder(tree, '/sys/block/vda', 0o555);
	for (const device of scope.inside === undefined
		? ['lo', scope.world.state.network.device, 'docker0']
		: ['lo', 'eth0']) {
		putFolder(tree, `/sys/class/net/${device}`, 0o555);
	}
	add(tree, '/sys/devices/system/cpu/online', machine.cpus > 1 ? `0-${machine.cpus - 1}\n` : '0\n');
}

function cgroupFiles(scope: Scope, tree: FileTree): void {
	const { machine } = scope.world.state;
	const root = '/sys/fs/cgroup';
	putFolder(tree, root, 0o555);
	const own = scope.inside?.container;
	if (machine.cgroupVersion === 1) {
		const running = own === undefined ? scope.world.state.docker.engine.containers.filter(c => c.pid !== 0) : [];
		for (const controller of machine.cgroupControllers) {
			putFolder(tree, `${root}/${controller}`, 0o555);
			if (own !== undefined) limitFilesV1(tree, `${root}/${controller}`, controller, own, own.isolation === 'sysbox');
			for (const container of running) {
				const folder = `${root}/${controller}/system.slice/docker-${container.id}.scope`;
				putFolder(tree, folder, 0o555);
				limitFilesV1(tree, folder, controller, container, false);
			}
		}
		return;
	}
	add(tree, `${root}/cgroup.controllers`, `${machine.cgroupControllers.join(' ')}\n`);
	add(tree, `${root}/cgroup.subtree_control`, `${machine.cgroupControllers.join(' ')}\n`, 0o644);
	add(tree, `${root}/cgroup.procs`, '', 0o644);
	if (own !== undefined) {
		limitFiles(tree, root, own, machine.cgroupControllers, own.isolation === 'sysbox');
		return;
	}
	for (const container of scope.world.state.docker.engine.containers) {
		if (container.pid === 0) continue;
		const folder = `${root}/system.slice/docker-${container.id}.scope`;
		putFolder(tree, folder, 0o555);
		limitFiles(tree, folder, container, machine.cgroupControllers, false);
	}
}

/** A container of Sysbox sees a child of its limited cgroup: no quota and no limit of pids there, yet both are in force. */
function limitFiles(
	tree: FileTree,
	folder: string,
	container: Container,
	controllers: readonly string[],
	child: boolean,
): void {
	const { options } = container;
	if (controllers.includes('memory')) {
		add(tree, `${folder}/memory.max`, options.memory > 0 ? `${options.memory}\n` : 'max\n', 0o644);
		add(tree, `${folder}/memory.swap.max`, options.memory > 0 ? `${options.memory}\n` : 'max\n', 0o644);
		add(tree, `${folder}/memory.current`, `${container.processes.length * 1_200_000}\n`);
		add(
			tree,
			`${folder}/memory.events`,
			`low 0\nhigh 0\nmax ${container.oomKilled ? 14 : 0}\noom ${container.oomKilled ? 1 : 0}\noom_kill ${container.oomKilled ? 1 : 0}\n`,
		);
	}
	if (controllers.includes('pids')) {
		add(tree, `${folder}/pids.max`, options.pidsLimit > 0 && !child ? `${options.pidsLimit}\n` : 'max\n', 0o644);
		add(tree, `${folder}/pids.current`, `${container.processes.length}\n`);
	}
	if (controllers.includes('cpu')) {
		add(
			tree,
			`${folder}/cpu.max`,
			options.nanoCpus > 0 && !child ? `${options.nanoCpus / 10_000} 100000\n` : 'max 100000\n',
			0o644,
		);
		add(
			tree,
			`${folder}/cpu.stat`,
			`usage_usec ${container.throttledPeriods * 50_000 + 120_000}\nuser_usec 80000\nsystem_usec 40000\nnr_periods ${container.throttledPeriods}\nnr_throttled ${child ? 0 : container.throttledPeriods}\nthrottled_usec ${child ? 0 : container.throttledPeriods * 50_000}\n`,
		);
		add(tree, `${folder}/cpu.weight`, '100\n', 0o644);
	}
}

function limitFilesV1(tree: FileTree, folder: string, controller: string, container: Container, child: boolean): void {
	const { options } = container;
	if (controller === 'memory')
		add(tree, `${folder}/memory.limit_in_bytes`, `${options.memory || '9223372036854771712'}\n`, 0o644);
	if (controller === 'pids')
		add(tree, `${folder}/pids.max`, child || options.pidsLimit <= 0 ? 'max\n' : `${options.pidsLimit}\n`, 0o644);
	if (controller !== 'cpu') return;
	add(
		tree,
		`${folder}/cpu.cfs_quota_us`,
		child || options.nanoCpus === 0 ? '-1\n' : `${options.nanoCpus / 10_000}\n`,
		0o644,
	);
	add(tree, `${folder}/cpu.cfs_period_us`, '100000\n', 0o644);
	add(tree, `${folder}/cpu.shares`, `${child ? 1024 : options.cpuShares || 1024}\n`, 0o644);
}

const everywhere: readonly (readonly [string, string])[] = [
	['null', 'c 1 3'],
	['zero', 'c 1 5'],
	['full', 'c 1 7'],
	['random', 'c 1 8'],
	['urandom', 'c 1 9'],
	['tty', 'c 5 0'],
];

/** Devices of the machine that no container should touch. The kind of disk is the virtual one of most CI hosts. */
const ofTheMachine: readonly (readonly [string, string, number])[] = [
	['vda', 'b 252 0', 0o660],
	['vda1', 'b 252 1', 0o660],
	['mem', 'c 1 1', 0o640],
	['port', 'c 1 4', 0o640],
	['kmsg', 'c 1 11', 0o644],
	['fuse', 'c 10 229', 0o666],
	['net/tun', 'c 10 200', 0o666],
	['loop-control', 'c 10 237', 0o660],
	['loop0', 'b 7 0', 0o660],
];

function deviceFiles(scope: Scope, tree: FileTree): void {
	const confinement = confinementOf(scope);
	const owner = confinement.kind === 'sysbox' ? 65534 : 0;
	const node = (name: string, device: string, mode: number) => {
		putFolder(tree, `/dev/${name}`.slice(0, `/dev/${name}`.lastIndexOf('/')));
		tree[`/dev/${name}`] = { kind: 'device', device, mode, uid: owner, gid: owner };
	};
	for (const [name, device] of everywhere) node(name, device, 0o666);
	const container = scope.inside?.container;
	const passed = (name: string) => container?.options.devices.some(d => d.split(':')[0] === `/dev/${name}`) ?? false;
	const allDevices = container === undefined || container.options.privileged;
	for (const [name, device, mode] of ofTheMachine) {
		if ((allDevices && machineDevicesReach(scope)) || passed(name)) node(name, device, mode);
	}
	// Sysbox binds /dev/null over /dev/kmsg (seen: node 1,3).
	if (confinement.kind === 'sysbox') node('kmsg', 'c 1 3', 0o666);
	if (container === undefined) return;
	for (const [name, to] of [
		['fd', '/proc/self/fd'],
		['stdin', '/proc/self/fd/0'],
		['stdout', '/proc/self/fd/1'],
		['stderr', '/proc/self/fd/2'],
		['ptmx', 'pts/ptmx'],
	] as const) {
		putLink(tree, `/dev/${name}`, to);
	}
	for (const name of ['shm', 'mqueue']) putFolder(tree, `/dev/${name}`, 0o1777);
	putFolder(tree, '/dev/pts');
}

/** The machine's devices show in a privileged container; in one inside a Sysbox container only what is there shows. */
function machineDevicesReach(scope: Scope): boolean {
	if (scope.inside === undefined) return true;
	const { container, parent } = scope.inside;
	return container.options.privileged && (parent.inside === undefined || machineDevicesReach(parent));
}
