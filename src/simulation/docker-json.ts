import { imageOf } from './engine.ts';
import { fileSystemOf } from './kernel.ts';
import { hostScope } from './scope.ts';
import { fileOf } from './services.ts';
import type { Container, Engine, Image, Network } from './state.ts';
import { runtimeFeatures } from './sysbox-programs.ts';
import { atLeast, rfc3339, type World } from './world.ts';

/**
 * What the docker API answers, in the shapes that were recorded with Docker 26.1.5 and those that 29 adds: the fields that
 * this tool reads, and no others.
 */

const featuresKey = 'org.opencontainers.runtime-spec.features';

function runtimesJson(world: World, engine: Engine): Record<string, unknown> {
	const runc = { path: 'runc', status: { [featuresKey]: JSON.stringify(runtimeFeatures('runc', '1.3.4', true)) } };
	const entries: Record<string, unknown> = { 'io.containerd.runc.v2': runc, runc };
	const { sysbox } = world.state;
	const { view } = hostScope(world, 'root');
	for (const [name, entry] of Object.entries(engine.config.runtimes)) {
		const there = view.get(entry.path) !== undefined;
		const answers =
			there && entry.path.endsWith('/sysbox-runc') && sysbox.runc !== undefined && atLeast(sysbox.runc, '0.7.0');
		entries[name] = {
			path: entry.runtimeType === undefined ? entry.path : undefined,
			runtimeArgs: entry.runtimeArgs,
			runtimeType: entry.runtimeType,
			options: entry.options,
			status: answers
				? {
						[featuresKey]: JSON.stringify(
							runtimeFeatures('sysbox-runc', sysbox.runc ?? '', atLeast(sysbox.runc ?? '', '0.7.1')),
						),
					}
				: undefined,
		};
	}
	return entries;
}

const osField = (world: World, name: string): string =>
	new RegExp(`^${name}="?([^"\\n]*)`, 'm').exec(fileOf(world, '/etc/os-release') ?? '')?.[1] ?? '';

const arch = ({ state }: World): string => (state.machine.arch === 'amd64' ? 'x86_64' : 'aarch64');

export function infoJson(world: World): Record<string, unknown> {
	const { state } = world;
	const { engine } = state.docker;
	const count = (status: Container['status']) => engine.containers.filter(c => c.status === status).length;
	const controllers = (name: string) => state.machine.cgroupControllers.includes(name);
	const warnings: string[] = [];
	if (!controllers('memory')) warnings.push('WARNING: No memory limit support', 'WARNING: No swap limit support');
	if (!controllers('cpu'))
		warnings.push(
			'WARNING: No cpu cfs quota support',
			'WARNING: No cpu cfs period support',
			'WARNING: No cpu shares support',
		);
	if (!controllers('cpuset')) warnings.push('WARNING: No cpuset support');
	if (!controllers('io')) warnings.push('WARNING: No io.weight support');
	const containerdStore = engine.storageDriver === 'overlayfs';
	const disk = fileSystemOf(state.fileSystems, '/var/lib/docker');
	return {
		ID: engine.id,
		Containers: engine.containers.length,
		ContainersRunning: count('running'),
		ContainersPaused: count('paused'),
		ContainersStopped: count('exited') + count('created'),
		Images: engine.images.length,
		Driver: engine.storageDriver,
		DriverStatus: containerdStore
			? [['driver-type', 'io.containerd.snapshotter.v1']]
			: [
					['Backing Filesystem', disk?.type === 'ext4' ? 'extfs' : (disk?.type ?? 'extfs')],
					['Supports d_type', 'true'],
					['Using metacopy', 'false'],
					['Native Overlay Diff', 'true'],
					['userxattr', 'false'],
				],
		MemoryLimit: controllers('memory'),
		SwapLimit: controllers('memory'),
		CpuCfsQuota: controllers('cpu'),
		CPUShares: controllers('cpu'),
		CPUSet: controllers('cpuset'),
		PidsLimit: controllers('pids'),
		Debug: engine.config.debug,
		SystemTime: rfc3339(state.now),
		LoggingDriver: engine.config.logDriver,
		CgroupDriver: 'systemd',
		CgroupVersion: String(state.machine.cgroupVersion),
		KernelVersion: state.machine.kernel,
		OperatingSystem: osField(world, 'PRETTY_NAME') || 'Linux',
		OSType: 'linux',
		Architecture: arch(world),
		NCPU: state.machine.cpus,
		MemTotal: state.machine.memoryKb * 1024,
		DockerRootDir: String(
			engine.config.raw['data-root'] ??
				(state.docker.kind === 'snap' ? '/var/snap/docker/common/var-lib-docker' : '/var/lib/docker'),
		),
		Name: state.machine.hostname,
		Labels: engine.config.labels,
		ServerVersion: engine.version,
		Runtimes: runtimesJson(world, engine),
		DefaultRuntime: engine.config.defaultRuntime,
		Swarm: { LocalNodeState: 'inactive' },
		LiveRestoreEnabled: engine.config.liveRestore,
		SecurityOptions: [
			...(state.machine.apparmor ? ['name=apparmor'] : []),
			'name=seccomp,profile=builtin',
			...(engine.config.usernsRemap === '' ? [] : ['name=userns']),
			'name=cgroupns',
		],
		DefaultAddressPools:
			engine.config.raw['default-address-pools'] === undefined
				? undefined
				: engine.config.pools.map(p => ({ Base: p.base, Size: p.size })),
		Warnings: warnings.length === 0 ? null : warnings,
	};
}

const apiVersion = (engine: Engine): string => {
	const major = Number.parseInt(engine.version, 10);
	return major >= 29 ? '1.54' : major >= 28 ? '1.51' : major >= 26 ? '1.45' : '1.41';
};

export function versionJson(world: World, answers: boolean): Record<string, unknown> {
	const { engine } = world.state.docker;
	const parts = {
		Version: engine.version,
		ApiVersion: apiVersion(engine),
		Os: 'linux',
		Arch: world.state.machine.arch,
	};
	// Packages of a distribution and the snap have no name of a platform.
	const Name = 'docker-ce' in world.state.packages ? 'Docker Engine - Community' : '';
	return {
		Client: { Platform: Name !== '' ? { Name } : undefined, ...parts, Context: 'default' },
		Server: !answers
			? null
			: {
					Platform: { Name },
					...parts,
					Components: [
						{ Name: 'Engine', Version: engine.version },
						{ Name: 'containerd', Version: 'v2.2.1' },
						{ Name: 'runc', Version: '1.3.4' },
					],
				},
	};
}

export function containerJson(engine: Engine, c: Container): Record<string, unknown> {
	const { options } = c;
	const [Path = '', ...Args] = [...c.entrypoint, ...c.command];
	const image = imageOf(engine, c);
	const network = engine.networks.find(n => n.name === options.networkMode);
	return {
		Id: c.id,
		Created: rfc3339(c.createdAt),
		Path,
		Args,
		State: {
			Status: c.status,
			Running: c.status === 'running' || c.status === 'paused',
			OOMKilled: c.oomKilled,
			Pid: c.pid,
			ExitCode: c.exitCode,
			Error: c.error,
			StartedAt: rfc3339(c.startedAt),
			FinishedAt: rfc3339(c.finishedAt),
		},
		Image: c.imageId,
		Name: `/${c.name}`,
		HostConfig: hostConfig(c),
		Mounts: options.mounts.map(({ type, source, target, readOnly }) =>
			type === 'bind'
				? { Type: type, Source: source, Destination: target, RW: !readOnly }
				: {
						Type: type,
						Name: source,
						Source: `/var/lib/docker/volumes/${source}/_data`,
						Destination: target,
						RW: !readOnly,
					},
		),
		Config: {
			User: options.user || (image?.user ?? ''),
			Env: [...options.env, ...(image?.env ?? [])],
			Cmd: nullIfEmpty(c.command),
			Image: c.imageRef,
			Entrypoint: nullIfEmpty(c.entrypoint),
			Labels: { ...image?.labels, ...options.labels },
			StopSignal: options.stopSignal !== '' ? options.stopSignal : undefined,
			StopTimeout: options.stopTimeout,
		},
		NetworkSettings: { Networks: { [network?.name ?? options.networkMode]: { IPAddress: c.ip } } },
	};
}

function hostConfig({ options, runtime }: Container): Record<string, unknown> {
	return {
		Binds: nullIfEmpty(options.mounts.flatMap(m => m.bind ?? [])),
		NetworkMode: options.networkMode,
		RestartPolicy: { Name: options.restart.split(':')[0] },
		AutoRemove: options.autoRemove,
		CapAdd: nullIfEmpty(options.capAdd.map(withCap)),
		CgroupnsMode: options.cgroupnsMode,
		IpcMode: options.ipcMode,
		PidMode: options.pidMode,
		Privileged: options.privileged,
		SecurityOpt: nullIfEmpty(options.privileged ? [...options.securityOpt, 'label=disable'] : options.securityOpt),
		UTSMode: options.utsMode,
		UsernsMode: options.usernsMode,
		Runtime: runtime,
		Memory: options.memory,
		NanoCpus: options.nanoCpus,
		Devices: options.devices.map(device => {
			const [PathOnHost, PathInContainer = PathOnHost, CgroupPermissions = 'rwm'] = device.split(':');
			return { PathOnHost, PathInContainer, CgroupPermissions };
		}),
		DeviceCgroupRules: null,
		PidsLimit: options.pidsLimit === 0 ? null : options.pidsLimit,
	};
}

const withCap = (name: string): string => (/^(?:CAP_|ALL$)/i.test(name) ? name : `CAP_${name.toUpperCase()}`);

const nullIfEmpty = <T>(list: readonly T[]): readonly T[] | null => (list.length === 0 ? null : list);

export const imageJson = ({ state }: World, image: Image): Record<string, unknown> => ({
	Id: image.id,
	RepoTags: image.tags,
	RepoDigests: image.digests,
	Created: image.created,
	Architecture: state.machine.arch,
	Os: 'linux',
	Size: image.size,
	Config: {
		Env: image.env,
		Cmd: nullIfEmpty(image.command),
		Entrypoint: nullIfEmpty(image.entrypoint),
		User: image.user,
	},
});

export const networkJson = (network: Network): Record<string, unknown> => ({
	Name: network.name,
	Id: network.id,
	Driver: network.driver,
	IPAM: {
		Driver: 'default',
		Config: network.subnet === '' ? [] : [{ Subnet: network.subnet, Gateway: network.gateway }],
	},
	Options: network.name === 'bridge' ? { 'com.docker.network.bridge.name': 'docker0' } : {},
	Labels: network.labels,
});
