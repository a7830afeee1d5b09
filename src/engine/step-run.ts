import type { StepStatus } from '../model/event.ts';
import type { Tally } from '../model/exit.ts';
import { explained, type Finding, hardBlocks } from '../model/finding.ts';
import { beforeDelegation } from '../model/managed-files.ts';
import type { OpenWork } from '../model/open-work.ts';
import {
	type AnswerSource,
	type Answers,
	type AnswerValue,
	answerProblem,
	type Place,
	type Question,
	secretAnswer,
} from '../model/question.ts';
import { latestFindings } from '../model/state.ts';
import type { ChangeStep, FileBefore, JudgeContext, ProofStep, Step, StepContext } from '../model/step.ts';
import type { StepId } from '../model/step-id.ts';
import { waive } from '../model/waiver.ts';
import type { ReadHost } from '../port/host.ts';
import { redactDeep } from '../text/redact.ts';
import type { EngineDeps, EngineRequest } from './contract.ts';
import type { Navigation, StepVisit, WayBack } from './navigation.ts';

/** What a step came to. */
export interface StepResult {
	readonly status: StepStatus;
	readonly why?: string | undefined;
	readonly tally: Partial<Tally>;
	readonly open: readonly OpenWork[];
	readonly stop?: 'quit' | 'wrong-input' | 'back' | undefined;
	/** Its probes were run: a later step does not lead back before them. */
	readonly proofMade?: true | undefined;
}

/** A step in its turn: the run that it is part of, and this visit of it. */
export interface StepRun<S extends Step> {
	readonly deps: EngineDeps;
	readonly request: EngineRequest;
	readonly step: S;
	/** A step that is only inspected is needed by a chosen one, and never applied. */
	readonly role: 'chosen' | 'inspected';
	/** A step that this one needs is not finished: what blocks here may be what that one will end. */
	readonly behind: boolean;
	readonly visit: StepVisit;
	readonly navigation: Navigation;
}

export function judgeContext({ knowledge, options, state, now }: EngineDeps): JudgeContext {
	return { knowledge, options, answers: state().answers, state: state(), now: now() };
}

export function stepContext(deps: EngineDeps, host: ReadHost): StepContext {
	return {
		...judgeContext(deps),
		host: deps.eachLook?.(host) ?? host,
		signal: deps.signal,
		before: path => fileBefore(path, deps, host),
	};
}

/** Where changes are only foreseen, what is on the host is what was before them. */
async function fileBefore(path: string, deps: EngineDeps, host: ReadHost): Promise<FileBefore> {
	const first = deps
		.state()
		.actions.find(a => a.undo.kind === 'file' && a.undo.path === path && a.outcome !== 'refused')?.undo;
	const earlier = first?.kind === 'file' ? (first.before?.sha256 ?? null) : beforeDelegation(path, deps.state());
	if (earlier === null) return { kind: 'missing' };
	if (earlier !== undefined) {
		const bytes = await deps.kept(earlier);
		return bytes === undefined ? { kind: 'gone' } : { kind: 'bytes', bytes };
	}
	if (host === deps.host) return { kind: 'unchanged' };
	const [now, then] = await Promise.all([deps.host.readFile(path), host.readFile(path)]);
	if (now.kind !== 'bytes') return { kind: then.kind === 'bytes' ? 'missing' : 'unchanged' };
	const same = then.kind === 'bytes' && Buffer.compare(now.bytes, then.bytes) === 0;
	return same ? { kind: 'unchanged' } : { kind: 'bytes', bytes: now.bytes };
}

/**
 * What a step sees of its host, and how it is made ready. `untilFit` and `ask` are undefined when nothing hinders and
 * nothing is left to ask; else they say how the step ends.
 */
export interface StepSession {
	readonly facts: unknown;
	readonly findings: readonly Finding[];
	look(when: 'before' | 'after'): Promise<void>;
	/** Shows what hinders, and looks again as often as the operator says. */
	untilFit(): Promise<StepResult | undefined>;
	/**
	 * Asks what is left to ask, and `ahead` what a later step would. An answer can name what is to be looked at, such as a
	 * directory.
	 */
	ask(ahead?: readonly Question[]): Promise<StepResult | undefined>;
	/** Takes the answers that were given beforehand, and asks nothing. */
	takeGiven(): Promise<void>;
	/** Does what was decided about something that hinders. Undefined: it can be planned again. */
	afterBlock(next: 'look-again' | 'ask-again' | StepResult, when: 'before' | 'after'): Promise<StepResult | undefined>;
}

/** Looks at the host for a step for the first time. */
export async function inspectStep(
	run: StepRun<ChangeStep<unknown> | ProofStep<unknown>>,
	host: ReadHost,
): Promise<StepSession> {
	const { deps, request, step, behind } = run;
	let facts: unknown;
	let findings: readonly Finding[] = [];

	async function look(when: 'before' | 'after'): Promise<void> {
		facts = await step.inspect(stepContext(deps, host));
		for (const { key, value } of step.observe?.(facts) ?? [])
			await deps.emit({ type: 'observed', step: step.id, key, value });
		const judged = waive(step.judge(facts, judgeContext(deps)), request.waivers, deps.now());
		const others = deps.state().steps.filter(({ id }) => id !== step.id);
		findings = explained(judged, others.flatMap(latestFindings));
		await deps.emit({ type: 'findings', step: step.id, when, findings: redactDeep(findings) });
	}
	// Behind changes that are only foreseen, a block may be one that those changes end, and a run is root's, who may look
	// where this user may not: it is shown, and judged in the run.
	const hinders = (): readonly Finding[] =>
		request.mode === 'plan'
			? (behind ? wrongInput(findings) : hardBlocks(findings)).filter(f => f.needsRoot === undefined)
			: hardBlocks(findings);
	async function untilFit(): Promise<StepResult | undefined> {
		for (let hard = hinders(); hard.length > 0; hard = hinders()) {
			const next = await whenBlocked(run, hard, findings, {});
			if (next === 'ask-again') return ask();
			if (next !== 'look-again') return next;
			await look('before');
		}
		return undefined;
	}
	async function ask(ahead?: readonly Question[]): Promise<StepResult | undefined> {
		const known = deps.state().answers;
		const left = await askAll(run, facts, ahead);
		if (left !== undefined) return left;
		if (newAnswers(known, deps.state().answers)) await look('before');
		return untilFit();
	}

	async function takeGiven(): Promise<void> {
		const known = deps.state().answers;
		await takeGivenAnswers(run, facts);
		if (newAnswers(known, deps.state().answers)) await look('before');
	}

	async function afterBlock(
		next: 'look-again' | 'ask-again' | StepResult,
		when: 'before' | 'after',
	): Promise<StepResult | undefined> {
		if (next === 'ask-again') return ask();
		if (next !== 'look-again') return next;
		await look(when);
		return undefined;
	}

	await look('before');
	return {
		get facts() {
			return facts;
		},
		get findings() {
			return findings;
		},
		look,
		untilFit,
		ask,
		takeGiven,
		afterBlock,
	};
}

/** Blocks that are about what the operator passed. */
export const wrongInput = (findings: readonly Finding[]): readonly Finding[] =>
	hardBlocks(findings).filter(f => f.about === 'input');

export const undecidedFindings = (findings: readonly Finding[], strict: boolean): boolean =>
	findings.some(
		f =>
			f.severity === 'could-not-tell' &&
			f.waived === undefined &&
			f.keeps === undefined &&
			(strict || f.needsRoot === undefined),
	);

export function blockedBy(findings: readonly Finding[]): StepResult {
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

export const wentBack: StepResult = { status: 'not-run', why: 'gone back', tally: {}, open: [], stop: 'back' };

export const leftByChoice = (step: StepId, tally: Partial<Tally> = {}): StepResult => ({
	status: 'open',
	why: 'left before it was finished',
	tally: { ...tally, open: true },
	open: [{ step }],
	stop: 'quit',
});

export const interruptedIn = (step: StepId, tally: Partial<Tally> = {}): StepResult => ({
	status: 'open',
	why: 'interrupted',
	tally: { ...tally, open: true },
	open: [{ step }],
});

/** An action failed, and nobody wanted it tried again. */
export const failedIn = (
	{ failure, quit }: { readonly failure: { readonly said: string }; readonly quit: boolean },
	changed: boolean,
): StepResult => ({
	status: 'failed',
	why: failure.said,
	tally: { failed: true, changed },
	open: [],
	stop: quit ? 'quit' : undefined,
});

/**
 * What hinders a step is shown, and looked at again as often as the operator says: it is put right in another terminal.
 * A decider that nobody sits behind has no such method, and the step ends blocked at once.
 */
export async function whenBlocked(
	{ deps, request, step, visit }: StepRun<Step>,
	hard: readonly Finding[],
	findings: readonly Finding[],
	tally: Partial<Tally>,
): Promise<'look-again' | 'ask-again' | StepResult> {
	const asking = request.mode === 'run' || request.mode === 'test';
	const blocked = { ...blockedBy(hard), tally: { ...blockedBy(hard).tally, ...tally } };
	if (deps.decider.onBlocked === undefined || !asking || wrongInput(findings).length > 0) return blocked;
	const ways = visit.decide(tally.changed);
	const decision = await deps.decider.onBlocked(step.id, findings, ways);
	switch (decision) {
		case 'look-again':
			return 'look-again';
		case 'go-on':
			return blocked;
		case 'quit':
			return { ...blocked, stop: 'quit' };
		case 'back':
			return behindBack(visit.back(ways), { ...blocked, stop: 'quit' });
		default:
			return decision satisfies never;
	}
}

/** Where a wish to go back leads. Before the whole run is shown again, the step is planned anew. */
export function behindBack(way: WayBack, left: StepResult): 'look-again' | 'ask-again' | StepResult {
	switch (way) {
		case 'ask-again':
			return 'ask-again';
		case 'review-again':
			return 'look-again';
		case 'went-back':
			return wentBack;
		case 'leave':
			return left;
		default:
			return way satisfies never;
	}
}

const newAnswers = (before: Answers, after: Answers): boolean =>
	Object.entries(after).some(([id, value]) => JSON.stringify(before[id]) !== JSON.stringify(value));

/**
 * Asks until a step has no further question: an answer can bring up the next one. Undefined when all are answered, else
 * how the step ends.
 */
export async function askAll(
	run: StepRun<Step>,
	facts: unknown,
	ahead: readonly Question[] = [],
): Promise<StepResult | undefined> {
	const { deps, step, visit, navigation } = run;
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
		const { passed } = visit;
		const own = questions.filter(question => !wasAskedAhead(run, question));
		const left = [...own, ...ahead].filter(q => !passed.some(({ id }) => id === q.id));
		const question = visit.takeAgain() ?? left[0];
		if (question === undefined) return undefined;
		const prepared = navigation.prepared?.answers.get(question.id);
		if (prepared !== undefined && answerProblem(question, prepared.value) === undefined) {
			visit.take(question);
			await keepAnswer(deps, step.id, question, prepared);
			continue;
		}
		const place: Place = {
			n: passed.length + 1,
			of: passed.length + Math.max(1, left.length),
			mayGrow: [question, ...left].some(({ leadsOn }) => leadsOn) || (ahead.length === 0 && mayAskAhead(run)),
			next: shownNext(run),
		};
		const ways = visit.decide();
		const decision = await deps.decider.answer(step.id, question, ways, place);
		if (decision.kind === 'missing') return missing(question.id);
		if (decision.kind !== 'answer') {
			const way = decision.kind === 'back' ? visit.back(ways) : 'leave';
			const next = behindBack(way, leftByChoice(step.id));
			if (typeof next === 'object') return next;
			continue;
		}
		const problem = answerProblem(question, decision.value);
		if (problem !== undefined) return missing(`${question.id} (${problem})`);
		visit.pass(question);
		await keepAnswer(deps, step.id, question, decision);
	}
}

/** A change may bring up what the proofs ask, as it has to be fetched first. */
function mayAskAhead({ deps, request, step, navigation }: StepRun<Step>): boolean {
	if (step.kind !== 'change' || deps.options.attended !== true || navigation.fetched) return false;
	const { answers } = deps.state();
	return request.order.steps.some(
		({ step: later, role }) =>
			later.kind === 'proof' &&
			role === 'chosen' &&
			later
				.ask?.(answers, undefined, judgeContext(deps))
				.some(q => q.fetches === true && answers[q.id] === undefined && deps.given?.(q) === undefined),
	);
}

/** An earlier step has asked it, to fetch what its answer names; what was passed since then is no other answer. */
function wasAskedAhead({ deps, step, navigation }: StepRun<Step>, question: Question): boolean {
	const { answers, answerEvents } = deps.state();
	if (question.fetches !== true || navigation.turned) return false;
	const given = deps.given?.(question)?.value;
	const elsewhere = answerEvents.some(({ id, step: by }) => id === question.id && by !== step.id);
	return elsewhere && (given === undefined || given === answers[question.id]);
}

/** Whether everything that the run would do is still to be shown before its first plan. */
export function isReviewAhead({ deps: { decider, lookAhead }, request, navigation }: StepRun<Step>): boolean {
	const more = request.order.steps.filter(({ role }) => role === 'chosen').length > 1;
	return decider.review !== undefined && lookAhead !== undefined && !navigation.reviewed && more;
}

function shownNext(run: StepRun<Step>): Place['next'] {
	switch (run.step.kind) {
		case 'change':
			return isReviewAhead(run) ? 'run' : 'plan';
		case 'proof':
			return 'proof';
		case 'report':
			return 'record';
		default:
			return run.step satisfies never;
	}
}

async function keepAnswer(
	deps: EngineDeps,
	step: StepId,
	question: Question,
	{ value, source }: { readonly value: AnswerValue; readonly source: AnswerSource },
): Promise<void> {
	const secret = question.kind === 'text' && question.secret === true;
	if (!secret) deps.saveAnswer(question.id, value);
	const kept = secret ? secretAnswer : value;
	await deps.emit({ type: 'answer', step, id: question.id, value: redactDeep(kept), source });
}

/** An answer can bring up the next question; one that was not answered beforehand is left out. */
async function takeGivenAnswers(
	{ deps, step }: StepRun<ChangeStep<unknown> | ProofStep<unknown>>,
	facts: unknown,
): Promise<void> {
	const seen = new Set<string>();
	for (;;) {
		const questions = step.ask?.(deps.state().answers, facts, judgeContext(deps)) ?? [];
		const question = questions.find(({ id }) => !seen.has(id));
		if (question === undefined) return;
		seen.add(question.id);
		const given = deps.given?.(question);
		if (given === undefined || answerProblem(question, given.value) !== undefined) continue;
		await keepAnswer(deps, step.id, question, given);
	}
}
