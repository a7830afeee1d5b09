import type { Action, Plan } from '../model/action.ts';
import type { Finding } from '../model/finding.ts';
import { type Answers, initialAnswer, type Question } from '../model/question.ts';
import type { ChangeStep, ProofStep } from '../model/step.ts';
import type { StepId } from '../model/step-id.ts';
import { judgeContext, type StepRun, stepContext, wrongInput } from './step-run.ts';

type ChangeRun = StepRun<ChangeStep<unknown>>;

/** What the proofs come to before the first change. */
interface Needed {
	readonly actions: readonly Action[];
	/** What was passed for the proofs and is of no use to them. */
	readonly wrong: readonly Finding[];
	/** What a person has to be asked before it is known what is to be fetched. */
	readonly ask: readonly Question[];
}

export interface FetchAhead extends Omit<Needed, 'actions'> {
	/** The change step's plan, behind what the proofs need. */
	readonly plan: Plan;
}

/**
 * Puts what the chosen proofs need before the first change: a host that cannot fetch it is not changed. Only for proofs
 * that stand on this step, and once a run. What a person still has to name is asked here, as its own step asks it, where
 * the defaults are not at hand.
 */
export async function fetchAhead(run: ChangeRun, plan: Plan): Promise<FetchAhead> {
	const first = plan.actions.find(({ serves }) => serves === undefined);
	const actions = new Map<string, Action>();
	const wrong: Finding[] = [];
	const ask = new Map<string, Question>();
	if (first === undefined || run.navigation.fetched) return { plan, wrong, ask: [] };
	for (const { step, role } of run.request.order.steps) {
		if (step.kind !== 'proof' || role !== 'chosen' || !standsOn(run, step.needs)) continue;
		const needed = await neededBy(step, run);
		wrong.push(...needed.wrong);
		for (const question of needed.ask) ask.set(question.id, asItsStepAsks(run, question));
		for (const action of needed.actions)
			actions.set(action.id, {
				...action,
				serves: first.id,
				whenItFails: ['nothing else in this plan has been done', ...(action.whenItFails ?? [])],
			});
	}
	return { plan: { ...plan, actions: [...actions.values(), ...plan.actions] }, wrong, ask: [...ask.values()] };
}

function standsOn(run: ChangeRun, needs: readonly StepId[]): boolean {
	return needs.some(id => {
		const need = run.request.order.steps.find(({ step }) => step.id === id);
		return id === run.step.id || (need !== undefined && standsOn(run, need.step.needs));
	});
}

/** By the answers so far, and by the defaults for the rest: these tell whether anything has to be fetched at all. */
async function neededBy(proof: ProofStep<unknown>, run: ChangeRun): Promise<Needed> {
	const { deps, request } = run;
	const facts = await proof.inspect(stepContext(deps, deps.host));
	const ask: Question[] = [];
	let answers = answersToKeep(run);
	for (;;) {
		const context = { ...judgeContext(deps), answers };
		const question = proof.ask?.(answers, facts, context).find(({ id }) => answers[id] === undefined);
		if (question === undefined) {
			const { actions } = proof.plan(facts, context);
			const wrong = wrongInput(proof.judge(facts, context));
			if (ask.length === 0) return { actions, wrong, ask };
			const atHand = wrong.length === 0 && actions.every(({ kind }) => kind === 'load-image');
			return { actions: [], wrong: [], ask: atHand || request.mode === 'plan' ? [] : ask };
		}
		const given = deps.given?.(question)?.value;
		if (given === undefined && question.fetches === true && deps.options.attended === true) ask.push(question);
		const value = given ?? initialAnswer(question);
		if (value === undefined) return { actions: [], wrong: [], ask: [] };
		answers = { ...answers, [question.id]: value };
	}
}

/** Without what this step has asked ahead, where somebody has gone back behind that. */
function answersToKeep({ deps, step, navigation, visit }: ChangeRun): Answers {
	const { answers, answerEvents } = deps.state();
	if (!navigation.turned) return answers;
	const again = answerEvents.filter(event => event.step === step.id && !visit.passed.some(({ id }) => id === event.id));
	return Object.fromEntries(Object.entries(answers).filter(([key]) => !again.some(({ id }) => id === key)));
}

/** The first chosen step that asks it has the words for it. */
function asItsStepAsks({ deps, request }: ChangeRun, question: Question): Question {
	const chosen = request.order.steps.filter(({ role }) => role === 'chosen');
	const asked = chosen.flatMap(({ step }) => step.ask?.(deps.state().answers, undefined, judgeContext(deps)) ?? []);
	return asked.find(({ id }) => id === question.id) ?? question;
}
