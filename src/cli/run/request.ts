import type { Selection } from '../../model/order.ts';
import type { Answers } from '../../model/question.ts';
import type { RunState } from '../../model/state.ts';
import type { Step } from '../../model/step.ts';
import type { Environment } from '../../session/environment.ts';
import type { OpenedRun } from '../../session/open-run.ts';
import { shellLine } from '../../text/shell-line.ts';
import type { CommonOptions } from '../args.ts';
import type { HeldTo } from '../plan-file.ts';
import type { Inputs } from '../preflight.ts';
import type { StopSignals } from '../stop-signals.ts';
import type { Terminal } from '../terminal.ts';

/** What a command asks of a run. */
export interface RunRequest {
	readonly mode: 'run' | 'check' | 'plan' | 'test' | 'revert';
	readonly steps: readonly Step[];
	readonly selection: Selection;
	readonly options: CommonOptions;
	readonly passed: Inputs;
	readonly strict: boolean;
	/** Of `check`: which hosts it ends 0 for. */
	readonly want?: 'compatible' | 'set-up' | undefined;
	readonly environment: Environment;
	readonly terminal: Terminal;
	readonly stop: StopSignals;
	/** Argv as it was typed, for log and record. */
	readonly typed: readonly string[];
	/** Without one (check, plan) nothing is kept on disk. */
	readonly opened?: OpenedRun | undefined;
	readonly reverts?: string | undefined;
	/** What the log of that run says. */
	readonly reverted?: RunState | undefined;
	/** What that run did, as its log tells, and what of it stays. */
	readonly takesBack?: { readonly run: RunState; readonly stays: readonly string[] } | undefined;
	/** What an earlier run has set up here, where this one is new. */
	readonly standing?: RunState | undefined;
	/** The operator chose to take back what the run did: for whoever called, once this has returned. */
	readonly onUndo?: (() => void) | undefined;
	/** The saved plan that this run is held to. */
	readonly held?: HeldTo | undefined;
	/** What the last run was answered: the defaults of this one. */
	readonly lastAnswers?: Answers | undefined;
	/** Where a plan is saved. */
	readonly out?: string | undefined;
}

/** The command that goes on with an interrupted run: what was typed, as it was typed. */
export function resumeCommand({ environment, typed }: Pick<RunRequest, 'environment' | 'typed'>): string {
	// Its options are among what was typed, or still in the environment.
	const [program = ''] = environment.command.split(' --');
	return [program, shellLine(typed.filter(word => word !== '--fresh'))].join(' ').trimEnd();
}
