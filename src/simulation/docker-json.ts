import { fileSystemOf } from './mount-table.ts';
import { imageOf } from './scope.ts';
import type { Container, Engine, Image, Network } from './state.ts';
import { runtimeFeatures } from './sysbox-programs.ts';
import { atLeast, rfc3339, type Scope } from './world.ts';

/** What the docker API answers, in the shapes that were recorded with Docker 26.1.5 and those that 29 adds. */

const featuresKey = 'org.opencontainers.runtime-spec.features';

function runtimesJson(machine: Scope, engine: Engine): Record<string, unknown> {
	const runc = { path: 'runc', status: { [featuresKey]: JSON.stringify(runtimeFeatures('runc', '1.3.4', true)) } };
	const entries: Record<string, unknown> = { 'io.containerd.runc.v2': runc, runc };
	const { sysbox } = machine.world.state;
	for (const [name, entry] of Object.entries(engine.config.runtimes)) {
		const there = machine.view.get(entry.path) !== undefined;
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

const osName = (machine: Scope): string => {
	const node = machine.view.get('/etc/os-release');
	return /^PRETTY_NAME="?([^"\n]*)/m.exec(node?.kind === 'file' ? (node.text ?? '') : '')?.[1] ?? 'Linux';
};

const arch = (machine: Scope): string => (machine.world.state.machine.arch === 'amd64' ? 'x86_64' : 'aarch64');

export function infoJson(machine: Scope, engine: Engine): Record<string, unknown> {
	const { state } = machine.world;
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
		CgroupDriver: machine.inside === undefined ? 'systemd' : 'cgroupfs',
		CgroupVersion: String(state.machine.cgroupVersion),
		NEventsListener: 0,
		KernelVersion: state.machine.kernel,
		OperatingSystem: osName(machine),
		OSVersion:
			/VERSION_ID="?([^"\n]*)/.exec(JSON.stringify(machine.view.get('/etc/os-release')))?.[1]?.replaceAll('\\', '') ??
			'',
		OSType: 'linux',
		Architecture: arch(machine),
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
				(state.docker.kind === 'snap' && machine.inside === undefined
					? '/var/snap/docker/common/var-lib-docker'
					: '/var/lib/docker'),
		),
		HttpProxy: '',
		HttpsProxy: '',
		NoProxy: '',
		Name: machine.inside?.container.hostname ?? state.machine.hostname,
		Labels: engine.config.labels,
		ExperimentalBuild: false,
		ServerVersion: engine.version,
		Runtimes: runtimesJson(machine, engine),
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
			...(state.machine.apparmor && machine.inside === undefined ? ['name=apparmor'] : []),
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
		ClientInfo: clientInfo(machine, engine),
	};
}

function clientInfo(machine: Scope, engine: Engine): Record<string, unknown> {
	const { compose, buildx } = machine.world.state.docker;
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
		...versionParts(machine, engine),
		Context: 'default',
		Plugins: [...plugin('buildx', buildx, 'Docker Buildx'), ...plugin('compose', compose, 'Docker Compose')],
		Warnings: null,
	};
}

const versionParts = (machine: Scope, engine: Engine) => ({
	Version: engine.version,
	GitCommit: '411e817',
	GoVersion: 'go1.25.5',
	Os: 'linux',
	Arch: machine.world.state.machine.arch,
	BuildTime: 'Fri Aug  7 10:12:43 2026',
});

export const apiVersion = (engine: Engine): string => {
	const major = Number.parseInt(engine.version, 10);
	return major >= 29 ? '1.54' : major >= 28 ? '1.51' : major >= 26 ? '1.45' : '1.41';
};

export function versionJson(machine: Scope, engine: Engine | undefined): Record<string, unknown> {
	const client = engine ?? machine.world.state.docker.engine;
	const parts = versionParts(machine, client);
	const api = apiVersion(client);
	return {
		Client: {
			Platform: { Name: 'Docker Engine - Community' },
			...parts,
			ApiVersion: api,
			DefaultAPIVersion: api,
			Context: 'default',
		},
		Server:
			engine === undefined
				? null
				: {
						Platform: { Name: machine.world.state.docker.kind === 'snap' ? '' : 'Docker Engine - Community' },
						...parts,
						ApiVersion: api,
						MinAPIVersion: Number.parseInt(engine.version, 10) >= 29 ? '1.44' : '1.24',
						KernelVersion: machine.world.state.machine.kernel,
						Experimental: false,
						Components: [
							{
								Name: 'Engine',
								Version: engine.version,
								Details: {
									ApiVersion: api,
									Arch: machine.world.state.machine.arch,
									KernelVersion: machine.world.state.machine.kernel,
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
export function portPair(text: string): readonly [inner: string, ip: string, outer: string] {
	const [bare = '', protocol = 'tcp'] = text.split('/');
	const parts = bare.split(':');
	const inner = `${parts.at(-1) ?? ''}/${protocol}`;
	return [inner, parts.length === 3 ? (parts[0] ?? '') : '', parts.length > 1 ? (parts.at(-2) ?? '') : ''];
}

export function imageJson(image: Image, engine: Engine, machine: Scope): Record<string, unknown> {
	return {
		Id: image.id,
		RepoTags: image.tags,
		RepoDigests: image.digests,
		Parent: '',
		Comment: 'buildkit.dockerfile.v0',
		Created: image.created,
		Architecture: machine.world.state.machine.arch,
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
		GraphDriver: { Name: engine.storageDriver, Data: null },
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

const size = (bytes: number): string =>
	bytes < 1e6
		? `${Math.round(bytes / 1e3)}kB`
		: bytes < 1e9
			? `${(bytes / 1e6).toPrecision(3)}MB`
			: `${(bytes / 1e9).toPrecision(3)}GB`;

export { size as humanSize };

export function ago(ms: number): string {
	const seconds = Math.floor(ms / 1000);
	const unit = (n: number, name: string) =>
		n === 1
			? name === 'hour'
				? 'About an hour'
				: name === 'minute'
					? 'About a minute'
					: `1 ${name}`
			: `${n} ${name}s`;
	if (seconds < 1) return 'Less than a second';
	if (seconds < 60) return unit(seconds, 'second');
	if (seconds < 3600) return unit(Math.floor(seconds / 60), 'minute');
	if (seconds < 172_800) return unit(Math.floor(seconds / 3600), 'hour');
	return unit(Math.floor(seconds / 86_400), 'day');
}

export function containerRow(engine: Engine, c: Container, now: number, full: boolean): Record<string, string> {
	const command = [...c.entrypoint, ...c.command].join(' ');
	const status =
		c.status === 'running'
			? `Up ${ago(now - c.startedAt)}`
			: c.status === 'paused'
				? `Up ${ago(now - c.startedAt)} (Paused)`
				: c.status === 'created'
					? 'Created'
					: `Exited (${c.exitCode}) ${ago(now - c.finishedAt)} ago`;
	const image = engine.images.some(i => i.id === c.imageId) ? c.imageRef : c.imageId.slice(7, 19);
	return {
		Command: `"${full || command.length <= 20 ? command : `${command.slice(0, 19)}…`}"`,
		CreatedAt: `${new Date(c.createdAt).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`,
		ID: full ? c.id : c.id.slice(0, 12),
		Image: image,
		Labels: Object.entries({ ...imageOf(engine, c)?.labels, ...c.options.labels })
			.map(([k, v]) => `${k}=${v}`)
			.join(','),
		LocalVolumes: String(c.options.mounts.filter(m => m.type === 'volume').length),
		Mounts: c.options.mounts
			.filter(m => m.type !== 'tmpfs')
			.map(m => (full || m.source.length <= 15 ? m.source : `${m.source.slice(0, 14)}…`))
			.join(','),
		Names: c.name,
		Networks: c.options.networkMode,
		Ports:
			c.status === 'running'
				? c.options.ports
						.map(portPair)
						.map(([inner, ip, outer]) => `${ip || '0.0.0.0'}:${outer}->${inner}`)
						.join(', ')
				: '',
		RunningFor: `${ago(now - c.createdAt)} ago`,
		Size: '0B',
		State: c.status,
		Status: status,
	};
}
