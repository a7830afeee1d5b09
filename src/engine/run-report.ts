import type { Tally } from '../model/exit.ts';
import { changedAnything, incompleteSteps } from '../model/state.ts';
import type { ReportStep } from '../model/step.ts';
import { askAll, interruptedIn, judgeContext, type StepResult, type StepRun, stepContext } from './step-run.ts';

/** A report is written when something was changed, or when one was asked for. */
export async function runReport(run: StepRun<ReportStep>, tally: Tally): Promise<StepResult> {
	const { deps, request, step } = run;
	const changedInRun = tally.changed || changedAnything(deps.state());
	if (!changedInRun && !request.recordAsked)
		return { status: 'skipped', why: 'nothing was changed, and none was asked for', tally: {}, open: [] };
	const left = await askAll(run, undefined);
	if (left !== undefined) return left;
	const target = await step.inspect(stepContext(deps, deps.host));
	if (target.kind === 'refused') return { status: 'failed', why: target.why, tally: { failed: true }, open: [] };
	const action = step.compose(target, judgeContext(deps));
	const result = await deps.apply(step.id, action);
	switch (result.kind) {
		case 'done': {
			const incomplete = incompleteSteps(deps.state()).length > 0;
			const undo = deps.state().actions.findLast(a => a.step === step.id)?.undo;
			await deps.emit({
				type: 'record.written',
				step: step.id,
				path: action.path,
				sha256: undo?.kind === 'file' ? (undo.after ?? '') : '',
				incomplete,
			});
			return { status: 'reported', tally: {}, open: [] };
		}
		case 'interrupted':
			return interruptedIn(step.id);
		case 'manual':
		case 'postponed':
		case 'stale':
		case 'failed':
			return {
				status: 'failed',
				why: 'failure' in result ? result.failure.said : 'the record was not written',
				tally: { failed: true },
				open: [],
			};
		default:
			return result satisfies never;
	}
}
