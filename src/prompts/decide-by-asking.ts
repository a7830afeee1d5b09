import { risksOf } from '../model/action.ts';
import type { Decider } from '../model/decider.ts';
import type { RiskName } from '../model/risk.ts';
import { stepOf } from '../model/state.ts';
import type { StepId } from '../model/step-id.ts';
import type { Asker, Decision } from './decision.ts';
import {
	blockedDecision,
	failureDecision,
	manualDecision,
	planDecision,
	proofDecision,
	type RunAround,
	resultDecision,
	reviewDecision,
	riskDecision,
	settingsDecision,
} from './decisions.ts';
import { type Known, offeredAnswer, settledAnswer } from './known-answers.ts';
import { questionDecision } from './question-decision.ts';

export interface PersonOptions extends Known {
	/** Accepted on the command line. */
	readonly risks: readonly RiskName[];
	/** Steps whose saved answers are taken without asking again, until somebody goes back. */
	readonly settled: () => ReadonlySet<StepId>;
	/** What the run did is to be reverted, once it has ended. Without it that is not offered. */
	readonly onUndo?: (() => void) | undefined;
	readonly around: () => Omit<RunAround, 'accepted'>;
}

/** Has a person decide: what is asked, in which order and with which default is the same, whoever shows it. */
export function decideByAsking(ask: Asker, options: PersonOptions): Decider {
	const around = (): RunAround => ({ ...options.around(), accepted: options.risks });

	/** One of the choices of a decision, or of its ways. */
	async function choose<T extends string>(decision: Decision, values: readonly T[]): Promise<T | 'quit'> {
		const reply = await ask(decision);
		const chosen = reply.kind === 'taken' ? reply.value : reply.kind;
		return values.find(value => value === chosen) ?? 'quit';
	}

	return {
		async answer(step, question, ways, place) {
			if (question.kind === 'risk' && options.risks.includes(question.risk))
				return { kind: 'answer', value: question.risk, source: 'answers' };
			const settled = settledAnswer(step, question, ways, options);
			if (settled !== undefined) return { kind: 'answer', ...settled };
			const offered = offeredAnswer(question, options, around().run.answers);
			const reply = await ask(questionDecision(step, question, offered, ways, place));
			if (reply.kind !== 'taken') return { kind: reply.kind === 'back' ? 'back' : 'quit' };
			// Whoever takes what is offered leaves it what it is: the log says where an answer came from.
			const same = offered !== undefined && JSON.stringify(offered.value) === JSON.stringify(reply.value);
			return { kind: 'answer', value: reply.value, source: same ? offered.source : 'operator' };
		},

		async settings(settings) {
			for (;;) {
				const reply = await ask(settingsDecision(settings));
				if (reply.kind !== 'taken') return { kind: 'quit' };
				if (reply.value === 'one-by-one') return { kind: 'one-by-one' };
				const setting = settings.find(({ question }) => question.id === reply.value);
				if (setting === undefined) return { kind: 'go-on' };
				const { step, question, value, source } = setting;
				const known = value === undefined || source === undefined ? undefined : { value, source };
				const answer = await ask(questionDecision(step, question, known, { back: true }));
				if (answer.kind === 'quit') return { kind: 'quit' };
				if (answer.kind === 'taken' && JSON.stringify(answer.value) !== JSON.stringify(value))
					return { kind: 'changed', answers: { [question.id]: answer.value } };
			}
		},

		async review(run, ways) {
			const kind = await choose(reviewDecision(around(), run, ways), ['apply', 'go-on', 'back']);
			return kind === 'apply' ? { kind, risks: options.risks } : { kind };
		},

		async approve(step, plan, findings, ways) {
			if (ways.agreed !== undefined) return { kind: 'apply', risks: ways.agreed };
			const risks = risksOf(plan);
			for (;;) {
				const decision = planDecision(around(), step, plan, findings, ways);
				const kind = await choose(decision, ['apply', 'skip', 'back']);
				if (kind !== 'apply') return { kind };
				const named = await nameEach(
					step,
					risks.filter(risk => !options.risks.includes(risk)),
				);
				if (named === 'quit') return { kind: 'quit' };
				if (named === 'all') return { kind: 'apply', risks };
			}
		},

		async onFailure(step, failure) {
			const decision = failureDecision(around(), step, failure, options.onUndo !== undefined);
			const chosen = await choose(decision, ['retry', 'go-on', 'undo']);
			if (chosen !== 'undo') return chosen;
			options.onUndo?.();
			return 'quit';
		},

		onBlocked: (step, findings, ways) =>
			choose(blockedDecision(around(), step, findings, ways), ['look-again', 'go-on', 'back']),

		onLeft: (step, left) => choose(manualDecision(around(), step, left), ['look-again', 'go-on']),

		beforeProbes: (step, proof, ways) => choose(proofDecision(around(), step, proof, ways), ['run', 'skip', 'back']),

		/** What went as it should is told, and asks nothing. */
		async afterProbes(step) {
			const probes = stepOf(around().run, step)?.probes ?? [];
			const leftover = stepOf(around().run, step)?.after?.some(({ id }) => id === 'probe.leftover');
			if (leftover !== true && probes.every(({ verdict }) => verdict === 'pass' || verdict === 'left-out'))
				return 'go-on';
			return choose(resultDecision(around(), step), ['go-on']);
		},
	};

	/** A name that is not typed leads back to the plan, and nothing is done. */
	async function nameEach(step: StepId, risks: readonly RiskName[]): Promise<'all' | 'back' | 'quit'> {
		for (const risk of risks) {
			const reply = await ask(riskDecision(step, risk));
			if (reply.kind !== 'taken') return reply.kind === 'quit' ? 'quit' : 'back';
		}
		return 'all';
	}
}
