import { risksOf } from '../model/action.ts';
import type { Decider } from '../model/decider.ts';
import { type Answers, type AnswerValue, answerProblem, initialAnswer, type Question } from '../model/question.ts';
import type { RiskName } from '../model/risk.ts';

/** What is known before anything is asked. */
export interface Known {
	/** From the answers file. */
	readonly answers: Answers;
	/** Remembered: from an earlier process of the run, a saved plan, or the last run. */
	readonly saved: Answers;
	/** Which of them come from the last run, by the question's id. */
	readonly lastRun?: ReadonlySet<string> | undefined;
}

/**
 * Decides without a person: answers from the file, then those remembered from earlier, then the defaults.
 * Plans are approved, except where a risk was not accepted by name. Nothing is tried twice: a second attempt is a
 * person's decision.
 */
export function decideFromAnswers(options: Known & { readonly risks: readonly RiskName[] }): Decider {
	return {
		async answer(_step, question) {
			if (question.kind === 'risk')
				return options.risks.includes(question.risk)
					? { kind: 'answer', value: question.risk, source: 'answers' }
					: { kind: 'missing' };
			const given = givenAnswer(question, options);
			if (given !== undefined) return { kind: 'answer', ...given };
			const initial = initialAnswer(question);
			return initial === undefined ? { kind: 'missing' } : { kind: 'answer', value: initial, source: 'default' };
		},
		async approve(_step, plan) {
			const missing = risksOf(plan).filter(risk => !options.risks.includes(risk));
			return missing.length > 0 ? { kind: 'refused', missing } : { kind: 'apply', risks: risksOf(plan) };
		},
		async onFailure() {
			return 'go-on';
		},
	};
}

/** What the answers file says, or what is remembered, as far as that still fits. */
export function givenAnswer(
	question: Question,
	{ answers, saved, lastRun }: Known,
): { readonly value: AnswerValue; readonly source: 'answers' | 'saved' | 'last-run' } | undefined {
	const given = answers[question.id];
	if (given !== undefined) return { value: given, source: 'answers' };
	const before = saved[question.id];
	return before !== undefined && answerProblem(question, before) === undefined
		? { value: before, source: lastRun?.has(question.id) === true ? 'last-run' : 'saved' }
		: undefined;
}

/** For `check` and `plan`: nothing is ever approved. */
export function decideNothing(known: Known): Decider {
	return { ...decideFromAnswers({ ...known, risks: [] }), approve: async () => ({ kind: 'skip' }) };
}
