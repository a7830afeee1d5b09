import type { Action, Plan } from './action.ts';
import type { Finding } from './finding.ts';
import type { Proof } from './probe.ts';
import type { AnswerSource, Answers, AnswerValue, Place, Question } from './question.ts';
import type { PreviewedStep, Setting } from './review.ts';
import type { RiskName } from './risk.ts';
import type { StepId } from './step-id.ts';

export type AnswerDecision =
	| { readonly kind: 'answer'; readonly value: AnswerValue; readonly source: AnswerSource }
	/** Nobody can say: only an unattended run, and only for a question without a default. */
	| { readonly kind: 'missing' }
	| { readonly kind: 'back' | 'quit' };

export type PlanDecision =
	| { readonly kind: 'apply'; readonly risks: readonly RiskName[] }
	| { readonly kind: 'skip' | 'quit' | 'back' }
	/** Unattended, and the plan holds a risk that was not accepted by name. */
	| { readonly kind: 'refused'; readonly missing: readonly RiskName[] }
	/** The run is held to a saved plan, and this is not it: the finding says what differs. */
	| { readonly kind: 'differs'; readonly finding: Finding };

export type FailureDecision = 'retry' | 'go-on' | 'quit';

export interface ActionFailure {
	readonly action: Action;
	readonly said: string;
	readonly why?: string | undefined;
	/** What is true on the host now. */
	readonly now?: string | undefined;
	readonly next: readonly string[];
}

/** What may be done besides deciding. */
export interface WaysOut {
	/** `back` leads to the decision before this one: there is one, and nothing was applied or proved since. */
	readonly back: boolean;
	/** Somebody went back in this run: from then on nothing is answered for them. */
	readonly turned?: boolean | undefined;
	/** The plan was agreed to in the review of the run, with these risks: it need not be put to the operator again. */
	readonly agreed?: readonly RiskName[] | undefined;
}

export type BlockedDecision = 'look-again' | 'go-on' | 'quit' | 'back';

/** `changed`: what the run would do is to be foreseen again with them. */
export type SettingsDecision =
	| { readonly kind: 'changed'; readonly answers: Answers }
	/** All are taken as they are shown, or each question is asked in its step. */
	| { readonly kind: 'go-on' | 'one-by-one' | 'quit' };

export type ReviewDecision =
	/** Step by step: each plan is put to the operator. */
	| { readonly kind: 'go-on' | 'quit' | 'back' }
	/** All that was shown and carries no other risk than these is applied without being asked again. */
	| { readonly kind: 'apply'; readonly risks: readonly RiskName[] };

export type ProofDecision = 'run' | 'skip' | 'quit' | 'back';

/** A person, an answers file, or a test script. The optional methods are a person's: without one the run goes on. */
export interface Decider {
	answer(step: StepId, question: Question, ways: WaysOut, place: Place): Promise<AnswerDecision>;
	approve(step: StepId, plan: Plan, findings: readonly Finding[], ways: WaysOut): Promise<PlanDecision>;
	onFailure(step: StepId, failure: ActionFailure): Promise<FailureDecision>;
	/** Before the first step: what the run would ask, each with the answer that would be taken for it. */
	settings?(settings: readonly Setting[]): Promise<SettingsDecision>;
	/**
	 * Everything that the run would do, where that is more than one step: before the first step, or before the first plan
	 * where each question is asked in its step.
	 */
	review?(run: readonly PreviewedStep[], ways: WaysOut): Promise<ReviewDecision>;
	/** Something hinders the step that its plan cannot end. */
	onBlocked?(step: StepId, findings: readonly Finding[], ways: WaysOut): Promise<BlockedDecision>;
	/** What only the operator, or a program of theirs, can do is left to be done. */
	onLeft?(step: StepId, left: readonly Finding[]): Promise<Exclude<BlockedDecision, 'back'>>;
	/** Throw-away containers are about to be started. */
	beforeProbes?(step: StepId, proof: Proof, ways: WaysOut): Promise<ProofDecision>;
	/** They were all run, and what they showed can be read. */
	afterProbes?(step: StepId): Promise<'go-on' | 'quit'>;
}

/** What became of an action. */
export type ApplyResult =
	| { readonly kind: 'done' }
	| { readonly kind: 'manual'; readonly evidence?: string | undefined }
	/** `undidMore`: its way back has taken away what actions before it had done. */
	| { readonly kind: 'failed'; readonly failure: ActionFailure; readonly undidMore: boolean }
	/** The host is no longer as the plan assumed: nothing was done, and the step has to look again. */
	| { readonly kind: 'stale'; readonly failure: ActionFailure }
	/** Less is left of the window than it needs: nothing was done. */
	| { readonly kind: 'postponed'; readonly why: string }
	| { readonly kind: 'interrupted' };
