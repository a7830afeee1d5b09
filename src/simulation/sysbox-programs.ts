import { sha256 } from './file-tree.ts';

/** What the three Sysbox programs say of themselves. Commits as recorded, or as published with the release. */
const known: Readonly<Record<string, { readonly runc: string; readonly mgr: string; readonly fs: string }>> = {
	'0.7.0': {
		runc: 'a4dd414f7b9b7455c0fbf0d5e5db7bcfe30645bc',
		mgr: 'bff3721f86e737cfa129dfe9fe2e7933692aba26',
		fs: 'b70bd38bbf72bf0e759c5f7d8c38925d717068ae',
	},
};

const builtAt: Readonly<Record<string, string>> = {
	'0.7.0': 'Tue Mar  3 21:51:47 UTC 2026',
	'0.7.1': 'Fri Jul 31 20:12:11 UTC 2026',
};

export type SysboxProgram = 'sysbox-runc' | 'sysbox-mgr' | 'sysbox-fs';

/** Of releases whose commits are not known, something of that shape: nobody compares it with anything. */
export function commitOf(program: SysboxProgram, version: string): string {
	const commits = known[version];
	if (commits === undefined) return sha256(`${program} ${version}`).slice(0, 40);
	return program === 'sysbox-runc' ? commits.runc : program === 'sysbox-mgr' ? commits.mgr : commits.fs;
}

/** `--version`: name, then one tab and a field each (seen with Sysbox 0.7.0; only sysbox-runc tells `oci-specs`). */
export function versionText(program: SysboxProgram, version: string): string {
	const rows = [
		['edition', 'Community Edition (CE)'],
		['version', version],
		['commit', commitOf(program, version)],
		['built at', builtAt[version] ?? 'Fri May  9 18:40:02 UTC 2025'],
		['built by', 'Cesar Talledo'],
		...(program === 'sysbox-runc' ? [['oci-specs', '1.1.0+dev']] : []),
	];
	return `${program}\n${rows.map(([name, value]) => `\t${name}: \t${value}\n`).join('')}`;
}

const capabilities = [
	'CAP_CHOWN',
	'CAP_DAC_OVERRIDE',
	'CAP_DAC_READ_SEARCH',
	'CAP_FOWNER',
	'CAP_FSETID',
	'CAP_KILL',
	'CAP_SETGID',
	'CAP_SETUID',
	'CAP_SETPCAP',
	'CAP_NET_BIND_SERVICE',
	'CAP_NET_ADMIN',
	'CAP_NET_RAW',
	'CAP_SYS_MODULE',
	'CAP_SYS_CHROOT',
	'CAP_SYS_PTRACE',
	'CAP_SYS_ADMIN',
	'CAP_SYS_BOOT',
	'CAP_MKNOD',
];

/** `sysbox-runc features` of 0.7.0 and later: that `time` is among the namespaces is what 0.7.1 added. */
export function runtimeFeatures(
	name: 'sysbox-runc' | 'runc',
	version: string,
	withTime: boolean,
): Record<string, unknown> {
	return {
		ociVersionMin: '1.0.0',
		ociVersionMax: name === 'runc' ? '1.2.1' : '1.1.0+dev',
		hooks: ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'],
		mountOptions: [
			'async',
			'atime',
			'bind',
			'defaults',
			'dev',
			'exec',
			'noatime',
			'nodev',
			'noexec',
			'nosuid',
			'private',
			'rbind',
			'relatime',
			'remount',
			'ro',
			'rprivate',
			'rshared',
			'rw',
			'shared',
			'slave',
			'suid',
			'tmpcopyup',
		],
		linux: {
			namespaces: ['cgroup', 'ipc', 'mount', 'network', 'pid', ...(withTime ? ['time'] : []), 'user', 'uts'],
			capabilities,
			cgroup: { v1: true, v2: true, systemd: true, systemdUser: true, rdma: name === 'sysbox-runc' ? true : undefined },
			seccomp: {
				enabled: true,
				actions: ['SCMP_ACT_ALLOW', 'SCMP_ACT_ERRNO', 'SCMP_ACT_KILL', 'SCMP_ACT_NOTIFY'],
				archs: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_X86_64'],
			},
			apparmor: { enabled: true },
			selinux: { enabled: true },
			...(name === 'sysbox-runc' && { intelRdt: { enabled: true }, mountExtensions: { idmap: { enabled: true } } }),
		},
		annotations: { 'org.opencontainers.runc.checkpoint.enabled': 'true', 'org.opencontainers.runc.version': version },
	};
}
