import { risksOf } from '../model/action.ts';
import type { WaysOut } from '../model/decider.ts';
import type { EventOf } from '../model/event.ts';
import { hardBlocks } from '../model/finding.ts';
import type { ProofStep } from '../model/step.ts';
import { redactDeep } from '../text/redact.ts';
import { applyAll, showPlan } from './apply-plan.ts';
import { askConsent } from './consent.ts';
import type { EngineDeps } from './contract.ts';
import {
	blockedBy,
	failedIn,
	inspectStep,
	interruptedIn,
	judgeContext,
	type StepResult,
	type StepRun,
	type StepSession,
	undecidedFindings,
	wentBack,
} from './step-run.ts';

/** Brings what the probes need, as a change step would, and then runs them. */
export async function runProof(run: StepRun<ProofStep<unknown>>): Promise<StepResult> {
	const { deps, request, step, role, visit } = run;
	if (role === 'inspected') return { status: 'not-run', tally: {}, open: [] };
	const planning = request.mode === 'plan';
	const sight = await inspectStep(run, deps.host);
	const left = (await sight.untilFit()) ?? (await sight.ask());
	if (left !== undefined) return left;

	if (planning) {
		const plan = step.plan(sight.facts, judgeContext(deps));
		if (plan.actions.length > 0) await showPlan(deps, step.id, plan);
		return {
			status: plan.actions.length > 0 ? 'open' : hardBlocks(sight.findings).length > 0 ? 'undecided' : 'unchanged',
			tally: { open: plan.actions.length > 0 },
			open: plan.actions.map(a => `${step.id}: ${a.title}`),
		};
	}
	let changed = false;
	const declined = (why: string, leave: boolean): StepResult => ({
		status: 'skipped',
		why,
		tally: { open: true, changed },
		open: [step.id],
		stop: leave ? 'quit' : undefined,
	});
	for (;;) {
		const plan = step.plan(sight.facts, judgeContext(deps));
		if (plan.actions.length === 0) break;
		const consent = await askConsent(run, sight, plan, changed);
		if (consent.kind === 'plan-anew') continue;
		if (consent.kind === 'ended') return consent.result;
		if (consent.kind === 'put-off') return declined(consent.why, false);
		if (consent.kind === 'declined') return declined('what the probes need was declined', consent.leave);
		const applied = await applyAll(deps, step.id, plan.actions);
		changed ||= applied.changed;
		if (applied.kind === 'interrupted') return interruptedIn(step.id, { changed });
		if (applied.kind === 'failed') return failedIn(applied, changed);
		if (applied.kind === 'postponed') return declined(applied.why, false);
		await sight.look('after');
		if (applied.kind === 'again') continue;
		const still = hardBlocks(sight.findings);
		if (still.length > 0) return { ...blockedBy(still), tally: { blocked: true, changed } };
		break;
	}

	if (deps.decider.beforeProbes !== undefined) {
		visit.decided = true;
		const proof = step.probes(sight.facts, judgeContext(deps));
		const ways: WaysOut = { back: !changed && visit.earlier };
		const decision = await deps.decider.beforeProbes(step.id, proof, ways);
		if (decision === 'back' && ways.back) return wentBack;
		if (decision !== 'run') return declined('declined', decision !== 'skip');
	}

	const verdicts = await runProbes(deps, step, sight.facts);
	if (deps.signal.aborted) return interruptedIn(step.id, { changed });
	const leave = verdicts.length > 0 && (await deps.decider.afterProbes?.(step.id)) === 'quit';
	const came = await verdictOf(run, sight, verdicts, changed, leave);
	return { ...came, proofMade: true, ...(leave && { stop: 'quit' as const }) };
}

type Verdict = Pick<EventOf<'probe'>, 'id' | 'verdict' | 'threats'>;

/** What the verdicts come to. Who leaves is not asked whether what the probes found harmful is to be taken back. */
async function verdictOf(
	run: StepRun<ProofStep<unknown>>,
	sight: StepSession,
	verdicts: readonly Verdict[],
	changed: boolean,
	leave: boolean,
): Promise<StepResult> {
	const failed = verdicts.filter(v => v.verdict === 'fail').map(v => v.id);
	const undecided = verdicts.filter(v => v.verdict === 'could-not-tell').map(v => v.id);
	/** Of a failed step it need not be said that its tests failed. */
	const attacks = verdicts.some(v => v.threats.length > 0) ? 'got through: ' : '';
	if (failed.length > 0) {
		const taken: Taken = leave ? { changed: false } : await takeBack(run, sight, failed);
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
		tally: { changed, undecided: undecidedFindings(sight.findings, run.request.strict) },
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
	sight: StepSession,
	failed: readonly string[],
): Promise<Taken> {
	const { deps, step, visit } = run;
	const plan = step.remedy?.(sight.facts, failed, judgeContext(deps));
	if (plan === undefined || plan.actions.length === 0) return { changed: false };
	await showPlan(deps, step.id, plan);
	visit.decided = true;
	const decision = await deps.decider.approve(step.id, plan, sight.findings, { back: false });
	const apply = decision.kind === 'apply' && risksOf(plan).every(risk => decision.risks.includes(risk));
	const leave = decision.kind === 'quit';
	await deps.emit({
		type: 'decision',
		step: step.id,
		decision: apply ? 'apply' : leave ? 'quit' : 'skip',
		risks: apply ? [...decision.risks] : [],
	});
	if (!apply) return { changed: false, said: 'it was left as it is', leave };
	const applied = await applyAll(deps, step.id, plan.actions);
	if (applied.kind === 'again') {
		await sight.look('after');
		return { said: 'it was taken back', ...(await takeBack(run, sight, failed)), changed: true };
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
			verdicts.push({ id, verdict: result.verdict, threats: [...threats] });
			await deps.emit({
				type: 'probe',
				step: step.id,
				id,
				title,
				threats: [...threats],
				verdict: result.verdict,
				because: result.because,
				expectation,
				evidence: redactDeep(result.evidence) as never,
				next: result.next === undefined ? undefined : [...result.next],
				ms: Math.round(deps.elapsed() - began),
			});
		}
		for (const { id, title, threats, why } of deps.signal.aborted ? [] : leftOut) {
			await deps.emit({
				type: 'probe',
				step: step.id,
				id,
				title,
				threats: [...threats],
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
