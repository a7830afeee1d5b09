import * as z from 'zod';
import { orEmptyList, orEmptyMap, orEmptyText, orFalse, type Reading, read, readJson } from '../system/reading.ts';

export interface Mount {
	readonly type: 'bind' | 'volume' | 'tmpfs' | 'other';
	/** On the host; for a volume its directory below Docker's data root. */
	readonly source: string;
	readonly destination: string;
	readonly readOnly: boolean;
	/** The volume's name. */
	readonly name?: string | undefined;
}

/** What started a container, as its labels tell. */
export type ContainerOwner =
	| {
			readonly kind: 'compose';
			readonly project: string;
			readonly service: string;
			readonly files: readonly string[];
			readonly directory?: string | undefined;
	  }
	| {
			readonly kind: 'gitlab-runner';
			readonly type: string;
			readonly jobId?: string | undefined;
			readonly jobUrl?: string | undefined;
			readonly projectId?: string | undefined;
	  }
	| { readonly kind: 'jenkins'; readonly node?: string | undefined; readonly server?: string | undefined };

export interface Container {
	readonly id: string;
	/** Without Docker's leading slash. */
	readonly name: string;
	/** As it was asked for: a tag, or a digest. */
	readonly image: string;
	readonly imageId: string;
	/** What it runs: the entrypoint and its arguments. */
	readonly command: readonly string[];
	/** 0 when it does not run. */
	readonly pid: number;
	readonly state: string;
	readonly running: boolean;
	readonly startedAt: string;
	readonly restartPolicy: string;
	readonly autoRemove: boolean;
	/** The signal that stops it: `SIGQUIT`, `3`; empty for SIGTERM. */
	readonly stopSignal: string;
	/** Seconds between that signal and the kill, where the container names them; -1: for ever. */
	readonly stopTimeoutS?: number | undefined;
	/** Empty on daemons that do not say: then it is the default runtime. */
	readonly runtime: string;
	readonly privileged: boolean;
	readonly networkMode: string;
	readonly pidMode: string;
	readonly ipcMode: string;
	readonly utsMode: string;
	readonly usernsMode: string;
	readonly cgroupnsMode: string;
	readonly mounts: readonly Mount[];
	readonly devices: readonly { readonly onHost: string; readonly inContainer: string; readonly permissions: string }[];
	readonly deviceCgroupRules: readonly string[];
	readonly capAdd: readonly string[];
	readonly securityOpt: readonly string[];
	readonly networks: readonly string[];
	readonly memoryBytes: number;
	readonly nanoCpus: number;
	readonly pidsLimit: number;
	readonly labels: Readonly<Record<string, string>>;
	readonly owner?: ContainerOwner | undefined;
}

const number = z
	.number()
	.nullish()
	.transform(n => n ?? 0);

const schema = z.object({
	Id: z.string().min(1),
	Name: orEmptyText,
	Image: orEmptyText,
	Path: orEmptyText,
	Args: orEmptyList(z.string()),
	State: z.object({ Status: orEmptyText, Running: orFalse, Pid: number, StartedAt: orEmptyText }),
	Config: z
		.object({
			Image: orEmptyText,
			StopSignal: orEmptyText,
			StopTimeout: z.number().nullish(),
			Labels: orEmptyMap(z.string()),
		})
		.nullish(),
	HostConfig: z.object({
		Privileged: orFalse,
		NetworkMode: orEmptyText,
		PidMode: orEmptyText,
		IpcMode: orEmptyText,
		UTSMode: orEmptyText,
		UsernsMode: orEmptyText,
		CgroupnsMode: orEmptyText,
		Runtime: orEmptyText,
		AutoRemove: orFalse,
		RestartPolicy: z.object({ Name: orEmptyText }).nullish(),
		Binds: orEmptyList(z.string()),
		Devices: orEmptyList(
			z.object({ PathOnHost: orEmptyText, PathInContainer: orEmptyText, CgroupPermissions: orEmptyText }),
		),
		DeviceCgroupRules: orEmptyList(z.string()),
		CapAdd: orEmptyList(z.string()),
		SecurityOpt: orEmptyList(z.string()),
		Memory: number,
		NanoCpus: number,
		PidsLimit: number,
	}),
	Mounts: orEmptyList(
		z.object({
			Type: orEmptyText,
			Name: z.string().optional(),
			Source: orEmptyText,
			Destination: orEmptyText,
			RW: z
				.boolean()
				.nullish()
				.transform(rw => rw ?? true),
		}),
	),
	NetworkSettings: z.object({ Networks: orEmptyMap(z.unknown()) }).nullish(),
});

/**
 * `docker inspect ID…`. A container that went away between listing and asking is left out by Docker, which then ends
 * with exit code 1 and prints the others.
 */
export function parseContainers(text: unknown): Reading<readonly Container[]> {
	const json = readJson(text, z.array(schema), 'docker inspect');
	return json.kind === 'ok' ? read(json.value.map(toContainer)) : json;
}

function toContainer(c: z.infer<typeof schema>): Container {
	const host = c.HostConfig;
	const labels = c.Config?.Labels ?? {};
	const owner = ownerOf(labels);
	return {
		id: c.Id,
		name: c.Name.replace(/^\//, ''),
		image: c.Config?.Image || c.Image,
		imageId: c.Image,
		command: c.Path === '' ? [] : [c.Path, ...c.Args],
		pid: c.State.Pid,
		state: c.State.Status,
		running: c.State.Running,
		startedAt: c.State.StartedAt,
		restartPolicy: host.RestartPolicy?.Name || 'no',
		autoRemove: host.AutoRemove,
		stopSignal: c.Config?.StopSignal ?? '',
		stopTimeoutS: typeof c.Config?.StopTimeout === 'number' ? c.Config.StopTimeout : undefined,
		runtime: host.Runtime,
		privileged: host.Privileged,
		networkMode: host.NetworkMode,
		pidMode: host.PidMode,
		ipcMode: host.IpcMode,
		utsMode: host.UTSMode,
		usernsMode: host.UsernsMode,
		cgroupnsMode: host.CgroupnsMode,
		mounts: mountsOf(c),
		devices: host.Devices.map(d => ({
			onHost: d.PathOnHost,
			inContainer: d.PathInContainer,
			permissions: d.CgroupPermissions,
		})),
		deviceCgroupRules: host.DeviceCgroupRules,
		capAdd: host.CapAdd,
		securityOpt: host.SecurityOpt,
		networks: Object.keys(c.NetworkSettings?.Networks ?? {}),
		memoryBytes: host.Memory,
		nanoCpus: host.NanoCpus,
		// Docker writes -1 as well as null for "no limit".
		pidsLimit: Math.max(0, host.PidsLimit),
		labels,
		owner: owner || undefined,
	};
}

/** `Mounts` is what is mounted, `Binds` what was asked for: a container that never started has only the latter. */
function mountsOf(c: z.infer<typeof schema>): readonly Mount[] {
	const mounted = c.Mounts.map(
		(m): Mount => ({
			type: m.Type === 'bind' || m.Type === 'volume' || m.Type === 'tmpfs' ? m.Type : 'other',
			source: m.Source,
			destination: m.Destination,
			readOnly: !m.RW,
			name: m.Name,
		}),
	);
	const destinations = new Set(mounted.map(m => m.destination));
	const asked = c.HostConfig.Binds.flatMap((bind): readonly Mount[] => {
		const [source = '', destination = '', options = ''] = bind.split(':');
		if (destination === '' || destinations.has(destination)) return [];
		const readOnly = options.split(',').includes('ro');
		return [
			source.startsWith('/')
				? { type: 'bind', source, destination, readOnly }
				: { type: 'volume', source: '', destination, readOnly, name: source },
		];
	});
	return [...mounted, ...asked];
}

/** Label names: compose's own, gitlab-runner's labels package, DockerContainerLabelKeys of Jenkins' docker-plugin. */
const gitlab = 'com.gitlab.gitlab-runner.';
const compose = 'com.docker.compose.';
const jenkinsPrefixes = ['com.nirima.jenkins.plugins.docker.', ''];

function ownerOf(labels: Readonly<Record<string, string>>): ContainerOwner | undefined {
	const type = labels[`${gitlab}type`];
	const jobId = labels[`${gitlab}job.id`];
	if (type !== undefined || jobId !== undefined) {
		const jobUrl = labels[`${gitlab}job.url`];
		const projectId = labels[`${gitlab}project.id`];
		return {
			kind: 'gitlab-runner',
			type: type ?? 'build',
			jobId: jobId || undefined,
			jobUrl: jobUrl || undefined,
			projectId: projectId || undefined,
		};
	}
	for (const prefix of jenkinsPrefixes) {
		if (labels[`${prefix}JenkinsId`] === undefined) continue;
		const node = labels[`${prefix}JenkinsNodeName`];
		const server = labels[`${prefix}JenkinsServerUrl`];
		return { kind: 'jenkins', node: node || undefined, server: server || undefined };
	}
	const project = labels[`${compose}project`];
	if (project === undefined) return undefined;
	const directory = labels[`${compose}project.working_dir`];
	return {
		kind: 'compose',
		project,
		service: labels[`${compose}service`] ?? '',
		files: (labels[`${compose}project.config_files`] ?? '').split(',').filter(file => file !== ''),
		directory: directory || undefined,
	};
}

/** The labels by which GitLab's runner and Jenkins know containers that they have made for a job, as `docker ps` prints them. */
export const jobLabels: readonly string[] = [`${gitlab}job.id`, ...jenkinsPrefixes.map(prefix => `${prefix}JenkinsId`)];

/** One line about where a container comes from, for lists: `GitLab job 8812`, `compose service db of shop`. */
export function describeOwner(container: Container): string | undefined {
	const owner = container.owner;
	switch (owner?.kind) {
		case undefined:
			return undefined;
		case 'gitlab-runner':
			return owner.jobId === undefined ? `GitLab runner (${owner.type})` : `GitLab job ${owner.jobId} (${owner.type})`;
		case 'jenkins':
			return owner.node === undefined ? 'Jenkins agent' : `Jenkins agent ${owner.node}`;
		case 'compose':
			return `compose service ${owner.service} of ${owner.project}`;
		default:
			return owner satisfies never;
	}
}
