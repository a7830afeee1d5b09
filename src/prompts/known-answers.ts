import type { WaysOut } from '../model/decider.ts';
import {
	type AnswerSource,
	type Answers,
	type AnswerValue,
	answerProblem,
	initialAnswer,
	type Question,
} from '../model/question.ts';
import type { StepId } from '../model/step-id.ts';

/** What is known before anything is asked. */
export interface Known {
	/** From the answers file. A person is asked all the same, with it as the default. */
	readonly answers: Answers;
	/** Remembered: from an earlier process of the run, a saved plan, or the last run. */
	readonly saved: Answers;
	/** Which of them come from the last run, by the question's id. */
	readonly lastRun?: ReadonlySet<string> | undefined;
}

export interface KnownAnswer {
	readonly value: AnswerValue;
	readonly source: AnswerSource;
}

/** What the answers file says, or what is remembered, as far as that still fits. */
export function givenAnswer(
	question: Question,
	known: Known,
): { readonly value: AnswerValue; readonly source: 'answers' | 'saved' | 'last-run' } | undefined {
	const given = known.answers[question.id];
	return given !== undefined ? { value: given, source: 'answers' } : savedAnswer(question, known);
}

function savedAnswer(question: Question, { saved, lastRun }: Known) {
	const value = saved[question.id];
	if (value === undefined || answerProblem(question, value) !== undefined) return undefined;
	return { value, source: lastRun?.has(question.id) === true ? 'last-run' : 'saved' } as const;
}

/**
 * What Enter takes, and where that comes from: the answer given in this process, that of the answers file, the
 * remembered one, the default. Undefined where somebody has to say it: a risk and a secret have no default.
 */
export function offeredAnswer(question: Question, known: Known, inThisRun: Answers): KnownAnswer | undefined {
	if (question.kind === 'risk' || (question.kind === 'text' && question.secret === true)) return undefined;
	const offers: readonly (KnownAnswer | undefined)[] = [
		from(inThisRun[question.id], 'operator'),
		from(known.answers[question.id], 'answers'),
		savedAnswer(question, known),
		from(initialAnswer(question), 'default'),
	];
	return offers.find(offer => offer !== undefined && answerProblem(question, offer.value) === undefined);
}

const from = (value: AnswerValue | undefined, source: AnswerSource): KnownAnswer | undefined =>
	value === undefined ? undefined : { value, source };

/** The saved answer of a step that was finished before the run went on: taken unasked, until somebody goes back. */
export function settledAnswer(
	step: StepId,
	question: Question,
	ways: WaysOut,
	known: Known & { readonly settled: () => ReadonlySet<StepId> },
): KnownAnswer | undefined {
	if (ways.turned === true || question.kind === 'risk' || !known.settled().has(step)) return undefined;
	const value = savedAnswer(question, known)?.value;
	return value === undefined ? undefined : { value, source: 'saved' };
}
