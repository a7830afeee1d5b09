import type { Decider } from '../model/decider.ts';
import type { Difference } from '../model/drift.ts';
import type { EventReader } from '../model/event-stream.ts';
import type { StepOrder } from '../model/order.ts';
import type { Answers } from '../model/question.ts';
import type { RunState } from '../model/state.ts';
import type { StepId } from '../model/step-id.ts';
import type { Environment } from '../session/environment.ts';
import { glyphsFor } from '../view/glyphs.ts';
import { type TextOptions, type TextReader, textReader } from '../view/text.ts';
import type { Inputs } from './preflight.ts';
import type { Terminal } from './terminal.ts';

/** What the operator chose before the first step. */
export type Begun =
	| { readonly kind: 'go-on' }
	| { readonly kind: 'left'; readonly exit: number }
	/** What an earlier process of the run did is to be taken back. */
	| { readonly kind: 'undo' };

/** A person, as a run sees one: somebody who decides, a reader of events, a beginning and an end. */
export interface Frontend {
	readonly decider: Decider;
	readonly reader: EventReader;
	readonly begin: () => Promise<Begun>;
	readonly end: () => Promise<void>;
	/** At a failure the operator chose to take back what was done. */
	readonly wantsUndo: () => boolean;
}

export interface FrontendRequest {
	/** The command that goes on with this run. */
	readonly goOn: string;
	readonly mode: 'run' | 'test' | 'revert';
	readonly order: StepOrder;
	/** The run that is taken back, and what of it stays. */
	readonly takesBack?: { readonly run: RunState; readonly stays: readonly string[] } | undefined;
	/** What an earlier run has set up here, where this one is new. */
	readonly standing?: RunState | undefined;
	readonly from: RunState;
	readonly saved: Answers;
	/** Which of them come from the last run, by the question's id. */
	readonly lastRun: ReadonlySet<string>;
	readonly passed: Inputs;
	readonly environment: Environment;
	readonly terminal: Terminal;
	/** Nothing is written in colour. */
	readonly noColor: boolean;
	readonly signal: AbortSignal;
	/** Looks at the host again, and holds it against what the run that goes on had seen. */
	readonly driftSince: (signal: AbortSignal) => Promise<readonly Difference[]>;
}

/** Steps before the one where the run was left: their answers are not asked for again when it goes on. */
export function finishedBefore(run: RunState): ReadonlySet<StepId> {
	const last = run.steps.at(-1);
	return new Set(run.steps.filter(step => step.id !== last?.id && step.status !== 'running').map(step => step.id));
}

/** The steps as they are announced, each with those without which it is not run. */
export const numbered = ({ steps }: StepOrder) =>
	steps.map(({ step: { id, needs } }, index) => ({ id, needs, n: index + 1 }));

/** What a run says in plain lines on this terminal, whoever decides. */
export const reportInText = ({
	mode,
	terminal,
	passed,
	environment,
}: Pick<FrontendRequest, 'terminal' | 'passed' | 'environment'> & Pick<TextOptions, 'mode'>): TextReader =>
	textReader({
		glyphs: glyphsFor(terminal.environment),
		talk: terminal.err,
		data: terminal.out,
		mode,
		accepted: passed.risks,
		command: environment.command,
		all: false,
	});
