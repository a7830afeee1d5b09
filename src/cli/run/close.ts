import type { EngineEnd } from '../../engine/contract.ts';
import { previewRun } from '../../engine/preview-run.ts';
import type { EventOf } from '../../model/event.ts';
import { exitCode } from '../../model/exit.ts';
import { sayWork } from '../../model/open-work.ts';
import type { RunState } from '../../model/state.ts';
import {
	changesOf,
	exitOfVerdict,
	leftIn,
	manualIn,
	outcomeOfVerdict,
	rebootPending,
	verdictOf,
} from '../../model/verdict.ts';
import { decideNothing } from '../../prompts/from-answers.ts';
import { lineOf } from '../../text/safe.ts';
import type { Frontend } from '../frontend.ts';
import { savePlan } from '../plan-file.ts';
import { lookDeps } from './look.ts';
import type { OpenStream } from './open.ts';
import type { PreparedRun } from './prepare.ts';
import type { RunRequest } from './request.ts';

/** Logs how the run ended, saves a plan, and says the last word. Returns the exit code. */
export async function closeRun(
	request: RunRequest,
	run: PreparedRun,
	{ frontend, stream, ended }: { readonly frontend: Frontend; readonly stream: OpenStream; readonly ended: EngineEnd },
): Promise<number> {
	const { mode, terminal, stop, out } = request;
	const end = mode === 'plan' ? planned(ended, stream.state()) : ended;
	const judged =
		mode === 'check' && end.outcome !== 'interrupted' && end.outcome !== 'wrong-input'
			? await judgedBy(request, run, stream.state())
			: undefined;
	const exit = stop.exit() ?? judged?.exit ?? end.exit;
	await stream.emit({
		type: 'run.end',
		outcome: end.outcome,
		changed: end.changed,
		reboot: rebootPending(stream.state()),
		open: end.work.map(sayWork),
		work: end.work,
		why: end.why,
		changes: mode === 'plan' ? changesOf(stream.state()).length : undefined,
		forYou: mode === 'plan' ? forOperator(stream.state()) : undefined,
		...judged,
		exit,
	});
	await stream.drained();
	const untold = await stream.systemLog?.close();
	if (untold !== undefined && !run.interactive)
		terminal.err(lineOf(`not everything is in the system log (${untold}); this tool's own log is complete`));
	if (out !== undefined) await saveForeseen(out, end, stream.state(), request);
	await frontend.end();
	if (frontend.wantsUndo()) request.onUndo?.();
	return exit;
}

/** How a check ends: by what the host is, and not by what the look at each step came to. */
async function judgedBy(
	{ strict, want, steps }: RunRequest,
	run: PreparedRun,
	looked: RunState,
): Promise<Partial<EventOf<'run.end'>> & { readonly exit: number }> {
	const { engine, environment } = run;
	const deps = { ...lookDeps(run, run.readHost), decider: decideNothing(run.known) };
	// The verdict is the host's, whichever steps were chosen to be shown.
	const whole = steps.filter(({ kind }) => kind === 'change');
	const order = { ...engine.order, steps: whole.map(step => ({ step, role: 'chosen' as const })) };
	const begin = { ...looked, steps: [] };
	const isWhole = whole.every(({ id }) => engine.order.steps.some(({ step }) => step.id === id));
	const all = isWhole ? looked : (await previewRun(deps, begin, { ...engine, order }, 'check')).state;
	const previewed = await previewRun(deps, begin, { ...engine, order });
	const { command } = environment;
	const { verdict, changes, forYou, why } = verdictOf(all, previewed.state, { strict, command });
	return {
		outcome: outcomeOfVerdict[verdict],
		verdict,
		changes: changes.length,
		forYou: forYou.length,
		open: [...changes, ...forYou],
		work: undefined,
		why,
		exit: exitOfVerdict(verdict, want ?? 'set-up'),
	};
}

/** What a plan leaves to the operator. */
const forOperator = (state: RunState): number => manualIn(state).length + leftIn(state).length;

/** Files for CI systems and what the proofs bring are shown in a plan, and are no change of the host. */
function planned(end: EngineEnd, state: RunState): EngineEnd {
	if (end.outcome !== 'open' && end.outcome !== 'nothing-to-do') return end;
	return changesOf(state).length + forOperator(state) === 0
		? { ...end, outcome: 'nothing-to-do', exit: exitCode.done }
		: { ...end, outcome: 'open', exit: exitCode.open };
}

/** A plan is saved when the look came to its end and nothing is in the way of a run. */
async function saveForeseen(out: string, end: EngineEnd, state: RunState, request: RunRequest): Promise<void> {
	const { environment, typed, options, terminal } = request;
	if (end.outcome !== 'open' && end.outcome !== 'nothing-to-do' && end.outcome !== 'undecided') {
		terminal.err(lineOf(`the plan was not saved, as the run would not come to its end`));
		return;
	}
	const lines = await savePlan(out, state, { environment, typed, changeId: options.changeId });
	for (const line of lines) terminal.err(lineOf(`  ${line}`));
}
