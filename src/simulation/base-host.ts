import { configAtStart, daemonFlags, newEngine } from './daemon-config.ts';
import { faultSwitch } from './faults.ts';
import { put, putFolder, putLink, sha256 } from './file-tree.ts';
import { hubImages } from './hub.ts';
import { knownToBeAbsent, programs } from './programs/index.ts';
import { unitText } from './services.ts';
import { type InstalledPackage, type PackageControl, type SimulatedState, stateVersion, type Unit } from './state.ts';
import type { World } from './world.ts';

/** What tells one simulated machine from another. */
export interface Machine {
	readonly scenario: string;
	readonly hostname: string;
	readonly os: 'debian-10' | 'ubuntu-24.04' | 'ubuntu-26.04' | 'debian-13';
	readonly kernel: string;
	readonly systemd: string;
	readonly docker: string;
	readonly storageDriver: 'overlay2' | 'overlayfs';
	readonly dockerPackage: 'docker-ce' | 'docker.io' | 'snap';
	/** Text of daemon.json; undefined: there is none. */
	readonly daemonJson: string | undefined;
	/** Packages beside those that every host has. */
	readonly extra: readonly string[];
}

/** 24 November 2026, 09:12 UTC: a Tuesday morning. */
export const startOfDemo = Date.UTC(2026, 10, 24, 9, 12, 0);

export const worldFor = (state: SimulatedState): World => ({
	state,
	faults: faultSwitch([], state),
	releases: [],
	programs,
	absent: knownToBeAbsent,
	changed: false,
	revision: 0,
});

const osRelease: Readonly<Record<Machine['os'], string>> = {
	'debian-10':
		'PRETTY_NAME="Debian GNU/Linux 10 (buster)"\nNAME="Debian GNU/Linux"\nVERSION_ID="10"\nVERSION="10 (buster)"\nVERSION_CODENAME=buster\nID=debian\nHOME_URL="https://www.debian.org/"\n',
	'ubuntu-24.04':
		'PRETTY_NAME="Ubuntu 24.04.3 LTS"\nNAME="Ubuntu"\nVERSION_ID="24.04"\nVERSION="24.04.3 LTS (Noble Numbat)"\nVERSION_CODENAME=noble\nID=ubuntu\nID_LIKE=debian\nHOME_URL="https://www.ubuntu.com/"\nUBUNTU_CODENAME=noble\n',
	'ubuntu-26.04':
		'PRETTY_NAME="Ubuntu 26.04.1 LTS"\nNAME="Ubuntu"\nVERSION_ID="26.04"\nVERSION="26.04.1 LTS (Resolute Raccoon)"\nVERSION_CODENAME=resolute\nID=ubuntu\nID_LIKE=debian\nHOME_URL="https://www.ubuntu.com/"\nUBUNTU_CODENAME=resolute\n',
	'debian-13':
		'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nNAME="Debian GNU/Linux"\nVERSION_ID="13"\nVERSION="13 (trixie)"\nVERSION_CODENAME=trixie\nDEBIAN_VERSION_FULL=13.2\nID=debian\nHOME_URL="https://www.debian.org/"\n',
};

const isDebian = (m: Machine): boolean => m.os.startsWith('debian');

const gib = 1024 ** 3;

const machineOf = (m: Machine, bootedAt: number): SimulatedState['machine'] => ({
	hostname: m.hostname,
	machineId: sha256(`machine ${m.hostname} ${m.scenario}`).slice(0, 32),
	bootId: sha256(`boot ${m.scenario}`)
		.slice(0, 32)
		.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5'),
	bootedAt,
	arch: 'amd64',
	kernel: m.kernel,
	memoryKb: 32_862_340,
	cpus: 8,
	virt: 'kvm',
	cgroupVersion: m.os === 'debian-10' ? 1 : 2,
	cgroupControllers: ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma', 'misc'],
	filesystems: [
		...[
			'nodev sysfs',
			'nodev tmpfs',
			'nodev proc',
			'nodev cgroup',
			'nodev cgroup2',
			'nodev devtmpfs',
			'nodev configfs',
		],
		...['nodev debugfs', 'nodev securityfs', 'nodev bpf', 'nodev devpts', 'ext3', 'ext2', 'ext4', 'squashfs', 'vfat'],
		...['fuseblk', 'nodev fuse', 'nodev fusectl', 'nodev mqueue', 'nodev autofs', 'nodev binfmt_misc', 'nodev overlay'],
	],
	modules: [
		...['xt_conntrack', 'br_netfilter', 'bridge', 'stp', 'llc', 'overlay', 'nf_tables', 'nf_nat', 'nf_conntrack'],
		...['veth', 'ip_tables', 'x_tables', 'virtio_net', 'virtio_blk'],
	],
	systemd: m.systemd,
	apparmor: true,
	namespaces: {
		user: 4026531837,
		mnt: 4026531841,
		pid: 4026531836,
		net: 4026531840,
		uts: 4026531838,
		ipc: 4026531839,
		cgroup: 4026531835,
		time: 4026531834,
	},
});

const fileSystems: SimulatedState['fileSystems'] = [
	{
		point: '/',
		type: 'ext4',
		source: '/dev/vda1',
		options: 'rw,relatime;rw,discard,errors=remount-ro',
		totalBytes: 78 * gib,
		usedBytes: 31 * gib,
	},
	{
		point: '/run',
		type: 'tmpfs',
		source: 'tmpfs',
		options: 'rw,nosuid,nodev,noexec,relatime;rw,size=3286236k,mode=755,inode64',
		totalBytes: 3 * gib,
		usedBytes: 2_400_000,
	},
	{
		point: '/dev/shm',
		type: 'tmpfs',
		source: 'tmpfs',
		options: 'rw,nosuid,nodev;rw,inode64',
		totalBytes: 16 * gib,
		usedBytes: 0,
	},
	{
		point: '/boot/efi',
		type: 'vfat',
		source: '/dev/vda15',
		options: 'rw,relatime;rw,fmask=0077,dmask=0077',
		totalBytes: 109_000_000,
		usedBytes: 6_300_000,
	},
];

const firstProcesses = (bootedAt: number, now: number): SimulatedState['processes'] => [
	{ pid: 1, ppid: 0, uid: 0, comm: 'systemd', argv: ['/sbin/init'], startedAt: bootedAt + 900 },
	{
		pid: 412,
		ppid: 1,
		uid: 0,
		comm: 'systemd-journal',
		argv: ['/usr/lib/systemd/systemd-journald'],
		startedAt: bootedAt + 2300,
		unit: 'systemd-journald.service',
	},
	{
		pid: 781,
		ppid: 1,
		uid: 0,
		comm: 'sshd',
		argv: ['sshd: /usr/sbin/sshd -D'],
		startedAt: bootedAt + 6100,
		unit: 'ssh.service',
	},
	{ pid: 40_917, ppid: 1, uid: 0, comm: 'node', argv: ['node', '/usr/bin/sysbox-setup'], startedAt: now - 1200 },
];

/** A host as it stands before any container runs: files, packages, units, and a Docker that is up. */
export function baseHost(m: Machine): SimulatedState {
	const now = startOfDemo;
	const bootedAt = now - 11 * 86_400_000 - 3_723_000;
	const flags = daemonFlags(['-H', 'fd://']);
	let raw: Record<string, unknown> = {};
	try {
		raw = m.daemonJson === undefined ? {} : (JSON.parse(m.daemonJson) as Record<string, unknown>);
	} catch {
		// The daemon was started before the file was broken.
	}
	const config = configAtStart(raw, flags, m.docker);
	if (typeof config === 'string') throw new Error(`the scene's daemon.json does not start a daemon: ${config}`);
	const engine = newEngine('6ec5f1a2-8d1f-4b77-9a53-2f0f0f7b1c1d', m.hostname, m.docker, config, m.storageDriver);
	engine.readyAt = bootedAt + 9000;
	const state: SimulatedState = {
		version: stateVersion,
		scenario: m.scenario,
		now,
		seed: Number.parseInt(sha256(m.scenario).slice(0, 8), 16),
		nextPid: 41_200,
		nextNamespace: 4_026_532_400,
		machine: machineOf(m, bootedAt),
		identity: { pid: 40_917, uid: 0, gid: 0, groups: [0], user: 'anna' },
		files: {},
		fileSystems: structuredClone(fileSystems),
		sysctls: sysctlsOf(m),
		bootSysctls: sysctlsOf(m),
		apparmorProfiles: { 'docker-default': { mode: 'enforce', allowsSysboxfs: true } },
		kernelLog: [
			{ at: bootedAt, text: `Linux version ${m.kernel} (buildd@lcy02)` },
			{ at: bootedAt + 2100, text: 'EXT4-fs (vda1): mounted filesystem with ordered data mode' },
			{ at: bootedAt + 8800, text: 'docker0: port 1(veth30793de) entered forwarding state' },
		],
		processes: firstProcesses(bootedAt, now),
		packages: {},
		archive: {},
		units: {},
		journal: [],
		internet: true,
		docker: {
			kind: m.dockerPackage === 'snap' ? 'snap' : 'native',
			engine,
		},
		sysbox: { subidStart: 165_536 },
		hub: hubImages(),
		faultCounts: {},
	};
	systemFiles(state, m);
	packagesOf(state, m);
	unitsOf(state, m, bootedAt);
	return state;
}

function sysctlsOf(m: Machine): Record<string, string> {
	const debian = isDebian(m);
	return {
		'kernel.core_pattern': debian ? 'core' : '|/usr/share/apport/apport -p%p -s%s -c%c -d%d -P%P -u%u -g%g -F%F -- %E',
		'kernel.modprobe': '/sbin/modprobe',
		'kernel.panic': '0',
		'kernel.panic_on_oops': '0',
		'kernel.sysrq': debian ? '438' : '176',
		'kernel.pid_max': '4194304',
		'kernel.threads-max': '256340',
		'kernel.dmesg_restrict': '1',
		'kernel.kptr_restrict': debian ? '0' : '1',
		'kernel.printk': '4\t4\t1\t7',
		'kernel.domainname': '(none)',
		'kernel.shmmax': '18446744073692774399',
		'kernel.shmall': '18446744073692774399',
		'kernel.msgmax': '8192',
		'kernel.sem': '32000\t1024000000\t500\t32000',
		'kernel.cap_last_cap': m.os === 'debian-10' ? '37' : '40',
		'kernel.yama.ptrace_scope': '1',
		'kernel.perf_event_paranoid': debian ? '3' : '4',
		'kernel.keys.maxkeys': '200',
		'kernel.keys.maxbytes': '20000',
		'kernel.randomize_va_space': '2',
		...(debian && { 'kernel.unprivileged_userns_clone': '1' }),
		...(!debian &&
			m.os !== 'debian-10' && {
				'kernel.apparmor_restrict_unprivileged_userns': '1',
				'kernel.unprivileged_userns_clone': '1',
			}),
		...(m.os === 'debian-10' && { 'kernel.unprivileged_userns_clone': '1' }),
		'user.max_user_namespaces': '128170',
		'vm.overcommit_memory': '0',
		'vm.swappiness': '60',
		'vm.drop_caches': '0',
		'vm.max_map_count': '1048576',
		'vm.mmap_min_addr': '65536',
		'fs.file-max': '9223372036854775807',
		'fs.nr_open': '1048576',
		'fs.inotify.max_user_instances': '128',
		'fs.inotify.max_user_watches': '262144',
		'fs.inotify.max_queued_events': '16384',
		'fs.protected_hardlinks': '1',
		'net.ipv4.ip_forward': '1',
		'net.ipv4.ip_unprivileged_port_start': '1024',
		'net.core.somaxconn': '4096',
		'net.netfilter.nf_conntrack_max': '262144',
		'net.bridge.bridge-nf-call-iptables': '1',
		'net.bridge.bridge-nf-call-ip6tables': '1',
	};
}

/** Programs of the base system; those of packages come with them. */
const basePrograms = [
	...[
		'dash',
		'cat',
		'printf',
		'sleep',
		'rm',
		'kill',
		'readlink',
		'stat',
		'umount',
		'uname',
		'true',
		'tar',
		'curl',
		'logger',
	],
	...['systemctl', 'systemd-run', 'journalctl', 'dpkg', 'dpkg-query', 'dpkg-deb', 'apt-get', 'apt-cache', 'apt-mark'],
];
const adminPrograms = ['modprobe', 'sysctl', 'apparmor_parser'];

function systemFiles(state: SimulatedState, m: Machine): void {
	const { files, machine } = state;
	putFolder(files, '/tmp', 0o1777);
	putFolder(files, '/root', 0o700);
	putFolder(files, '/home/anna', 0o750, 1000, 1000);
	putFolder(files, '/srv/ci', 0o755, 1000, 1000);
	putFolder(files, '/opt');
	putFolder(files, '/mnt');
	putFolder(files, '/usr/local/bin');
	putFolder(files, '/usr/local/sbin');
	putFolder(files, '/var/lib');
	putFolder(files, '/var/log');
	putFolder(files, '/var/tmp', 0o1777);
	putFolder(files, '/run/systemd/system');
	putFolder(files, '/run/lock', 0o1777);
	putFolder(files, '/boot');
	for (const name of ['bin', 'sbin', 'lib']) putLink(files, `/${name}`, `usr/${name}`);
	putLink(files, '/var/run', '/run');
	putLink(files, '/etc/os-release', '../usr/lib/os-release');
	put(files, '/usr/lib/os-release', osRelease[m.os]);
	put(files, '/etc/machine-id', `${machine.machineId}\n`, 0o444);
	put(files, '/etc/hostname', `${m.hostname}\n`);
	put(files, '/etc/hosts', `127.0.0.1 localhost\n127.0.1.1 ${m.hostname}\n`);
	put(files, '/etc/resolv.conf', 'nameserver 127.0.0.53\noptions edns0 trust-ad\n');
	put(
		files,
		'/etc/passwd',
		'root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n_apt:x:42:65534::/nonexistent:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\nanna:x:1000:1000:Anna:/home/anna:/bin/bash\n',
	);
	put(files, '/etc/group', 'root:x:0:\nadm:x:4:anna\nsudo:x:27:anna\ndocker:x:988:anna\nanna:x:1000:\n');
	put(files, '/etc/shadow', 'root:*:20000:0:99999:7:::\nanna:$y$j9T$x:20000:0:99999:7:::\n', 0o640, 0, 42);
	put(files, '/etc/subuid', 'anna:100000:65536\n');
	put(files, '/etc/subgid', 'anna:100000:65536\n');
	put(files, '/etc/login.defs', 'UID_MIN 1000\nSUB_UID_MIN 100000\nSUB_UID_MAX 600100000\nSUB_UID_COUNT 65536\n');
	put(files, '/etc/sysctl.d/10-network-security.conf', 'net.ipv4.conf.all.rp_filter = 2\n');
	put(files, '/etc/sysctl.d/99-sysctl.conf', '# kernel.sysrq=438\n');
	put(files, '/etc/apparmor.d/usr.sbin.chronyd', 'profile chronyd /usr/sbin/chronyd {\n}\n');
	putFolder(files, '/etc/apparmor.d/local');
	putFolder(files, '/etc/apparmor.d/disable');
	putFolder(files, '/etc/docker');
	putFolder(files, '/etc/systemd/system/multi-user.target.wants');
	putFolder(files, '/var/lib/docker', 0o710);
	putFolder(files, '/var/lib/containerd', 0o711);
	put(
		files,
		`/var/lib/apt/lists/archive.${m.os.startsWith('ubuntu') ? 'ubuntu.com_ubuntu' : 'debian.org_debian'}_dists_main_binary-amd64_Packages`,
		'',
	);
	put(
		files,
		`/lib/modules/${m.kernel}/modules.dep`.replace('/lib/', '/usr/lib/'),
		'kernel/net/bridge/br_netfilter.ko: kernel/net/bridge/bridge.ko\n',
	);
	put(files, `/usr/lib/modules/${m.kernel}/dummy.ko`, '\x7fELF dummy');
	putFolder(files, `/usr/src/linux-headers-${m.kernel}`);
	for (const name of basePrograms) put(files, `/usr/bin/${name}`, `\x7fELF ${name}`, 0o755);
	put(files, '/usr/lib/apt/apt-helper', '\x7fELF apt-helper', 0o755);
	for (const name of adminPrograms) put(files, `/usr/sbin/${name}`, `\x7fELF ${name}`, 0o755);
	putLink(files, '/usr/bin/sh', 'dash');
	if (m.daemonJson !== undefined && m.dockerPackage !== 'snap') put(files, '/etc/docker/daemon.json', m.daemonJson);
}

const versionOf = (m: Machine, ubuntu: string, debian: string): string => (m.os.startsWith('ubuntu') ? ubuntu : debian);

/** How Docker's own packages end, such as `-1~ubuntu.24.04~noble`. */
const vendorSuffix = (m: Machine): string =>
	m.os === 'debian-10'
		? '-1~debian.10~buster'
		: m.os === 'ubuntu-26.04'
			? '-1~ubuntu.26.04~resolute'
			: '-1~ubuntu.24.04~noble';

const control = (
	name: string,
	version: string,
	files: readonly string[] = [],
	rest: Partial<PackageControl> = {},
): PackageControl => ({ name, version, architecture: 'amd64', depends: [], files: [...files], ...rest });

function dockerPackages(m: Machine): readonly PackageControl[] {
	return m.dockerPackage === 'docker-ce'
		? [
				control('docker-ce', `5:${m.docker}${vendorSuffix(m)}`, ['/usr/bin/dockerd', '/usr/bin/docker-proxy']),
				control('docker-ce-cli', `5:${m.docker}${vendorSuffix(m)}`, ['/usr/bin/docker']),
				control('containerd.io', `2.2.1${vendorSuffix(m)}`, [
					'/usr/bin/containerd',
					'/usr/bin/runc',
					'/usr/bin/containerd-shim-runc-v2',
				]),
				control('docker-buildx-plugin', `0.30.1${vendorSuffix(m)}`, ['/usr/libexec/docker/cli-plugins/docker-buildx']),
				control('docker-compose-plugin', `2.40.3${vendorSuffix(m)}`, [
					'/usr/libexec/docker/cli-plugins/docker-compose',
				]),
			]
		: m.dockerPackage === 'docker.io'
			? [
					control('docker.io', '26.1.5+dfsg1-9+b9', ['/usr/sbin/dockerd', '/usr/sbin/docker-proxy']),
					control('docker-cli', '26.1.5+dfsg1-9+b9', ['/usr/bin/docker']),
					control('containerd', '1.7.24~ds1-6+b4', ['/usr/bin/containerd']),
					control('runc', '1.1.15+ds1-2+b4', ['/usr/sbin/runc']),
					control('docker-compose', '2.26.1-4', ['/usr/libexec/docker/cli-plugins/docker-compose']),
				]
			: [];
}

function packagesOf(state: SimulatedState, m: Machine): void {
	const archive: PackageControl[] = [
		control('libfuse3-3', versionOf(m, '3.14.0-5build1', '3.17.2-3')),
		control('fuse3', versionOf(m, '3.14.0-5build1', '3.17.2-3'), ['/usr/bin/fusermount3', '/usr/bin/fusermount'], {
			depends: ['libfuse3-3'],
			provides: ['fuse'],
			breaks: ['fuse'],
			description: 'Filesystem in Userspace (3.x version)',
		}),
		control('libfuse2t64', versionOf(m, '2.9.9-8.1build1', '2.9.9-9')),
		control('fuse', versionOf(m, '2.9.9-8.1build1', '2.9.9-9'), ['/usr/bin/fusermount'], {
			depends: ['libfuse2t64'],
			description: 'Filesystem in Userspace',
		}),
		control('libonig5', '6.9.9-1build1'),
		control('libjq1', versionOf(m, '1.7.1-3ubuntu0.24.04.1', '1.7.1-6'), [], { depends: ['libonig5'] }),
		control('jq', versionOf(m, '1.7.1-3ubuntu0.24.04.1', '1.7.1-6'), ['/usr/bin/jq'], {
			depends: ['libjq1'],
			description: 'lightweight and flexible command-line JSON processor',
		}),
		control('rsync', versionOf(m, '3.2.7-1ubuntu1.2', '3.4.1+ds1-5'), ['/usr/bin/rsync']),
		control('iptables', versionOf(m, '1.8.10-3ubuntu2', '1.8.11-2'), ['/usr/sbin/iptables']),
		control('lsb-release', '12.0-2', ['/usr/bin/lsb_release'], { architecture: 'all' }),
		control('kmod', versionOf(m, '31+20240202-2ubuntu7.1', '34.2-2'), ['/usr/sbin/modprobe']),
		control('debconf', versionOf(m, '1.5.86ubuntu1', '1.5.91'), [], { architecture: 'all' }),
		control('apparmor', versionOf(m, '4.0.1really4.0.1-0ubuntu0.24.04.4', '4.1.0-1')),
		control('dpkg', versionOf(m, '1.22.6ubuntu6.5', '1.22.21')),
		control('apt', versionOf(m, '2.8.3', '3.0.3')),
		control('systemd', m.systemd),
		control('linux-headers-generic', '6.8.0-88.89'),
		control('ca-certificates', '20240203', [], { architecture: 'all' }),
	];
	state.archive = Object.fromEntries(archive.map(p => [p.name, p]));
	const always = [
		'iptables',
		'kmod',
		'debconf',
		'apparmor',
		'dpkg',
		'apt',
		'systemd',
		'ca-certificates',
		'lsb-release',
		'rsync',
	];
	const wanted = new Set<string>();
	const add = (name: string): void => {
		if (wanted.has(name)) return;
		wanted.add(name);
		for (const dependency of state.archive[name]?.depends ?? []) add(dependency);
	};
	for (const name of [...always, ...m.extra]) add(name);
	for (const p of [...archive.filter(a => wanted.has(a.name)), ...dockerPackages(m)]) {
		const installed: InstalledPackage = { ...p, status: 'installed', ...(/^lib/.test(p.name) && { auto: true }) };
		state.packages[p.name] = installed;
		for (const path of p.files) put(state.files, path, `\x7fELF ${path.split('/').at(-1)}`, 0o755);
	}
	if (!wanted.has('rsync')) delete state.files['/usr/bin/rsync'];
	if (m.dockerPackage !== 'snap') return;
	put(state.files, '/usr/bin/snap', '\x7fELF snap', 0o755);
	putLink(state.files, '/snap/bin/docker', '/usr/bin/snap');
	putLink(state.files, '/snap/bin/docker.compose', '/usr/bin/snap');
	putFolder(state.files, '/var/snap/docker/common/var-lib-docker', 0o710);
	if (m.daemonJson !== undefined) put(state.files, '/var/snap/docker/current/config/daemon.json', m.daemonJson);
}

type AddUnit = (
	name: string,
	description: string,
	text: string,
	command: readonly string[],
	rest?: Partial<Unit>,
) => void;

const service = (description: string, command: string, more = '') =>
	`[Unit]\nDescription=${description}\n\n[Service]\nExecStart=${command}\n${more}\n[Install]\nWantedBy=multi-user.target\n`;

function unitAdder(state: SimulatedState, bootedAt: number): AddUnit {
	return (name: string, description: string, text: string, command: readonly string[], rest: Partial<Unit> = {}) => {
		const fragment = `/usr/lib/systemd/system/${name}`;
		put(state.files, fragment, text);
		const pid = command.length === 0 ? 0 : 900 + Object.keys(state.units).length * 37;
		const unit: Unit = {
			name,
			description,
			active: 'active',
			sub: 'running',
			result: 'success',
			enabled: 'enabled',
			type: 'simple',
			fragment,
			mainPid: pid,
			mainStatus: 0,
			startedAt: bootedAt + 7000,
			starts: [],
			loadedText: text,
			...rest,
		};
		state.units[name] = unit;
		if (pid > 0 && unit.active === 'active')
			state.processes.push({
				pid,
				ppid: 1,
				uid: 0,
				comm: (command[0] ?? '').split('/').at(-1)?.slice(0, 15) ?? '',
				argv: [...command],
				startedAt: bootedAt + 7000,
				unit: name,
			});
		unit.loadedText = unitText(worldFor(state), unit);
	};
}

function unitsOf(state: SimulatedState, m: Machine, bootedAt: number): void {
	const add = unitAdder(state, bootedAt);
	add(
		'containerd.service',
		'containerd container runtime',
		service(
			'containerd container runtime',
			'/usr/bin/containerd',
			'Type=notify\nDelegate=yes\nKillMode=process\nRestart=always\n',
		),
		['/usr/bin/containerd'],
		{ type: 'notify' },
	);
	dockerUnits(add, m);
	add('ssh.service', 'OpenBSD Secure Shell server', service('OpenBSD Secure Shell server', '/usr/sbin/sshd -D'), [], {
		mainPid: 781,
	});
	add(
		'cron.service',
		'Regular background program processing daemon',
		service('Regular background program processing daemon', '/usr/sbin/cron -f -P'),
		['/usr/sbin/cron', '-f', '-P'],
	);
	add(
		'systemd-journald.service',
		'Journal Service',
		service('Journal Service', '/usr/lib/systemd/systemd-journald'),
		[],
		{ mainPid: 412, enabled: 'static' },
	);
	add(
		'unattended-upgrades.service',
		'Unattended Upgrades Shutdown',
		service(
			'Unattended Upgrades Shutdown',
			'/usr/share/unattended-upgrades/unattended-upgrade-shutdown --wait-for-signal',
		),
		['/usr/bin/python3', '/usr/share/unattended-upgrades/unattended-upgrade-shutdown'],
	);
	state.files['/run/docker.sock'] = { kind: 'socket', mode: 0o660, uid: 0, gid: 988 };
	state.files['/run/containerd'] = { kind: 'folder', mode: 0o711, uid: 0, gid: 0 };
	state.files['/run/containerd/containerd.sock'] = { kind: 'socket', mode: 0o660, uid: 0, gid: 0 };
}

function dockerUnits(add: AddUnit, m: Machine): void {
	const dockerd = m.dockerPackage === 'docker.io' ? '/usr/sbin/dockerd' : '/usr/bin/dockerd';
	if (m.dockerPackage === 'snap') {
		add(
			'snap.docker.dockerd.service',
			'Service for snap application docker.dockerd',
			service(
				'Service for snap application docker.dockerd',
				'/usr/bin/snap run docker.dockerd',
				'Restart=on-failure\n',
			),
			[
				'dockerd',
				'--group',
				'docker',
				'--exec-root=/run/snap.docker',
				'--data-root=/var/snap/docker/common/var-lib-docker',
				'--config-file=/var/snap/docker/current/config/daemon.json',
			],
		);
	} else {
		const text = `[Unit]\nDescription=Docker Application Container Engine\nDocumentation=https://docs.docker.com\nAfter=network-online.target nss-lookup.target docker.socket firewalld.service containerd.service time-set.target\nWants=network-online.target containerd.service\nRequires=docker.socket\nStartLimitBurst=3\nStartLimitIntervalSec=60\n\n[Service]\nType=notify\nExecStart=${dockerd} -H fd:// --containerd=/run/containerd/containerd.sock\nExecReload=/bin/kill -s HUP $MAINPID\nTimeoutStartSec=0\nRestartSec=2\nRestart=always\nLimitNPROC=infinity\nLimitCORE=infinity\nTasksMax=infinity\nDelegate=yes\nKillMode=process\nOOMScoreAdjust=-500\n\n[Install]\nWantedBy=multi-user.target\n`;
		add(
			'docker.service',
			'Docker Application Container Engine',
			text,
			[dockerd, '-H', 'fd://', '--containerd=/run/containerd/containerd.sock'],
			{ type: 'notify' },
		);
		add(
			'docker.socket',
			'Docker Socket for the API',
			'[Unit]\nDescription=Docker Socket for the API\n\n[Socket]\nListenStream=/run/docker.sock\nSocketMode=0660\nSocketUser=root\nSocketGroup=docker\n\n[Install]\nWantedBy=sockets.target\n',
			[],
			{ sub: 'running' },
		);
	}
}
