import * as z from 'zod';
import type { Probe, ProbeResult } from '../../src/core/probe.ts';
import type { RunState } from '../../src/core/state.ts';

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
