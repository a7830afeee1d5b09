import type { ReadHost } from '../port/host.ts';
import type { Action, Plan } from './action.ts';
import type { Json } from './data.ts';
import type { Finding } from './finding.ts';
import type { FindingId } from './finding-id.ts';
import type { Knowledge } from './knowledge.ts';
import type { Proof } from './probe.ts';
import type { Answers, Question } from './question.ts';
import type { RunState } from './state.ts';
import type { StepId } from './step-id.ts';

/** What the command line says to the steps. */
export interface RunOptions {
	readonly deb?: string | undefined;
	readonly imageArchives: readonly string[];
	readonly record?: string | undefined;
	readonly workingDirectory: string;
	readonly changeId?: string | undefined;
	/** The window for disruptions ends then. */
	readonly until?: Date | undefined;
	/** How long running jobs are waited for; undefined: nobody said. */
	readonly drainTimeoutMs?: number | undefined;
	/** Somebody sits behind the questions. */
	readonly attended?: true | undefined;
	/** Files and directories that others write, as the command line says; undefined: it says nothing about it. */
	readonly managed?: readonly string[] | undefined;
	/** How the operator would start this tool again: `sysbox-setup`, or `npx sysbox-setup@1.0.0`. */
	readonly command: string;
	/** What was typed, so that an option can be put behind it; undefined where nobody typed anything. */
	readonly again?: string | undefined;
	readonly stateDirectory: string;
}

/** What a step may look at. It can change nothing. */
export interface StepContext {
	readonly host: ReadHost;
	readonly knowledge: Knowledge;
	readonly options: RunOptions;
	readonly answers: Answers;
	/** The run so far, as reduced from its events. */
	readonly state: RunState;
	readonly now: Date;
	readonly signal: AbortSignal;
	/**
	 * A file as it was before this run first changed it, or first had others change it, for what has to be put back
	 * without this tool. Only a run that keeps a log knows.
	 */
	readonly before?: ((path: string) => Promise<FileBefore>) | undefined;
}

export type FileBefore =
	| { readonly kind: 'bytes'; readonly bytes: Uint8Array }
	/** There was no such file. */
	| { readonly kind: 'missing' }
	/** This run has not touched it. */
	| { readonly kind: 'unchanged' }
	/** It was changed, and its backup cannot be read. */
	| { readonly kind: 'gone' };

/** What the pure parts of a step get besides their facts. */
export type JudgeContext = Omit<StepContext, 'host' | 'signal' | 'before'>;

interface StepBase {
	readonly id: StepId;
	/** What the step is about, as the operator reads it: "Host compatibility". */
	readonly title: string;
	/** One sentence: what it does and why. */
	readonly why: string;
	/** The same in a few words, for a list of steps. */
	readonly brief?: string | undefined;
	/** Steps that must be fit before this one is applied. They are always inspected, never applied, when not chosen. */
	readonly needs: readonly StepId[];
	/** Every id that this step may ever ask, so that a misspelt one in an answers file can be named. */
	readonly answerIds?: readonly string[] | undefined;
	/** Every finding that it can come to. */
	readonly findingIds?: readonly FindingId[] | undefined;
}

export interface Observation {
	readonly key: string;
	readonly value: Json;
}

/** inspect → judge → ask → plan → apply → inspect again; done when nothing blocks and the plan is empty. */
export interface ChangeStep<Facts> extends StepBase {
	readonly kind: 'change';
	inspect(context: StepContext): Promise<Facts>;
	judge(facts: Facts, context: JudgeContext): readonly Finding[];
	/** Dated evidence worth keeping in the log; the first of a key is the run's baseline. */
	observe?(facts: Facts): readonly Observation[];
	/**
	 * The questions whose turn it is, given the answers so far. Without facts (before anything is inspected) only what
	 * does not depend on the host: that is how a missing or mistyped answer is named before the run starts.
	 */
	ask?(answers: Answers, facts: Facts | undefined, context: JudgeContext): readonly Question[];
	plan(facts: Facts, context: JudgeContext): Plan;
	/**
	 * What the step still owes the host when it ends, however it ends: a runner that was told to take no job takes jobs
	 * again. Carried out without being asked again, as it only gives back what the step itself took away.
	 */
	cleanup?(facts: Facts, context: JudgeContext): readonly Action[];
}

/** Plans its images and containers too, then runs probes. */
export interface ProofStep<Facts> extends StepBase {
	readonly kind: 'proof';
	inspect(context: StepContext): Promise<Facts>;
	judge(facts: Facts, context: JudgeContext): readonly Finding[];
	observe?(facts: Facts): readonly Observation[];
	ask?(answers: Answers, facts: Facts | undefined, context: JudgeContext): readonly Question[];
	/** What has to be there before the probes run: images to load or pull. */
	plan(facts: Facts, context: JudgeContext): Plan;
	probes(facts: Facts, context: JudgeContext): Proof;
	/**
	 * What takes back a change of this run that these probes found harmful; empty where it made none. Shown and approved
	 * as any plan: the proof has failed all the same.
	 */
	remedy?(facts: Facts, failed: readonly string[], context: JudgeContext): Plan;
}

/** A reduction of the run's events into a file. */
export interface ReportStep extends StepBase {
	readonly kind: 'report';
	ask?(answers: Answers, facts: undefined, context: JudgeContext): readonly Question[];
	/** Looks at the target; `refused` is found before the run starts, as a record that cannot be written is no record. */
	inspect(context: StepContext): Promise<ReportTarget>;
	compose(target: ReportTarget, context: JudgeContext): Action & { readonly kind: 'write' };
}

export type ReportTarget =
	| { readonly kind: 'target'; readonly path: string; readonly exists: import('../port/host.ts').Expected }
	| { readonly kind: 'refused'; readonly why: string };

export type Step = ChangeStep<unknown> | ProofStep<unknown> | ReportStep;

/** Lets steps with different facts stand in one list: the engine hands a step only facts that it made itself. */
export function changeStep<Facts>(step: Omit<ChangeStep<Facts>, 'kind'>): Step {
	return { kind: 'change', ...step } as ChangeStep<unknown>;
}

export function proofStep<Facts>(step: Omit<ProofStep<Facts>, 'kind'>): Step {
	return { kind: 'proof', ...step } as ProofStep<unknown>;
}
