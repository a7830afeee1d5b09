import { risksOf } from '../core/action.ts';
import type { AnswerDecision, AnswerSource, Decider } from '../core/decider.ts';
import { type Answers, type AnswerValue, answerProblem, initialAnswer, type Question } from '../core/question.ts';
import { isRiskName, type RiskName } from '../core/risk.ts';

/** One line from the operator; null when the input has ended. */
export type AskLine = (prompt: string) => Promise<string | null>;

/**
 * Asks a person in plain lines, in reading order: for terminals that draw nothing, and for screen readers. Enter takes
 * the default in brackets; a risk is accepted by typing its name, never by Enter.
 */
export function decideFromPrompts(options: {
	readonly ask: AskLine;
	readonly say: (line: string) => void;
	readonly answers: Answers;
	readonly saved: Answers;
	readonly risks: readonly RiskName[];
}): Decider {
	const { ask, say } = options;
	return {
		async answer(_step, question) {
			if (question.kind === 'risk')
				return options.risks.includes(question.risk)
					? { kind: 'answer', value: question.risk, source: 'answers' }
					: askQuestion(question, undefined, 'operator', ask, say);
			const given = options.answers[question.id];
			const saved = options.saved[question.id];
			const usable = saved !== undefined && answerProblem(question, saved) === undefined;
			// Enter takes what is shown, and the log says where that came from.
			const [initial, source]: readonly [AnswerValue | undefined, AnswerSource] =
				given !== undefined ? [given, 'answers'] : usable ? [saved, 'saved'] : [initialAnswer(question), 'default'];
			return askQuestion(question, initial, source, ask, say);
		},
		async approve(_step, plan) {
			const accepted = new Set(options.risks);
			for (const risk of risksOf(plan)) {
				if (accepted.has(risk)) continue;
				const typed = await ask(` this needs your consent: type  ${risk}  (Enter leaves it) > `);
				if (typed === null) return { kind: 'quit' };
				const word = typed.trim();
				if (!isRiskName(word) || word !== risk) return { kind: 'skip' };
				accepted.add(word);
			}
			for (;;) {
				const typed = await ask(' do it? [Y]es, [s]kip, [q]uit > ');
				if (typed === null) return { kind: 'quit' };
				switch (typed.trim().toLowerCase()) {
					case '':
					case 'y':
					case 'yes':
						return { kind: 'apply', risks: risksOf(plan) };
					case 's':
					case 'skip':
						return { kind: 'skip' };
					case 'q':
					case 'quit':
						return { kind: 'quit' };
					default:
						say(' y, s or q');
				}
			}
		},
		async onFailure() {
			for (;;) {
				const typed = await ask(' [t]ry again, [g]o on without it, [q]uit > ');
				if (typed === null) return 'quit';
				switch (typed.trim().toLowerCase()) {
					case 't':
						return 'retry';
					case 'g':
						return 'go-on';
					case 'q':
					case '':
						return 'quit';
					default:
						say(' t, g or q');
				}
			}
		},
	};
}

async function askQuestion(
	question: Question,
	initial: AnswerValue | undefined,
	source: AnswerSource,
	ask: AskLine,
	say: (line: string) => void,
): Promise<AnswerDecision> {
	say(`\n ${question.title}`);
	say(` ${question.help}`);
	if (question.kind === 'choice' || question.kind === 'many') {
		for (const option of question.options) say(`   ${option.value}  ${option.label}`);
	}
	const shown =
		initial === undefined
			? ''
			: ` [${Array.isArray(initial) ? initial.join(',') : initial === true ? 'yes' : initial === false ? 'no' : String(initial)}]`;
	for (;;) {
		const typed = await ask(` ${question.id}${shown} (q quits) > `);
		if (typed === null || typed.trim() === 'q') return { kind: 'quit' };
		if (typed.trim() === '' && initial !== undefined) return { kind: 'answer', value: initial, source };
		const value = readAnswer(question, typed.trim());
		const problem = answerProblem(question, value);
		if (problem === undefined && value !== undefined) return { kind: 'answer', value, source: 'operator' };
		say(` ${problem ?? 'cannot be read'}`);
	}
}

/** What was typed, as a value of the question's kind; undefined when it cannot be one. */
export function readAnswer(question: Question, typed: string): AnswerValue | undefined {
	switch (question.kind) {
		case 'confirm':
			return /^(y|yes|true)$/i.test(typed) ? true : /^(n|no|false)$/i.test(typed) ? false : undefined;
		case 'number':
			return typed === '' ? undefined : Number(typed);
		case 'many':
			return typed
				.split(/[\s,]+/)
				.map(word => word.trim())
				.filter(word => word !== '' && word !== 'none');
		case 'choice':
		case 'text':
		case 'path':
		case 'risk':
			return typed;
		default:
			return question satisfies never;
	}
}
