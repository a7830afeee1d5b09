import type { Difference } from '../model/drift.ts';
import type { Finding } from '../model/finding.ts';
import type { RiskName } from '../model/risk.ts';
import { latestFindings, type RunState, type StepState } from '../model/state.ts';
import type { StepId } from '../model/step-id.ts';
import type { Subject, Ways } from '../prompts/decision.ts';
import type { NumberedStep } from '../prompts/needed-by.ts';
import type { Line } from './line.ts';
import type { Pager } from './pager.ts';
import type { Prompt } from './prompt.ts';

/** A step as it is announced. */
export interface IntroStep extends NumberedStep {
	readonly title: string;
	readonly why: string;
	/** In a few words. */
	readonly brief: string;
	/** Only looked at, as a step that was chosen needs it. */
	readonly inspected?: true | undefined;
}

/** What the wizard knows before the first event. */
export interface Intro {
	readonly tool: string;
	readonly host: string;
	readonly user: string;
	readonly simulated: boolean;
	/** How the operator would start this tool again. */
	readonly command: string;
	/** The command that goes on with this very run. */
	readonly goOn: string;
	readonly mode: 'run' | 'test' | 'revert';
	/** Risks that were accepted by name when the run was started. */
	readonly accepted: readonly RiskName[];
	/** By the host's clock: a simulated host has one of its own. */
	readonly now: number;
	readonly steps: readonly IntroStep[];
	/** The run that is taken back, and what of it stays. */
	readonly takesBack?: { readonly run: RunState; readonly stays: readonly string[] } | undefined;
	/** What an earlier run has set up here, when there is none to go on with. */
	readonly standing?: RunState | undefined;
	/** The run that was left, when there is one to go on with. */
	readonly resume?: RunState | undefined;
}

/** What the host looks like, held against what the run that was left had seen of it. */
export type SeenSince =
	| { readonly kind: 'looking' }
	| { readonly kind: 'seen'; readonly differences: readonly Difference[] }
	| { readonly kind: 'failed'; readonly why: string };

/** What is asked on a screen, besides its prompt. */
export type Screen =
	| { readonly kind: 'start'; readonly seen?: SeenSince | undefined }
	| Exclude<Subject, { kind: 'plan' }>
	/** 0 is all of it at a glance, then come the changes in full, as many a page as it holds. */
	| (Extract<Subject, { kind: 'plan' }> & { readonly page: number })
	| { readonly kind: 'end'; readonly saved?: string | undefined; readonly problem?: string | undefined };

/** A screen that waits for the operator. */
export interface Asking {
	readonly screen: Screen;
	/** What a decision says. The first and the last screen of the wizard have their own text. */
	readonly title?: string | undefined;
	readonly body?: readonly string[] | undefined;
	readonly prompt: Prompt;
	readonly ways: Ways;
}

/** Something laid over the screen; closing it leads back. */
export type Overlay =
	| { readonly kind: 'help' }
	| { readonly kind: 'full-view'; readonly pager: Pager }
	| { readonly kind: 'explain'; readonly findings: readonly Finding[]; readonly at: number };

/** From when to when something ran, by this process' own clock: a simulated host's clock is not the operator's. */
export interface Clock {
	readonly from: number;
	readonly to?: number | undefined;
}

/** Everything that is drawn. */
export interface WizardState {
	readonly intro: Intro;
	readonly run: RunState;
	readonly asking: Asking | undefined;
	readonly overlay: Overlay | undefined;
	/** Finished lines. They are written once and never move again. */
	readonly transcript: readonly (readonly Line[])[];
	/** Ctrl+C was pressed, or a signal came: the work ends at the next safe point. */
	readonly stopping: boolean;
	readonly clocks: Readonly<Record<string, Clock>>;
	/** How many attempts a proof makes. */
	readonly totals: Readonly<Record<StepId, number>>;
	readonly now: number;
	readonly size: { readonly columns: number; readonly rows: number };
	/** Nothing is drawn any more. */
	readonly closed: boolean;
}

/** The step that is being run, or was last. */
export const currentStep = (state: WizardState): StepState | undefined => {
	const screen = state.asking?.screen;
	const id = screen !== undefined && 'step' in screen ? screen.step : undefined;
	return id === undefined ? state.run.steps.at(-1) : state.run.steps.find(step => step.id === id);
};

/** The actions of a step's plan for which a risk is asked. */
export const actionsOf = (step: StepState | undefined, risk: RiskName) =>
	(step?.plan?.actions ?? []).filter(action => action.risks?.includes(risk) === true);

export const findingsOf = (step: StepState | undefined): readonly Finding[] =>
	step === undefined ? [] : latestFindings(step);

/**
 * The findings that a screen is about, and then those of its step: what stands in the way may be none of the step's own,
 * such as a plan that is not the saved one.
 */
export function findingsAbout(step: StepState | undefined, screen: Screen | undefined): readonly Finding[] {
	const found = findingsOf(step);
	if (screen?.kind !== 'blocked') return found;
	const ids = new Set(found.map(({ id }) => id));
	return [...screen.findings.filter(({ id }) => !ids.has(id)), ...found];
}

/** Rows are broken before the edge, and lines of more than a hundred characters are not read well. */
export const textWidth = (columns: number): number => Math.max(20, Math.min(columns - 2, 100));
