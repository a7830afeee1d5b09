import type { ImpactContainer } from '../model/impact.ts';
import { type ActionState, type RunState, takenBackIn } from '../model/state.ts';
import type { StepId } from '../model/step-id.ts';
import type { ExactAction, PlannedStep } from './saved-plan.ts';

/** What is not as it was approved. */
export type Difference =
	/** Would be done now and was not approved; `again`: it was, and this run has done it already. */
	| { readonly kind: 'more'; readonly step: StepId; readonly action: ExactAction; readonly again: boolean }
	/** Was approved and would not be done now. */
	| { readonly kind: 'less'; readonly step: StepId; readonly action: ExactAction }
	| { readonly kind: 'other'; readonly step: StepId; readonly approved: ExactAction; readonly now: ExactAction }
	| {
			readonly kind: 'order';
			readonly step: StepId;
			readonly approved: readonly string[];
			readonly now: readonly string[];
	  }
	/** Something would stop now of which nobody was told. */
	| { readonly kind: 'stops'; readonly step: StepId; readonly what: string }
	| { readonly kind: 'step'; readonly step: StepId; readonly only: 'plan' | 'run' };

/** What of a step's approved plan this run has done already, or may have. */
export interface Accounted {
	readonly done: ReadonlySet<string>;
	readonly perhaps: ReadonlySet<string>;
}

export const nothingDone: Accounted = { done: new Set(), perhaps: new Set() };

/**
 * The log's account of a step since the run is held to this plan. An action that was cut off may have come to its end,
 * one that a later one took back may have to be done anew, and what an earlier step has done to the word (a pull of the
 * same image) need not be done again: whether it is left to do is for the look at the host to say.
 */
export function accountedFor(state: RunState, step: PlannedStep, digest: string): Accounted {
	const held = [state.start, ...state.resumes].find(event => event?.plan?.digest === digest);
	if (held === undefined) return nothingDone;
	const takenBack = takenBackIn(state);
	const since = state.actions.filter(action => action.seq > held.seq && carriedOut.has(action.outcome));
	// Of an action that was tried again, the last word counts.
	const own = new Map(since.filter(action => action.step === step.id).map(action => [action.id, action]));
	const elsewhere = new Set(since.map(action => action.does));
	return {
		done: new Set(
			[...own].filter(([, action]) => action.outcome === 'done' && !takenBack.has(action)).map(([id]) => id),
		),
		perhaps: new Set([...own.keys(), ...step.actions.filter(({ does }) => elsewhere.has(does)).map(({ id }) => id)]),
	};
}

/** What may have changed something. */
const carriedOut: ReadonlySet<ActionState['outcome']> = new Set(['done', 'intended', 'interrupted', 'failed']);

/**
 * Holds what a step would do now against what was approved: the same actions, to the byte, in the same order. Two plans
 * that are both foreseen have the same way back too; one that is made in the middle of a run may have less to take back,
 * as an earlier step has brought a package already.
 */
export function compareStep(
	then: PlannedStep,
	now: PlannedStep,
	accounted: Accounted,
	bothForeseen = false,
): readonly Difference[] {
	const step = then.id;
	const left = then.actions.filter(action => !accounted.done.has(action.id));
	const approved = new Map(left.map(action => [action.id, action]));
	const wanted = new Map(now.actions.map(action => [action.id, action]));
	const differences: Difference[] = [];
	for (const action of now.actions) {
		const before = approved.get(action.id);
		// It was not there to be foreseen, and takes nothing from the host.
		if (before === undefined && action.exact.givesBack === true) continue;
		if (before === undefined)
			differences.push({ kind: 'more', step, action, again: then.actions.some(a => a.id === action.id) });
		else if (before.exact.sha256 !== action.exact.sha256 || (bothForeseen && before.undo !== action.undo))
			differences.push({ kind: 'other', step, approved: before, now: action });
	}
	for (const action of left)
		if (!wanted.has(action.id) && !accounted.perhaps.has(action.id)) differences.push({ kind: 'less', step, action });
	const order = left.filter(action => wanted.has(action.id)).map(action => action.id);
	const orderNow = now.actions.filter(action => approved.has(action.id)).map(action => action.id);
	if (order.join('\n') !== orderNow.join('\n'))
		differences.push({ kind: 'order', step, approved: order, now: orderNow });
	return [...differences, ...stopsMore(then, now).map(what => ({ kind: 'stops' as const, step, what }))];
}

/** Holds a whole run against its plan. */
export function comparePlans(
	then: readonly PlannedStep[],
	now: readonly PlannedStep[],
	accounted: (step: PlannedStep) => Accounted,
	bothForeseen: boolean,
): readonly Difference[] {
	const missing = (from: readonly PlannedStep[], only: 'plan' | 'run', steps: readonly PlannedStep[]) =>
		steps
			.filter(({ id }) => !from.some(step => step.id === id))
			.map(({ id }) => ({ kind: 'step' as const, step: id, only }));
	return [
		...missing(now, 'plan', then),
		...missing(then, 'run', now),
		...then.flatMap(step => {
			const same = now.find(({ id }) => id === step.id);
			return same === undefined ? [] : compareStep(step, same, accounted(step), bothForeseen);
		}),
	];
}

/** How much is lost; less than what was approved is no surprise. */
const gravity: Readonly<Record<ImpactContainer['fate'], number>> = {
	'keeps-running': 0,
	'finishes-first': 0,
	'comes-back': 1,
	'comes-back-after-error': 2,
	'does-not-come-back': 3,
	'started-again': 1,
	'stays-stopped': 3,
	breaks: 3,
	'is-removed': 4,
};

function stopsMore(then: PlannedStep, now: PlannedStep): readonly string[] {
	const { impact } = now;
	if (impact === undefined) return [];
	if (impact.containers === undefined) {
		const told = new Set(then.impact?.stops);
		return impact.stops.filter(stop => !told.has(stop));
	}
	const told = new Map(then.impact?.containers?.map(container => [container.id, gravity[container.fate]]));
	return impact.containers
		.filter(container => gravity[container.fate] > (told.get(container.id) ?? 0))
		.map(({ name, image }) => `${name} (${image})`);
}
