import { risksOf } from '../core/action.ts';
import type { Decider } from '../core/decider.ts';
import { type Answers, type AnswerValue, answerProblem, initialAnswer, type Question } from '../core/question.ts';
import type { RiskName } from '../core/risk.ts';

/**
 * Decides without a person: answers from the file, then those remembered from an interrupted run, then the defaults.
 * Plans are approved, except where a risk was not accepted by name. Nothing is tried twice: a second attempt is a
 * person's decision.
 */
export function decideFromAnswers(options: {
	readonly answers: Answers;
	readonly saved: Answers;
	readonly risks: readonly RiskName[];
}): Decider {
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

/** What the answers file says, or what an earlier process of the run was answered, as far as that still fits. */
export function givenAnswer(
	question: Question,
	{ answers, saved }: { readonly answers: Answers; readonly saved: Answers },
): { readonly value: AnswerValue; readonly source: 'answers' | 'saved' } | undefined {
	const given = answers[question.id];
	if (given !== undefined) return { value: given, source: 'answers' };
	const before = saved[question.id];
	return before !== undefined && answerProblem(question, before) === undefined
		? { value: before, source: 'saved' }
		: undefined;
}

/** For `check` and `plan`: nothing is ever approved. */
export function decideNothing(answers: Answers, saved: Answers): Decider {
	return { ...decideFromAnswers({ answers, saved, risks: [] }), approve: async () => ({ kind: 'skip' }) };
}
