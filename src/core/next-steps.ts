import type { RunState } from './state.ts';

const prefix = 'next.';

/**
 * A step observes under this key what is left for the operator when all is done, a sentence a line; null: nothing. So the
 * log has it, and with it every report.
 */
export const nextKey = (step: string): string => `${prefix}${step}`;

export const isNextKey = (key: string): boolean => key.startsWith(prefix);

/** What the operator does next, where the run is not in the way of it. */
export function nextSteps(state: RunState): readonly string[] {
	return Object.entries(state.observed).flatMap(([key, { last }]) =>
		isNextKey(key) && typeof last.value === 'string' ? last.value.split('\n') : [],
	);
}
