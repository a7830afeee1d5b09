import type { Errno } from './errno.ts';
import type { Scope } from './world.ts';

const capabilityNames = [
	'CHOWN',
	'DAC_OVERRIDE',
	'DAC_READ_SEARCH',
	'FOWNER',
	'FSETID',
	'KILL',
	'SETGID',
	'SETUID',
	'SETPCAP',
	'LINUX_IMMUTABLE',
	'NET_BIND_SERVICE',
	'NET_BROADCAST',
	'NET_ADMIN',
	'NET_RAW',
	'IPC_LOCK',
	'IPC_OWNER',
	'SYS_MODULE',
	'SYS_RAWIO',
	'SYS_CHROOT',
	'SYS_PTRACE',
	'SYS_PACCT',
	'SYS_ADMIN',
	'SYS_BOOT',
	'SYS_NICE',
	'SYS_RESOURCE',
	'SYS_TIME',
	'SYS_TTY_CONFIG',
	'MKNOD',
	'LEASE',
	'AUDIT_WRITE',
	'AUDIT_CONTROL',
	'SETFCAP',
	'MAC_OVERRIDE',
	'MAC_ADMIN',
	'SYSLOG',
	'WAKE_ALARM',
	'BLOCK_SUSPEND',
	'AUDIT_READ',
	'PERFMON',
	'BPF',
	'CHECKPOINT_RESTORE',
] as const;

export type Capability = (typeof capabilityNames)[number];

const bit = (name: string): bigint => {
	const index = capabilityNames.indexOf(name.toUpperCase().replace(/^CAP_/, '') as Capability);
	return index === -1 ? 0n : 1n << BigInt(index);
};

/** What dockerd gives a container that asks for nothing: `00000000a80425fb` (seen with Docker 26.1.5). */
const dockerDefault = 0xa80425fbn;

/** What the kernel lets a process do, and what it shows it of that. */
export interface Confinement {
	readonly kind: 'host' | 'sysbox' | 'runc';
	/** True when its capabilities count against the machine, and not only against a user namespace of its own. */
	readonly initialUserNamespace: boolean;
	readonly userMap: { readonly outside: number; readonly size: number };
	/** Of root inside. */
	readonly capabilities: bigint;
	/** Kept over exec by every program of root: the real Sysbox sets the inheritable and ambient sets too. */
	readonly ambient: bigint;
	readonly bounding: bigint;
	readonly seccomp: { readonly mode: 0 | 2; readonly filters: number };
	readonly noNewPrivileges: boolean;
	readonly apparmor: boolean;
	readonly privileged: boolean;
	/** /proc/sys and /sys are mounted read-only. */
	readonly readOnlyKernel: boolean;
}

export function confinementOf(scope: Scope): Confinement {
	const { machine, sysbox } = scope.world.state;
	const all = BigInt(`0x${machine.capabilities}`);
	if (scope.inside === undefined) {
		return {
			kind: 'host',
			initialUserNamespace: true,
			userMap: { outside: 0, size: 4_294_967_295 },
			capabilities: all,
			ambient: 0n,
			bounding: all,
			seccomp: { mode: 0, filters: 0 },
			noNewPrivileges: false,
			apparmor: false,
			privileged: true,
			readOnlyKernel: false,
		};
	}
	const { container, parent } = scope.inside;
	const { options } = container;
	const outer = confinementOf(parent);
	const seccompOff = options.privileged || options.securityOpt.some(o => /^seccomp[=:]unconfined$/.test(o));
	const noNewPrivileges = options.securityOpt.some(o => /^no-new-privileges(?:[=:]true)?$/.test(o));
	if (container.isolation === 'sysbox') {
		return {
			kind: 'sysbox',
			initialUserNamespace: false,
			userMap: { outside: sysbox.subidStart, size: 65536 },
			// --cap-add and --cap-drop change nothing (seen with Sysbox 0.7.0).
			capabilities: all,
			ambient: all,
			bounding: all,
			seccomp: { mode: 2, filters: seccompOff ? 1 : 2 },
			noNewPrivileges,
			apparmor: false,
			privileged: false,
			readOnlyKernel: false,
		};
	}
	const capabilities =
		(options.privileged || scope.privileged ? all : requested(options.capAdd, options.capDrop, all)) &
		outer.capabilities;
	const apparmorOff = options.privileged || options.securityOpt.some(o => /^apparmor[=:]unconfined$/.test(o));
	return {
		kind: 'runc',
		initialUserNamespace: outer.initialUserNamespace,
		userMap: outer.userMap,
		capabilities,
		ambient: 0n,
		bounding: capabilities,
		seccomp:
			seccompOff && outer.seccomp.mode === 0
				? { mode: 0, filters: 0 }
				: { mode: 2, filters: outer.seccomp.filters + (seccompOff ? 0 : 1) },
		noNewPrivileges,
		apparmor: machine.apparmor && outer.initialUserNamespace && !apparmorOff,
		privileged: options.privileged,
		readOnlyKernel: !options.privileged && !options.securityOpt.some(o => /^systempaths[=:]unconfined$/.test(o)),
	};
}

function requested(add: readonly string[], drop: readonly string[], all: bigint): bigint {
	const isAll = (name: string) => name.toUpperCase() === 'ALL';
	let set = add.some(isAll) ? all : drop.some(isAll) ? 0n : dockerDefault;
	for (const name of add) set |= bit(name);
	for (const name of drop) if (!isAll(name)) set &= ~bit(name);
	return set & all;
}

export const maskText = (mask: bigint): string => mask.toString(16).padStart(16, '0');

export function effectiveCapabilities(scope: Scope): bigint {
	return scope.who.uid === 0 ? confinementOf(scope).capabilities : 0n;
}

export function has(scope: Scope, capability: Capability): boolean {
	return (effectiveCapabilities(scope) & bit(capability)) !== 0n;
}

/** System calls of the escape attempts: the capability that each needs, and what the kernel says in a user namespace. */
const systemCalls = {
	mknod: { capability: 'MKNOD', inUserNamespace: 'EPERM' },
	syslog: { capability: 'SYSLOG', inUserNamespace: 'EPERM' },
	init_module: { capability: 'SYS_MODULE', inUserNamespace: 'EPERM' },
	kexec_load: { capability: 'SYS_BOOT', inUserNamespace: 'EPERM' },
	reboot: { capability: 'SYS_BOOT', inUserNamespace: 'EPERM' },
	bpf: { capability: 'SYS_ADMIN', inUserNamespace: 'EPERM' },
	perf_event_open: { capability: 'SYS_ADMIN', inUserNamespace: 'EPERM' },
	clock_settime: { capability: 'SYS_TIME', inUserNamespace: 'EPERM' },
	swapon: { capability: 'SYS_ADMIN', inUserNamespace: 'EPERM' },
	acct: { capability: 'SYS_PACCT', inUserNamespace: 'EPERM' },
	iopl: { capability: 'SYS_RAWIO', inUserNamespace: 'EPERM' },
	open_by_handle_at: { capability: 'DAC_READ_SEARCH', inUserNamespace: 'EPERM' },
	nice: { capability: 'SYS_NICE', inUserNamespace: 'EACCES' },
	sethostname: { capability: 'SYS_ADMIN', inUserNamespace: undefined },
	setns: { capability: 'SYS_ADMIN', inUserNamespace: undefined },
	unshare: { capability: 'SYS_ADMIN', inUserNamespace: undefined },
	chroot: { capability: 'SYS_CHROOT', inUserNamespace: undefined },
	ptrace: { capability: 'SYS_PTRACE', inUserNamespace: undefined },
} as const satisfies Record<string, { capability: Capability; inUserNamespace: Errno | undefined }>;

export type SystemCall = keyof typeof systemCalls;

/** The error that this system call gets there, or undefined when it works. As tried with Sysbox 0.7.0 and runc 1.1. */
export function attempt(scope: Scope, call: SystemCall): Errno | undefined {
	const { capability, inUserNamespace } = systemCalls[call];
	if (!has(scope, capability)) return call === 'nice' ? 'EACCES' : 'EPERM';
	return confinementOf(scope).initialUserNamespace ? undefined : inUserNamespace;
}

/** File systems that the kernel lets a user namespace mount (seen with Sysbox 0.7.0 on Linux 6.18). */
const mountableInUserNamespace = new Set([
	'tmpfs',
	'proc',
	'sysfs',
	'cgroup',
	'cgroup2',
	'overlay',
	'mqueue',
	'devpts',
	'ramfs',
	'fuse',
	'bind',
]);

/** `type` is `bind` or `remount` for those; the device of a block file system is looked at by the caller. */
export function attemptMount(scope: Scope, type: string): Errno | undefined {
	if (!has(scope, 'SYS_ADMIN')) return 'EPERM';
	const confinement = confinementOf(scope);
	// Docker's profile `docker-default` has `deny mount` (its template in moby; Ubuntu has AppArmor on).
	if (confinement.apparmor) return 'EACCES';
	if (confinement.initialUserNamespace || type === 'remount') return undefined;
	if (type === 'binfmt_misc' && Number.parseFloat(scope.world.state.machine.kernel) >= 6.7) return undefined;
	return mountableInUserNamespace.has(type) ? undefined : 'EPERM';
}

/** May a process there signal, trace or read the namespaces of a process of the host that it can see? */
export function attemptOnHostProcess(scope: Scope, what: 'signal' | 'inspect'): Errno | undefined {
	const confinement = confinementOf(scope);
	if (!confinement.initialUserNamespace) return what === 'signal' ? 'EPERM' : 'EACCES';
	// docker-default: signals and ptrace only with processes of the same profile.
	if (confinement.apparmor) return 'EACCES';
	if (what === 'signal') return has(scope, 'KILL') ? undefined : 'EPERM';
	return has(scope, 'SYS_PTRACE') ? undefined : 'EACCES';
}
