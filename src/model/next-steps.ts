import type { RunState, StepState } from './state.ts';

const prefix = 'next.';

/**
 * A step observes under this key what is left for the operator when all is done, a sentence a line; null: nothing. So the
 * log has it, and with it every report.
 */
export const nextKey = (step: string): string => `${prefix}${step}`;

export const isNextKey = (key: string): boolean => key.startsWith(prefix);

/** So many probes are named one by one. */
const named = 3;

/**
 * What the operator does next, where the run is not in the way of it. After a proof that failed, or that told nothing,
 * that is about the proof; after any other step that did not end well its findings and failures say it, and nothing here
 * speaks of using what does not work. `command` is what an operator types to start this tool.
 */
export function nextSteps(state: RunState, command: string): readonly string[] {
	const unwell = state.steps.filter(({ status }) => ['failed', 'blocked', 'undecided'].includes(status));
	if (unwell.length > 0) return unwell.flatMap(step => (step.kind === 'proof' ? afterProof(step, command) : []));
	return Object.entries(state.observed).flatMap(([key, { last }]) =>
		isNextKey(key) && typeof last.value === 'string' ? last.value.split('\n') : [],
	);
}

function afterProof({ id, probes }: StepState, command: string): readonly string[] {
	const failed = probes.filter(probe => probe.verdict === 'fail');
	// What rests on a probe that failed is unknown for that reason.
	const open = failed.length > 0 ? failed : probes.filter(probe => probe.verdict === 'could-not-tell');
	if (open.length === 0) return [];
	const rest = open.length - named;
	return [
		...open
			.slice(0, named)
			.map(probe => `${probe.id}: ${probe.next?.join('; ') ?? 'find the cause in what it saw, and remove it'}`),
		...(rest > 0 ? [`and ${rest} more ${rest === 1 ? 'probe' : 'probes'}`] : []),
		`Then repeat the proof: ${command} test ${id}`,
	];
}
