import type { ActionFailure } from '../model/decider.ts';
import type { Finding } from '../model/finding.ts';
import type { Probe } from '../model/probe.ts';
import type { AnswerValue, Question } from '../model/question.ts';
import type { PreviewedStep, Setting } from '../model/review.ts';
import type { RiskName } from '../model/risk.ts';
import type { StepId } from '../model/step-id.ts';

/** An attempt as it is announced. */
export type AnnouncedProbe = Omit<Probe, 'run'>;

/** What a decision is about, for an asker that draws more of it than its text. */
export type Subject =
	| { readonly kind: 'question'; readonly step: StepId; readonly question: Question }
	/** What the run would ask, settled on one page. */
	| { readonly kind: 'settings'; readonly settings: readonly Setting[] }
	/** Everything that the run would do. */
	| { readonly kind: 'review'; readonly run: readonly PreviewedStep[] }
	| { readonly kind: 'plan'; readonly step: StepId; readonly findings: readonly Finding[] }
	| { readonly kind: 'risk'; readonly step: StepId; readonly risk: RiskName }
	| { readonly kind: 'failure'; readonly step: StepId; readonly failure: ActionFailure }
	| {
			readonly kind: 'blocked';
			readonly step: StepId;
			readonly findings: readonly Finding[];
			/** They are actions of the plan that only the operator can do. */
			readonly manual?: true | undefined;
	  }
	| {
			readonly kind: 'proof';
			readonly step: StepId;
			readonly probes: readonly AnnouncedProbe[];
			readonly leftOut: readonly { readonly title: string; readonly why: string }[];
	  }
	/** What a proof has shown. */
	| { readonly kind: 'result'; readonly step: StepId };

export interface Choice {
	readonly value: string;
	readonly label: string;
	readonly hint?: string | undefined;
	/** The word that takes it where lines are typed, and its first letter; a choice without one is taken by its value. */
	readonly key?: string | undefined;
}

/** How a decision is answered. */
export type Input =
	/** One of several. Without `initial` Enter takes nothing. */
	| { readonly kind: 'one'; readonly choices: readonly Choice[]; readonly initial?: string | undefined }
	/** Any of several. */
	| { readonly kind: 'many'; readonly choices: readonly Choice[]; readonly initial: readonly string[] | undefined }
	/** A line to type. */
	| {
			readonly kind: 'line';
			readonly initial?: string | undefined;
			/** What is typed is not shown. */
			readonly secret?: true | undefined;
			readonly path?: true | undefined;
			readonly unit?: string | undefined;
			/** The word that has to be typed; nothing else is taken. */
			readonly word?: string | undefined;
	  };

/** What may be done besides answering. */
export interface Ways {
	readonly back: boolean;
	readonly skip: boolean;
	readonly quit: boolean;
}

export type Reply =
	| { readonly kind: 'taken'; readonly value: AnswerValue }
	| { readonly kind: 'back' | 'skip' | 'quit' };

/** What was typed or chosen as a value, or what is wrong with it. */
export type Check = (reply: AnswerValue) => { readonly value: AnswerValue } | { readonly problem: string };

/** A decision as it is put to a person, whoever shows it. */
export interface Decision {
	readonly subject: Subject;
	readonly title: string;
	/** Sentences to be read before it is made, in reading order. */
	readonly body: readonly string[];
	/** In a few words, where lines are typed: `do it?`. */
	readonly prompt: string;
	readonly input: Input;
	readonly ways: Ways;
	/** Without it every reply is fine. */
	readonly check?: Check | undefined;
}

/** Puts a decision to a person. */
export type Asker = (decision: Decision) => Promise<Reply>;
