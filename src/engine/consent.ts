import { type Plan, risksOf } from '../model/action.ts';
import type { Finding } from '../model/finding.ts';
import { changing, previewedSteps } from '../model/review.ts';
import type { RiskName } from '../model/risk.ts';
import type { ShownAction } from '../model/shown-action.ts';
import type { ChangeStep, ProofStep, Step } from '../model/step.ts';
import { outOfWindow } from '../model/window.ts';
import { redact } from '../text/redact.ts';
import { showPlan } from './apply-plan.ts';
import {
	behindBack,
	isReviewAhead,
	judgeContext,
	leftByChoice,
	type StepResult,
	type StepRun,
	type StepSession,
	wentBack,
	whenBlocked,
} from './step-run.ts';

export type Consent =
	/** Every risk in it was accepted by name. */
	| { readonly kind: 'apply' }
	/** An answer was changed, or the host was put right: what was shown is no longer the plan. */
	| { readonly kind: 'plan-again' }
	| { readonly kind: 'declined'; readonly leave: boolean }
	/** Why it is left for another time, told already. */
	| {
			readonly kind: 'put-off';
			readonly why: string /** The host stays broken by it. */;
			readonly broken?: true | undefined;
	  }
	| { readonly kind: 'ended'; readonly result: StepResult };

const ended = (result: StepResult): Consent => ({ kind: 'ended', result });

/** Shows a plan and has it approved. `changed`: the step has changed the host already, and no way leads back before it. */
export async function askConsent(
	run: StepRun<ChangeStep<unknown> | ProofStep<unknown>>,
	session: StepSession,
	plan: Plan,
	changed: boolean,
): Promise<Consent> {
	const { deps, step, visit } = run;
	const again = (left: StepResult | undefined): Consent => (left === undefined ? { kind: 'plan-again' } : ended(left));
	const reviewed = await reviewRun(run);
	if (reviewed !== undefined) return reviewed === 'ask-again' ? again(await session.ask()) : ended(reviewed);
	await showPlan(deps, step.id, plan);
	const late = plan.actions
		.map(action => outOfWindow(action, deps.options.until, deps.now()))
		.find(why => why !== undefined);
	if (late !== undefined) {
		await sayPutOff(run, late);
		return { kind: 'put-off', why: late };
	}
	const ways = { ...visit.decide(changed), agreed: agreedBefore(run, plan) };
	const decision = await deps.decider.approve(step.id, plan, session.findings, ways);
	if (decision.kind === 'differs') {
		const next = await whenPlanDiffers(run, decision.finding, { changed });
		return again(await session.afterBlock(next, changed ? 'after' : 'before'));
	}
	const named = decision.kind === 'apply' ? decision.risks : [];
	const missing = risksOf(plan).filter(risk => !named.includes(risk));
	if (decision.kind === 'refused' || (decision.kind === 'apply' && missing.length > 0)) {
		const why = sayMissing(run, decision.kind === 'refused' ? decision.missing : missing);
		await sayPutOff(run, why);
		const broken = session.findings.some(({ breaks, waived }) => breaks === true && waived === undefined);
		return { kind: 'put-off', why, broken: broken || undefined };
	}
	const way = decision.kind === 'back' ? visit.back(ways) : 'leave';
	if (way === 'review-again') return { kind: 'plan-again' };
	if (way === 'ask-again') return again(await session.ask());
	if (way === 'went-back') return ended(wentBack);
	const kind = decision.kind === 'back' ? 'quit' : decision.kind;
	await deps.emit({ type: 'decision', step: step.id, decision: kind, risks: named });
	return kind === 'apply' ? { kind } : { kind: 'declined', leave: kind === 'quit' };
}

/**
 * The risks of a plan that was agreed to before the first step, undefined where it was not: it must be in what was shown
 * then, action for action, stop nothing else, and carry no risk that nobody has named.
 */
function agreedBefore({ deps, step, navigation }: StepRun<Step>, plan: Plan): readonly RiskName[] | undefined {
	const approved = navigation.prepared?.approved;
	if (approved === undefined) return undefined;
	const risks = risksOf(plan);
	// What the tests need is fetched by an earlier step than the one that was shown with it.
	const then = new Set(approved.steps.flatMap(({ actions }) => actions.map(effectOf)));
	const same = plan.actions.every(action => then.has(effectOf(deps.show(action))));
	const stopped = approved.steps.find(({ id }) => id === step.id)?.impact?.stops ?? [];
	const told = (plan.impact?.stops ?? []).every(stop => stopped.includes(stop));
	return same && told && risks.every(risk => approved.risks.includes(risk)) ? risks : undefined;
}

/** What an action does to the byte, whatever is said about it. */
const effectOf = ({ id, kind, title, does, diff, risks, exact }: ShownAction): string =>
	JSON.stringify([id, kind, title, does, diff, risks, exact?.sha256, exact?.file?.after]);

/** The whole command to type. */
const sayMissing = ({ deps: { options } }: StepRun<Step>, risks: readonly string[]): string =>
	`run \`${[options.again ?? options.command, ...risks.map(risk => `--accept-risk ${risk}`)].join(' ')}\` to accept the risk${risks.length === 1 ? '' : 's'} ${risks.join(' and ')}`;

/** Told before it is left: a window that is over, or a risk that nobody has named. */
export const sayPutOff = ({ deps, step }: StepRun<Step>, why: string): Promise<void> =>
	deps.emit({ type: 'decision', step: step.id, decision: 'refused', risks: [], why });

/**
 * A plan that is not the one that the run is held to: nothing of it is done. As with everything that hinders, the
 * operator can put the host right and have it looked at again.
 */
async function whenPlanDiffers(
	run: StepRun<Step>,
	finding: Finding,
	tally: StepResult['tally'],
): Promise<'look-again' | 'ask-again' | StepResult> {
	const why = [finding.summary, ...(finding.evidence === undefined ? [] : [finding.evidence])].join('\n');
	await run.deps.emit({ type: 'decision', step: run.step.id, decision: 'refused', risks: [], why: redact(why) });
	return whenBlocked(run, [finding], [finding], tally);
}

/**
 * Before the first plan of a run is put to anybody, everything that the run would do is. Not where that is this step
 * alone, or where nobody wants to see it. Undefined: the plan is next.
 */
async function reviewRun(run: StepRun<Step>): Promise<'ask-again' | StepResult | undefined> {
	const { deps, request, step, visit, navigation } = run;
	const { decider, lookAhead } = deps;
	if (decider.review === undefined || lookAhead === undefined || !isReviewAhead(run)) return undefined;
	const seq = deps.state().lastSeq;
	const steps = previewedSteps(await lookAhead(), request.order, {
		step: step.id,
		seq,
		context: judgeContext(deps),
	});
	// Whoever stops the run meanwhile is asked nothing any more.
	if (deps.signal.aborted) return undefined;
	if (changing(steps).length < 2) {
		navigation.reviewed = true;
		return undefined;
	}
	const ways = visit.decide();
	const decision = await decider.review(steps, ways);
	switch (decision.kind) {
		case 'apply':
		case 'go-on':
			visit.pass('review');
			if (decision.kind === 'apply')
				navigation.prepared = {
					answers: new Map(),
					approved: { steps, risks: decision.risks },
				};
			return undefined;
		case 'quit':
			return leftByChoice(step.id);
		case 'back': {
			const next = behindBack(visit.back(ways), leftByChoice(step.id));
			return next === 'look-again' ? undefined : next;
		}
		default:
			return decision satisfies never;
	}
}
