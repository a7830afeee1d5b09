import type { Action } from '../model/action.ts';
import type { ApplyResult, Decider } from '../model/decider.ts';
import type { Emit } from '../model/event.ts';
import type { Outcome } from '../model/exit.ts';
import type { Knowledge } from '../model/knowledge.ts';
import type { OpenWork } from '../model/open-work.ts';
import type { StepOrder } from '../model/order.ts';
import type { ProbeHost } from '../model/probe.ts';
import type { Answers, AnswerValue, Question } from '../model/question.ts';
import type { Setting } from '../model/review.ts';
import type { ShownAction } from '../model/shown-action.ts';
import type { RunState } from '../model/state.ts';
import type { RunOptions } from '../model/step.ts';
import type { StepId } from '../model/step-id.ts';
import type { Waiver } from '../model/waiver.ts';
import type { ReadHost } from '../port/host.ts';

export interface EngineDeps {
	readonly host: ReadHost;
	readonly knowledge: Knowledge;
	readonly options: RunOptions;
	readonly decider: Decider;
	/** What was answered before this run asked anything: counts for steps that are only inspected, which ask nothing. */
	readonly given?:
		| ((
				question: Question,
		  ) => { readonly value: AnswerValue; readonly source: 'answers' | 'saved' | 'last-run' } | undefined)
		| undefined;
	readonly emit: Emit;
	readonly state: () => RunState;
	readonly now: () => Date;
	/** Milliseconds by a clock that nobody can set. */
	readonly elapsed: () => number;
	readonly signal: AbortSignal;
	/** `calm`: carried out although the run is being stopped. */
	readonly apply: (step: StepId, action: Action, how?: { readonly calm: true }) => Promise<ApplyResult>;
	/** How an action is shown; the same function serves plan output, log and record. */
	readonly show: (action: Action) => ShownAction;
	/** A host on which these actions' file changes can already be read, so that a plan foresees its own effects. */
	readonly preview: (actions: readonly Action[]) => ReadHost;
	/** The host for one look of a step at it. Without it, every look is at the host itself. */
	readonly eachLook?: ((host: ReadHost) => ReadHost) | undefined;
	/** Bytes that an action of this run replaced, by their sha256. */
	readonly kept: (sha256: string) => Promise<Uint8Array | undefined>;
	readonly probeHost: ProbeHost;
	/** Removes every throw-away object of this run. Says what could not be removed. */
	readonly cleanUpProbes: () => Promise<readonly string[]>;
	/**
	 * Foresees the rest of the run with the answers so far and what would be taken for the others; or all of it afresh, with
	 * no answers but these.
	 */
	readonly lookAhead?: ((afresh?: Answers) => Promise<RunPreview>) | undefined;
	readonly saveAnswer: (id: string, value: Answers[string]) => void;
	readonly saveCursor: (step: StepId) => void;
}

export interface EngineRequest {
	readonly mode: 'run' | 'check' | 'plan' | 'test';
	readonly order: StepOrder;
	readonly waivers: readonly Waiver[];
	/** With it, checks left out for lack of root count as "could not tell" too. */
	readonly strict: boolean;
	/** A record is written although nothing was changed. */
	readonly recordAsked: boolean;
}

export interface EngineEnd {
	readonly outcome: Outcome;
	readonly exit: number;
	readonly changed: boolean;
	readonly work: readonly OpenWork[];
	readonly why?: string | undefined;
}

/** What a run would come to, as far as it can be foreseen. */
export interface RunPreview {
	readonly end: EngineEnd;
	/** The run so far, with the steps as they would be planned. */
	readonly state: RunState;
	/** What it would ask, each question once. */
	readonly asked: readonly Setting[];
}
