import * as z from 'zod';
import type { Probe, ProbeResult } from '../../src/core/probe.ts';
import type { RunState } from '../../src/core/state.ts';
import type { Container } from '../../src/facts/docker-container.ts';

/** What the run's first look at the host noted of each container. */
const baseline = z.array(z.object({ id: z.string(), name: z.string(), pid: z.number(), running: z.boolean() }));
type Noted = z.infer<typeof baseline>[number];

const inspectMs = 30_000;

/** Containers that ran when the run began; undefined when that was not noted. */
export function ranBefore(state: RunState): readonly Noted[] | undefined {
	const parsed = baseline.safeParse(state.observed['containers']?.first.value);
	return parsed.success ? parsed.data.filter(container => container.running) : undefined;
}

/**
 * True when the operator agreed to a restart of Docker in this run: then other pids are what was agreed to. Told by the
 * consent, not by the name of an action.
 */
const restartWasAgreedTo = (state: RunState): boolean =>
	state.steps.some(step => step.decision?.decision === 'apply' && step.decision.risks.includes('restart-docker'));

export const defaultRuntimeProbe = 'regression.default-runtime';

/** Which options of `docker run` the operator's containers share a namespace of the host with, each once. */
const sharedWithHost = (containers: readonly Container[]): readonly string[] => [
	...new Set(
		containers.flatMap(c => {
			const modes = { network: c.networkMode, pid: c.pidMode, ipc: c.ipcMode, uts: c.utsMode };
			return Object.entries(modes).flatMap(([name, mode]) => (mode === 'host' ? [`--${name}=host`] : []));
		}),
	),
];

/**
 * Under another default every container that names no runtime is another one from its next start on. Each kind of them
 * that this host has is started under both, and has to do the same.
 */
export function underNewDefault(image: string, runtime: string, containers: readonly Container[]): Probe {
	const kinds: readonly (readonly string[])[] = [[], ...sharedWithHost(containers).map(option => [option])];
	return {
		id: defaultRuntimeProbe,
		title: 'Containers that name no runtime run as before',
		threats: [],
		attempt: `runs containers of ${image} as this host has them (${kinds.map(([option]) => option ?? 'plain').join(', ')}) under runc and under ${runtime}, which is now the default`,
		expectation: 'each ends in the same way and prints the same under both',
		async run(host): Promise<ProbeResult> {
			const evidence: ProbeResult['evidence'][number][] = [];
			const differences: string[] = [];
			const unclear: string[] = [];
			for (const options of kinds) {
				const spec = { image, entrypoint: 'cat', command: ['/etc/passwd'], options };
				const before = await host.runToEnd(spec, inspectMs);
				const after = await host.runToEnd({ ...spec, runtime }, inspectMs);
				const kind = options[0] ?? 'a plain container';
				for (const { command, result } of [before, after])
					evidence.push({
						what: command,
						said: result.code === 0 ? 'ended well' : result.stderr.trim() || `exit code ${result.code ?? 'none'}`,
					});
				if (before.result.code !== 0) unclear.push(kind);
				else if (after.result.code !== 0) differences.push(`${kind} does not start any more`);
				else if (after.result.stdout !== before.result.stdout) differences.push(`${kind} prints something else`);
			}
			if (differences.length > 0)
				return { verdict: 'fail', because: `under ${runtime} ${differences.join('; ')}`, evidence };
			if (unclear.length > 0)
				return {
					verdict: 'could-not-tell',
					because: `under runc it does not run either: ${unclear.join(', ')}`,
					evidence,
				};
			return { verdict: 'pass', because: `${kinds.length} of ${kinds.length} run as before`, evidence };
		},
	};
}

/** Nothing that ran before may have noticed. */
export function runningContainers(state: RunState): Probe {
	const before = ranBefore(state) ?? [];
	return {
		id: 'regression.running-containers',
		title: 'What ran before still runs',
		threats: [],
		attempt: `looks at the ${before.length} containers that ran when this run began`,
		expectation: 'they run with the same process ids as then',
		async run(host): Promise<ProbeResult> {
			if (before.length === 0)
				return { verdict: 'pass', because: 'no container ran when this run began', evidence: [] };
			const format = '{{.Id}} {{.State.Running}} {{.State.Pid}}';
			// One call, however many: a container that is gone makes it fail, and the others are printed all the same.
			const asked = await host.exec(
				['docker', 'inspect', '--type', 'container', '--format', format, ...before.map(c => c.id)],
				inspectMs,
			);
			const now = new Map(
				asked.stdout.split('\n').flatMap(line => {
					const [id = '', running = '', pid = ''] = line.trim().split(' ');
					return id === '' ? [] : [[id, { running: running === 'true', pid: Number(pid) }] as const];
				}),
			);
			if (now.size === 0 && asked.code !== 0 && !/No such/i.test(asked.stderr)) {
				return {
					verdict: 'could-not-tell',
					because: 'Docker did not tell about the containers',
					evidence: [{ what: 'docker inspect', said: asked.stderr.trim() }],
				};
			}
			const says = before.map(container => {
				const found = now.get(container.id);
				if (found === undefined) return { container, problem: 'is gone' };
				if (!found.running) return { container, problem: 'does not run' };
				return {
					container,
					problem:
						found.pid === container.pid ? undefined : `was restarted (pid ${container.pid} then, ${found.pid} now)`,
				};
			});
			const changed = says.filter(({ problem }) => problem !== undefined);
			const evidence = says.map(({ container, problem }) => ({
				what: container.name,
				said: problem ?? `pid ${container.pid}, as before`,
			}));
			if (changed.length === 0)
				return { verdict: 'pass', because: `${before.length} of ${before.length} run untouched`, evidence };
			const names = changed.map(({ container, problem }) => `${container.name} ${problem ?? ''}`).join('; ');
			if (restartWasAgreedTo(state)) {
				const down = changed.filter(({ problem }) => problem === 'does not run');
				return down.length === 0
					? { verdict: 'pass', because: `Docker was restarted, which you agreed to: ${names}`, evidence }
					: {
							verdict: 'fail',
							because: `did not come back after the restart that you agreed to: ${down.map(d => d.container.name).join(', ')}`,
							evidence,
						};
			}
			// Jobs come and go by themselves; that a container ended is no proof that this run ended it.
			const restarted = changed.filter(({ problem }) => problem?.startsWith('was restarted') === true);
			return restarted.length === 0
				? { verdict: 'pass', because: `what still runs was not touched; ended since: ${names}`, evidence }
				: { verdict: 'fail', because: names, evidence };
		},
	};
}
