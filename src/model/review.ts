import type { EventOf } from './event.ts';
import { impactHeadline } from './impact.ts';
import type { StepOrder } from './order.ts';
import type { AnswerSource, AnswerValue, Question } from './question.ts';
import type { RiskName } from './risk.ts';
import { filesOnly, isOwnChange, type ShownAction } from './shown-action.ts';
import type { RunState } from './state.ts';
import type { JudgeContext, Step } from './step.ts';
import type { StepId } from './step-id.ts';

/** What a step would do, as far as it can be foreseen. */
export interface PreviewedStep {
	readonly id: StepId;
	readonly n: number;
	readonly title: string;
	readonly kind: 'change' | 'proof' | 'report';
	readonly actions: readonly ShownAction[];
	readonly impact?: EventOf<'plan'>['impact'] | undefined;
	/** How many questions it still asks, as far as that can be foreseen. */
	readonly asks: number;
	/** Defaults that were taken for answers that nobody gave yet. */
	readonly assumed: readonly { readonly id: string; readonly value: AnswerValue }[];
	/** Why nothing more can be said about it. */
	readonly unknown?: string | undefined;
}

/** What a run would ask, with the answer that would be taken for it. Without one, the run cannot be foreseen further. */
export interface Setting {
	readonly step: StepId;
	readonly question: Question;
	readonly value: AnswerValue | undefined;
	readonly source: AnswerSource | undefined;
}

/**
 * Every chosen step of a run, with what it would do. `from`: the step in which that is asked for, if the run has begun,
 * with the last event before the run was foreseen; only later ones still ask something, and nothing that is `settled`.
 */
export function previewedSteps(
	{ state }: { readonly state: RunState },
	order: StepOrder,
	from: {
		readonly step?: StepId | undefined;
		readonly seq: number;
		readonly context: JudgeContext;
		readonly settled?: ReadonlySet<string> | undefined;
	},
): readonly PreviewedStep[] {
	const begun = order.steps.findIndex(({ step }) => step.id === from.step);
	return order.steps.flatMap(({ step, role }, index): readonly PreviewedStep[] => {
		if (role !== 'chosen') return [];
		const { id, title, kind } = step;
		const isOpen = (id: string): boolean => from.settled?.has(id) !== true;
		const answered = state.answerEvents.filter(event => event.step === id && event.seq > from.seq && isOpen(event.id));
		const early = earlyQuestions({ state }, step, from.context).filter(({ id }) => isOpen(id));
		const asks = new Set([...answered, ...early].map(({ id }) => id)).size;
		const seen = state.steps.find(step => step.id === id);
		const { plan } = seen ?? {};
		const unknown =
			kind === 'report'
				? undefined
				: seen === undefined
					? 'it depends on the steps before it'
					: plan === undefined && (seen.status === 'blocked' || seen.status === 'open')
						? seen.why
						: undefined;
		return [
			{
				id,
				n: index + 1,
				title,
				kind,
				actions: plan?.actions ?? [],
				impact: plan?.impact,
				asks: index > begun ? asks : 0,
				assumed: answered
					.filter(event => event.source === 'default')
					.map(event => ({ id: event.id, value: event.value })),
				unknown,
			},
		];
	});
}

/** What a step asks on every host, where it could not be asked yet: behind changes that are only foreseen, or at the end. */
export function earlyQuestions(
	{ state }: { readonly state: RunState },
	step: Step,
	context: JudgeContext,
): readonly Question[] {
	const changes = (id: StepId): boolean => (state.steps.find(step => step.id === id)?.plan?.actions.length ?? 0) > 0;
	const asked = state.answerEvents.some(event => event.step === step.id);
	if (asked || !(step.kind === 'report' || step.needs.some(changes))) return [];
	const questions = step.ask?.(state.answers, undefined, context) ?? [];
	return questions.filter(({ id, fetches }) => fetches !== true || state.answers[id] === undefined);
}

/** What a step would change, without what only prepares or follows it. */
export const ownChanges = ({ actions }: PreviewedStep): readonly ShownAction[] => actions.filter(isOwnChange);

/** What the run would change on the host, as a check counts it: CI files and what the tests fetch are none of it. */
export const hostChanges = (steps: readonly PreviewedStep[]): readonly ShownAction[] =>
	steps.filter(({ kind, id }) => kind === 'change' && id !== filesOnly).flatMap(ownChanges);

/** Steps that would change something. */
export const changing = (steps: readonly PreviewedStep[]): readonly PreviewedStep[] =>
	steps.filter(step => step.actions.length > 0);

/** The risks that the run would ask for by name, each once. */
export const risksAhead = (steps: readonly PreviewedStep[]): readonly RiskName[] => [
	...new Set(steps.flatMap(step => step.actions.flatMap(action => action.risks ?? []))),
];

/** What stops, by step: the headline where there is a sheet of containers, else the sentences. */
export const stopsAhead = (steps: readonly PreviewedStep[]): readonly { readonly n: number; readonly what: string }[] =>
	steps.flatMap(({ n, impact }) => {
		if (impact === undefined || impact.stops.length === 0) return [];
		const headline = impactHeadline(impact.containers ?? []);
		return headline === undefined ? impact.stops.map(what => ({ n, what })) : [{ n, what: headline }];
	});

/** `ci.memory 12g, ci.cpus 4`: what was taken for questions that are still to be asked. */
export const assumedAhead = (steps: readonly PreviewedStep[]): readonly string[] =>
	steps.flatMap(step =>
		step.assumed.map(({ id, value }) => `${id} ${Array.isArray(value) ? value.join(' ') || 'none' : String(value)}`),
	);

/** `2 questions; `, `2 questions first`: a step whose plan is foreseen may still ask before it. */
export const asksFirst = ({ asks }: PreviewedStep, end: '; ' | ' first'): string =>
	asks === 0 ? '' : `${asks} question${asks === 1 ? '' : 's'}${end}`;

/** What a step comes to, where it would change nothing. */
export const quietly = ({ kind, unknown }: PreviewedStep): string =>
	unknown !== undefined
		? `cannot be foreseen: ${unknown}`
		: kind === 'report'
			? 'written at the end'
			: kind === 'proof'
				? 'starts throw-away containers only'
				: 'nothing to change';
