import { type DockerFacts, inspectDocker } from '../../src/docker/daemon.ts';
import { type DaemonFile, packageFile, readDaemonFile } from '../../src/docker/daemon-file.ts';
import { type DockerdUnit, dockerdUnitIn } from '../../src/docker/dockerd-unit.ts';
import { noFile, type Validation, validate } from '../../src/docker/validation.ts';
import type { StepContext } from '../../src/model/step.ts';
import type { ReadHost, SpaceResult } from '../../src/port/host.ts';
import { parseSysboxVersion } from '../../src/sysbox/version.ts';
import { type Cgroups, cgroupsOf } from '../../src/system/cgroups.ts';
import {
	inspectManagers,
	type ManagerTrace,
	managerUnits,
	repositoryBehind,
} from '../../src/system/configuration-managers.ts';
import {
	type DebPackage,
	dpkgArchitecture,
	installedPackage,
	packagesCommand,
	parsePackages,
} from '../../src/system/dpkg.ts';
import { type KernelRelease, parseKernelRelease, parseUname, type Uname } from '../../src/system/kernel-release.ts';
import { type Memory, parseMemInfo } from '../../src/system/meminfo.ts';
import { type MountEntry, parseMountInfo } from '../../src/system/mountinfo.ts';
import { type OsRelease, parseOsRelease } from '../../src/system/os-release.ts';
import { type Reading, unreadable } from '../../src/system/reading.ts';
import { type SysctlFile, sysctlFolders } from '../../src/system/sysctl-conf.ts';
import { inspectManager, inspectUnits, type UnitsAnswer } from '../../src/system/systemd-units.ts';
import { readTextFile, readTextOr, type TextFile } from '../../src/system/text-file.ts';
import { inspectToolInstall, type ToolInstall } from './tools.ts';

/** A number below /proc/sys, or why there is none. */
export type SysctlValue =
	| { readonly kind: 'value'; readonly value: number }
	| { readonly kind: 'missing' }
	| { readonly kind: 'unreadable'; readonly denied: boolean };

export type SysctlName = keyof typeof sysctlPaths;

/** The place where a folder's files lie: the folder itself, or the nearest one above it that is there. */
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
	/** Program → where it lies, first folder of the usual PATH first. */
	readonly programs: ReadonlyMap<string, string>;
	/** The docker command after its links: a snap's leads to /usr/bin/snap, podman's to podman. */
	readonly dockerProgram: string | undefined;
	/** systemd made this folder when it started the host (sd_booted(3)). */
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
	readonly localFolder: boolean;
	/** A link in /etc/apparmor.d/disable keeps the profile from being loaded. */
	readonly disabled: boolean;
	/** How the kernel holds it; undefined when only root could see. */
	readonly loaded: 'enforce' | 'complain' | 'not-loaded' | undefined;
}

const sysctlPaths = {
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

/** Units that say who runs Docker, and who else changes this host. */
const watchedUnits = [
	'docker.service',
	'docker.socket',
	'snap.docker.dockerd.service',
	'unattended-upgrades.service',
	...managerUnits,
] as const;

/** Where programs are looked for: the PATH that systemd gives its services, and snaps. */
const programFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin', '/snap/bin'];

/** Looks at the host. Reads files and runs sixteen commands at most for anything else; changes nothing. */
export async function inspectHost(context: StepContext): Promise<HostFacts> {
	const { host, signal } = context;
	const exec = { timeoutMs: 10_000, signal };
	const [docker, uname, packagesAnswer, manager, units, programs, files, daemonFile, repository] = await Promise.all([
		inspectDocker(host, signal),
		host.exec(['uname', '-srm'], exec),
		host.exec(packagesCommand, exec),
		inspectManager(host, signal),
		inspectUnits(host, watchedUnits, signal),
		programsOf(host),
		readFiles(host),
		readDaemonFile(host, packageFile),
		repositoryBehind(host, packageFile),
	]);
	const unameReading = parseUname(uname.stdout);
	const packages = packagesAnswer.problem === 'missing' ? undefined : parsePackages(packagesAnswer.stdout);
	const release = files.osRelease ?? (unameReading.kind === 'ok' ? unameReading.value.release : undefined);
	const kernel = parseKernelRelease(release);
	const managers = await inspectManagers(host, units);
	const { mounts } = files;
	const dataRootPath =
		docker.info.kind === 'ok' && docker.info.value.rootDir !== '' ? docker.info.value.rootDir : '/var/lib/docker';
	const dockerd = await dockerdUnitIn(units, host, signal);
	const [validation, installedSysbox, dockerProgram, dataRoot, sysboxRoot, programRoot, etc, modules, headers] =
		await Promise.all([
			// This step writes no such file, so whether dockerd could be asked about one is of no use here.
			daemonFile.content.kind === 'missing' ? noFile : validate(host, daemonFile, signal, dockerd),
			sysboxVersion(host, programs.get('sysbox-runc'), packages, signal),
			realPath(host, programs.get('docker')),
			placeOf(host, dataRootPath),
			placeOf(host, '/var/lib/sysbox'),
			placeOf(host, '/usr/bin'),
			realPath(host, '/etc'),
			kernel.kind === 'ok' && isThere(host, `/lib/modules/${kernel.value.release}`),
			kernel.kind === 'ok' && isThere(host, `/usr/src/linux-headers-${kernel.value.release}`),
		]);
	const facts: Omit<HostFacts, 'toolInstall'> = {
		installedSysbox,
		uid: host.identity.uid,
		uname: unameReading,
		kernel,
		os: files.os === undefined ? unreadable('there is no /etc/os-release') : parseOsRelease(files.os),
		packages,
		arch: (packages?.kind === 'ok' ? dpkgArchitecture(packages.value) : undefined) ?? archOfMachine(unameReading),
		programs,
		dockerProgram,
		bootedBySystemd: files.bootedBySystemd,
		manager,
		units,
		docker,
		socketGroup: docker.info.kind === 'denied' ? await groupOf(host, '/run/docker.sock') : undefined,
		daemonFile,
		dockerd,
		validation,
		mounts,
		cgroups: mounts.kind === 'ok' ? cgroupsOf(mounts.value, files.cgroupControllers) : undefined,
		sysctls: files.sysctls,
		sysctlFiles: files.sysctlFiles,
		ownSysctlFile: files.ownSysctlFile,
		userNamespaces: files.userNamespaces,
		fileSystems: files.fileSystems?.split('\n').flatMap(line => line.split('\t')[1] ?? []),
		fuseDevice: files.fuseDevice,
		kernelModules: modules,
		loadableModules: files.loadableModules,
		kernelHeaders: headers,
		bridgeNetfilter: files.bridgeNetfilter,
		rebootRequired: files.rebootRequired,
		selinux: files.selinux === undefined ? 'absent' : files.selinux.trim() === '1' ? 'enforcing' : 'permissive',
		apparmor: files.apparmor,
		container: containerOf(files, manager),
		dataRoot,
		sysboxRoot,
		programRoot,
		etc: etc ?? '/etc',
		memory: parseMemInfo(files.memInfo),
		packageLists: files.packageLists,
		managers,
		repository,
	};
	return { ...facts, toolInstall: await inspectToolInstall(facts, context) };
}

async function sysboxVersion(
	host: ReadHost,
	program: string | undefined,
	packages: HostFacts['packages'],
	signal: AbortSignal,
): Promise<string | undefined> {
	if (program !== undefined) {
		const said = parseSysboxVersion((await host.exec([program, '--version'], { timeoutMs: 10_000, signal })).stdout);
		if (said.kind === 'ok') return said.value.version;
	}
	return packages?.kind === 'ok' ? installedPackage(packages.value, 'sysbox-ce')?.version : undefined;
}

/** The architecture of packages that a kernel can run, where no dpkg says which ones it wants. */
function archOfMachine(uname: Reading<Uname>): string | undefined {
	if (uname.kind !== 'ok') return undefined;
	const names: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' };
	return names[uname.value.machine] ?? uname.value.machine;
}

/** Words of `systemctl show -p Virtualization` that are containers, not machines (systemd-detect-virt(1)). */
const containerKinds = new Set([
	'openvz',
	'lxc',
	'lxc-libvirt',
	'systemd-nspawn',
	'docker',
	'podman',
	'rkt',
	'wsl',
	'proot',
	'pouch',
	'container-other',
]);

function containerOf(
	{ dockerEnvironment, systemdContainer }: Pick<Files, 'dockerEnvironment' | 'systemdContainer'>,
	manager: HostFacts['manager'],
): string | undefined {
	if (systemdContainer !== undefined) return systemdContainer;
	// Images of machines that were made from a container still have /.dockerenv, so systemd's word counts first.
	if (manager.kind !== 'ok') return dockerEnvironment ? 'docker' : undefined;
	const { virtualization } = manager.manager;
	return containerKinds.has(virtualization) ? virtualization : undefined;
}

type Files = Awaited<ReturnType<typeof readFiles>>;

async function readFiles(host: ReadHost) {
	const [
		osRelease,
		os,
		mountInfo,
		cgroupControllers,
		sysctls,
		sysctlFiles,
		ownSysctlFile,
		fileSystems,
		rebootRequired,
		selinux,
		apparmor,
		systemdContainer,
		dockerEnvironment,
		memInfo,
		bootedBySystemd,
		namespaces,
		fuseDevice,
		bridgeNetfilter,
		packageLists,
		loadableModules,
	] = await Promise.all([
		readTextOr(host, '/proc/sys/kernel/osrelease'),
		readTextOr(host, '/etc/os-release'),
		readTextOr(host, '/proc/self/mountinfo'),
		readTextOr(host, '/sys/fs/cgroup/cgroup.controllers'),
		sysctlsOf(host),
		sysctlFilesOf(host),
		readTextFile(host, ownSysctlPath),
		readTextOr(host, '/proc/filesystems'),
		readTextOr(host, '/run/reboot-required'),
		readTextOr(host, '/sys/fs/selinux/enforce'),
		apparmorOf(host),
		readTextOr(host, '/run/systemd/container'),
		isThere(host, '/.dockerenv'),
		readTextOr(host, '/proc/meminfo'),
		isThere(host, '/run/systemd/system'),
		// A namespace's link leads nowhere that can be looked at, so its name is looked for.
		host.list('/proc/self/ns'),
		isThere(host, '/dev/fuse'),
		isThere(host, '/proc/sys/net/bridge/bridge-nf-call-iptables'),
		packageListsOf(host),
		isThere(host, '/proc/modules'),
	]);
	return {
		osRelease,
		os,
		mounts: parseMountInfo(mountInfo),
		cgroupControllers,
		sysctls,
		sysctlFiles,
		ownSysctlFile,
		fileSystems,
		rebootRequired,
		selinux,
		apparmor,
		systemdContainer: systemdContainer?.trim() || undefined,
		dockerEnvironment,
		memInfo,
		bootedBySystemd,
		userNamespaces: namespaces.kind === 'names' && namespaces.names.includes('user'),
		fuseDevice,
		bridgeNetfilter,
		packageLists,
		loadableModules,
	};
}

async function groupOf(host: ReadHost, path: string): Promise<string | undefined> {
	const [found, groups] = await Promise.all([host.stat(path), readTextOr(host, '/etc/group')]);
	if (found.kind !== 'found' || found.meta.gid === 0) return undefined;
	return new RegExp(`^([^:\\n]+):[^:]*:${found.meta.gid}:`, 'm').exec(groups ?? '')?.[1];
}

async function isThere(host: ReadHost, path: string): Promise<boolean> {
	return (await host.stat(path)).kind === 'found';
}

async function realPath(host: ReadHost, path: string | undefined): Promise<string | undefined> {
	if (path === undefined) return undefined;
	const found = await host.stat(path);
	return found.kind === 'found' ? found.meta.realPath : undefined;
}

async function placeOf(host: ReadHost, wanted: string): Promise<Place> {
	for (let path = wanted; ; path = path.slice(0, path.lastIndexOf('/')) || '/') {
		const real = await realPath(host, path);
		if (real === undefined && path !== '/') continue;
		return { wanted, real: real ?? '/', space: await host.space(path) };
	}
}

async function programsOf(host: ReadHost): Promise<ReadonlyMap<string, string>> {
	const lists = await Promise.all(programFolders.map(folder => host.list(folder)));
	const programs = new Map<string, string>();
	for (const [index, list] of lists.entries()) {
		for (const name of list.kind === 'names' ? list.names : []) {
			if (!programs.has(name)) programs.set(name, `${programFolders[index]}/${name}`);
		}
	}
	return programs;
}

async function sysctlsOf(host: ReadHost): Promise<HostFacts['sysctls']> {
	const read = async (path: string): Promise<SysctlValue> => {
		const file = await readTextFile(host, path);
		if (file.kind === 'missing') return { kind: 'missing' };
		if (file.kind !== 'text' || !/^-?\d+\s*$/.test(file.text))
			return { kind: 'unreadable', denied: file.kind === 'denied' };
		return { kind: 'value', value: Number(file.text) };
	};
	const entries = Object.entries(sysctlPaths).map(async ([name, path]) => [name, await read(path)] as const);
	return Object.fromEntries(await Promise.all(entries)) as HostFacts['sysctls'];
}

async function sysctlFilesOf(host: ReadHost): Promise<readonly SysctlFile[]> {
	const inFolders = await Promise.all(
		sysctlFolders.map(async folder => {
			const list = await host.list(folder);
			return list.kind === 'names'
				? list.names.filter(name => name.endsWith('.conf')).map(name => `${folder}/${name}`)
				: [];
		}),
	);
	const files = await Promise.all(
		[...inFolders.flat(), '/etc/sysctl.conf'].map(async path => ({ path, text: await readTextOr(host, path) })),
	);
	return files.flatMap(({ path, text }) => (text === undefined ? [] : [{ path, text }]));
}

async function packageListsOf(host: ReadHost): Promise<HostFacts['packageLists']> {
	const list = await host.list('/var/lib/apt/lists');
	if (list.kind !== 'names') return 'unknown';
	return list.names.some(name => /_Packages(\.\w+)?$/.test(name)) ? 'there' : 'empty';
}

async function apparmorOf(host: ReadHost): Promise<AppArmorFacts> {
	const [enabled, profile, local, localFolder, disabled, profiles] = await Promise.all([
		readTextOr(host, '/sys/module/apparmor/parameters/enabled'),
		readTextFile(host, fuseProfilePath),
		readTextFile(host, fuseLocalPath),
		isThere(host, '/etc/apparmor.d/local'),
		isThere(host, '/etc/apparmor.d/disable/fusermount3'),
		readTextOr(host, '/sys/kernel/security/apparmor/profiles'),
	]);
	const mode = profiles === undefined ? undefined : /^(?:\/\S*\/)?fusermount3 \((\w+)\)$/m.exec(profiles)?.[1];
	return {
		enabled: enabled?.trim() === 'Y',
		profile,
		local,
		localFolder,
		disabled,
		loaded:
			profiles === undefined
				? undefined
				: mode === undefined
					? 'not-loaded'
					: mode === 'complain'
						? 'complain'
						: 'enforce',
	};
}
