import { performAction } from '../../actions/perform-action.ts';
import type { EngineDeps, EngineEnd, EngineRequest } from '../../engine/contract.ts';
import { runSteps } from '../../engine/engine.ts';
import { previewRun } from '../../engine/preview-run.ts';
import type { Decider } from '../../model/decider.ts';
import type { EventStream } from '../../model/event-stream.ts';
import type { Answers } from '../../model/question.ts';
import type { RiskName } from '../../model/risk.ts';
import { outOfWindow } from '../../model/window.ts';
import { dockerDeadline } from '../../port/docker-deadline.ts';
import type { ReadHost } from '../../port/host.ts';
import { decideFromAnswers } from '../../prompts/from-answers.ts';
import { heldToPlan } from '../../saved-plan/held-to-plan.ts';
import type { SavedPlan } from '../../saved-plan/saved-plan.ts';
import type { Environment } from '../../session/environment.ts';
import type { OpenedRun } from '../../session/open-run.ts';
import type { RunLog } from '../../session/run-log.ts';
import { type LookParts, lookDeps, oneLook } from './look.ts';

/** All that the steps are run with. A test makes up the parts; how they are put together is the same. */
export interface RunParts extends LookParts {
	readonly environment: LookParts['environment'] & Pick<Environment, 'pause'>;
	readonly engine: EngineRequest;
	/** The host as the steps see it. */
	readonly readHost: ReadHost;
	readonly stream: Pick<EventStream, 'emit' | 'state'>;
	readonly decider: Decider;
	/** The saved plan that the run is held to. */
	readonly plan: SavedPlan | undefined;
	/** Accepted by name. */
	readonly risks: readonly RiskName[];
	/** The whole run can be foreseen, at the price of one more look. */
	readonly ahead: boolean;
	/** Without one nothing is kept, and nothing may be changed. */
	readonly opened: (Pick<OpenedRun, 'saved' | 'saveAnswer' | 'saveCursor'> & { readonly log: RunLog }) | undefined;
}

/** Runs the steps: the only place that puts engine, actions and host together. */
export function execute(parts: RunParts): Promise<EngineEnd> {
	const { environment, engine, stream, decider, plan, opened } = parts;
	const mayChange = engine.mode === 'run' || engine.mode === 'test';
	const deps: EngineDeps = {
		...lookDeps(parts, parts.readHost),
		eachLook: mayChange ? host => dockerDeadline(host, environment.elapsed) : undefined,
		decider: plan === undefined ? decider : heldToPlan(decider, plan, stream.state),
		emit: stream.emit,
		state: stream.state,
		apply: applyWith(parts),
		lookAhead: parts.ahead ? answers => lookAhead(parts, answers) : undefined,
		saveAnswer: (id, value) => opened?.saveAnswer(id, value),
		saveCursor: step => opened?.saveCursor(step),
	};
	return runSteps(deps, engine);
}

function applyWith({ environment, options, stream, signal, opened }: RunParts): EngineDeps['apply'] {
	const { host, elapsed, pause, now } = environment;
	const deps = {
		host,
		emit: stream.emit,
		state: stream.state,
		keep: (bytes: Uint8Array) =>
			opened?.log.keep(bytes) ?? Promise.reject(new Error('this command keeps no log and must change nothing')),
		kept: async (sha256: string) => opened?.log.kept(sha256),
		keptAt: (sha256: string) => opened?.log.keptAt(sha256) ?? sha256,
		elapsed,
		pause,
	};
	return async (step, action, how) => {
		await opened?.saved();
		return performAction(step, action, {
			...deps,
			signal: how?.calm === true ? new AbortController().signal : signal,
			outOfWindow: due => outOfWindow(due, options.until, now()),
		});
	};
}

/** The rest of the run, with the answers so far and nobody asked; or all of it afresh, with no answers but these. */
function lookAhead(parts: RunParts, afresh?: Answers): ReturnType<typeof previewRun> {
	const { environment, known, risks, stream, engine } = parts;
	const state = { ...stream.state(), steps: [] };
	const answers = { ...known.answers, ...(afresh ?? state.answers) };
	const decider = decideFromAnswers({ ...known, answers, risks });
	const from = afresh === undefined ? state : { ...state, answers: {}, answerEvents: [] };
	return previewRun({ ...lookDeps(parts, oneLook(environment)), decider }, from, engine);
}
