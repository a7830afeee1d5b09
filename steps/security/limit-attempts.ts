import type { DockerFacts } from '../../src/docker/daemon.ts';
import type { ContainerSpec, ProbeHost, RunResult } from '../../src/model/probe.ts';
import {
	type Attempt,
	cannotRun,
	describe,
	lastWords,
	refusal,
	saidNothing,
	type Tried,
} from '../../src/probe/attempt.ts';
import { idle, type Workload } from '../../src/probe/workload.ts';
import { runtimeName } from '../../src/sysbox/runtime.ts';
import { cpuQuota } from './cpu-quota.ts';

const runMs = 120_000;

/** The options of the job without the limit that an attempt sets itself. */
const without = (workload: Workload, ...names: readonly string[]): readonly string[] =>
	workload.options.filter(option => !names.some(name => option.startsWith(`${name}=`)));

/** Only these can be unprovable for want of a controller, and only then is that the reason. */
function undecidableWithout(docker: DockerFacts, controller: 'memory' | 'pids' | 'cpu'): Pick<Attempt, 'undecidable'> {
	if (docker.info.kind !== 'ok' || docker.info.value.limits[controller]) return {};
	return {
		undecidable: async () =>
			`this host's cgroups have no ${controller} controller for Docker, so nothing enforces such a limit`,
	};
}

export function limitAttempts(docker: DockerFacts): readonly Attempt[] {
	return [memory(docker), processes(docker), cpu(docker)];
}

function memory(docker: DockerFacts): Attempt {
	// Under the limit's double, in case swap is counted on top of it; gone after a moment, in the control too.
	const spec = (workload: Workload, limit: readonly string[]): ContainerSpec => ({
		image: workload.image,
		runtime: runtimeName,
		options: [...without(workload, '--memory'), ...limit],
		entrypoint: 'dd',
		command: ['if=/dev/zero', 'of=/dev/null', 'bs=200M', 'count=1'],
	});
	return {
		id: 'security.limit-memory',
		title: 'Use more memory than the limit',
		threats: ['resource-abuse'],
		attempt: 'Fill 200 MB of memory in a container that may have 64 MB.',
		expectation: 'The kernel ends a process that goes over its memory limit.',
		control: 'The same without the limit ends well.',
		...undecidableWithout(docker, 'memory'),
		async try({ host, workload }) {
			const run = await host.runToEnd(spec(workload, ['--memory=64m', '--memory-swap=64m']), runMs);
			const evidence = [evidenceOfRun(run)];
			const unable = cannotRun(run.result);
			if (unable !== undefined) return { ...unable, evidence };
			if (run.oomKilled === true)
				return { outcome: 'denied', what: 'was ended by the kernel, out of memory', evidence };
			// Docker may have missed it: seen with runc and cgroup v1.
			if (run.result.code === 137) return { outcome: 'denied', what: 'was killed (exit code 137)', evidence };
			if (run.result.code !== 0) return { ...saidNothing(run.result), evidence };
			// Docker's warning on kernels that count no swap (cgroup v1 without swapaccount=1).
			return /without swap|swap limit/i.test(run.result.stderr)
				? {
						outcome: 'unclear',
						what: 'ended well, but this host does not count swap, and may have swapped it out',
						evidence,
					}
				: { outcome: 'succeeded', what: 'got 200 MB where 64 MB were allowed', evidence };
		},
		async tryControl({ host, workload }) {
			return endedWell(await host.runToEnd(spec(workload, []), runMs), 'ended well without the limit');
		},
	};
}

/** Busybox: can't fork; dash: Cannot fork; bash: fork: retry: Resource temporarily unavailable. */
const cannotFork = refusal('sh|bash', "can(?:no|')t fork|fork: .*resource temporarily unavailable");

/** More processes than the limit, and then it is over: no fork bomb, so the control does no harm. */
const manyProcesses = 'n=0; while [ "$n" -lt 60 ]; do sleep 3 & n=$((n + 1)); done; wait';

function processes(docker: DockerFacts): Attempt {
	const spec = (workload: Workload, limit: readonly string[]): ContainerSpec => ({
		image: workload.image,
		runtime: runtimeName,
		options: [...without(workload, '--pids-limit'), ...limit],
		entrypoint: 'sh',
		command: ['-c', manyProcesses],
	});
	return {
		id: 'security.limit-processes',
		title: 'Start more processes than the limit',
		threats: ['resource-abuse'],
		attempt: 'Start 60 processes in a container that may have 40.',
		expectation: 'The kernel starts no process above the limit.',
		control: 'The same without the limit starts them all.',
		...undecidableWithout(docker, 'pids'),
		async try({ host, workload }) {
			const run = await host.runToEnd(spec(workload, ['--pids-limit=40']), runMs);
			const evidence = [evidenceOfRun(run)];
			const unable = cannotRun(run.result);
			if (unable !== undefined) return { ...unable, evidence };
			// Exit codes differ between shells (2 of busybox and dash, 254 of bash): what counts is what it said.
			if (cannotFork.test(run.result.stderr))
				return { outcome: 'denied', what: `was denied: ${lastWords(run.result)}`, evidence };
			return run.result.code === 0
				? { outcome: 'succeeded', what: 'started 60 processes where 40 were allowed', evidence }
				: { ...saidNothing(run.result), evidence };
		},
		async tryControl({ host, workload }) {
			const run = await host.runToEnd(spec(workload, []), runMs);
			const evidence = [evidenceOfRun(run)];
			if (cannotFork.test(run.result.stderr))
				return { outcome: 'denied', what: 'could not start them either', evidence };
			return endedWell(run, 'started them all without the limit');
		},
	};
}

const halfACpu = 0.5;

function cpu(docker: DockerFacts): Attempt {
	const read = async (
		host: ProbeHost,
		workload: Workload,
		key: string,
		limit: readonly string[],
	): Promise<Tried & { readonly cpus?: number | undefined }> => {
		const base = idle(workload);
		const start = await host.start(key, { ...base, options: [...without(workload, '--cpus'), ...limit] }, runMs);
		if (start.kind === 'refused') {
			return {
				outcome: 'unclear',
				what: `could not be made: ${lastWords(start.result)}`,
				evidence: [{ what: 'docker said', said: describe(start.result) }],
			};
		}
		const quota = await cpuQuota(start.container.pid, path => host.readText(path));
		const evidence = [
			{ what: `cgroups of the container's process ${start.container.pid}, on the host`, said: quota.seen.join('\n') },
		];
		switch (quota.kind) {
			case 'unreadable':
				return { outcome: 'unclear', what: `came to nothing: ${quota.why}`, evidence };
			case 'unlimited':
				return { outcome: 'succeeded', what: 'found no quota on the host for that container', evidence };
			case 'limited':
				return {
					outcome: 'denied',
					what: `is held to ${quota.cpus} CPUs by ${quota.file}`,
					evidence,
					cpus: quota.cpus,
				};
			default:
				return quota satisfies never;
		}
	};
	return {
		id: 'security.limit-cpu',
		title: 'Use more CPU time than the limit',
		threats: ['resource-abuse'],
		attempt: 'Read, on the host, the quota of a container that may have half a CPU: inside it is shown as unlimited.',
		expectation: "The host's kernel holds the container to its quota.",
		control: 'A container without the limit has no such quota.',
		...undecidableWithout(docker, 'cpu'),
		async try({ host, workload }) {
			const tried = await read(host, workload, 'cpu-limited', [`--cpus=${halfACpu}`]);
			if (tried.cpus === undefined || tried.cpus <= halfACpu) return tried;
			return { ...tried, outcome: 'succeeded', what: `may use ${tried.cpus} CPUs where ${halfACpu} were allowed` };
		},
		async tryControl({ host, workload }) {
			const tried = await read(host, workload, 'cpu-unlimited', []);
			// Something around all containers may have a quota too; it only must be another one.
			return tried.cpus !== undefined && tried.cpus > halfACpu ? { ...tried, outcome: 'succeeded' } : tried;
		},
	};
}

const evidenceOfRun = (run: RunResult) => ({
	what: run.command,
	said: `${describe(run.result)}${run.oomKilled === undefined ? '' : `\nOOMKilled=${run.oomKilled}`}`,
});

function endedWell(run: RunResult, what: string): Tried {
	const evidence = [evidenceOfRun(run)];
	return run.result.code === 0
		? { outcome: 'succeeded', what, evidence }
		: { outcome: 'unclear', what: `did not end well: ${lastWords(run.result)}`, evidence };
}
