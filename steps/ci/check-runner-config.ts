import { parse } from 'smol-toml';
import { runtimeName } from '../../src/sysbox/runtime.ts';
import { isMap, listIn, type PlainMap, strangers } from './plain-data.ts';

/** Keys of gitlab-runner's common/config.go that our file uses. The runner only warns of others, in its log. */
const runnerKeys = ['docker', 'executor', 'limit', 'name', 'token', 'url'];
const dockerKeys = [
	'allowed_services',
	'cpus',
	'image',
	'memory',
	'memory_swap',
	'privileged',
	'pull_policy',
	'runtime',
	'service_cpus',
	'service_memory',
	'service_memory_swap',
	'volumes',
];

/** What is wrong with a runner configuration of ours. */
export function runnerConfigProblems(text: string): readonly string[] {
	let file: unknown;
	try {
		file = parse(text);
	} catch (error) {
		return [`is not TOML: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`];
	}
	if (!isMap(file)) return ['has no runner'];
	const runners = listIn(file['runners']);
	// `register --template-config` takes exactly one, and nothing global.
	if (runners.length !== 1) return ['does not hold exactly one runner'];
	return [
		...strangers(file, ['runners']).map(key => `has the unknown key ${key}`),
		...runners.flatMap(runner => (isMap(runner) ? runnerProblems(runner) : ['has a runner that is no table'])),
	];
}

function runnerProblems(runner: PlainMap): readonly string[] {
	const problems: string[] = strangers(runner, runnerKeys).map(key => `has the unknown key runners.${key}`);
	if (runner['executor'] !== 'docker') problems.push('does not use the docker executor');
	if (/^gl[a-z]{2,5}-/.test(String(runner['token'] ?? ''))) problems.push('holds a token');
	const docker = runner['docker'];
	if (!isMap(docker)) return [...problems, 'has no runners.docker'];
	problems.push(...strangers(docker, dockerKeys).map(key => `has the unknown key runners.docker.${key}`));
	if (docker['runtime'] !== runtimeName) problems.push(`does not run jobs under ${runtimeName}`);
	if (docker['privileged'] !== false) problems.push('does not say that jobs are not privileged');
	if (typeof docker['image'] !== 'string') problems.push('names no image');
	for (const volume of listIn(docker['volumes'])) {
		// A single path is a volume of the job's own; SOURCE:PATH is something of the host's.
		if (typeof volume !== 'string' || !/^\/[\w./-]+$/.test(volume))
			problems.push(`mounts ${String(volume)} of the host`);
		if (volume === '/var/lib/docker') problems.push("lets job and engine share the engine's store");
	}
	for (const limit of ['memory', 'cpus', 'memory_swap']) {
		// Services do not inherit the job's limits, and the engine is a service.
		if (docker[limit] !== docker[`service_${limit}`]) problems.push(`limits the job's ${limit}, but not the engine's`);
	}
	return problems;
}
