import * as z from 'zod';
import {
	orEmptyList,
	orEmptyMap,
	orEmptyText,
	orFalse,
	type Reading,
	read,
	readJson,
	unreadable,
} from '../system/reading.ts';

export interface DockerRuntime {
	/** The binary, for the classic form. */
	readonly path?: string | undefined;
	readonly args: readonly string[];
	/** A containerd shim, for the other form. */
	readonly runtimeType?: string | undefined;
	/** What the binary answered to `features`, as JSON text; dockerd asks since 25. Absent when it could not. */
	readonly features?: string | undefined;
}

export interface DockerInfo {
	/** Unique to the daemon. */
	readonly id: string;
	/** The daemon's host name. */
	readonly name: string;
	readonly serverVersion: string;
	readonly kernel: string;
	readonly operatingSystem: string;
	readonly architecture: string;
	readonly rootDir: string;
	readonly driver: string;
	/** From DriverStatus: `extfs`, `xfs`… Absent with the containerd image store. */
	readonly backingFilesystem?: string | undefined;
	/** The containerd image store, where `driver` is a snapshotter. */
	readonly containerdImageStore: boolean;
	readonly runtimes: Readonly<Record<string, DockerRuntime>>;
	readonly defaultRuntime: string;
	/** `name=seccomp,profile=builtin` → `seccomp`. */
	readonly securityOptions: readonly string[];
	readonly rootless: boolean;
	readonly usernsRemap: boolean;
	readonly cgroupDriver: string;
	readonly cgroupVersion: string;
	readonly limits: {
		readonly memory: boolean;
		readonly pids: boolean;
		readonly cpu: boolean;
		readonly cpuShares: boolean;
		readonly cpuset: boolean;
	};
	readonly liveRestore: boolean;
	readonly swarm: string;
	/** Only what is configured: the built-in pools are not listed. */
	readonly addressPools: readonly { readonly base: string; readonly size: number }[];
	readonly containers: {
		readonly total: number;
		readonly running: number;
		readonly paused: number;
		readonly stopped: number;
	};
	readonly images: number;
	readonly memoryBytes: number;
	readonly cpus: number;
	readonly systemTime: string;
	readonly warnings: readonly string[];
	/** Docker Desktop's virtual machine, not an engine on this host. */
	readonly desktop: boolean;
	/** Podman, answering in Docker's place. */
	readonly podman: boolean;
}

const runtimeSchema = z.object({
	path: z.string().optional(),
	runtimeArgs: orEmptyList(z.string()),
	runtimeType: z.string().optional(),
	status: orEmptyMap(z.string()),
});

const number = z
	.number()
	.nullish()
	.transform(n => n ?? 0);

const schema = z.object({
	ID: orEmptyText,
	Name: orEmptyText,
	ServerVersion: orEmptyText,
	ServerErrors: orEmptyList(z.string()),
	KernelVersion: orEmptyText,
	OperatingSystem: orEmptyText,
	Architecture: orEmptyText,
	DockerRootDir: orEmptyText,
	Driver: orEmptyText,
	DriverStatus: orEmptyList(z.array(z.string())),
	Runtimes: orEmptyMap(runtimeSchema),
	DefaultRuntime: orEmptyText,
	SecurityOptions: orEmptyList(z.string()),
	CgroupDriver: orEmptyText,
	CgroupVersion: orEmptyText,
	MemoryLimit: orFalse,
	PidsLimit: orFalse,
	CpuCfsQuota: orFalse,
	CPUShares: orFalse,
	CPUSet: orFalse,
	LiveRestoreEnabled: orFalse,
	Swarm: z.object({ LocalNodeState: orEmptyText }).nullish(),
	DefaultAddressPools: orEmptyList(z.object({ Base: z.string(), Size: z.number() })),
	Containers: number,
	ContainersRunning: number,
	ContainersPaused: number,
	ContainersStopped: number,
	Images: number,
	MemTotal: number,
	NCPU: number,
	SystemTime: orEmptyText,
	Warnings: orEmptyList(z.string()),
});

/** The features that dockerd got from a runtime lie under this key of its status (opencontainers/runtime-spec). */
const featuresKey = 'org.opencontainers.runtime-spec.features';

/** `docker info --format '{{json .}}'`. Without a daemon the CLI prints the same shape with empty values. */
export function parseDockerInfo(text: unknown): Reading<DockerInfo> {
	const podmanInfo = readJson(
		text,
		z.object({ host: z.record(z.string(), z.unknown()), store: z.unknown() }),
		'docker info',
	);
	if (podmanInfo.kind === 'ok') return read(podmanAsDocker);
	const json = readJson(text, schema, 'docker info');
	if (json.kind !== 'ok') return json;
	const info = json.value;
	if (info.ServerVersion === '') {
		const errors = info.ServerErrors.join('; ');
		return unreadable(errors === '' ? 'docker info printed no server version' : `docker info has no server: ${errors}`);
	}
	const status = new Map(info.DriverStatus.map(([key = '', value = '']) => [key, value]));
	const backing = status.get('Backing Filesystem');
	const options = info.SecurityOptions.map(option => /^name=([^,]+)/.exec(option)?.[1] ?? option);
	return read({
		id: info.ID,
		name: info.Name,
		serverVersion: info.ServerVersion,
		kernel: info.KernelVersion,
		operatingSystem: info.OperatingSystem,
		architecture: info.Architecture,
		rootDir: info.DockerRootDir,
		driver: info.Driver,
		backingFilesystem: backing,
		containerdImageStore: (status.get('driver-type') ?? '').startsWith('io.containerd.snapshotter'),
		runtimes: Object.fromEntries(Object.entries(info.Runtimes).map(([name, runtime]) => [name, toRuntime(runtime)])),
		defaultRuntime: info.DefaultRuntime,
		securityOptions: options,
		rootless: options.includes('rootless'),
		usernsRemap: options.includes('userns'),
		cgroupDriver: info.CgroupDriver,
		// The field came with cgroup v2 support in Docker 20.10; before that there was only version 1.
		cgroupVersion: info.CgroupVersion || '1',
		limits: {
			memory: info.MemoryLimit,
			pids: info.PidsLimit,
			cpu: info.CpuCfsQuota,
			cpuShares: info.CPUShares,
			cpuset: info.CPUSet,
		},
		liveRestore: info.LiveRestoreEnabled,
		swarm: info.Swarm?.LocalNodeState ?? 'inactive',
		addressPools: info.DefaultAddressPools.map(pool => ({ base: pool.Base, size: pool.Size })),
		containers: {
			total: info.Containers,
			running: info.ContainersRunning,
			paused: info.ContainersPaused,
			stopped: info.ContainersStopped,
		},
		images: info.Images,
		memoryBytes: info.MemTotal,
		cpus: info.NCPU,
		systemTime: info.SystemTime,
		warnings: info.Warnings,
		desktop: /docker desktop/i.test(info.OperatingSystem),
		podman: false,
	});
}

function toRuntime(runtime: z.infer<typeof runtimeSchema>): DockerRuntime {
	const features = runtime.status[featuresKey];
	return {
		path: runtime.path,
		args: runtime.runtimeArgs,
		runtimeType: runtime.runtimeType,
		features,
	};
}

/** `podman info` has nothing of Docker's but the command's name, so nothing but that is said. */
const podmanAsDocker: DockerInfo = {
	id: '',
	name: '',
	serverVersion: '',
	kernel: '',
	operatingSystem: '',
	architecture: '',
	rootDir: '',
	driver: '',
	containerdImageStore: false,
	runtimes: {},
	defaultRuntime: '',
	securityOptions: [],
	rootless: false,
	usernsRemap: false,
	cgroupDriver: '',
	cgroupVersion: '',
	limits: { memory: false, pids: false, cpu: false, cpuShares: false, cpuset: false },
	liveRestore: false,
	swarm: '',
	addressPools: [],
	containers: { total: 0, running: 0, paused: 0, stopped: 0 },
	images: 0,
	memoryBytes: 0,
	cpus: 0,
	systemTime: '',
	warnings: [],
	desktop: false,
	podman: true,
};
