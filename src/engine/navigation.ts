import type { WaysOut } from '../model/decider.ts';
import type { AnswerSource, AnswerValue, Question } from '../model/question.ts';
import type { PreviewedStep } from '../model/review.ts';
import type { RiskName } from '../model/risk.ts';

/** What a wish to go back comes to. */
export type WayBack =
	/** A question of this step is asked once more. */
	| 'ask-again'
	/** The whole run is shown once more, and then the plan of this step. */
	| 'review-again'
	/** An earlier step is visited once more. */
	| 'went-back'
	/** Nothing lies behind this decision: whoever wants back all the same leaves. */
	| 'leave';

/** One visit of a step: what was decided in it, so that going back finds the decision before. */
export interface StepVisit {
	/** The questions that were answered in it, those that were settled before the run first. */
	readonly passed: readonly Question[];
	/** Somebody decides: what may be done besides. `changed`: the step has changed the host, and no way leads back over that. */
	decide(changed?: boolean): WaysOut;
	/** A decision was made that `back` leads to. */
	pass(decision: Question | 'review'): void;
	/** A question was answered by what was settled before the first step: `back` does not lead to it. */
	take(question: Question): void;
	/** The question that is to be asked once more, before all others; once. */
	takeAgain(): Question | undefined;
	/** Somebody wants back from a decision with these ways. */
	back(from: WaysOut): WayBack;
}

/** What somebody settled before the first step. */
export interface Prepared {
	/** Answers by the question's id. */
	readonly answers: ReadonlyMap<string, { readonly value: AnswerValue; readonly source: AnswerSource }>;
	/** What is applied without being asked again, and the risks that it may carry; undefined: each plan is asked. */
	readonly approved?: { readonly steps: readonly PreviewedStep[]; readonly risks: readonly RiskName[] } | undefined;
}

/** The index that stands for what comes before the first step. */
export const beforeFirst = -1;

/** Where a run stands among its decisions. */
export interface Navigation {
	/** Everything that the run would do was shown, or need not be. */
	reviewed: boolean;
	/** What was settled and agreed to before the first step. */
	prepared: Prepared | undefined;
	/** A step was planned or applied: what the proofs need was fetched before it, as far as it was known. */
	fetched: boolean;
	/** Somebody went back: nothing is answered for them any more. */
	readonly turned: boolean;
	visit(): StepVisit;
	/** The index of the step that comes after this visit of one. */
	next(
		index: number,
		visit: StepVisit,
		end: { readonly back: boolean /** Something was applied or proved. */; readonly final: boolean },
	): number;
}

export function createNavigation(): Navigation {
	/** Steps where somebody decided and nothing was applied or proved since: where "back" leads. */
	let stops: number[] = [];
	let turned = false;
	/** Nothing was applied or proved yet: what was settled before the first step can be settled otherwise. */
	let fresh = true;
	const decided = new Set<StepVisit>();

	const navigation: Navigation = {
		reviewed: false,
		prepared: undefined,
		fetched: false,
		get turned() {
			return turned;
		},
		visit() {
			const earlier = stops.length > 0;
			const made: (Question | 'review')[] = [];
			const taken: Question[] = [];
			let again: Question | undefined;
			const visit: StepVisit = {
				get passed() {
					return [...taken, ...made.filter(decision => decision !== 'review')];
				},
				decide(changed = false) {
					decided.add(visit);
					const behind = earlier || made.length > 0 || (fresh && navigation.prepared !== undefined);
					return { back: !changed && behind, turned };
				},
				pass(decision) {
					made.push(decision);
					if (decision === 'review') navigation.reviewed = true;
				},
				take(question) {
					taken.push(question);
				},
				takeAgain() {
					const question = again;
					again = undefined;
					return question;
				},
				back(from) {
					if (!from.back) return 'leave';
					turned = true;
					const last = made.pop();
					if (last === undefined) return 'went-back';
					if (last !== 'review') {
						again = last;
						return 'ask-again';
					}
					navigation.reviewed = false;
					return 'review-again';
				},
			};
			return visit;
		},
		next(index, visit, { back, final }) {
			if (back) return stops.pop() ?? (fresh && navigation.prepared !== undefined ? beforeFirst : 0);
			// Asked again, what was applied or proved would look as if it had not been.
			if (final) {
				stops = [];
				fresh = false;
			} else if (decided.has(visit)) stops.push(index);
			return index + 1;
		},
	};
	return navigation;
}
