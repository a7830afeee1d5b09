import { inspectDocker } from '../../src/docker/daemon.ts';
import { packageFile, readDaemonFile } from '../../src/docker/daemon-file.ts';
import { dockerdUnitIn } from '../../src/docker/dockerd-unit.ts';
import { noFile, validate } from '../../src/docker/validation.ts';
import type { StepContext } from '../../src/model/step.ts';
import type { ReadHost } from '../../src/port/host.ts';

import { runcName } from '../../src/sysbox/program-names.ts';
import { parseSysboxVersion } from '../../src/sysbox/version.ts';
import { cgroupsOf } from '../../src/system/cgroups.ts';
import { inspectManagers, managerUnits, repositoryBehind } from '../../src/system/configuration-managers.ts';
import { dpkgArchitecture, installedPackage, packagesCommand, parsePackages } from '../../src/system/dpkg.ts';
import { parseKernelRelease, parseUname, type Uname } from '../../src/system/kernel-release.ts';
import { parseMemInfo } from '../../src/system/meminfo.ts';
import { parseMountInfo } from '../../src/system/mountinfo.ts';
import { parseOsRelease } from '../../src/system/os-release.ts';
import { type Reading, unreadable } from '../../src/system/reading.ts';
import { type SysctlFile, sysctlDirectories } from '../../src/system/sysctl-conf.ts';
import { inspectManager, inspectUnits } from '../../src/system/systemd-units.ts';
import { readTextFile, readTextOr } from '../../src/system/text-file.ts';
import { dockerUnit } from '../../src/system/unit-failure.ts';
import {
	type AppArmorFacts,
	fuseLocalPath,
	fuseProfilePath,
	type HostFacts,
	ownSysctlPath,
	type Place,
	type SysctlValue,
	sysctlPaths,
} from './host-facts.ts';
import { inspectToolInstall } from './tools.ts';

/** Units that say who runs Docker, and who else changes this host. */
const watchedUnits = [
	dockerUnit,
	'docker.socket',
	'snap.docker.dockerd.service',
	'unattended-upgrades.service',
	...managerUnits,
] as const;

/** Where programs are looked for: the PATH that systemd gives its services, and snaps. */
const programDirectories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin', '/snap/bin'];

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
			sysboxVersion(host, programs.get(runcName), packages, signal),
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
	const lists = await Promise.all(programDirectories.map(directory => host.list(directory)));
	const programs = new Map<string, string>();
	for (const [index, list] of lists.entries()) {
		for (const name of list.kind === 'names' ? list.names : []) {
			if (!programs.has(name)) programs.set(name, `${programDirectories[index]}/${name}`);
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
	const inDirectories = await Promise.all(
		sysctlDirectories.map(async directory => {
			const list = await host.list(directory);
			return list.kind === 'names'
				? list.names.filter(name => name.endsWith('.conf')).map(name => `${directory}/${name}`)
				: [];
		}),
	);
	const files = await Promise.all(
		[...inDirectories.flat(), '/etc/sysctl.conf'].map(async path => ({ path, text: await readTextOr(host, path) })),
	);
	return files.flatMap(({ path, text }) => (text === undefined ? [] : [{ path, text }]));
}

async function packageListsOf(host: ReadHost): Promise<HostFacts['packageLists']> {
	const list = await host.list('/var/lib/apt/lists');
	if (list.kind !== 'names') return 'unknown';
	return list.names.some(name => /_Packages(\.\w+)?$/.test(name)) ? 'there' : 'empty';
}

async function apparmorOf(host: ReadHost): Promise<AppArmorFacts> {
	const [enabled, profile, local, localDirectory, disabled, profiles] = await Promise.all([
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
		localDirectory,
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
