import type { Action, Plan } from '../model/action.ts';
import { type Finding, hardBlocks, leftForOperator, sayLeft, standingBlocks } from '../model/finding.ts';
import type { OpenWork } from '../model/open-work.ts';
import type { ChangeStep } from '../model/step.ts';
import type { StepId } from '../model/step-id.ts';
import { count } from '../text/count.ts';
import { applyAll, type OpenAction, showPlan } from './apply-plan.ts';
import { askConsent, sayPutOff } from './consent.ts';
import type { EngineRequest } from './contract.ts';
import { fetchAhead } from './fetch-ahead.ts';
import {
	blockedBy,
	failedIn,
	inspectStep,
	interruptedIn,
	judgeContext,
	leftByChoice,
	type StepResult,
	type StepRun,
	type StepSession,
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
): Promise<readonly OpenWork[]> {
	const mayApply = (request.mode === 'run' || request.mode === 'test') && role === 'chosen';
	if (step.cleanup === undefined || !mayApply || !deps.state().actions.some(a => a.step === step.id)) return [];
	// A step that is done has planned until nothing was left, what it owes too.
	if (result.status === 'done' || result.status === 'unchanged') return [];
	// Whoever stops the run does not want a host that takes no jobs.
	const calm = { ...stepContext(deps, deps.host), signal: new AbortController().signal };
	const left: OpenWork[] = [];
	for (const action of step.cleanup(await step.inspect(calm), judgeContext(deps))) {
		const given = await deps.apply(step.id, action, { calm: true });
		if (given.kind !== 'done') left.push({ step: step.id, what: action.title });
	}
	return left;
}

/**
 * Inspects, judges, asks, plans, has the plan approved, applies it and looks again, until nothing blocks and the plan
 * has become empty. A run that only plans adds what it foresees to `previewed`.
 */
async function changeAndLook(run: StepRun<ChangeStep<unknown>>, previewed: Action[]): Promise<StepResult> {
	const { deps, request, role } = run;
	const planning = request.mode === 'plan';
	const host = planning && previewed.length > 0 ? deps.preview(previewed) : deps.host;
	const session = await inspectStep(run, host);
	if (request.mode === 'check') return checked(session.findings, request, run.behind);
	const unfit = await session.untilFit();
	if (unfit !== undefined) return unfit;
	if (role === 'inspected') return onlyInspected(run, session);
	const left = await session.ask();
	if (left !== undefined) return left;
	if (planning) return planned(run, session, previewed);

	const work: Work = { changed: false, manual: [] };
	for (let round = 0; ; round++) {
		const plan = await nextPlan(run, session);
		if (plan === 'asked') {
			round -= 1;
			continue;
		}
		if ('status' in plan) return plan;
		const next =
			plan.actions.length === 0
				? await whenNothingIsPlanned(run, session, work)
				: round === planRounds
					? stillPlans(plan, work)
					: await applyRound(run, session, plan, work);
		if (next === 'end') return resultOf(run, session, work);
		if (typeof next === 'object') return next;
		// Another look, or another plan that was asked for, is no round: both are taken as often as the operator says.
		if (next === 'begin-again') round = -1;
		else if (next === 'same-round') round -= 1;
	}
}

/** What is to be done, behind what has to be fetched for it. A person may be asked first what that is. */
async function nextPlan(run: StepRun<ChangeStep<unknown>>, session: StepSession): Promise<Plan | 'asked' | StepResult> {
	const { deps, step } = run;
	const { plan, wrong, ask } = await fetchAhead(run, step.plan(session.facts, judgeContext(deps)));
	if (ask.length > 0) return (await session.ask(ask)) ?? 'asked';
	if (wrong.length === 0) return plan;
	await deps.emit({ type: 'findings', step: step.id, when: 'before', findings: [...session.findings, ...wrong] });
	return blockedBy(wrong);
}

/** What the rounds of a step have come to so far. */
interface Work {
	changed: boolean;
	/** What the last round left for the operator. */
	manual: readonly OpenAction[];
}

type NextRound = 'next-round' | 'same-round' | 'begin-again' | 'end' | StepResult;

/** A step that a chosen one needs: what it would change is for a run of its own. */
async function onlyInspected(run: StepRun<ChangeStep<unknown>>, session: StepSession): Promise<StepResult> {
	const { deps, step } = run;
	await session.takeGiven();
	if (step.plan(session.facts, judgeContext(deps)).actions.length === 0)
		return { status: 'unchanged', tally: {}, open: [] };
	// Of the runbook, as only that changes a host; unattended where this was.
	const { command, attended } = deps.options;
	const first = `${command} --only ${step.id}${attended === true ? '' : ' --yes'}`;
	return {
		status: 'open',
		why: 'has something to change, and was not chosen',
		tally: { blocked: true },
		open: [{ step: step.id, what: `run \`${first}\` first` }],
	};
}

/** What a run would do, shown; later steps are planned behind it. */
async function planned(
	run: StepRun<ChangeStep<unknown>>,
	session: StepSession,
	previewed: Action[],
): Promise<StepResult> {
	const { deps, request, step } = run;
	// What is passed in vain for a proof is said where that proof is planned.
	const { plan } = await fetchAhead(run, step.plan(session.facts, judgeContext(deps)));
	if (plan.actions.length === 0) return resultOf(run, session, { changed: false, manual: [] });
	run.navigation.fetched = true;
	await showPlan(deps, step.id, plan);
	previewed.push(...plan.actions);
	return {
		status: 'open',
		tally: { open: true, undecided: undecidedFindings(session.findings, request.strict) },
		open: plan.actions.map(a => ({ step: step.id, what: a.title })),
	};
}

async function whenNothingIsPlanned(
	run: StepRun<ChangeStep<unknown>>,
	session: StepSession,
	{ changed }: Work,
): Promise<NextRound> {
	const standing = standingBlocks(session.findings);
	if (standing.length === 0) return 'end';
	const next = await whenBlocked(run, standing, session.findings, { changed });
	return (await session.afterBlock(next, 'after')) ?? 'begin-again';
}

const stillPlans = ({ actions }: Plan, { changed }: Work): StepResult => ({
	status: 'failed',
	why: `after ${planRounds} rounds there is still something to change: ${actions.map(a => a.title).join('; ')}`,
	tally: { failed: true, changed },
	open: [],
});

/** Has a plan approved, applies it, and looks at what came of it. */
async function applyRound(
	run: StepRun<ChangeStep<unknown>>,
	session: StepSession,
	plan: Plan,
	work: Work,
): Promise<NextRound> {
	const { deps, step } = run;
	const consent = await askConsent(run, session, plan, work.changed);
	switch (consent.kind) {
		case 'apply':
			break;
		case 'plan-again':
			return 'same-round';
		case 'put-off':
			return putOff(step.id, consent.why, work.changed, consent.broken);
		case 'declined':
			if (consent.leave) return leftByChoice(step.id, { changed: work.changed });
			return { status: 'skipped', ...yours(step.id, session.findings, { changed: work.changed }) };
		case 'ended':
			return consent.result;
		default:
			consent satisfies never;
	}

	const applied = await applyAll(deps, step.id, plan.actions);
	work.changed ||= applied.changed;
	const { changed } = work;
	work.manual = applied.kind === 'again' ? [] : applied.manual;
	if (applied.kind === 'interrupted') return interruptedIn(step.id, { changed });
	if (applied.kind === 'postponed') {
		await sayPutOff(run, applied.why);
		return putOff(step.id, applied.why, changed);
	}
	await session.look('after');
	if (applied.kind === 'failed') return failedIn(applied, changed);
	if (applied.kind === 'again') return 'begin-again';
	run.navigation.fetched = true;
	if (work.manual.length === 0) return 'next-round';
	const next = await whenLeft(run, work.manual);
	if (next === 'go-on') return 'end';
	if (next === 'quit') return leftByChoice(step.id, { changed });
	work.manual = [];
	await session.look('after');
	return 'begin-again';
}

/** What the step came to, when nothing more is planned. */
function resultOf(run: StepRun<ChangeStep<unknown>>, session: StepSession, { changed, manual }: Work): StepResult {
	const { request, step, behind } = run;
	const planning = request.mode === 'plan';
	const standing = standingBlocks(session.findings);
	// What is behind, or what only root can see, kept its plan from being made.
	const unplanned = planning && (behind || session.findings.some(f => f.needsRoot));
	const openWork = manual.map(({ action }) => ({ step: step.id, what: action.title }));
	if (openWork.length > 0)
		return { status: 'open', why: 'something is left for you', tally: { open: true, changed }, open: openWork };
	if (standing.length > 0 && !unplanned) return { ...blockedBy(standing), tally: { blocked: true, changed } };
	const undecided = undecidedFindings(session.findings, request.strict);
	if (standing.length > 0)
		return {
			status: 'open',
			why: behind ? 'depends on the steps before it' : 'a run would change it',
			tally: { open: true, undecided },
			open: [],
		};
	const unseen = planning && undecidedFindings(session.findings, true);
	return {
		status: undecided || unseen ? 'undecided' : changed ? 'done' : 'unchanged',
		...yours(step.id, planning ? [] : session.findings, { changed, undecided }),
	};
}

/** The step is at its end, and what no run can do is left for the operator. */
function yours(
	step: StepId,
	findings: readonly Finding[],
	tally: StepResult['tally'],
): Pick<StepResult, 'tally' | 'open' | 'why'> {
	const left = leftForOperator(findings).map(finding => ({ step, finding: finding.id, what: sayLeft(finding) }));
	if (left.length === 0) return { tally, open: [] };
	return { tally: { ...tally, open: true }, open: left, why: count(left.length, 'action needed', 'actions needed') };
}

/** Left for the next window, or until a risk is accepted. A host that only this would repair is in the way of all else. */
const putOff = (step: StepId, why: string, changed: boolean, blocked = false): StepResult => ({
	status: 'open',
	why,
	tally: { open: true, changed, blocked },
	open: [{ step, what: why }],
});

/** What is left for the operator is told once more, and waited for as long as they say; nobody waits unattended. */
async function whenLeft(
	{ deps, step, visit }: StepRun<ChangeStep<unknown>>,
	left: readonly OpenAction[],
): Promise<'look-again' | 'go-on' | 'quit'> {
	if (deps.decider.onLeft === undefined) return 'go-on';
	visit.decide(true);
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
			why: behind ? 'depends on the steps before it' : 'a run would change it',
			tally: { undecided },
			open: [],
		};
	return { status: undecided ? 'undecided' : 'unchanged', tally: { undecided }, open: [] };
}
