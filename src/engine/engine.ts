import type { Action } from '../model/action.ts';
import { emptyTally, exitCode, judgeTally, mergeTally, type Tally } from '../model/exit.ts';
import { sayWork } from '../model/open-work.ts';
import { changedAnything } from '../model/state.ts';
import type { Step } from '../model/step.ts';
import type { StepId } from '../model/step-id.ts';
import type { EngineDeps, EngineEnd, EngineRequest } from './contract.ts';
import { beforeFirst, createNavigation } from './navigation.ts';
import { prepareRun } from './prepare-run.ts';
import { runChange } from './run-change.ts';
import { runProof } from './run-proof.ts';
import { runReport } from './run-report.ts';
import { leftByChoice, type StepResult, type StepRun } from './step-run.ts';

/**
 * Runs steps. It knows none of them by name: a change step is inspected, judged, asked, planned, approved, applied and
 * inspected again, and is done only when nothing blocks and its plan has become empty; a proof step runs its probes; a
 * report step writes what the events say.
 */
export async function runSteps(deps: EngineDeps, request: EngineRequest): Promise<EngineEnd> {
	let stopped: StepResult['stop'];
	const results = new Map<StepId, StepResult>();
	/** Changes that a plan-only run foresees, so that later steps can be planned behind earlier ones. */
	const previewed: Action[] = [];
	const navigation = createNavigation();
	const { steps } = request.order;

	for (let index = beforeFirst; stopped === undefined && !deps.signal.aborted; ) {
		if (index === beforeFirst) {
			const first = steps.find(({ role }) => role === 'chosen')?.step.id;
			if ((await prepareRun(deps, request, navigation)) === 'quit' && first !== undefined) {
				results.set(first, leftByChoice(first));
				stopped = 'quit';
			}
			index = 0;
			continue;
		}
		const entry = steps[index];
		if (entry === undefined) break;
		const { step, role } = entry;
		if (!takesPart(step, request.mode)) {
			index += 1;
			continue;
		}
		await deps.emit({
			type: 'step.start',
			step: step.id,
			title: step.title,
			kind: step.kind,
			n: index + 1,
			of: steps.length,
		});
		deps.saveCursor(step.id);
		const visit = navigation.visit();
		const result = await turnOf({ deps, request, step, role, visit, navigation }, results, previewed);
		results.set(step.id, result);
		await deps.emit({
			type: 'step.end',
			step: step.id,
			status: result.status,
			changed: deps.signal.aborted ? changedAnything(deps.state()) : result.tally.changed === true,
			open: result.open.map(sayWork),
			why: result.why,
		});
		const back = result.stop === 'back';
		// Who leaves when nothing is left leaves nothing open.
		const last = index === steps.length - 1 && finished(result) && result.stop === 'quit';
		stopped = back || last ? undefined : result.stop;
		const final = result.tally.changed === true || result.proofMade === true;
		index = navigation.next(index, visit, { back, final });
	}
	return endOf(deps, [...results.values()], stopped);
}

/** A check looks at what can be changed, and a plan has nothing to report. */
const takesPart = (step: Step, mode: EngineRequest['mode']): boolean =>
	(mode !== 'check' || step.kind === 'change') && (mode !== 'plan' || step.kind !== 'report');

const sumOf = (results: Iterable<StepResult>): Tally =>
	[...results].reduce((tally, { tally: more }) => mergeTally(tally, more), emptyTally);

/** A step in its turn; where a step that it needs is not finished, it is not run. */
async function turnOf(
	run: Omit<StepRun<Step>, 'behind'>,
	results: Map<StepId, StepResult>,
	previewed: Action[],
): Promise<StepResult> {
	const { request, step } = run;
	const unfinished = step.needs.filter(need => {
		const result = results.get(need);
		return result !== undefined && !finished(result);
	});
	const behind = unfinished.length > 0;
	if (behind && request.mode !== 'check' && request.mode !== 'plan') {
		const why = `needs ${unfinished.join(', ')}, which is not finished`;
		return { status: 'not-run', why, tally: {}, open: [] };
	}
	results.delete(step.id);
	return runStep({ ...run, behind }, sumOf(results.values()), previewed);
}

function endOf(deps: EngineDeps, results: readonly StepResult[], stopped: StepResult['stop']): EngineEnd {
	const tally = sumOf(results);
	const { changed } = tally;
	const work = results.flatMap(result => result.open);
	if (deps.signal.aborted) return { outcome: 'interrupted', exit: exitCode.interrupted, changed, work };
	if (stopped === 'wrong-input') {
		const why = results.find(r => r.stop === 'wrong-input')?.why;
		return { outcome: 'wrong-input', exit: exitCode.wrongInput, changed, work, why };
	}
	const { exit, outcome } = judgeTally(stopped === 'quit' ? mergeTally(tally, { open: true }) : tally);
	return { outcome, exit, changed, work };
}

const finished = (result: StepResult): boolean =>
	['unchanged', 'done', 'proved', 'undecided', 'reported'].includes(result.status) && result.tally.blocked !== true;

async function runStep(run: StepRun<Step>, tally: Tally, previewed: Action[]): Promise<StepResult> {
	const { step } = run;
	switch (step.kind) {
		case 'change':
			return runChange({ ...run, step }, previewed);
		case 'proof':
			return runProof({ ...run, step }, previewed);
		case 'report':
			return runReport({ ...run, step }, tally);
		default:
			return step satisfies never;
	}
}
