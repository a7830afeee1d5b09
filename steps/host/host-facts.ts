import type { DockerFacts } from '../../src/docker/daemon.ts';
import type { DaemonFile } from '../../src/docker/daemon-file.ts';
import type { DockerdUnit } from '../../src/docker/dockerd-unit.ts';
import type { Validation } from '../../src/docker/validation.ts';
import type { SpaceResult } from '../../src/port/host.ts';
import type { AptSimulation } from '../../src/system/apt.ts';
import type { Cgroups } from '../../src/system/cgroups.ts';
import type { ManagerTrace } from '../../src/system/configuration-managers.ts';
import type { DebPackage } from '../../src/system/dpkg.ts';
import type { KernelRelease, Uname } from '../../src/system/kernel-release.ts';
import type { Memory } from '../../src/system/meminfo.ts';
import type { MountEntry } from '../../src/system/mountinfo.ts';
import type { OsRelease } from '../../src/system/os-release.ts';
import type { Reading } from '../../src/system/reading.ts';
import type { SysctlFile } from '../../src/system/sysctl-conf.ts';
import type { inspectManager, UnitsAnswer } from '../../src/system/systemd-units.ts';
import type { TextFile } from '../../src/system/text-file.ts';

/** A number below /proc/sys, or why there is none. */
export type SysctlValue =
	| { readonly kind: 'value'; readonly value: number }
	| { readonly kind: 'missing' }
	| { readonly kind: 'unreadable'; readonly denied: boolean };

export type SysctlName = keyof typeof sysctlPaths;

/** The place where a directory's files lie: the directory itself, or the nearest one above it that is there. */
export interface Place {
	readonly wanted: string;
	/** After all links. */
	readonly real: string;
	readonly space: SpaceResult;
}

/** Everything that the step looks at. Nothing of it is a verdict. */
export interface HostFacts {
	readonly uid: number;
	readonly uname: Reading<Uname>;
	readonly kernel: Reading<KernelRelease>;
	readonly os: Reading<OsRelease>;
	/** Undefined: there is no dpkg here. */
	readonly packages: Reading<readonly DebPackage[]> | undefined;
	/** By its program, so that a source build counts too. Undefined: there is none, or it does not say its version. */
	readonly installedSysbox: string | undefined;
	/** As dpkg names it, `amd64`; from the kernel's name where there is no dpkg. */
	readonly arch: string | undefined;
	/** Program → where it lies, first directory of the usual PATH first. */
	readonly programs: ReadonlyMap<string, string>;
	/** The docker command after its links: a snap's leads to /usr/bin/snap, podman's to podman. */
	readonly dockerProgram: string | undefined;
	/** systemd made this directory when it started the host (sd_booted(3)). */
	readonly bootedBySystemd: boolean;
	readonly manager: Awaited<ReturnType<typeof inspectManager>>;
	readonly units: UnitsAnswer;
	readonly docker: DockerFacts;
	/** Whose members may ask Docker; looked up only where this user may not. */
	readonly socketGroup: string | undefined;
	readonly mounts: Reading<readonly MountEntry[]>;
	/** Undefined when the mounts could not be read. */
	readonly cgroups: Cgroups | undefined;
	readonly sysctls: Readonly<Record<SysctlName, SysctlValue>>;
	/** The files that set sysctls at boot. */
	readonly sysctlFiles: readonly SysctlFile[];
	readonly ownSysctlFile: TextFile;
	readonly userNamespaces: boolean;
	/** Names in /proc/filesystems; undefined when it could not be read. */
	readonly fileSystems: readonly string[] | undefined;
	readonly fuseDevice: boolean;
	readonly kernelModules: boolean;
	/** A kernel that was built without loadable modules has no /proc/modules. */
	readonly loadableModules: boolean;
	readonly kernelHeaders: boolean;
	readonly bridgeNetfilter: boolean;
	readonly rebootRequired: string | undefined;
	readonly selinux: 'absent' | 'permissive' | 'enforcing';
	readonly apparmor: AppArmorFacts;
	/** `docker`, `lxc`, `wsl`…: what this host runs in, when that is a container and no machine. */
	readonly container: string | undefined;
	readonly dataRoot: Place;
	readonly sysboxRoot: Place;
	readonly programRoot: Place;
	readonly etc: string;
	/** The file that the next step edits, and what dockerd makes of it. */
	readonly daemonFile: DaemonFile;
	/** How systemd starts dockerd, and which file it reads. */
	readonly dockerd: DockerdUnit;
	readonly validation: Validation;
	readonly memory: Reading<Memory>;
	readonly packageLists: 'there' | 'empty' | 'unknown';
	/** What apt would do to bring the missing programs; undefined where none is missing or there is no apt. */
	readonly toolInstall: ToolInstall | undefined;
	/** Signs of programs that write configuration here by themselves. */
	readonly managers: readonly ManagerTrace[];
	/** The repository that daemon.json is a link into. */
	readonly repository: string | undefined;
}

export interface AppArmorFacts {
	readonly enabled: boolean;
	/** The distribution's profile of fusermount3. */
	readonly profile: TextFile;
	/** What the operator adds to it. */
	readonly local: TextFile;
	readonly localDirectory: boolean;
	/** A link in /etc/apparmor.d/disable keeps the profile from being loaded. */
	readonly disabled: boolean;
	/** How the kernel holds it; undefined when only root could see. */
	readonly loaded: 'enforce' | 'complain' | 'not-loaded' | undefined;
}

export const sysctlPaths = {
	'user.max_user_namespaces': '/proc/sys/user/max_user_namespaces',
	'kernel.unprivileged_userns_clone': '/proc/sys/kernel/unprivileged_userns_clone',
	'kernel.apparmor_restrict_unprivileged_userns': '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
	'kernel.threads-max': '/proc/sys/kernel/threads-max',
	'kernel.pid_max': '/proc/sys/kernel/pid_max',
	'kernel.keys.maxkeys': '/proc/sys/kernel/keys/maxkeys',
	'kernel.keys.maxbytes': '/proc/sys/kernel/keys/maxbytes',
	'fs.inotify.max_user_instances': '/proc/sys/fs/inotify/max_user_instances',
	'fs.inotify.max_user_watches': '/proc/sys/fs/inotify/max_user_watches',
	'fs.inotify.max_queued_events': '/proc/sys/fs/inotify/max_queued_events',
} as const;

/** The file that this step writes. */
export const ownSysctlPath = '/etc/sysctl.d/60-sysbox-setup.conf';

export const fuseProfilePath = '/etc/apparmor.d/fusermount3';
export const fuseLocalPath = '/etc/apparmor.d/local/fusermount3';

/** What apt would do to bring the missing programs. */
export interface ToolInstall {
	readonly simulation: AptSimulation;
	/** Those of the packages that would go or change which came in for another one. */
	readonly autoInstalled: ReadonlySet<string>;
}
