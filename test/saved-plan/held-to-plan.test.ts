import { expect, it } from 'vitest';
import { initialState } from '../../src/model/state.ts';
import { decideByAsking } from '../../src/prompts/decide-by-asking.ts';
import { heldToPlan } from '../../src/saved-plan/held-to-plan.ts';
import type { SavedPlan } from '../../src/saved-plan/saved-plan.ts';
import { action } from '../prompts/deciders.ts';

it('a plan that is not the saved one is refused, also where it was agreed to in the review of the run', async () => {
	const asked: string[] = [];
	const person = decideByAsking(
		async ({ subject }) => {
			asked.push(subject.kind);
			return { kind: 'taken', value: 'apply' };
		},
		{
			answers: {},
			saved: {},
			risks: [],
			settled: () => new Set(),
			around: () => ({ run: initialState, steps: [], mode: 'run', command: 'x' }),
		},
	);
	const saved = { steps: [], digest: 'x' } as unknown as SavedPlan;
	const held = heldToPlan(person, saved, () => initialState);
	const ways = { back: false, agreed: [] };
	expect(await held.approve('host', { actions: [action()] }, [], ways)).toMatchObject({ kind: 'differs' });
	// Without a saved plan what was agreed to is not asked again.
	expect(await person.approve('host', { actions: [action()] }, [], ways)).toEqual({ kind: 'apply', risks: [] });
	expect(asked).toEqual([]);
});
