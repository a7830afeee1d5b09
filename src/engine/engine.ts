import type { Action } from '../model/action.ts';
import { emptyTally, exitCode, judgeTally, mergeTally, type Tally } from '../model/exit.ts';
import { changedAnything } from '../model/state.ts';
import type { Step } from '../model/step.ts';
import type { StepId } from '../model/step-id.ts';
import type { EngineDeps, EngineEnd, EngineRequest } from './contract.ts';
import { runChange } from './run-change.ts';
import { runProof } from './run-proof.ts';
import { runReport } from './run-report.ts';
import type { StepResult, StepRun, StepVisit } from './step-run.ts';

/**
 * Runs steps. It knows none of them by name: a change step is inspected, judged, asked, planned, approved, applied and
 * inspected again, and is done only when nothing blocks and its plan has become empty; a proof step runs its probes; a
 * report step writes what the events say.
 */
export async function runSteps(deps: EngineDeps, request: EngineRequest): Promise<EngineEnd> {
	let stopped: StepResult['stop'];
	const results = new Map<StepId, StepResult>();
	const soFar = (): Tally =>
		[...results.values()].reduce((tally, { tally: more }) => mergeTally(tally, more), emptyTally);
	/** Steps where somebody decided something and nothing was applied or proved since: where "back" leads. */
	let stops: number[] = [];
	/** Changes that a plan-only run foresees, so that later steps can be planned behind earlier ones. */
	const previewed: Action[] = [];
	const once = { reviewed: false };
	const { steps } = request.order;

	for (let index = 0; index < steps.length; index++) {
		const entry = steps[index];
		if (entry === undefined || deps.signal.aborted || stopped !== undefined) break;
		const { step, role } = entry;
		if (request.mode === 'check' && step.kind !== 'change') continue;
		if (request.mode === 'plan' && step.kind === 'report') continue;
		await deps.emit({
			type: 'step.start',
			step: step.id,
			title: step.title,
			kind: step.kind,
			n: index + 1,
			of: steps.length,
		});
		deps.saveCursor(step.id);
		const unfinished = step.needs
			.map(need => [need, results.get(need)] as const)
			.filter(([, result]) => result !== undefined && !finished(result));

		const visit: StepVisit = {
			earlier: stops.length > 0,
			behind: unfinished.length > 0,
			decided: false,
			passed: [],
			again: undefined,
		};
		let result: StepResult;
		if (unfinished.length > 0 && request.mode !== 'check' && request.mode !== 'plan') {
			const names = unfinished.map(([need]) => need).join(', ');
			result = { status: 'not-run', why: `needs ${names}, which is not finished`, tally: {}, open: [] };
		} else {
			results.delete(step.id);
			result = await runStep({ deps, request, step, role, visit, once }, soFar(), previewed);
		}
		results.set(step.id, result);
		const changedHere = deps.signal.aborted ? changedAnything(deps.state()) : result.tally.changed === true;
		await deps.emit({
			type: 'step.end',
			step: step.id,
			status: result.status,
			changed: changedHere,
			open: [...result.open],
			why: result.why,
		});
		if (result.stop === 'back') {
			// The loop's own increment leads to the step that is visited again.
			index = (stops.pop() ?? 0) - 1;
			continue;
		}
		// Who leaves when nothing is left leaves nothing open.
		const last = index === steps.length - 1 && finished(result) && result.stop === 'quit';
		stopped = last ? undefined : result.stop;
		// Neither over a change, nor over a proof that was made: asked again, it would look as if it had not been.
		if (result.tally.changed === true || result.proofMade === true) stops = [];
		else if (visit.decided) stops.push(index);
	}

	const tally = soFar();
	const open = [...results.values()].flatMap(result => result.open);
	if (deps.signal.aborted) return { outcome: 'interrupted', exit: exitCode.interrupted, changed: tally.changed, open };
	if (stopped === 'wrong-input') {
		const why = [...results.values()].find(r => r.stop === 'wrong-input')?.why;
		return {
			outcome: 'wrong-input',
			exit: exitCode.wrongInput,
			changed: tally.changed,
			open,
			why,
		};
	}
	const { exit, outcome } = judgeTally(stopped === 'quit' ? mergeTally(tally, { open: true }) : tally);
	return { outcome, exit, changed: tally.changed, open };
}

const finished = (result: StepResult): boolean =>
	['unchanged', 'done', 'proved', 'undecided', 'reported'].includes(result.status) && result.tally.blocked !== true;

async function runStep(run: StepRun<Step>, tally: Tally, previewed: Action[]): Promise<StepResult> {
	const { step } = run;
	switch (step.kind) {
		case 'change':
			return runChange({ ...run, step }, previewed);
		case 'proof':
			return runProof({ ...run, step });
		case 'report':
			return runReport({ ...run, step }, tally);
		default:
			return step satisfies never;
	}
}
