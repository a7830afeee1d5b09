import { parse } from 'smol-toml';
import type { Container, Mount } from '../../src/docker/container.ts';
import { type HostAccess, hostAccess, hostAccessUnder } from '../../src/docker/host-access.ts';
import { runtimeName } from '../../src/sysbox/runtime.ts';
import { excerpt, type Reading, read, unreadable } from '../../src/system/reading.ts';
import type { AccessSite } from './access-sites.ts';
import { isMap, listIn, type PlainMap } from './plain-data.ts';

/** Where GitLab Runner's packages keep their configuration. */
export const runnerConfigPath = '/etc/gitlab-runner/config.toml';

/** What a configuration of GitLab Runner hands to the jobs that it starts. */
export interface RunnerConfig {
	readonly path: string;
	/** The first runner's server: what a new runner most likely registers with. */
	readonly url?: string | undefined;
	/** Jobs of all its runners at once. The default is 1. */
	readonly concurrent: number;
	readonly sites: readonly AccessSite[];
	readonly runners: readonly RunnerEntry[];
	/** Runners whose jobs run on this host itself, as the runner's user. */
	readonly shellRunners: readonly string[];
	/** Runners of which the file does not tell whether their jobs run on this host, and why. */
	readonly unplaced: readonly PlacedRunner[];
	/** Runners whose jobs run on other machines, or in virtual machines of this one, and what puts them there. */
	readonly elsewhere: readonly PlacedRunner[];
}

export interface PlacedRunner {
	/** With the line of the executor, and the name of the runner. */
	readonly path: string;
	readonly why: string;
}

/** A `[[runners]]` whose jobs run on this host. */
export interface RunnerEntry {
	readonly name: string;
	/** Of its head in the file, from 1. */
	readonly line: number;
	/** The runtime of its containers; empty: Docker's default, which is not known. Undefined: jobs run in no container. */
	readonly runtime: string | undefined;
	readonly access: readonly HostAccess[];
	/** Limits of memory and processors that its jobs or their services do not have. */
	readonly lacks: readonly string[];
	/** Control groups that its jobs and its services are put into: what limits their processes. */
	readonly cgroupParents: readonly string[];
}

/**
 * Parses a config.toml. `defaultRuntime` is Docker's, for runners that name none; empty: not known. Tokens in it are read by nobody: only the keys named here
 * are looked at.
 */
export function parseRunnerConfig(path: string, text: string, defaultRuntime = ''): Reading<RunnerConfig> {
	let file: unknown;
	try {
		file = parse(text);
	} catch (error) {
		return unreadable(`${path} is not TOML: ${excerpt(error instanceof Error ? error.message : String(error), 80)}`);
	}
	const runners = listIn(isMap(file) ? file['runners'] : undefined).filter(isMap);
	const url = runners.map(runner => textIn(runner, 'url')).find(value => value !== '');
	const placed = runners.map((runner, index) => ({
		path: `${path}:${lineIn(text, index, /executor\s*=/)} (runner ${nameOf(runner)})`,
		...placeOf(runner),
	}));
	const placedIn = (place: Place['place']): readonly PlacedRunner[] =>
		placed.flatMap(of => (of.place === place ? [{ path: of.path, why: of.why }] : []));
	const concurrent = isMap(file) ? file['concurrent'] : undefined;
	return read({
		path,
		concurrent: typeof concurrent === 'number' && concurrent >= 1 ? concurrent : 1,
		url,
		sites: runners.flatMap((runner, index) => runnerSites(path, text, runner, index, defaultRuntime)),
		runners: runners.flatMap((runner, index) => entryOf(text, runner, index, defaultRuntime)),
		shellRunners: placedIn('host').map(of => of.path),
		unplaced: placedIn('unknown'),
		elsewhere: placedIn('elsewhere'),
	});
}

const textIn = (map: PlainMap, key: string): string => (typeof map[key] === 'string' ? map[key] : '');
const textsIn = (map: PlainMap, key: string): readonly string[] => listIn(map[key]).filter(v => typeof v === 'string');
const nameOf = (runner: PlainMap): string => JSON.stringify(textIn(runner, 'name') || 'without a name');

/** Where the jobs of a runner run: `host` is this host in no container, `docker` its Docker. */
interface Place {
	readonly place: 'host' | 'docker' | 'elsewhere' | 'unknown';
	/** What tells so; a clause. */
	readonly why: string;
}

/** By the executor, as docs/executors of gitlab-runner describes them. */
function placeOf(runner: PlainMap): Place {
	const executor = textIn(runner, 'executor');
	const known = places.get(executor);
	if (known !== undefined) return known;
	if (executor === 'ssh') return placeOfSsh(hostIn(runner, 'ssh'));
	if (dockerExecutors.includes(executor)) return placeOfDocker(hostIn(runner, 'docker'));
	const why =
		executor === ''
			? 'it names no executor, so nothing tells where its jobs run'
			: `this tool does not know the executor ${JSON.stringify(executor)}`;
	return { place: 'unknown', why };
}

const machines: Place = { place: 'elsewhere', why: 'its jobs run on machines that it starts for them' };
const virtualMachines: Place = {
	place: 'elsewhere',
	why: 'its jobs run in virtual machines with a kernel of their own',
};

const places: ReadonlyMap<string, Place> = new Map(
	Object.entries({
		shell: { place: 'host', why: 'its jobs run on this host' },
		custom: { place: 'unknown', why: 'programs of its own decide where its jobs run' },
		kubernetes: { place: 'elsewhere', why: 'its jobs run on the nodes of a Kubernetes cluster' },
		'docker+machine': machines,
		'docker-ssh+machine': machines,
		'docker-autoscaler': machines,
		instance: machines,
		virtualbox: virtualMachines,
		parallels: virtualMachines,
	}),
);

function placeOfSsh(host: string): Place {
	// Without a host the runner logs in at localhost (Connect in helpers/ssh/ssh_command.go).
	if (host === '' || isLoopback(host)) {
		const at = host || 'localhost';
		const why = `it logs in at ${at} for its jobs, which is this host or a port of it that leads elsewhere`;
		return { place: 'unknown', why };
	}
	return { place: 'elsewhere', why: `its jobs run on ${host}, by SSH` };
}

function placeOfDocker(host: string): Place {
	if (isLoopback(host))
		return { place: 'unknown', why: `it uses the Docker at ${host}, which is this host's or behind a port of it` };
	return isRemote(host)
		? { place: 'elsewhere', why: `its jobs run in the Docker at ${host}` }
		: { place: 'docker', why: "its jobs run in this host's Docker" };
}

function hostIn(runner: PlainMap, section: string): string {
	const of = runner[section];
	return isMap(of) ? textIn(of, 'host') : '';
}

const isRemote = (host: string): boolean => /^(tcp|ssh|https?):/.test(host);

const dockerExecutors: readonly string[] = ['docker', 'docker-ssh'];

const isLoopback = (host: string): boolean =>
	/^(\w+:\/\/)?([^/@]*@)?(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)(:\d+)?\/?$/i.test(host);

/** What `[runners.docker]` says, where its containers are this host's: other machines' are not looked at. */
function dockerOf(runner: PlainMap): PlainMap | undefined {
	if (!dockerExecutors.includes(textIn(runner, 'executor'))) return undefined;
	const docker = isMap(runner['docker']) ? runner['docker'] : {};
	return isRemote(textIn(docker, 'host')) ? undefined : docker;
}

function entryOf(text: string, runner: PlainMap, index: number, defaultRuntime: string): readonly RunnerEntry[] {
	const name = textIn(runner, 'name') || 'without a name';
	const line = lineIn(text, index, undefined);
	if (placeOf(runner).place === 'host') {
		const lacks = ['memory', 'processors', 'processes'];
		return [{ name, line, runtime: undefined, access: [], lacks, cgroupParents: [] }];
	}
	const docker = dockerOf(runner);
	if (docker === undefined) return [];
	const has = (key: string): boolean => docker[key] !== undefined && docker[key] !== '';
	// Services do not inherit the limits of the job, and the inner Docker is a service.
	const lacking = (key: string, limit: string): readonly string[] =>
		has(key) ? (has(`service_${key}`) ? [] : [`${limit} for services`]) : [limit];
	return [
		{
			name,
			line,
			runtime: textIn(docker, 'runtime') || defaultRuntime,
			access: hostAccessUnder(jobContainer(docker, defaultRuntime), [runtimeName]),
			lacks: [...lacking('memory', 'memory'), ...lacking('cpus', 'processors')],
			cgroupParents: [textIn(docker, 'cgroup_parent'), textIn(docker, 'service_cgroup_parent')],
		},
	];
}

function runnerSites(
	path: string,
	text: string,
	runner: PlainMap,
	index: number,
	defaultRuntime: string,
): readonly AccessSite[] {
	const docker = dockerOf(runner);
	if (docker === undefined) return [];
	return hostAccessUnder(jobContainer(docker, defaultRuntime), [runtimeName]).map(access => {
		const destination = / is mounted at ([^,]+)/.exec(access.detail)?.[1];
		const line = lineIn(text, index, destination === undefined ? keys[access.what] : new RegExp(literal(destination)));
		return {
			of: 'runner',
			where: `${path}:${line} (runner ${nameOf(runner)})`,
			access,
			ci: 'yes',
			atRest: false,
		};
	});
}

/** A job's container as `[runners.docker]` describes it, so that it is judged by the same rules as a running one. */
function jobContainer(docker: PlainMap, defaultRuntime: string): Container {
	const mounts = textsIn(docker, 'volumes').flatMap((volume): readonly Mount[] => {
		const [source = '', destination = '', options = ''] = volume.split(':');
		if (!source.startsWith('/') || destination === '') return [];
		return [{ type: 'bind', source, destination, readOnly: options.split(',').includes('ro') }];
	});
	return {
		id: '',
		name: '',
		image: textIn(docker, 'image'),
		imageId: '',
		command: [],
		pid: 0,
		state: '',
		running: false,
		startedAt: '',
		restartPolicy: 'no',
		autoRemove: true,
		stopSignal: '',
		runtime: textIn(docker, 'runtime') || defaultRuntime,
		privileged: docker['privileged'] === true || docker['services_privileged'] === true,
		networkMode: textIn(docker, 'network_mode'),
		pidMode: '',
		ipcMode: '',
		utsMode: '',
		usernsMode: textIn(docker, 'userns_mode'),
		cgroupnsMode: '',
		mounts,
		devices: textsIn(docker, 'devices').map(device => {
			const [onHost = '', inContainer = onHost, permissions = ''] = device.split(':');
			return { onHost, inContainer, permissions };
		}),
		deviceCgroupRules: textsIn(docker, 'device_cgroup_rules'),
		capAdd: textsIn(docker, 'cap_add'),
		securityOpt: textsIn(docker, 'security_opt'),
		networks: [],
		memoryBytes: 0,
		nanoCpus: 0,
		pidsLimit: 0,
		labels: {},
	};
}

const keys: Readonly<Record<string, RegExp>> = {
	privileged: /privileged\s*=\s*true/,
	'host-network': /network_mode\s*=/,
	device: /device(s|_cgroup_rules)\s*=/,
	capability: /cap_add\s*=/,
	unconfined: /security_opt\s*=/,
};

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** The line of a key of the runner with this index; the runner's own line when the key is written in a rarer way. */
function lineIn(text: string, index: number, key: RegExp | undefined): number {
	const lines = text.split('\n');
	const heads = lines.flatMap((line, at) => (/^\s*\[\[\s*runners\s*\]\]/.test(line) ? [at] : []));
	const first = heads[index] ?? 0;
	const last = heads[index + 1] ?? lines.length;
	const found = lines.slice(first, last).findIndex(line => !/^\s*#/.test(line) && key?.test(line) === true);
	return first + Math.max(found, 0) + 1;
}

/** By the name of the image, under any registry. */
export const isGitlabRunner = (image: string): boolean => /(^|\/)gitlab-runner(:|@|$)/.test(image);

/** Whether the Docker that a runner in a container speaks to is this host's. */
const startsJobsHere = (container: Container): boolean =>
	container.runtime !== runtimeName || hostAccess(container).some(({ what }) => what === 'docker-sock');

/** Configurations of runners that run in containers and start jobs on this host, as paths of the host. */
export function mountedRunnerConfigs(containers: readonly Container[]): readonly string[] {
	const paths = containers
		.filter(container => isGitlabRunner(container.image) && startsJobsHere(container))
		.flatMap(({ mounts }) => mounts.filter(m => m.destination === '/etc/gitlab-runner' && m.source.startsWith('/')))
		.map(({ source }) => `${source}/config.toml`);
	return [...new Set(paths)].filter(path => path !== runnerConfigPath);
}
