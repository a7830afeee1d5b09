import { showExactly } from '../actions/show-action.ts';
import type { Plan } from '../model/action.ts';
import type { Decider } from '../model/decider.ts';
import type { Finding } from '../model/finding.ts';
import type { RunState } from '../model/state.ts';
import type { StepId } from '../model/step-id.ts';
import { accountedFor, compareStep } from './compare-plans.ts';
import { differenceLines } from './difference-text.ts';
import { exactly, type PlannedStep, type SavedPlan } from './saved-plan.ts';

/**
 * Somebody approved the plan before: what is planned now is held to it, and only then put before whoever decides in
 * this run. It approves nothing by itself, and what it refused once ends every change, as a host that is not as it was
 * foreseen is not gone on with.
 */
export function heldToPlan(decider: Decider, saved: SavedPlan, state: () => RunState): Decider {
	let refused: StepId | undefined;
	return {
		...decider,
		async approve(step, plan, findings, ways) {
			if (refused !== undefined && refused !== step)
				return {
					kind: 'differs',
					finding: differs([`${refused}: was not as in the plan, so nothing after it is done`]),
				};
			const then = saved.steps.find(({ id }) => id === step) ?? { id: step, title: step, actions: [] };
			const lines = differenceLines(
				compareStep(then, plannedNow(step, plan), accountedFor(state(), then, saved.digest)),
			);
			if (lines.length > 0) {
				refused = step;
				return { kind: 'differs', finding: differs(lines) };
			}
			refused = undefined;
			return decider.approve(step, plan, findings, ways);
		},
	};
}

const plannedNow = (step: StepId, { actions, impact }: Plan): PlannedStep => ({
	id: step,
	title: step,
	actions: actions.map(action => exactly(showExactly(action))),
	impact,
});

const differs = (lines: readonly string[]): Finding => ({
	id: 'plan.differs',
	severity: 'block',
	summary: 'This is not what the saved plan says.',
	evidence: lines.join('\n'),
	why: 'what was approved is all that is done',
	remedy: { kind: 'advice', text: 'put the host back to what the plan was made from, or have a new plan approved' },
});
