import type { WaysOut } from '../model/decider.ts';
import { type AnswerValue, answerProblem, type Place, type Question } from '../model/question.ts';
import { riskWords } from '../model/risk.ts';
import type { StepId } from '../model/step-id.ts';
import type { Check, Decision, Input } from './decision.ts';
import type { KnownAnswer } from './known-answers.ts';

/** A question of a step. `offered` is what Enter takes. */
export function questionDecision(
	step: StepId,
	question: Question,
	offered: KnownAnswer | undefined,
	{ back }: WaysOut,
	/** Without it the question is asked by itself. */
	place?: Place,
): Decision {
	const limits = limitsOf(question);
	return {
		subject: { kind: 'question', step, question },
		title: question.title,
		body: [
			question.help,
			...(limits === undefined ? [] : [limits]),
			...(offered?.source === 'last-run' ? ['Enter takes the answer from the last run.'] : []),
			...(place === undefined ? [] : [placeWords(place)]),
		],
		prompt: question.id,
		input: inputOf(question, offered?.value),
		ways: { back, skip: false, quit: true },
		check: checkOf(question),
	};
}

const nextWords: Readonly<Record<Place['next'], string>> = {
	run: 'the full plan',
	plan: "this step's plan, if it has changes",
	proof: 'what the proof needs and tries',
	record: 'the record',
};

/** "Question 3 of 8. Then: …": an operator knows at each question what comes. */
export function placeWords({ n, of, mayGrow, next }: Place): string {
	if (mayGrow) return `Question ${n} of ${of} so far. Then: ${nextWords[next]}.`;
	return n === of
		? `Last question of this step. Next: ${nextWords[next]}.`
		: `Question ${n} of ${of}. Then: ${nextWords[next]}.`;
}

function limitsOf(question: Question): string | undefined {
	switch (question.kind) {
		case 'number': {
			const { min, max, unit } = question;
			const range =
				min !== undefined && max !== undefined
					? `A number from ${min} to ${max}`
					: min !== undefined
						? `A number, at least ${min}`
						: max !== undefined
							? `A number, at most ${max}`
							: 'A number';
			return unit === undefined ? range : `${range} (${unit})`;
		}
		case 'path':
			return question.wants === 'folder'
				? 'A directory on this host'
				: question.wants === 'file'
					? 'A file on this host'
					: 'A path on this host';
		case 'many':
			return 'Any number of them, or none.';
		case 'risk':
			return `${riskWords[question.risk]} To accept it, type its name: ${question.risk}`;
		case 'confirm':
		case 'choice':
		case 'text':
			return undefined;
		default:
			return question satisfies never;
	}
}

function inputOf(question: Question, offered: AnswerValue | undefined): Input {
	const initial = offered === undefined ? undefined : String(offered);
	switch (question.kind) {
		case 'confirm':
			return {
				kind: 'one',
				choices: [
					{ value: 'yes', label: 'Yes', key: 'yes' },
					{ value: 'no', label: 'No', key: 'no' },
				],
				initial: offered === undefined ? undefined : offered === true ? 'yes' : 'no',
			};
		case 'choice':
			return { kind: 'one', choices: question.options, initial };
		case 'many':
			return {
				kind: 'many',
				choices: question.options,
				initial: Array.isArray(offered) ? (offered as readonly string[]) : undefined,
			};
		case 'text':
			return { kind: 'line', initial, secret: question.secret };
		case 'path':
			return { kind: 'line', initial, path: true };
		case 'number':
			return { kind: 'line', initial, unit: question.unit };
		case 'risk':
			return { kind: 'line', word: question.risk };
		default:
			return question satisfies never;
	}
}

/** What was typed or chosen as a value of the question's kind, held to the same rules as an answers file. */
const checkOf =
	(question: Question): Check =>
	reply => {
		const value = readAnswer(question, reply);
		const problem = answerProblem(question, value);
		return problem === undefined && value !== undefined ? { value } : { problem: problem ?? 'a value is needed here' };
	};

/** A reply as a value of the question's kind; undefined when it cannot be one. */
export function readAnswer(question: Question, reply: AnswerValue): AnswerValue | undefined {
	const typed = String(reply);
	switch (question.kind) {
		case 'confirm':
			return /^(y|yes|true)$/i.test(typed) ? true : /^(n|no|false)$/i.test(typed) ? false : undefined;
		case 'number': {
			const digits = typed.trim().replace(',', '.');
			return digits === '' ? undefined : Number(digits);
		}
		case 'many':
			return Array.isArray(reply) ? reply : typed.split(/[\s,]+/).filter(word => word !== '' && word !== 'none');
		case 'path':
			return typed.replace(/(?<=.)\/+$/, '');
		case 'risk':
			return typed.trim();
		case 'choice':
		case 'text':
			return typed;
		default:
			return question satisfies never;
	}
}
