import type { Action, Plan } from '../model/action.ts';
import type { Finding } from '../model/finding.ts';
import { type Answers, initialAnswer } from '../model/question.ts';
import type { ChangeStep, ProofStep } from '../model/step.ts';
import type { StepId } from '../model/step-id.ts';
import { judgeContext, type StepRun, stepContext, wrongInput } from './step-run.ts';

export interface FetchAhead {
	/** The change step's plan, behind what the proofs need. */
	readonly plan: Plan;
	/** What was passed for the proofs and is of no use to them. */
	readonly wrong: readonly Finding[];
}

/**
 * Puts what the chosen proofs need before the first change: a host that cannot fetch it is not changed. Only for proofs
 * that stand on this step, and once a run. Where a person is still to be asked what is needed, the proof fetches it.
 */
export async function fetchAhead(run: StepRun<ChangeStep<unknown>>, plan: Plan): Promise<FetchAhead> {
	const first = plan.actions.find(({ serves }) => serves === undefined);
	const actions = new Map<string, Action>();
	const wrong: Finding[] = [];
	if (first === undefined || run.navigation.fetched) return { plan, wrong };
	for (const { step, role } of run.request.order.steps) {
		if (step.kind !== 'proof' || role !== 'chosen' || !standsOn(run, step.needs)) continue;
		const needed = await neededBy(step, run);
		wrong.push(...needed.wrong);
		for (const action of needed.actions)
			actions.set(action.id, {
				...action,
				serves: first.id,
				whenItFails: ['nothing else in this plan has been done', ...(action.whenItFails ?? [])],
			});
	}
	return { plan: { ...plan, actions: [...actions.values(), ...plan.actions] }, wrong };
}

function standsOn(run: StepRun<ChangeStep<unknown>>, needs: readonly StepId[]): boolean {
	return needs.some(id => {
		const need = run.request.order.steps.find(({ step }) => step.id === id);
		return id === run.step.id || (need !== undefined && standsOn(run, need.step.needs));
	});
}

async function neededBy(
	proof: ProofStep<unknown>,
	{ deps }: StepRun<ChangeStep<unknown>>,
): Promise<{ readonly actions: readonly Action[]; readonly wrong: readonly Finding[] }> {
	const facts = await proof.inspect(stepContext(deps, deps.host));
	let { answers }: { answers: Answers } = deps.state();
	for (;;) {
		const context = { ...judgeContext(deps), answers };
		const question = proof.ask?.(answers, facts, context).find(({ id }) => answers[id] === undefined);
		if (question === undefined)
			return { actions: proof.plan(facts, context).actions, wrong: wrongInput(proof.judge(facts, context)) };
		const assumed = deps.options.attended === true ? undefined : initialAnswer(question);
		const value = deps.given?.(question)?.value ?? assumed;
		if (value === undefined) return { actions: [], wrong: [] };
		answers = { ...answers, [question.id]: value };
	}
}
