import type { Action } from '../model/action.ts';
import { type Finding, hardBlocks, leftForOperator, sayLeft, standingBlocks } from '../model/finding.ts';
import type { ChangeStep } from '../model/step.ts';
import type { StepId } from '../model/step-id.ts';
import { count } from '../text/count.ts';
import { applyAll, type OpenAction, showPlan } from './apply-plan.ts';
import { askConsent, sayPutOff } from './consent.ts';
import type { EngineRequest } from './contract.ts';
import {
	blockedBy,
	failedIn,
	inspectStep,
	interruptedIn,
	judgeContext,
	leftByChoice,
	type StepResult,
	type StepRun,
	stepContext,
	undecidedFindings,
	whenBlocked,
	wrongInput,
} from './step-run.ts';

/** How often a step may plan again after its plan was carried out: an install can reveal a unit that has to be started. */
const planRounds = 3;

/** A change step, and what it owes the host once it has begun with something and not ended it. */
export async function runChange(run: StepRun<ChangeStep<unknown>>, previewed: Action[]): Promise<StepResult> {
	const result = await changeAndLook(run, previewed);
	const owed = await runCleanup(run, result);
	return owed.length === 0
		? result
		: { ...result, tally: { ...result.tally, open: true }, open: [...result.open, ...owed] };
}

/** Says what could not be given back. */
async function runCleanup(
	{ deps, request, step, role }: StepRun<ChangeStep<unknown>>,
	result: StepResult,
): Promise<readonly string[]> {
	const mayApply = (request.mode === 'run' || request.mode === 'test') && role === 'chosen';
	if (step.cleanup === undefined || !mayApply || !deps.state().actions.some(a => a.step === step.id)) return [];
	// A step that is done has planned until nothing was left, what it owes too.
	if (result.status === 'done' || result.status === 'unchanged') return [];
	// Whoever stops the run does not want a host that takes no jobs.
	const calm = { ...stepContext(deps, deps.host), signal: new AbortController().signal };
	const left: string[] = [];
	for (const action of step.cleanup(await step.inspect(calm), judgeContext(deps))) {
		const given = await deps.apply(step.id, action, { calm: true });
		if (given.kind !== 'done') left.push(`${step.id}: ${action.title}`);
	}
	return left;
}

/**
 * Inspects, judges, asks, plans, has the plan approved, applies it and looks again, until nothing blocks and the plan
 * has become empty. A run that only plans adds what it foresees to `foreseen`.
 */
async function changeAndLook(run: StepRun<ChangeStep<unknown>>, previewed: Action[]): Promise<StepResult> {
	const { deps, request, step, role, visit } = run;
	const planning = request.mode === 'plan';
	const host = planning && previewed.length > 0 ? deps.preview(previewed) : deps.host;
	const sight = await inspectStep(run, host);
	if (request.mode === 'check') return checked(sight.findings, request, visit.behind);
	const unfit = await sight.untilFit();
	if (unfit !== undefined) return unfit;

	if (role === 'inspected') {
		await sight.takeGiven();
		const plan = step.plan(sight.facts, judgeContext(deps));
		if (plan.actions.length === 0) return { status: 'unchanged', tally: {}, open: [] };
		// Of the runbook, as only that changes a host; unattended where this was.
		const { command, attended } = deps.options;
		const first = `${command} --only ${step.id}${attended === true ? '' : ' --yes'}`;
		return {
			status: 'open',
			why: 'has something to change, and was not chosen',
			tally: { blocked: true },
			open: [`${step.id}: run it first: ${first}`],
		};
	}

	const left = await sight.ask();
	if (left !== undefined) return left;

	let changed = false;
	let manual: readonly OpenAction[] = [];
	for (let round = 0; ; round++) {
		const plan = step.plan(sight.facts, judgeContext(deps));
		if (plan.actions.length === 0) {
			const standing = standingBlocks(sight.findings);
			if (standing.length === 0 || planning) break;
			const ended = await sight.afterBlock(await whenBlocked(run, standing, sight.findings, { changed }), 'after');
			if (ended !== undefined) return ended;
			round = -1;
			continue;
		}
		if (round === planRounds) {
			const left = plan.actions.map(a => a.title).join('; ');
			return {
				status: 'failed',
				why: `after ${planRounds} rounds there is still something to change: ${left}`,
				tally: { failed: true, changed },
				open: [],
			};
		}
		if (planning) {
			await showPlan(deps, step.id, plan);
			previewed.push(...plan.actions);
			return {
				status: 'open',
				tally: { open: true, undecided: undecidedFindings(sight.findings, request.strict) },
				open: plan.actions.map(a => `${step.id}: ${a.title}`),
			};
		}
		const consent = await askConsent(run, sight, plan, changed);
		switch (consent.kind) {
			case 'apply':
				break;
			case 'plan-anew':
				round -= 1;
				continue;
			case 'put-off':
				return putOff(step.id, consent.why, changed, consent.broken);
			case 'declined':
				if (consent.leave) return leftByChoice(step.id, { changed });
				return { status: 'skipped', ...yours(sight.findings, { changed }) };
			case 'ended':
				return consent.result;
			default:
				consent satisfies never;
		}

		const applied = await applyAll(deps, step.id, plan.actions);
		changed ||= applied.changed;
		manual = applied.kind === 'again' ? [] : applied.manual;
		if (applied.kind === 'interrupted') return interruptedIn(step.id, { changed });
		if (applied.kind === 'postponed') {
			await sayPutOff(run, applied.why);
			return putOff(step.id, applied.why, changed);
		}
		await sight.look('after');
		if (applied.kind === 'failed') return failedIn(applied, changed);
		if (applied.kind === 'again') {
			round = -1;
			continue;
		}
		if (manual.length === 0) continue;
		const next = await whenLeft(run, manual);
		if (next === 'go-on') break;
		if (next === 'quit') return leftByChoice(step.id, { changed });
		manual = [];
		await sight.look('after');
		// Another look is no round: it is taken as often as the operator says.
		round = -1;
	}

	const standing = standingBlocks(sight.findings);
	// What is behind, or what only root can see, kept its plan from being made.
	const unplanned = planning && (visit.behind || sight.findings.some(f => f.needsRoot));
	const openWork = manual.map(({ action }) => `${step.id}: ${action.title}`);
	if (openWork.length > 0)
		return { status: 'open', why: 'something is left for you', tally: { open: true, changed }, open: openWork };
	if (standing.length > 0 && !unplanned) return { ...blockedBy(standing), tally: { blocked: true, changed } };
	const undecided = undecidedFindings(sight.findings, request.strict);
	if (standing.length > 0)
		return { status: 'open', why: 'a run would settle it', tally: { open: true, undecided }, open: [] };
	const unseen = planning && undecidedFindings(sight.findings, true);
	return {
		status: undecided || unseen ? 'undecided' : changed ? 'done' : 'unchanged',
		...yours(planning ? [] : sight.findings, { changed, undecided }),
	};
}

/** The step is at its end, and what no run can do is left for the operator. */
function yours(findings: readonly Finding[], tally: StepResult['tally']): Pick<StepResult, 'tally' | 'open' | 'why'> {
	const left = leftForOperator(findings).map(sayLeft);
	if (left.length === 0) return { tally, open: [] };
	return { tally: { ...tally, open: true }, open: left, why: count(left.length, 'action needed', 'actions needed') };
}

/** Left for the next window, or until a risk is accepted. A host that only this would repair is in the way of all else. */
const putOff = (step: StepId, why: string, changed: boolean, blocked = false): StepResult => ({
	status: 'open',
	why,
	tally: { open: true, changed, blocked },
	open: [`${step}: ${why}`],
});

/** What is left for the operator is told once more, and waited for as long as they say; nobody waits unattended. */
async function whenLeft(
	{ deps, step, visit }: StepRun<ChangeStep<unknown>>,
	left: readonly OpenAction[],
): Promise<'look-again' | 'go-on' | 'quit'> {
	if (deps.decider.onLeft === undefined) return 'go-on';
	visit.decided = true;
	return deps.decider.onLeft(
		step.id,
		left.map(({ action, evidence }) => ({
			id: `${step.id}.left`,
			severity: 'block',
			summary: action.title,
			evidence,
			why: action.why,
			remedy: action.kind === 'manual' ? { kind: 'advice', text: action.text } : undefined,
		})),
	);
}

/** What a look alone comes to. A host that a run would set up is fit: what the run would do is named, and is no fault. */
function checked(findings: readonly Finding[], request: EngineRequest, behind: boolean): StepResult {
	const hard = behind ? wrongInput(findings) : hardBlocks(findings);
	if (hard.length > 0) return blockedBy(hard);
	const undecided = undecidedFindings(findings, request.strict);
	const toDo = standingBlocks(findings).map(finding => finding.summary);
	if (toDo.length > 0)
		return {
			status: 'open',
			why: behind ? 'follows the steps before it' : 'a run would settle it',
			tally: { undecided },
			open: [],
		};
	return { status: undecided ? 'undecided' : 'unchanged', tally: { undecided }, open: [] };
}
