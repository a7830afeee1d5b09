/**
 * Everything that a simulated host is, as plain data: it goes to JSON and back without loss, so that a demo can be left
 * and resumed. Programs change a private copy of it (a draft); nobody outside ever sees it change under them.
 */

/** A file that is only declared: a package or an image archive has a size and a digest here, but no bytes. */
export interface DeclaredBytes {
	size: number;
	sha256: string;
	/** What a program finds inside when it opens the file. */
	holds?: { kind: 'deb'; package: PackageControl } | { kind: 'images'; images: Image[] } | undefined;
}

export interface Owned {
	mode: number;
	uid: number;
	gid: number;
}

export type FileNode =
	| ({
			kind: 'file' /** UTF-8 text; binary content stands in `base64`. */;
			text?: string | undefined;
			base64?: string | undefined;
			declared?: DeclaredBytes | undefined;
	  } & Owned)
	| ({ kind: 'folder' } & Owned)
	| { kind: 'link'; to: string }
	| ({ kind: 'socket' | 'device' | 'fifo' /** Such as `b 252 0`. */; device?: string | undefined } & Owned);

/** Absolute path → node. The root folder is always there, even when it is not listed. */
export type FileTree = Record<string, FileNode>;

export interface FileSystem {
	point: string;
	type: string;
	source: string;
	options: string;
	totalBytes: number;
	usedBytes: number;
}

export interface HostProcess {
	pid: number;
	ppid: number;
	uid: number;
	comm: string;
	argv: string[];
	/** Milliseconds since 1970. */
	startedAt: number;
	/** The unit whose cgroup it is in. */
	unit?: string | undefined;
}

export interface PackageControl {
	name: string;
	version: string;
	architecture: string;
	depends: string[];
	breaks?: string[] | undefined;
	provides?: string[] | undefined;
	sizeKb?: number | undefined;
	/** Paths of programs that appear with it. */
	files: string[];
	description?: string | undefined;
}

export interface InstalledPackage extends PackageControl {
	status: 'installed' | 'config-files' | 'half-configured';
	hold?: boolean | undefined;
	auto?: boolean | undefined;
}

export interface Unit {
	name: string;
	description: string;
	active: 'active' | 'inactive' | 'failed' | 'activating' | 'deactivating';
	sub: string;
	result: 'success' | 'exit-code' | 'timeout' | 'signal' | 'start-limit-hit' | 'resources';
	enabled: 'enabled' | 'disabled' | 'static' | 'masked' | 'generated';
	type: string;
	/** The main file; its text is in the file tree. Undefined: the unit is not installed. */
	fragment: string;
	mainPid: number;
	mainStatus: number;
	/** When the main process was started. */
	startedAt?: number | undefined;
	/** Recent start attempts, for the start limit. */
	starts: number[];
	/** A GitLab runner that was told to finish: it ends with its last job. */
	finishing?: true | undefined;
	/** When it last left `inactive`; with `startedAt`, how long its start took. */
	leftInactiveAt?: number | undefined;
	/** Started automatically so often since it was started by somebody (NRestarts). */
	restarts?: number | undefined;
	/** systemd tries again at this time (Restart=). */
	retryAt?: number | undefined;
	/** Its start is under way, and will be over at this time. */
	readyAt?: number | undefined;
	/** Its start is asked for, and has not begun: at a boot, or behind a unit that it is ordered after. */
	queued?: true | undefined;
	/** For a timer: when it elapses, and what it starts then. */
	elapsesAt?: number | undefined;
	/** Text of the unit and its drop-ins when systemd last read them. */
	loadedText: string;
}

export interface JournalEntry {
	at: number;
	unit: string;
	/** SYSLOG_IDENTIFIER. */
	who: string;
	pid: number;
	text: string;
}

export interface Image {
	/** Digest of the configuration, with `sha256:`. */
	id: string;
	tags: string[];
	/** `name@sha256:…` of the registry. */
	digests: string[];
	size: number;
	created: string;
	/** It serves until it is stopped, as an agent or a database does. */
	serves?: true | undefined;
	entrypoint: string[];
	command: string[];
	env: string[];
	labels: Record<string, string>;
	user: string;
	volumes: string[];
}

export interface MountSpec {
	type: 'bind' | 'volume';
	/** Host path or volume name. */
	source: string;
	target: string;
	readOnly: boolean;
	/** As it was written on the command line with -v; undefined with --mount. */
	bind?: string | undefined;
}

/** What `docker run` was told. */
export interface ContainerOptions {
	labels: Record<string, string>;
	env: string[];
	mounts: MountSpec[];
	privileged: boolean;
	capAdd: string[];
	securityOpt: string[];
	pidMode: string;
	networkMode: string;
	ipcMode: string;
	utsMode: string;
	usernsMode: string;
	cgroupnsMode: string;
	memory: number;
	pidsLimit: number;
	nanoCpus: number;
	user: string;
	autoRemove: boolean;
	restart: string;
	devices: string[];
	ports: string[];
	stopSignal: string;
	/** Seconds; -1: for ever. Undefined: Docker's ten. */
	stopTimeout?: number | undefined;
}

export interface Namespaces {
	user: number;
	mnt: number;
	pid: number;
	net: number;
	uts: number;
	ipc: number;
	cgroup: number;
	time: number;
}

export interface InnerProcess {
	hostPid: number;
	argv: string[];
	startedAt: number;
}

export interface Container {
	id: string;
	name: string;
	imageRef: string;
	imageId: string;
	entrypoint: string[];
	command: string[];
	createdAt: number;
	status: 'created' | 'running' | 'paused' | 'exited';
	startedAt: number;
	finishedAt: number;
	exitCode: number;
	oomKilled: boolean;
	error: string;
	restartCount: number;
	/** Stopped by hand: a restart policy `unless-stopped` leaves it down. */
	stoppedByHand: boolean;
	pid: number;
	runtime: string;
	/** What really ran it: a lying runtime says sysbox and is runc. */
	isolation: 'sysbox' | 'runc';
	/** Sysbox was stopped while it ran: exec and `docker restart` fail in it; a stop and a start revive it. */
	orphaned: boolean;
	namespaces: Namespaces;
	options: ContainerOptions;
	ip: string;
	processes: InnerProcess[];
	/** A GitLab runner that was told to finish: it ends with its last job. */
	finishing?: true | undefined;
	/** A transient unit waits for its end, and starts it again. */
	startedWhenEnded?: true | undefined;
	/** The first process ends by itself at this time, with this code. */
	endsAt?: number | undefined;
	endsWith?: number | undefined;
	log: { at: number; stream: 'stdout' | 'stderr'; text: string }[];
	/** The engine that was started inside answers from this time on. */
	engineUpAt?: number | undefined;
}

export interface RuntimeEntry {
	path: string;
	runtimeArgs?: string[] | undefined;
	runtimeType?: string | undefined;
	options?: Record<string, unknown> | undefined;
}

/** What a daemon has in force, which is not always what its file says. */
export interface EngineConfig {
	runtimes: Record<string, RuntimeEntry>;
	defaultRuntime: string;
	liveRestore: boolean;
	bridgeCidr: string;
	pools: { base: string; size: number }[];
	timeNamespaces: boolean;
	insecureRegistries: string[];
	registryMirrors: string[];
	labels: string[];
	usernsRemap: string;
	logDriver: string;
	debug: boolean;
	/** Flags and file as they were read at start, for keys that only count then. */
	raw: Record<string, unknown>;
}

export interface Volume {
	name: string;
	labels: Record<string, string>;
	createdAt: number;
	anonymous: boolean;
}

export interface Network {
	id: string;
	name: string;
	driver: string;
	subnet: string;
	gateway: string;
	labels: Record<string, string>;
}

export interface Engine {
	id: string;
	name: string;
	version: string;
	storageDriver: string;
	/** Null bytes of state are not kept when it is down: a daemon that is down answers nothing. */
	up: boolean;
	/** It answers from this time on. */
	readyAt: number;
	config: EngineConfig;
	containers: Container[];
	images: Image[];
	volumes: Volume[];
	networks: Network[];
	/** What `docker plugin install` brought. */
	plugins?: { id: string; name: string; description: string; enabled: boolean }[] | undefined;
	nextAddress: number;
	/** What the daemon has told of itself since it started: reloads. */
	events?: { at: number; action: 'reload'; attributes: Record<string, string> }[] | undefined;
}

export interface SimulatedState {
	version: 2;
	scenario: string;
	/** Milliseconds since 1970. */
	now: number;
	/** Seed of the next identifier: the same commands give the same ids. */
	seed: number;
	nextPid: number;
	nextNamespace: number;
	machine: {
		hostname: string;
		machineId: string;
		bootId: string;
		bootedAt: number;
		arch: 'amd64' | 'arm64';
		kernel: string;
		memoryKb: number;
		cpus: number;
		virt: string;
		cgroupVersion: 1 | 2;
		cgroupControllers: string[];
		filesystems: string[];
		modules: string[];
		systemd: string;
		apparmor: boolean;
		namespaces: Namespaces;
	};
	identity: { pid: number; uid: number; gid: number; groups: number[]; user: string };
	files: FileTree;
	/** When a file was last written, in milliseconds since 1970; others are older than everything else. */
	fileTimes?: Record<string, number> | undefined;
	fileSystems: FileSystem[];
	/** Key with dots → value without the newline. */
	sysctls: Record<string, string>;
	/** What the kernel comes up with, before files in sysctl.d are applied. */
	bootSysctls: Record<string, string>;
	/** What the kernel has loaded: profile → does it let sysbox-fs mount. */
	apparmorProfiles: Record<string, { mode: 'enforce' | 'complain'; allowsSysboxfs: boolean }>;
	kernelLog: { at: number; text: string }[];
	processes: HostProcess[];
	packages: Record<string, InstalledPackage>;
	/** What the package sources offer. */
	archive: Record<string, PackageControl>;
	units: Record<string, Unit>;
	journal: JournalEntry[];
	internet: boolean;
	docker: {
		kind: 'native' | 'snap';
		engine: Engine;
	};
	sysbox: {
		/** What `--version` says of each program; they differ after half an upgrade. */
		runc?: string | undefined;
		mgr?: string | undefined;
		fs?: string | undefined;
		subidStart: number;
		/** Ids of containers whose FUSE mount outlived the sysbox-fs that served it. */
		deadMounts?: string[] | undefined;
		/** The daemon that answers nothing while systemd calls it active. */
		hangs?: 'fs' | 'mgr' | undefined;
	};
	hub: Image[];
	/** How often each fault was asked for and fired. */
	faultCounts: Record<string, { asked: number; fired: number }>;
}

/** Bumped when a saved state can no longer be read. */
export const stateVersion = 2;

/**
 * A copy to work on. Files, known images, packages to be had and lines of the journal are only ever replaced, never
 * changed in place, so that they are shared: a copy is made for each command.
 */
export function workingCopy(state: SimulatedState): SimulatedState {
	const { files, archive, hub, journal, ...rest } = state;
	return {
		...structuredClone(rest),
		files: { ...files },
		archive: { ...archive },
		hub: [...hub],
		journal: [...journal],
	};
}

export function serialise(state: SimulatedState): string {
	return JSON.stringify(state);
}

/** The state, or undefined when the text is not one of this version: a demo then starts afresh. */
export function deserialise(text: string): SimulatedState | undefined {
	try {
		const value: unknown = JSON.parse(text);
		if (typeof value !== 'object' || value === null) return undefined;
		if (!('version' in value) || value.version !== stateVersion || !('machine' in value) || !('docker' in value))
			return undefined;
		return value as SimulatedState;
	} catch {
		return undefined;
	}
}

/**
 * A new process of this tool on that host, as after a resume: another pid, so that a lock of the earlier process is seen
 * as what it is, left behind.
 */
export function startToolProcess(state: SimulatedState): SimulatedState {
	const next = structuredClone(state);
	const pid = next.nextPid + 7;
	next.nextPid = pid + 1;
	next.processes = next.processes.filter(p => p.pid !== next.identity.pid);
	next.identity.pid = pid;
	next.processes.push({
		pid,
		ppid: 1,
		uid: next.identity.uid,
		comm: 'node',
		argv: ['node', '/usr/bin/sysbox-setup'],
		startedAt: next.now,
	});
	return next;
}
