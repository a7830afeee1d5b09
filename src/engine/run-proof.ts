import { type Action, risksOf } from '../model/action.ts';
import type { EventOf } from '../model/event.ts';
import { hardBlocks } from '../model/finding.ts';
import type { ProofStep } from '../model/step.ts';
import type { StepId } from '../model/step-id.ts';
import { redactDeep } from '../text/redact.ts';
import { applyAll, showPlan } from './apply-plan.ts';
import { askConsent } from './consent.ts';
import type { EngineDeps } from './contract.ts';
import {
	behindBack,
	blockedBy,
	failedIn,
	inspectStep,
	interruptedIn,
	judgeContext,
	type StepResult,
	type StepRun,
	type StepSession,
	undecidedFindings,
} from './step-run.ts';

/** Brings what the probes need, as a change step would, and then runs them. */
export async function runProof(run: StepRun<ProofStep<unknown>>, previewed: Action[]): Promise<StepResult> {
	const { deps, request, step, role } = run;
	if (role === 'inspected') return { status: 'not-run', tally: {}, open: [] };
	const session = await inspectStep(run, deps.host);
	const left = (await session.untilFit()) ?? (await session.ask());
	if (left !== undefined) return left;
	if (request.mode === 'plan') return planned(run, session, previewed);

	let changed = false;
	for (;;) {
		const brought = await bringWhatProbesNeed(run, session, changed);
		if ('status' in brought) return brought;
		changed ||= brought.changed;
		const next = await askToStart(run, session, changed);
		if (next === 'start') break;
		if (next !== 'plan-again') return next;
	}

	const verdicts = await runProbes(deps, step, session.facts);
	if (deps.signal.aborted) return interruptedIn(step.id, { changed });
	const leave = verdicts.length > 0 && (await deps.decider.afterProbes?.(step.id)) === 'quit';
	const came = await verdictOf(run, session, verdicts, changed, leave);
	return { ...came, proofMade: true, ...(leave && { stop: 'quit' as const }) };
}

/** What a run would bring for the probes. */
async function planned(
	{ deps, step }: StepRun<ProofStep<unknown>>,
	session: StepSession,
	previewed: Action[],
): Promise<StepResult> {
	const { actions: needed, ...plan } = step.plan(session.facts, judgeContext(deps));
	// An earlier step of the run brings it.
	const actions = needed.filter(({ id }) => !previewed.some(earlier => earlier.id === id));
	const open = actions.length > 0;
	if (open) await showPlan(deps, step.id, { actions, ...plan });
	previewed.push(...actions);
	return {
		status: open ? 'open' : hardBlocks(session.findings).length > 0 ? 'undecided' : 'unchanged',
		tally: { open },
		open: actions.map(a => ({ step: step.id, what: a.title })),
	};
}

const declined = (
	step: StepId,
	why: string,
	how: { readonly leave: boolean; readonly changed: boolean },
): StepResult => ({
	status: 'skipped',
	why,
	tally: { open: true, changed: how.changed },
	open: [{ step }],
	stop: how.leave ? 'quit' : undefined,
});

/** Plans and applies until the probes have what they need, or says how the step ends without. */
async function bringWhatProbesNeed(
	run: StepRun<ProofStep<unknown>>,
	session: StepSession,
	before: boolean,
): Promise<StepResult | { readonly changed: boolean }> {
	const { deps, step } = run;
	let changed = before;
	const without = (why: string, leave = false): StepResult => declined(step.id, why, { leave, changed });
	for (;;) {
		const plan = step.plan(session.facts, judgeContext(deps));
		if (plan.actions.length === 0) return { changed };
		const consent = await askConsent(run, session, plan, changed);
		if (consent.kind === 'plan-again') continue;
		if (consent.kind === 'ended') return consent.result;
		if (consent.kind === 'put-off') return without(consent.why);
		if (consent.kind === 'declined') return without('what the probes need was declined', consent.leave);
		const applied = await applyAll(deps, step.id, plan.actions);
		changed ||= applied.changed;
		if (applied.kind === 'interrupted') return interruptedIn(step.id, { changed });
		if (applied.kind === 'failed') return failedIn(applied, changed);
		if (applied.kind === 'postponed') return without(applied.why);
		await session.look('after');
		if (applied.kind === 'again') continue;
		const still = hardBlocks(session.findings);
		return still.length > 0 ? { ...blockedBy(still), tally: { blocked: true, changed } } : { changed };
	}
}

/** Announces the probes. Whoever goes back from there is asked once more what this step has asked, if it has. */
async function askToStart(
	run: StepRun<ProofStep<unknown>>,
	session: StepSession,
	changed: boolean,
): Promise<'start' | 'plan-again' | StepResult> {
	const { deps, step, visit, navigation } = run;
	if (deps.decider.beforeProbes === undefined || navigation.prepared?.approved !== undefined) return 'start';
	const ways = visit.decide(changed);
	const decision = await deps.decider.beforeProbes(step.id, step.probes(session.facts, judgeContext(deps)), ways);
	if (decision === 'run') return 'start';
	const leave = declined(step.id, 'declined', { leave: decision !== 'skip', changed });
	const next = behindBack(decision === 'back' ? visit.back(ways) : 'leave', leave);
	if (typeof next === 'object') return next;
	return (next === 'ask-again' ? await session.ask() : undefined) ?? 'plan-again';
}

type Verdict = Pick<EventOf<'probe'>, 'id' | 'verdict' | 'threats'>;

/** What the verdicts come to. Who leaves is not asked whether what the probes found harmful is to be taken back. */
async function verdictOf(
	run: StepRun<ProofStep<unknown>>,
	session: StepSession,
	verdicts: readonly Verdict[],
	changed: boolean,
	leave: boolean,
): Promise<StepResult> {
	const failed = verdicts.filter(v => v.verdict === 'fail').map(v => v.id);
	const undecided = verdicts.filter(v => v.verdict === 'could-not-tell').map(v => v.id);
	/** Of a failed step it need not be said that its tests failed. */
	const attacks = verdicts.some(v => v.threats.length > 0) ? 'got through: ' : '';
	if (failed.length > 0) {
		const taken: Taken = leave ? { changed: false } : await takeBack(run, session, failed);
		const why = [`${attacks}${failed.join(', ')}`, ...(taken.said === undefined ? [] : [taken.said])].join('; ');
		return {
			status: 'failed',
			why,
			tally: { failed: true, changed: changed || taken.changed },
			open: [],
			stop: taken.leave === true ? 'quit' : undefined,
		};
	}
	if (undecided.length > 0)
		return {
			status: 'undecided',
			why: `unknown: ${undecided.join(', ')}`,
			tally: { undecided: true, changed },
			open: [],
		};
	return {
		status: 'proved',
		tally: { changed, undecided: undecidedFindings(session.findings, run.request.strict) },
		open: [],
	};
}

interface Taken {
	readonly changed: boolean;
	readonly said?: string | undefined;
	readonly leave?: boolean | undefined;
}

/** Offers to take back what this run changed and the probes found harmful. */
async function takeBack(
	run: StepRun<ProofStep<unknown>>,
	session: StepSession,
	failed: readonly string[],
): Promise<Taken> {
	const { deps, step, visit } = run;
	const plan = step.remedy?.(session.facts, failed, judgeContext(deps));
	if (plan === undefined || plan.actions.length === 0) return { changed: false };
	await showPlan(deps, step.id, plan);
	const decision = await deps.decider.approve(step.id, plan, session.findings, visit.decide(true));
	const apply = decision.kind === 'apply' && risksOf(plan).every(risk => decision.risks.includes(risk));
	const leave = decision.kind === 'quit';
	await deps.emit({
		type: 'decision',
		step: step.id,
		decision: apply ? 'apply' : leave ? 'quit' : 'skip',
		risks: apply ? decision.risks : [],
	});
	if (!apply) return { changed: false, said: 'it was left as it is', leave };
	const applied = await applyAll(deps, step.id, plan.actions);
	if (applied.kind === 'again') {
		await session.look('after');
		return { said: 'it was taken back', ...(await takeBack(run, session, failed)), changed: true };
	}
	const done = applied.kind === 'done' && applied.changed;
	return {
		changed: applied.changed,
		said: done ? 'it was taken back' : 'it could not be taken back',
		leave: applied.kind === 'failed' && applied.quit,
	};
}

async function runProbes(deps: EngineDeps, step: ProofStep<unknown>, facts: unknown): Promise<readonly Verdict[]> {
	const { probes, leftOut } = step.probes(facts, judgeContext(deps));
	const verdicts: Verdict[] = [];
	try {
		for (const [index, probe] of probes.entries()) {
			if (deps.signal.aborted) break;
			const { id, title, attempt, threats, expectation } = probe;
			await deps.emit({ type: 'probe.start', step: step.id, id, title, attempt, n: index + 1, of: probes.length });
			const began = deps.elapsed();
			const result = await probe.run(deps.probeHost);
			// A verdict reached while the probe was being stopped says nothing about the host.
			if (deps.signal.aborted) break;
			verdicts.push({ id, verdict: result.verdict, threats });
			await deps.emit({
				type: 'probe',
				step: step.id,
				id,
				title,
				threats,
				verdict: result.verdict,
				because: result.because,
				expectation,
				evidence: redactDeep(result.evidence),
				next: result.next,
				ms: Math.round(deps.elapsed() - began),
			});
		}
		for (const { id, title, threats, why } of deps.signal.aborted ? [] : leftOut) {
			await deps.emit({
				type: 'probe',
				step: step.id,
				id,
				title,
				threats,
				verdict: 'left-out',
				because: why,
				evidence: [],
				ms: 0,
			});
		}
	} finally {
		const left = await deps.cleanUpProbes();
		if (left.length > 0) {
			await deps.emit({
				type: 'findings',
				step: step.id,
				when: 'after',
				findings: [{ id: 'probe.leftover', severity: 'warn', summary: `could not be removed: ${left.join(', ')}` }],
			});
		}
	}
	return verdicts;
}
