import { risksOf } from '../model/action.ts';
import type { Decider } from '../model/decider.ts';
import { initialAnswer } from '../model/question.ts';
import type { RiskName } from '../model/risk.ts';
import { givenAnswer, type Known } from './known-answers.ts';

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

/** For `check` and `plan`: nothing is ever approved. */
export function decideNothing(known: Known): Decider {
	return { ...decideFromAnswers({ ...known, risks: [] }), approve: async () => ({ kind: 'skip' }) };
}
