import { parse } from 'smol-toml';
import type { Container, Mount } from '../../src/facts/docker-container.ts';
import { hostAccessUnder } from '../../src/facts/host-access.ts';
import { excerpt, type Reading, read, unreadable } from '../../src/facts/reading.ts';
import type { AccessSite } from './access-sites.ts';
import { isMap, listIn, type PlainMap } from './plain-data.ts';

/** Where GitLab Runner's packages keep their configuration. */
export const runnerConfigPath = '/etc/gitlab-runner/config.toml';

/** What a configuration of GitLab Runner hands to the jobs that it starts. */
export interface RunnerConfig {
	readonly path: string;
	/** The first runner's server: what a new runner most likely registers with. */
	readonly url?: string;
	readonly sites: readonly AccessSite[];
	/** Runners whose jobs run on this host itself, as the runner's user. */
	readonly shellRunners: readonly string[];
}

/** Parses a config.toml. Tokens in it are read by nobody: only the keys named here are looked at. */
export function parseRunnerConfig(path: string, text: string): Reading<RunnerConfig> {
	let file: unknown;
	try {
		file = parse(text);
	} catch (error) {
		return unreadable(`${path} is not TOML: ${excerpt(error instanceof Error ? error.message : String(error), 80)}`);
	}
	const runners = listIn(isMap(file) ? file['runners'] : undefined).filter(isMap);
	const url = runners.map(runner => textIn(runner, 'url')).find(value => value !== '');
	return read({
		path,
		...(url !== undefined && { url }),
		sites: runners.flatMap((runner, index) => runnerSites(path, text, runner, index)),
		shellRunners: runners
			.filter(runner => ['shell', 'custom'].includes(textIn(runner, 'executor')))
			.map(runner => `${path}:${lineIn(text, runners.indexOf(runner), /executor\s*=/)} (runner ${nameOf(runner)})`),
	});
}

const textIn = (map: PlainMap, key: string): string => (typeof map[key] === 'string' ? map[key] : '');
const textsIn = (map: PlainMap, key: string): readonly string[] => listIn(map[key]).filter(v => typeof v === 'string');
const nameOf = (runner: PlainMap): string => JSON.stringify(textIn(runner, 'name') || 'without a name');

function runnerSites(path: string, text: string, runner: PlainMap, index: number): readonly AccessSite[] {
	const docker = runner['docker'];
	if (!textIn(runner, 'executor').startsWith('docker') || !isMap(docker)) return [];
	return hostAccessUnder(jobContainer(docker), ['sysbox-runc']).map(access => {
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
function jobContainer(docker: PlainMap): Container {
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
		pid: 0,
		state: '',
		running: false,
		startedAt: '',
		restartPolicy: 'no',
		autoRemove: true,
		stopSignal: '',
		runtime: textIn(docker, 'runtime'),
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

/** Configurations of runners that run in containers, as paths of the host. */
export function mountedRunnerConfigs(containers: readonly Container[]): readonly string[] {
	const paths = containers
		.filter(({ image }) => /(^|\/)gitlab-runner(:|@|$)/.test(image))
		.flatMap(({ mounts }) => mounts.filter(m => m.destination === '/etc/gitlab-runner' && m.source.startsWith('/')))
		.map(({ source }) => `${source}/config.toml`);
	return [...new Set(paths)].filter(path => path !== runnerConfigPath);
}
