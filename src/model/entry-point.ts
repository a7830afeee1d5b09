import * as z from 'zod';
import type { RunState } from './state.ts';

/** Under this key the step that looks at the operator's CI observes its entry points. */
export const entryPointsKey = 'ci.entry-points';

/**
 * Where jobs of the operator's CI get onto this host: an entry of a runner's configuration, a container of an agent or a
 * job, an agent that runs as a service.
 */
const entryPointSchema = z.object({
	kind: z.enum(['runner', 'container', 'service']),
	/** `gitlab-runner 'ci-07'`, `container 'agent'`, `GitHub Actions runner`. */
	name: z.string(),
	/** FILE:LINE, the unit, or the image. */
	where: z.string(),
	/** Whether its jobs run under Sysbox; `unknown`: the runtime could not be told. */
	sysbox: z.enum(['yes', 'no', 'unknown']),
	/** What of the host its jobs reach. */
	access: z.array(z.string()),
	/** Limits that its jobs do not have: memory, processors, processes. */
	lacks: z.array(z.string()),
});

export type EntryPoint = z.infer<typeof entryPointSchema>;

/** `gitlab-runner 'ci-07' (/etc/gitlab-runner/config.toml:12)`. */
export const sayEntryPoint = ({ name, where }: EntryPoint): string => `${name} (${where})`;

/** The entry points as they were seen last; undefined: nobody looked, or a version of this tool that did not. */
export function entryPoints(state: RunState): readonly EntryPoint[] | undefined {
	const parsed = z.array(entryPointSchema).safeParse(state.observed[entryPointsKey]?.last.value);
	return parsed.success ? parsed.data : undefined;
}
