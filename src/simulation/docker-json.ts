import { imageOf } from './engine.ts';
import { fileSystemOf } from './kernel.ts';
import { hostScope } from './scope.ts';
import { fileOf } from './services.ts';
import type { Container, Engine, Image, Network } from './state.ts';
import { runtimeFeatures } from './sysbox-programs.ts';
import { atLeast, rfc3339, type World } from './world.ts';

/** What the docker API answers, in the shapes that were recorded with Docker 26.1.5 and those that 29 adds. */

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
			...(entry.runtimeType === undefined && { path: entry.path }),
			...(entry.runtimeArgs !== undefined && { runtimeArgs: entry.runtimeArgs }),
			...(entry.runtimeType !== undefined && { runtimeType: entry.runtimeType }),
			...(entry.options !== undefined && { options: entry.options }),
			...(answers && {
				status: {
					[featuresKey]: JSON.stringify(
						runtimeFeatures('sysbox-runc', sysbox.runc ?? '', atLeast(sysbox.runc ?? '', '0.7.1')),
					),
				},
			}),
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
		Plugins: {
			Volume: ['local'],
			Network: ['bridge', 'host', 'ipvlan', 'macvlan', 'null', 'overlay'],
			Authorization: null,
			Log: ['awslogs', 'fluentd', 'gcplogs', 'gelf', 'journald', 'json-file', 'local', 'splunk', 'syslog'],
		},
		MemoryLimit: controllers('memory'),
		SwapLimit: controllers('memory'),
		CpuCfsPeriod: controllers('cpu'),
		CpuCfsQuota: controllers('cpu'),
		CPUShares: controllers('cpu'),
		CPUSet: controllers('cpuset'),
		PidsLimit: controllers('pids'),
		IPv4Forwarding: true,
		Debug: engine.config.debug,
		NFd: 24,
		OomKillDisable: false,
		NGoroutines: 41,
		SystemTime: rfc3339(state.now),
		LoggingDriver: engine.config.logDriver,
		CgroupDriver: 'systemd',
		CgroupVersion: String(state.machine.cgroupVersion),
		NEventsListener: 0,
		KernelVersion: state.machine.kernel,
		OperatingSystem: osField(world, 'PRETTY_NAME') || 'Linux',
		OSVersion: osField(world, 'VERSION_ID'),
		OSType: 'linux',
		Architecture: arch(world),
		IndexServerAddress: 'https://index.docker.io/v1/',
		RegistryConfig: {
			InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8'],
			IndexConfigs: {
				'docker.io': { Name: 'docker.io', Mirrors: engine.config.registryMirrors, Secure: true, Official: true },
			},
			Mirrors: engine.config.registryMirrors.length > 0 ? engine.config.registryMirrors : null,
		},
		NCPU: state.machine.cpus,
		MemTotal: state.machine.memoryKb * 1024,
		GenericResources: null,
		DockerRootDir: String(
			engine.config.raw['data-root'] ??
				(state.docker.kind === 'snap' ? '/var/snap/docker/common/var-lib-docker' : '/var/lib/docker'),
		),
		HttpProxy: '',
		HttpsProxy: '',
		NoProxy: '',
		Name: state.machine.hostname,
		Labels: engine.config.labels,
		ExperimentalBuild: false,
		ServerVersion: engine.version,
		Runtimes: runtimesJson(world, engine),
		DefaultRuntime: engine.config.defaultRuntime,
		Swarm: {
			NodeID: '',
			NodeAddr: '',
			LocalNodeState: 'inactive',
			ControlAvailable: false,
			Error: '',
			RemoteManagers: null,
		},
		LiveRestoreEnabled: engine.config.liveRestore,
		Isolation: '',
		InitBinary: 'docker-init',
		ContainerdCommit: { ID: 'fcd43222d6b07379a4be9786bda52438f0dd16a1' },
		RuncCommit: { ID: 'v1.3.4-0-gd6d73eb8' },
		InitCommit: { ID: 'de40ad0' },
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
		CDISpecDirs: ['/etc/cdi', '/var/run/cdi'],
		...(containerdStore && {
			Containerd: {
				Address: '/run/containerd/containerd.sock',
				Namespaces: { Containers: 'moby', Plugins: 'plugins.moby' },
			},
		}),
		...(atLeast(engine.version, '28.0.0') && { FirewallBackend: { Driver: 'iptables' } }),
		Warnings: warnings.length === 0 ? null : warnings,
		ClientInfo: clientInfo(world, engine),
	};
}

function clientInfo(world: World, engine: Engine): Record<string, unknown> {
	const { compose, buildx } = world.state.docker;
	const plugin = (name: string, version: string | undefined, text: string) =>
		version === undefined
			? []
			: [
					{
						SchemaVersion: '0.1.0',
						Vendor: 'Docker Inc.',
						Version: version,
						ShortDescription: text,
						Name: name,
						Path: `/usr/libexec/docker/cli-plugins/docker-${name}`,
					},
				];
	return {
		Debug: false,
		...versionParts(world, engine),
		Context: 'default',
		Plugins: [...plugin('buildx', buildx, 'Docker Buildx'), ...plugin('compose', compose, 'Docker Compose')],
		Warnings: null,
	};
}

const versionParts = (world: World, engine: Engine) => ({
	Version: engine.version,
	GitCommit: '411e817',
	GoVersion: 'go1.25.5',
	Os: 'linux',
	Arch: world.state.machine.arch,
	BuildTime: 'Fri Aug  7 10:12:43 2026',
});

const apiVersion = (engine: Engine): string => {
	const major = Number.parseInt(engine.version, 10);
	return major >= 29 ? '1.54' : major >= 28 ? '1.51' : major >= 26 ? '1.45' : '1.41';
};

export function versionJson(world: World, answers: boolean): Record<string, unknown> {
	const { engine } = world.state.docker;
	const parts = versionParts(world, engine);
	const api = apiVersion(engine);
	return {
		Client: {
			Platform: { Name: 'Docker Engine - Community' },
			...parts,
			ApiVersion: api,
			DefaultAPIVersion: api,
			Context: 'default',
		},
		Server: !answers
			? null
			: {
					Platform: { Name: world.state.docker.kind === 'snap' ? '' : 'Docker Engine - Community' },
					...parts,
					ApiVersion: api,
					MinAPIVersion: Number.parseInt(engine.version, 10) >= 29 ? '1.44' : '1.24',
					KernelVersion: world.state.machine.kernel,
					Experimental: false,
					Components: [
						{
							Name: 'Engine',
							Version: engine.version,
							Details: {
								ApiVersion: api,
								Arch: world.state.machine.arch,
								KernelVersion: world.state.machine.kernel,
								Os: 'linux',
							},
						},
						{
							Name: 'containerd',
							Version: 'v2.2.1',
							Details: { GitCommit: 'fcd43222d6b07379a4be9786bda52438f0dd16a1' },
						},
						{ Name: 'runc', Version: '1.3.4', Details: { GitCommit: 'v1.3.4-0-gd6d73eb8' } },
						{ Name: 'docker-init', Version: '0.19.0', Details: { GitCommit: 'de40ad0' } },
					],
				},
	};
}

export function containerJson(engine: Engine, c: Container): Record<string, unknown> {
	const { options } = c;
	const [first = '', ...args] = [...c.entrypoint, ...c.command];
	const image = imageOf(engine, c);
	const network = engine.networks.find(n => n.name === options.networkMode);
	const ports = Object.fromEntries(
		options.ports.map(p => portPair(p)).map(([inner, ip, outer]) => [inner, [{ HostIp: ip, HostPort: outer }]]),
	);
	return {
		Id: c.id,
		Created: rfc3339(c.createdAt),
		Path: first,
		Args: args,
		State: {
			Status: c.status,
			Running: c.status === 'running' || c.status === 'paused',
			Paused: c.status === 'paused',
			Restarting: false,
			OOMKilled: c.oomKilled,
			Dead: false,
			Pid: c.pid,
			ExitCode: c.exitCode,
			Error: c.error,
			StartedAt: rfc3339(c.startedAt),
			FinishedAt: rfc3339(c.finishedAt),
		},
		Image: c.imageId,
		ResolvConfPath: `/var/lib/docker/containers/${c.id}/resolv.conf`,
		HostnamePath: `/var/lib/docker/containers/${c.id}/hostname`,
		HostsPath: `/var/lib/docker/containers/${c.id}/hosts`,
		LogPath: `/var/lib/docker/containers/${c.id}/${c.id}-json.log`,
		Name: `/${c.name}`,
		RestartCount: c.restartCount,
		Driver: engine.storageDriver,
		Platform: 'linux',
		MountLabel: '',
		ProcessLabel: '',
		AppArmorProfile: options.privileged ? 'unconfined' : 'docker-default',
		ExecIDs: null,
		HostConfig: {
			Binds: nullIfEmpty(options.mounts.flatMap(m => m.bind ?? [])),
			ContainerIDFile: '',
			LogConfig: { Type: engine.config.logDriver, Config: {} },
			NetworkMode: options.networkMode,
			PortBindings: ports,
			RestartPolicy: {
				Name: options.restart.split(':')[0],
				MaximumRetryCount: Number(options.restart.split(':')[1] ?? 0),
			},
			AutoRemove: options.autoRemove,
			VolumeDriver: '',
			VolumesFrom: null,
			CapAdd: nullIfEmpty(options.capAdd.map(withCap)),
			CapDrop: nullIfEmpty(options.capDrop.map(withCap)),
			CgroupnsMode: options.cgroupnsMode,
			Dns: [],
			DnsOptions: [],
			DnsSearch: [],
			ExtraHosts: nullIfEmpty(options.extraHosts),
			GroupAdd: null,
			IpcMode: options.ipcMode,
			Cgroup: '',
			Links: null,
			OomScoreAdj: 0,
			PidMode: options.pidMode,
			Privileged: options.privileged,
			PublishAllPorts: false,
			ReadonlyRootfs: options.readOnly,
			SecurityOpt: nullIfEmpty(options.privileged ? [...options.securityOpt, 'label=disable'] : options.securityOpt),
			UTSMode: options.utsMode,
			UsernsMode: options.usernsMode,
			ShmSize: 67_108_864,
			Runtime: c.runtime,
			Isolation: '',
			CpuShares: options.cpuShares,
			Memory: options.memory,
			NanoCpus: options.nanoCpus,
			CgroupParent: '',
			CpuPeriod: 0,
			CpuQuota: 0,
			CpusetCpus: '',
			Devices: options.devices.map(d => ({
				PathOnHost: d.split(':')[0],
				PathInContainer: d.split(':')[1] ?? d.split(':')[0],
				CgroupPermissions: d.split(':')[2] ?? 'rwm',
			})),
			DeviceCgroupRules: null,
			DeviceRequests: null,
			MemoryReservation: 0,
			MemorySwap: options.memory * 2,
			PidsLimit: options.pidsLimit === 0 ? null : options.pidsLimit,
			Ulimits: options.ulimits.map(u => ({
				Name: u.split('=')[0],
				Hard: Number(u.split(/[=:]/)[2] ?? u.split(/[=:]/)[1]),
				Soft: Number(u.split(/[=:]/)[1]),
			})),
			...(options.mounts.some(m => m.type === 'tmpfs') && {
				Tmpfs: Object.fromEntries(options.mounts.filter(m => m.type === 'tmpfs').map(m => [m.target, ''])),
			}),
			...(options.mounts.some(m => m.bind === undefined && m.type !== 'tmpfs') && {
				Mounts: options.mounts
					.filter(m => m.bind === undefined && m.type !== 'tmpfs')
					.map(m => ({ Type: m.type, Source: m.source, Target: m.target, ReadOnly: m.readOnly })),
			}),
			...(options.init && { Init: true }),
			MaskedPaths: options.privileged
				? null
				: [
						'/proc/acpi',
						'/proc/asound',
						'/proc/interrupts',
						'/proc/kcore',
						'/proc/keys',
						'/proc/latency_stats',
						'/proc/sched_debug',
						'/proc/scsi',
						'/proc/timer_list',
						'/proc/timer_stats',
						'/sys/devices/virtual/powercap',
						'/sys/firmware',
					],
			ReadonlyPaths: options.privileged
				? null
				: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
		},
		Mounts: options.mounts
			.filter(m => m.type !== 'tmpfs')
			.map(m =>
				m.type === 'bind'
					? {
							Type: 'bind',
							Source: m.source,
							Destination: m.target,
							Mode: m.readOnly ? 'ro' : '',
							RW: !m.readOnly,
							Propagation: 'rprivate',
						}
					: {
							Type: 'volume',
							Name: m.source,
							Source: `/var/lib/docker/volumes/${m.source}/_data`,
							Destination: m.target,
							Driver: 'local',
							Mode: m.readOnly ? 'ro' : 'z',
							RW: !m.readOnly,
							Propagation: '',
						},
			),
		Config: {
			Hostname: c.hostname,
			Domainname: '',
			User: options.user || (image?.user ?? ''),
			AttachStdin: false,
			AttachStdout: false,
			AttachStderr: false,
			...(Object.keys(ports).length > 0 && { ExposedPorts: Object.fromEntries(Object.keys(ports).map(p => [p, {}])) }),
			Tty: options.tty,
			OpenStdin: options.interactive,
			StdinOnce: false,
			Env: [...options.env, ...(image?.env ?? [])],
			Cmd: nullIfEmpty(c.command),
			Image: c.imageRef,
			Volumes: null,
			WorkingDir: options.workdir || (image?.workdir ?? ''),
			Entrypoint: nullIfEmpty(c.entrypoint),
			OnBuild: null,
			Labels: { ...image?.labels, ...options.labels },
			...(options.stopSignal !== '' && { StopSignal: options.stopSignal }),
			...(options.stopTimeout !== undefined && { StopTimeout: options.stopTimeout }),
		},
		NetworkSettings: {
			SandboxID: c.id,
			Ports: ports,
			Networks: {
				[network?.name ?? options.networkMode]: {
					NetworkID: network?.id ?? '',
					Gateway: network?.gateway ?? '',
					IPAddress: c.ip,
					IPPrefixLen: Number(network?.subnet.split('/')[1] ?? 0),
					Aliases: nullIfEmpty(options.networkAliases),
				},
			},
		},
	};
}

const withCap = (name: string): string => (/^(?:CAP_|ALL$)/i.test(name) ? name : `CAP_${name.toUpperCase()}`);

const nullIfEmpty = <T>(list: readonly T[]): readonly T[] | null => (list.length === 0 ? null : list);

/** `127.0.0.1:8080:80` → `80/tcp`, `127.0.0.1`, `8080`. */
function portPair(text: string): readonly [inner: string, ip: string, outer: string] {
	const [bare = '', protocol = 'tcp'] = text.split('/');
	const parts = bare.split(':');
	const inner = `${parts.at(-1) ?? ''}/${protocol}`;
	return [inner, parts.length === 3 ? (parts[0] ?? '') : '', parts.length > 1 ? (parts.at(-2) ?? '') : ''];
}

export function imageJson(world: World, image: Image): Record<string, unknown> {
	return {
		Id: image.id,
		RepoTags: image.tags,
		RepoDigests: image.digests,
		Parent: '',
		Comment: 'buildkit.dockerfile.v0',
		Created: image.created,
		Architecture: world.state.machine.arch,
		Os: 'linux',
		Size: image.size,
		Config: {
			Env: image.env,
			Cmd: nullIfEmpty(image.command),
			Entrypoint: nullIfEmpty(image.entrypoint),
			Labels: Object.keys(image.labels).length === 0 ? null : image.labels,
			User: image.user,
			WorkingDir: image.workdir,
			ExposedPorts: Object.fromEntries(image.exposed.map(p => [p, {}])),
			Volumes: image.volumes.length === 0 ? null : Object.fromEntries(image.volumes.map(v => [v, {}])),
		},
		GraphDriver: { Name: world.state.docker.engine.storageDriver, Data: null },
		RootFS: { Type: 'layers', Layers: [image.id] },
		Metadata: { LastTagTime: '0001-01-01T00:00:00Z' },
	};
}

export function networkJson(engine: Engine, network: Network): Record<string, unknown> {
	const members = engine.containers.filter(c => c.ip !== '' && c.options.networkMode === network.name);
	return {
		Name: network.name,
		Id: network.id,
		Created: '2026-09-01T08:00:00Z',
		Scope: 'local',
		Driver: network.driver,
		EnableIPv4: true,
		EnableIPv6: false,
		IPAM: {
			Driver: 'default',
			Options: null,
			Config: network.subnet === '' ? [] : [{ Subnet: network.subnet, Gateway: network.gateway }],
		},
		Internal: false,
		Attachable: false,
		Ingress: false,
		Containers: Object.fromEntries(
			members.map(c => [c.id, { Name: c.name, IPv4Address: `${c.ip}/${network.subnet.split('/')[1]}` }]),
		),
		Options:
			network.name === 'bridge'
				? {
						'com.docker.network.bridge.default_bridge': 'true',
						'com.docker.network.bridge.name': 'docker0',
						'com.docker.network.driver.mtu': '1500',
					}
				: {},
		Labels: network.labels,
	};
}
