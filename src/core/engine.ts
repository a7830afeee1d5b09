import type { ReadHost } from '../host/port.ts';
import { type Action, type Plan, risksOf } from './action.ts';
import type { ActionFailure, Decider, Ways } from './decider.ts';
import type { Emit, ShownAction, StepStatus } from './event.ts';
import { emptyTally, exitCode, judgeTally, mergeTally, type Outcome, type Tally } from './exit.ts';
import { type Finding, standingBlocks } from './finding.ts';
import type { Knowledge } from './knowledge.ts';
import type { StepOrder } from './order.ts';
import type { ProbeHost } from './probe.ts';
import { type Answers, answerProblem, type Question } from './question.ts';
import { redactDeep } from './redact.ts';
import { changedAnything, type RunState } from './state.ts';
import type { ChangeStep, JudgeContext, ProofStep, ReportStep, RunOptions, Step, StepContext, StepId } from './step.ts';
import type { Waiver } from './waiver.ts';
import { waive } from './waiver.ts';

export type ApplyResult =
	| { readonly kind: 'done' }
	| { readonly kind: 'manual' }
	| { readonly kind: 'failed'; readonly failure: ActionFailure }
	/** The host is no longer as the plan assumed: nothing was done, and the step has to look again. */
	| { readonly kind: 'stale'; readonly failure: ActionFailure }
	| { readonly kind: 'interrupted' };

export interface EngineDeps {
	readonly host: ReadHost;
	readonly knowledge: Knowledge;
	readonly options: RunOptions;
	readonly decider: Decider;
	readonly emit: Emit;
	readonly state: () => RunState;
	readonly now: () => Date;
	readonly signal: AbortSignal;
	readonly apply: (step: StepId, action: Action) => Promise<ApplyResult>;
	/** How an action is shown; the same function serves plan output, log and record. */
	readonly show: (action: Action) => ShownAction;
	/** A host on which these actions' file changes can already be read, so that a plan foresees its own effects. */
	readonly foresee: (actions: readonly Action[]) => ReadHost;
	readonly probeHost: ProbeHost;
	/** Removes every throw-away object of this run. Says what could not be removed. */
	readonly cleanUpProbes: () => Promise<readonly string[]>;
	readonly saveAnswer: (id: string, value: Answers[string]) => void;
	readonly saveCursor: (step: StepId) => void;
}

export interface EngineRequest {
	readonly mode: 'run' | 'check' | 'plan' | 'test';
	readonly order: StepOrder;
	readonly waivers: readonly Waiver[];
	/** With it, checks left out for lack of root count as "could not tell" too. */
	readonly strict: boolean;
	/** A record is written although nothing was changed. */
	readonly recordAsked: boolean;
}

export interface EngineEnd {
	readonly outcome: Outcome;
	readonly exit: number;
	readonly changed: boolean;
	readonly open: readonly string[];
	readonly why?: string;
}

/** How often a step may plan again after its plan was carried out: an install can reveal a unit that has to be started. */
const planRounds = 3;

type StepResult = {
	readonly status: StepStatus;
	readonly why?: string;
	readonly tally: Partial<Tally>;
	readonly open: readonly string[];
	readonly stop?: 'quit' | 'wrong-input' | 'back';
};

/** One visit of a step: what was decided in it, so that going back finds the decision before. */
interface Visit {
	/** Somebody decided in an earlier step, and nothing was applied since. */
	readonly earlier: boolean;
	/** A step that this one needs is not finished: what blocks here may be what that one will end. */
	readonly behind: boolean;
	/** Somebody was asked something in this one. */
	decided: boolean;
	/** Questions that were answered, in order. */
	readonly passed: Question[];
	/** A question to be asked once more before the others. */
	again: Question | undefined;
}

const canGoBack = (visit: Visit): boolean => visit.earlier || visit.passed.length > 0;

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
	/** Steps where somebody decided something and nothing was applied since: where "back" leads. */
	let stops: number[] = [];
	/** Changes that a plan-only run foresees, so that later steps can be planned behind earlier ones. */
	const foreseen: Action[] = [];
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

		const visit: Visit = {
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
			result = await runStep(deps, request, step, role, soFar(), foreseen, visit);
		}
		results.set(step.id, result);
		const changedHere = deps.signal.aborted ? changedAnything(deps.state()) : result.tally.changed === true;
		await deps.emit({
			type: 'step.end',
			step: step.id,
			status: result.status,
			changed: changedHere,
			open: [...result.open],
			...(result.why !== undefined && { why: result.why }),
		});
		if (result.stop === 'back') {
			// The loop's own increment leads to the step that is visited again.
			index = (stops.pop() ?? 0) - 1;
			continue;
		}
		stopped = result.stop;
		if (result.tally.changed === true) stops = [];
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
			...(why !== undefined && { why }),
		};
	}
	const { exit, outcome } = judgeTally(stopped === 'quit' ? mergeTally(tally, { open: true }) : tally);
	return { outcome, exit, changed: tally.changed, open };
}

const finished = (result: StepResult): boolean =>
	['unchanged', 'done', 'proved', 'undecided', 'reported'].includes(result.status) && result.tally.blocked !== true;

async function runStep(
	deps: EngineDeps,
	request: EngineRequest,
	step: Step,
	role: 'chosen' | 'inspected',
	tally: Tally,
	foreseen: Action[],
	visit: Visit,
): Promise<StepResult> {
	switch (step.kind) {
		case 'change':
			return runChange(deps, request, step, role, foreseen, visit);
		case 'proof':
			return runProof(deps, request, step, role, visit);
		case 'report':
			return runReport(deps, request, step, tally, visit);
		default:
			return step satisfies never;
	}
}

function judgeContext(deps: EngineDeps): JudgeContext {
	return {
		knowledge: deps.knowledge,
		options: deps.options,
		answers: deps.state().answers,
		state: deps.state(),
		now: deps.now(),
	};
}

function stepContext(deps: EngineDeps, host: ReadHost): StepContext {
	return { ...judgeContext(deps), host, signal: deps.signal };
}

async function look(
	deps: EngineDeps,
	request: EngineRequest,
	step: ChangeStep<unknown> | ProofStep<unknown>,
	host: ReadHost,
	when: 'before' | 'after',
): Promise<{ facts: unknown; findings: readonly Finding[] }> {
	const facts = await step.inspect(stepContext(deps, host));
	for (const { key, value } of step.observe?.(facts) ?? [])
		await deps.emit({ type: 'observed', step: step.id, key, value });
	const findings = waive(step.judge(facts, judgeContext(deps)), request.waivers, deps.now());
	await deps.emit({ type: 'findings', step: step.id, when, findings: redactDeep(findings) as never });
	return { facts, findings };
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

/** Blocks that this step's own plan cannot end. */
const hardBlocks = (findings: readonly Finding[]): readonly Finding[] =>
	standingBlocks(findings).filter(f => f.remedy?.kind !== 'planned');

/** A block whose id begins so is about what the operator passed, not about the host. */
const wrongInput = (findings: readonly Finding[]): readonly Finding[] =>
	hardBlocks(findings).filter(f => f.id.startsWith('input.'));

const undecidedFindings = (findings: readonly Finding[], strict: boolean): boolean =>
	findings.some(
		f => f.severity === 'could-not-tell' && f.waived === undefined && (strict || f.needsRoot === undefined),
	);

function blockedBy(findings: readonly Finding[]): StepResult {
	const wrong = wrongInput(findings);
	return wrong.length > 0
		? { status: 'blocked', why: wrong.map(f => f.summary).join('; '), tally: {}, open: [], stop: 'wrong-input' }
		: {
				status: 'blocked',
				why: `blocked by ${findings.map(f => f.id).join(', ')}`,
				tally: { blocked: true },
				open: [],
			};
}

const newAnswers = (before: Answers, after: Answers): boolean =>
	Object.entries(after).some(([id, value]) => JSON.stringify(before[id]) !== JSON.stringify(value));

const wentBack: StepResult = { status: 'not-run', why: 'gone back', tally: {}, open: [], stop: 'back' };

const leftByChoice = (step: StepId, tally: Partial<Tally> = {}): StepResult => ({
	status: 'open',
	why: 'left by choice',
	tally: { ...tally, open: true },
	open: [step],
	stop: 'quit',
});

/**
 * What hinders a step is shown, and looked at again as often as the operator says: it is put right in another terminal.
 * A decider that nobody sits behind has no such method, and the step ends blocked at once.
 */
async function whenBlocked(
	deps: EngineDeps,
	request: EngineRequest,
	step: StepId,
	hard: readonly Finding[],
	findings: readonly Finding[],
	visit: Visit,
	tally: Partial<Tally>,
): Promise<'look-again' | 'ask-again' | StepResult> {
	const asking = request.mode === 'run' || request.mode === 'test';
	const blocked = { ...blockedBy(hard), tally: { ...blockedBy(hard).tally, ...tally } };
	if (deps.decider.onBlocked === undefined || !asking || wrongInput(findings).length > 0) return blocked;
	visit.decided = true;
	const decision = await deps.decider.onBlocked(step, findings, { back: tally.changed !== true && canGoBack(visit) });
	switch (decision) {
		case 'look-again':
			return 'look-again';
		case 'go-on':
			return blocked;
		case 'quit':
			return { ...blocked, stop: 'quit' };
		case 'back':
			visit.again = visit.passed.pop();
			if (visit.again !== undefined) return 'ask-again';
			return visit.earlier ? wentBack : { ...blocked, stop: 'quit' };
		default:
			return decision satisfies never;
	}
}

/**
 * Asks until a step has no further question: an answer can bring up the next one. Undefined when all are answered, else
 * how the step ends.
 */
async function askAll(deps: EngineDeps, step: Step, facts: unknown, visit: Visit): Promise<StepResult | undefined> {
	const missing = (what: string): StepResult => ({
		status: 'open',
		why: `no answer for ${what}`,
		tally: {},
		open: [],
		stop: 'wrong-input',
	});
	for (;;) {
		const questions: readonly Question[] =
			step.kind === 'report'
				? (step.ask?.(deps.state().answers, undefined, judgeContext(deps)) ?? [])
				: (step.ask?.(deps.state().answers, facts, judgeContext(deps)) ?? []);
		const question = visit.again ?? questions.find(q => !visit.passed.some(passed => passed.id === q.id));
		if (question === undefined) return undefined;
		visit.again = undefined;
		visit.decided = true;
		const decision = await deps.decider.answer(step.id, question, { back: canGoBack(visit) });
		if (decision.kind === 'missing') return missing(question.id);
		if (decision.kind !== 'answer') {
			if (decision.kind === 'quit') return leftByChoice(step.id);
			visit.again = visit.passed.pop();
			if (visit.again !== undefined) continue;
			return visit.earlier ? wentBack : leftByChoice(step.id);
		}
		const problem = answerProblem(question, decision.value);
		if (problem !== undefined) return missing(`${question.id} (${problem})`);
		visit.passed.push(question);
		const secret = question.kind === 'text' && question.secret === true;
		if (!secret) deps.saveAnswer(question.id, decision.value);
		const value = secret ? '[secret]' : decision.value;
		await deps.emit({
			type: 'answer',
			step: step.id,
			id: question.id,
			value: redactDeep(value) as never,
			source: decision.source,
		});
	}
}

async function showPlan(deps: EngineDeps, step: StepId, plan: Plan): Promise<void> {
	await deps.emit({
		type: 'plan',
		step,
		actions: plan.actions.map(deps.show),
		...(plan.impact !== undefined && { impact: { stops: [...plan.impact.stops], notes: [...plan.impact.notes] } }),
	});
}

async function runChange(
	deps: EngineDeps,
	request: EngineRequest,
	step: ChangeStep<unknown>,
	role: 'chosen' | 'inspected',
	foreseen: Action[],
	visit: Visit,
): Promise<StepResult> {
	const planning = request.mode === 'plan';
	const host = planning && foreseen.length > 0 ? deps.foresee(foreseen) : deps.host;
	let { facts, findings } = await look(deps, request, step, host, 'before');
	if (request.mode === 'check') return checked(findings, request, visit.behind);
	// Behind changes that are only foreseen, a block may be one that those changes end: it is shown, and judged in the run.
	const hinders = (): readonly Finding[] => (planning && visit.behind ? wrongInput(findings) : hardBlocks(findings));
	const untilFit = async (): Promise<StepResult | undefined> => {
		for (let hard = hinders(); hard.length > 0; hard = hinders()) {
			const next = await whenBlocked(deps, request, step.id, hard, findings, visit, {});
			if (next === 'ask-again') return ask();
			if (next !== 'look-again') return next;
			({ facts, findings } = await look(deps, request, step, host, 'before'));
		}
		return undefined;
	};
	const unfit = await untilFit();
	if (unfit !== undefined) return unfit;

	if (role === 'inspected') {
		const plan = step.plan(facts, judgeContext(deps));
		if (plan.actions.length === 0) return { status: 'unchanged', tally: {}, open: [] };
		return {
			status: 'open',
			why: 'has something to change, and was not chosen',
			tally: { blocked: true },
			open: [`${step.id}: run it first`],
		};
	}

	/** Asks what is left to ask. An answer can name what is to be looked at, such as a folder. */
	const ask = async (): Promise<StepResult | undefined> => {
		const known = deps.state().answers;
		const left = await askAll(deps, step, facts, visit);
		if (left !== undefined) return left;
		if (newAnswers(known, deps.state().answers))
			({ facts, findings } = await look(deps, request, step, host, 'before'));
		return untilFit();
	};
	const left = await ask();
	if (left !== undefined) return left;

	let changed = false;
	let manual: readonly string[] = [];
	for (let round = 0; ; round++) {
		const plan = step.plan(facts, judgeContext(deps));
		if (plan.actions.length === 0) {
			const standing = standingBlocks(findings);
			if (standing.length === 0 || planning) break;
			const next = await whenBlocked(deps, request, step.id, standing, findings, visit, { changed });
			if (next === 'ask-again') {
				const leftAgain = await ask();
				if (leftAgain !== undefined) return leftAgain;
			} else if (next !== 'look-again') return next;
			else ({ facts, findings } = await look(deps, request, step, deps.host, 'after'));
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
		await showPlan(deps, step.id, plan);
		if (planning) {
			foreseen.push(...plan.actions);
			return {
				status: 'open',
				tally: { open: true, undecided: undecidedFindings(findings, request.strict) },
				open: plan.actions.map(a => `${step.id}: ${a.title}`),
			};
		}
		visit.decided = true;
		const decision = await deps.decider.approve(step.id, plan, findings, { back: !changed && canGoBack(visit) });
		const named = decision.kind === 'apply' ? decision.risks : [];
		const missing = risksOf(plan).filter(risk => !named.includes(risk));
		if (decision.kind === 'refused' || (decision.kind === 'apply' && missing.length > 0)) {
			const why = `needs ${(decision.kind === 'refused' ? decision.missing : missing).map(r => `--accept-risk ${r}`).join(' ')}`;
			await deps.emit({ type: 'decision', step: step.id, decision: 'refused', risks: [], why });
			return { status: 'open', why, tally: { open: true, changed }, open: [`${step.id}: ${why}`] };
		}
		if (decision.kind === 'back') {
			if (changed || !canGoBack(visit)) return leftByChoice(step.id, { changed });
			visit.again = visit.passed.pop();
			if (visit.again === undefined) return wentBack;
			const leftAgain = await ask();
			if (leftAgain !== undefined) return leftAgain;
			round -= 1;
			continue;
		}
		await deps.emit({ type: 'decision', step: step.id, decision: decision.kind, risks: [...named] });
		if (decision.kind === 'quit') return leftByChoice(step.id, { changed });
		if (decision.kind === 'skip') return { status: 'skipped', tally: { changed }, open: [] };

		const applied = await applyAll(deps, step.id, plan.actions);
		changed ||= applied.changed;
		manual = applied.manual;
		if (applied.kind === 'interrupted')
			return { status: 'open', why: 'interrupted', tally: { open: true, changed }, open: [step.id] };
		if (applied.kind === 'failed') {
			await look(deps, request, step, deps.host, 'after');
			return {
				status: 'failed',
				why: applied.failure.said,
				tally: { failed: true, changed },
				open: [],
				...(applied.quit && { stop: 'quit' as const }),
			};
		}
		({ facts, findings } = await look(deps, request, step, deps.host, 'after'));
		if (manual.length > 0) break;
	}

	const standing = planning && visit.behind ? [] : standingBlocks(findings);
	const openWork = manual.map(text => `${step.id}: ${text}`);
	if (openWork.length > 0)
		return { status: 'open', why: 'something is left for you', tally: { open: true, changed }, open: openWork };
	if (standing.length > 0) return { ...blockedBy(standing), tally: { blocked: true, changed } };
	const undecided = undecidedFindings(findings, request.strict);
	return { status: undecided ? 'undecided' : changed ? 'done' : 'unchanged', tally: { changed, undecided }, open: [] };
}

type Applied =
	| { readonly kind: 'done' | 'interrupted'; readonly changed: boolean; readonly manual: readonly string[] }
	| {
			readonly kind: 'failed';
			readonly changed: boolean;
			readonly manual: readonly string[];
			readonly failure: ActionFailure;
			readonly quit: boolean;
	  };

async function applyAll(deps: EngineDeps, step: StepId, actions: readonly Action[]): Promise<Applied> {
	let changed = false;
	const manual: string[] = [];
	for (const action of actions) {
		for (let again = true; again; ) {
			again = false;
			if (deps.signal.aborted) return { kind: 'interrupted', changed, manual };
			const result = await deps.apply(step, action);
			switch (result.kind) {
				case 'done':
					changed = true;
					break;
				case 'manual':
					manual.push(action.title);
					break;
				case 'interrupted':
					return { kind: 'interrupted', changed: true, manual };
				case 'stale':
					// Nothing was done. The step looks again and shows the new plan.
					return { kind: 'done', changed, manual };
				case 'failed': {
					const decision = await deps.decider.onFailure(step, result.failure);
					if (decision !== 'retry')
						return { kind: 'failed', changed: true, manual, failure: result.failure, quit: decision === 'quit' };
					again = true;
					break;
				}
				default:
					result satisfies never;
			}
		}
	}
	return { kind: 'done', changed, manual };
}

async function runProof(
	deps: EngineDeps,
	request: EngineRequest,
	step: ProofStep<unknown>,
	role: 'chosen' | 'inspected',
	visit: Visit,
): Promise<StepResult> {
	if (role === 'inspected') return { status: 'not-run', tally: {}, open: [] };
	const planning = request.mode === 'plan';
	let { facts, findings } = await look(deps, request, step, deps.host, 'before');
	const hinders = (): readonly Finding[] => (planning && visit.behind ? wrongInput(findings) : hardBlocks(findings));
	const untilFit = async (): Promise<StepResult | undefined> => {
		for (let hard = hinders(); hard.length > 0; hard = hinders()) {
			const next = await whenBlocked(deps, request, step.id, hard, findings, visit, {});
			if (next === 'ask-again') return ask();
			if (next !== 'look-again') return next;
			({ facts, findings } = await look(deps, request, step, deps.host, 'before'));
		}
		return undefined;
	};
	const unfit = await untilFit();
	if (unfit !== undefined) return unfit;
	const ask = async (): Promise<StepResult | undefined> => {
		const known = deps.state().answers;
		const left = await askAll(deps, step, facts, visit);
		if (left !== undefined) return left;
		if (newAnswers(known, deps.state().answers))
			({ facts, findings } = await look(deps, request, step, deps.host, 'before'));
		return untilFit();
	};
	const left = await ask();
	if (left !== undefined) return left;

	let plan = step.plan(facts, judgeContext(deps));
	if (plan.actions.length > 0) await showPlan(deps, step.id, plan);
	if (planning)
		return {
			status: plan.actions.length > 0 ? 'open' : 'unchanged',
			tally: { open: plan.actions.length > 0 },
			open: plan.actions.map(a => `${step.id}: ${a.title}`),
		};
	let changed = false;
	const declined = (why: string, leave: boolean): StepResult => ({
		status: 'skipped',
		why,
		tally: { open: true, changed },
		open: [step.id],
		...(leave && { stop: 'quit' as const }),
	});
	while (plan.actions.length > 0) {
		visit.decided = true;
		const decision = await deps.decider.approve(step.id, plan, findings, { back: canGoBack(visit) });
		if (decision.kind === 'back' && canGoBack(visit)) {
			visit.again = visit.passed.pop();
			if (visit.again === undefined) return wentBack;
			const leftAgain = await ask();
			if (leftAgain !== undefined) return leftAgain;
			plan = step.plan(facts, judgeContext(deps));
			if (plan.actions.length > 0) await showPlan(deps, step.id, plan);
			continue;
		}
		if (decision.kind !== 'apply') {
			const leave = decision.kind === 'quit' || decision.kind === 'back';
			await deps.emit({
				type: 'decision',
				step: step.id,
				decision: decision.kind === 'refused' ? 'refused' : leave ? 'quit' : 'skip',
				risks: [],
			});
			return declined('what the probes need was declined', leave);
		}
		await deps.emit({ type: 'decision', step: step.id, decision: 'apply', risks: [...decision.risks] });
		const applied = await applyAll(deps, step.id, plan.actions);
		changed = applied.changed;
		if (applied.kind === 'interrupted')
			return { status: 'open', why: 'interrupted', tally: { open: true, changed }, open: [step.id] };
		if (applied.kind === 'failed')
			return {
				status: 'failed',
				why: applied.failure.said,
				tally: { failed: true, changed },
				open: [],
				...(applied.quit && { stop: 'quit' as const }),
			};
		({ facts, findings } = await look(deps, request, step, deps.host, 'after'));
		const still = hardBlocks(findings);
		if (still.length > 0) return { ...blockedBy(still), tally: { blocked: true, changed } };
		break;
	}

	if (deps.decider.beforeProbes !== undefined) {
		visit.decided = true;
		const { probes, leftOut } = step.probes(facts, judgeContext(deps));
		const ways: Ways = { back: !changed && visit.earlier };
		const decision = await deps.decider.beforeProbes(step.id, { probes, leftOut }, ways);
		if (decision === 'back' && ways.back) return wentBack;
		if (decision !== 'run') return declined('declined', decision !== 'skip');
	}

	const verdicts = await runProbes(deps, step, facts);
	if (deps.signal.aborted)
		return { status: 'open', why: 'interrupted', tally: { open: true, changed }, open: [step.id] };
	const failed = verdicts.filter(v => v.verdict === 'fail').map(v => v.id);
	const undecided = verdicts.filter(v => v.verdict === 'could-not-tell').map(v => v.id);
	if (failed.length > 0)
		return { status: 'failed', why: `did not hold: ${failed.join(', ')}`, tally: { failed: true, changed }, open: [] };
	if (undecided.length > 0)
		return {
			status: 'undecided',
			why: `could not tell: ${undecided.join(', ')}`,
			tally: { undecided: true, changed },
			open: [],
		};
	return { status: 'proved', tally: { changed, undecided: undecidedFindings(findings, request.strict) }, open: [] };
}

async function runProbes(
	deps: EngineDeps,
	step: ProofStep<unknown>,
	facts: unknown,
): Promise<readonly { id: string; verdict: string }[]> {
	const { probes, leftOut } = step.probes(facts, judgeContext(deps));
	const verdicts: { id: string; verdict: string }[] = [];
	try {
		for (const [index, probe] of probes.entries()) {
			if (deps.signal.aborted) break;
			const { id, title, attempt, threats, expectation } = probe;
			await deps.emit({ type: 'probe.start', step: step.id, id, title, attempt, n: index + 1, of: probes.length });
			const began = deps.now().getTime();
			const result = await probe.run(deps.probeHost);
			// A verdict reached while the probe was being stopped says nothing about the host.
			if (deps.signal.aborted) break;
			verdicts.push({ id, verdict: result.verdict });
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
				ms: deps.now().getTime() - began,
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

async function runReport(
	deps: EngineDeps,
	request: EngineRequest,
	step: ReportStep,
	tally: Tally,
	visit: Visit,
): Promise<StepResult> {
	const changedInRun = tally.changed || changedAnything(deps.state());
	if (!changedInRun && !request.recordAsked)
		return { status: 'skipped', why: 'nothing was changed, and none was asked for', tally: {}, open: [] };
	const left = await askAll(deps, step, undefined, visit);
	if (left !== undefined) return left;
	const target = await step.inspect(stepContext(deps, deps.host));
	if (target.kind === 'refused') return { status: 'failed', why: target.why, tally: { failed: true }, open: [] };
	const action = step.compose(target, judgeContext(deps));
	const result = await deps.apply(step.id, action);
	switch (result.kind) {
		case 'done': {
			const incomplete = tally.failed || tally.blocked || tally.undecided || tally.open;
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
			return { status: 'open', why: 'interrupted', tally: { open: true }, open: [step.id] };
		case 'manual':
		case 'stale':
		case 'failed':
			return {
				status: 'failed',
				why: result.kind === 'manual' ? 'the record was not written' : result.failure.said,
				tally: { failed: true },
				open: [],
			};
		default:
			return result satisfies never;
	}
}
