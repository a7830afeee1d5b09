import type { Action, Plan } from '../model/action.ts';
import type { ActionFailure } from '../model/decider.ts';
import type { StepId } from '../model/step-id.ts';
import type { EngineDeps } from './contract.ts';

/** Shows a plan as it is approved or refused. */
export async function showPlan(deps: EngineDeps, step: StepId, plan: Plan): Promise<void> {
	await deps.emit({ type: 'plan', step, actions: plan.actions.map(deps.show), impact: plan.impact });
}

/** What a plan leaves for the operator. */
export interface OpenAction {
	readonly action: Action;
	readonly evidence?: string | undefined;
}

export type Applied =
	/** To be tried again, where a way back has undone more than what failed: the step looks and plans anew. */
	| { readonly kind: 'again'; readonly changed: true }
	| {
			readonly kind: 'postponed';
			readonly changed: boolean;
			readonly manual: readonly OpenAction[];
			readonly why: string;
	  }
	| { readonly kind: 'done' | 'interrupted'; readonly changed: boolean; readonly manual: readonly OpenAction[] }
	| {
			readonly kind: 'failed';
			readonly changed: boolean;
			readonly manual: readonly OpenAction[];
			readonly failure: ActionFailure;
			readonly quit: boolean;
	  };

/** Carries out the actions of an approved plan, one after the other, until one is not done. */
export async function applyAll(deps: EngineDeps, step: StepId, actions: readonly Action[]): Promise<Applied> {
	let changed = false;
	const manual: OpenAction[] = [];
	for (const action of actions) {
		for (let again = true; again; ) {
			again = false;
			if (deps.signal.aborted) return { kind: 'interrupted', changed, manual };
			const result = await deps.apply(step, action);
			switch (result.kind) {
				case 'done':
					changed = true;
					break;
				case 'manual':
					manual.push({ action, evidence: result.evidence });
					break;
				case 'interrupted':
					return { kind: 'interrupted', changed: true, manual };
				case 'postponed':
					return { kind: 'postponed', changed, manual, why: result.why };
				case 'stale':
					// Nothing was done. The step looks again and shows the new plan.
					return { kind: 'done', changed, manual };
				case 'failed': {
					const decision = await deps.decider.onFailure(step, result.failure);
					if (decision !== 'retry')
						return { kind: 'failed', changed: true, manual, failure: result.failure, quit: decision === 'quit' };
					if (result.undidMore) return { kind: 'again', changed: true };
					again = true;
					break;
				}
				default:
					result satisfies never;
			}
		}
	}
	return { kind: 'done', changed, manual };
}
