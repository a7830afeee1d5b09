import { type Plan, risksOf } from '../model/action.ts';
import type { Decider, PlanDecision, WaysOut } from '../model/decider.ts';
import type { Impact } from '../model/impact.ts';
import { type Answers, type AnswerValue, answerProblem, initialAnswer, type Question } from '../model/question.ts';
import type { RiskName } from '../model/risk.ts';
import { actionsToRevert, stepOf } from '../model/state.ts';
import type { StepId } from '../model/step-id.ts';
import { neededBy, numbersText } from './needed-by.ts';
import { type Menu, menu, type Option, type Prompt } from './prompt.ts';
import type { Asking, Intro, Screen } from './screen.ts';
import type { Check, Store } from './store.ts';

export interface DeciderOptions {
	/** From an answers file: shown as the default, and still asked. */
	readonly answers: Answers;
	/** From an earlier part of this run, or the last one. */
	readonly saved: Answers;
	/** Which of them come from the last run, by the question's id. */
	readonly lastRun?: ReadonlySet<string> | undefined;
	/** Accepted on the command line. */
	readonly risks: readonly RiskName[];
	/** Steps whose saved answers are taken without asking again, until somebody goes back to them. */
	readonly settled: () => ReadonlySet<StepId>;
	/** What the run did is to be taken back, once it has ended. Without it that is not offered. */
	readonly onUndo?: (() => void) | undefined;
}

/** Asks a person at the screen: every method shows one screen after the other and returns what was decided. */
export function wizardDecider(store: Store, options: DeciderOptions): Decider {
	const show = (screen: Screen, prompt: Prompt, ways: Asking['ways'], check?: Check) =>
		store.ask({ screen, prompt, ways }, check);

	return {
		async answer(step, question, ways, place) {
			const saved = options.saved[question.id];
			if (ways.turned !== true && options.settled().has(step) && saved !== undefined && isFit(question, saved))
				return { kind: 'answer', value: saved, source: 'saved' };
			if (question.kind === 'risk' && options.risks.includes(question.risk))
				return { kind: 'answer', value: question.risk, source: 'answers' };
			const before = store.state().run.answers[question.id];
			const initial = [before, options.answers[question.id], saved, initialAnswer(question)].find(
				value => value !== undefined && isFit(question, value),
			);
			const reply = await show(
				{
					kind: 'question',
					step,
					question,
					place,
					lastRun: initial !== undefined && initial === saved && options.lastRun?.has(question.id) ? true : undefined,
				},
				promptFor(question, initial),
				{ back: ways.back, skip: false, quit: question.kind !== 'text' },
				value => readReply(question, value),
			);
			if (reply.kind === 'taken') return { kind: 'answer', value: reply.value, source: 'operator' };
			return { kind: reply.kind === 'back' ? 'back' : 'quit' };
		},

		async review(step, run, ways) {
			const reply = await show(
				{ kind: 'review', step, run },
				menu(
					[
						{ value: 'go-on', label: 'Go on, step by step' },
						{ value: 'quit', label: 'Save and quit' },
					],
					'go-on',
				),
				{ back: ways.back, skip: false, quit: true },
			);
			if (reply.kind === 'back') return 'back';
			return reply.kind === 'taken' && reply.value === 'go-on' ? 'go-on' : 'quit';
		},

		async approve(step, plan, findings, ways): Promise<PlanDecision> {
			const risks = risksOf(plan);
			const asked = risks.filter(risk => !options.risks.includes(risk));
			const shown = stepOf(store.state().run, step)?.plan?.actions ?? [];
			for (;;) {
				const reply = await show(
					{ kind: 'plan', step, findings, page: 0 },
					planMenu(asked, plan, store.state().intro, step, ways),
					{
						back: ways.back,
						skip: true,
						quit: true,
					},
				);
				if (reply.kind === 'back' || (reply.kind === 'taken' && reply.value === 'back')) return { kind: 'back' };
				if (reply.kind !== 'taken') return { kind: reply.kind };
				if (reply.value !== 'apply') return { kind: 'skip' };
				const declined = await askRisks(step, asked, shown, plan.impact ?? { stops: [], notes: [] });
				if (declined === 'quit') return { kind: 'quit' };
				if (declined === undefined) return { kind: 'apply', risks };
			}
		},

		async onFailure(step, failure) {
			const { run } = store.state();
			const undo = { value: 'undo', label: 'Take back what was done' };
			const reply = await show(
				{ kind: 'failure', step, failure },
				menu(
					[
						{ value: 'retry', label: 'Try again' },
						...(options.onUndo !== undefined && actionsToRevert(run).length > 0 ? [undo] : []),
						goOnWithout(step),
						{ value: 'quit', label: 'Save and quit' },
					],
					'retry',
				),
				{ back: false, skip: false, quit: true },
			);
			if (reply.kind === 'taken' && reply.value === 'undo') {
				options.onUndo?.();
				return 'quit';
			}
			return reply.kind === 'taken' && (reply.value === 'retry' || reply.value === 'go-on') ? reply.value : 'quit';
		},

		async onBlocked(step, findings, ways) {
			const reply = await show(
				{ kind: 'blocked', step, findings },
				menu(
					[{ value: 'look-again', label: 'Look again' }, goOnWithout(step), { value: 'quit', label: 'Save and quit' }],
					'look-again',
				),
				{ back: ways.back, skip: false, quit: true },
			);
			if (reply.kind === 'back') return 'back';
			return reply.kind === 'taken' && (reply.value === 'look-again' || reply.value === 'go-on') ? reply.value : 'quit';
		},

		async onLeft(step, left) {
			const reply = await show(
				{ kind: 'blocked', step, findings: left },
				menu(
					[{ value: 'look-again', label: 'Look again' }, goOnWithout(step), { value: 'quit', label: 'Save and quit' }],
					'look-again',
				),
				{ back: false, skip: false, quit: true },
			);
			return reply.kind === 'taken' && (reply.value === 'look-again' || reply.value === 'go-on') ? reply.value : 'quit';
		},

		async beforeProbes(step, { probes, leftOut, announced }, ways: WaysOut) {
			const reply = await show(
				{
					kind: 'proof',
					step,
					probes: probes.map(({ run: _, ...told }) => told),
					leftOut: leftOut.map(({ title, why }) => ({ title, why })),
					announced,
				},
				menu(
					[
						{ value: 'run', label: 'Start' },
						{ value: 'skip', label: 'Skip this proof' },
					],
					'run',
				),
				{ back: ways.back, skip: true, quit: true },
			);
			if (reply.kind === 'taken') return reply.value === 'run' ? 'run' : 'skip';
			return reply.kind;
		},

		async afterProbes(step) {
			const reply = await show(
				{ kind: 'result', step },
				menu(
					[
						{ value: 'go-on', label: 'Go on' },
						{ value: 'quit', label: 'Save and quit' },
					],
					'go-on',
				),
				{ back: false, skip: false, quit: true },
			);
			return reply.kind === 'taken' && reply.value === 'go-on' ? 'go-on' : 'quit';
		},
	};

	function goOnWithout(step: StepId): Option {
		const missing = neededBy(store.state().intro.steps, step);
		return {
			value: 'go-on',
			label: `Go on without this step${missing.length === 0 ? '' : ` and ${needing(missing)}`}`,
		};
	}

	/** Undefined: all were accepted. A name that is not typed leaves everything as it is. */
	async function askRisks(
		step: StepId,
		risks: readonly RiskName[],
		shown: Extract<Screen, { kind: 'risk' }>['actions'],
		impact: Impact,
	): Promise<'back' | 'quit' | undefined> {
		for (const risk of risks) {
			const actions = shown.filter(action => action.risks?.includes(risk) === true);
			const reply = await show(
				{ kind: 'risk', step, risk, actions, impact },
				{ kind: 'field', value: '', at: 0, word: risk },
				{ back: true, skip: false, quit: false },
				typed => (String(typed).trim() === risk ? { value: risk } : { problem: `that is not the name; it is ${risk}` }),
			);
			if (reply.kind !== 'taken') return reply.kind === 'quit' ? 'quit' : 'back';
		}
		return undefined;
	}
}

const needing = (missing: readonly number[]): string =>
	`${numbersText(missing)}, which ${missing.length === 1 ? 'needs' : 'need'} it`;

/** Where a risk has to be named, Enter must not lead there. */
function planMenu(risks: readonly RiskName[], plan: Plan, { mode, steps }: Intro, id: StepId, ways: WaysOut): Menu {
	const leave = 'Leave it as it is';
	const missing = neededBy(steps, id);
	const changes = plan.actions.length;
	// What is for others to do is not done by saying yes.
	const waits = plan.actions.every(action => action.kind === 'manual');
	const apply = { value: 'apply', label: waits ? 'Wait for it' : changes === 1 ? 'Do it' : `Do all ${changes}` };
	const skip = { value: 'skip', label: mode === 'revert' ? leave : 'Skip this step' };
	if (risks.length === 0) return menu([apply, skip], 'apply');
	const named = { value: 'apply', label: `Do it: type ${risks.join(', ')}` };
	const without = missing.length === 0 ? '' : ` with ${numbersText(missing)}`;
	const left = { value: 'skip', label: missing.length === 0 && !ways.back ? leave : `Skip this step${without}` };
	// Skipping leaves out the whole step: who only changed their mind about an answer goes back to it.
	return ways.back ? menu([{ value: 'back', label: 'Go back' }, named, left], 'back') : menu([left, named], 'skip');
}

const isFit = (question: Question, value: AnswerValue): boolean =>
	!(question.kind === 'text' && question.secret === true) && answerProblem(question, value) === undefined;

function promptFor(question: Question, initial: AnswerValue | undefined): Prompt {
	const text = initial === undefined ? {} : { fallback: String(initial) };
	switch (question.kind) {
		case 'confirm':
			return menu(
				[
					{ value: 'yes', label: 'Yes', hotkey: 'y' },
					{ value: 'no', label: 'No', hotkey: 'n' },
				],
				initial === undefined ? undefined : initial === true ? 'yes' : 'no',
			);
		case 'choice':
			return menu(question.options, typeof initial === 'string' ? initial : undefined);
		case 'many':
			return {
				kind: 'checklist',
				options: question.options,
				at: 0,
				ticked: Array.isArray(initial) ? (initial as readonly string[]) : [],
			};
		case 'text':
			return { kind: 'field', value: '', at: 0, ...text, ...(question.secret === true && { mask: true as const }) };
		case 'path':
			return { kind: 'field', value: '', at: 0, ...text, completes: true };
		case 'number':
			return { kind: 'field', value: '', at: 0, ...text, ...(question.unit !== undefined && { unit: question.unit }) };
		case 'risk':
			return { kind: 'field', value: '', at: 0, word: question.risk };
		default:
			return question satisfies never;
	}
}

/** What was typed or chosen as a value of the question's kind, held to the same rules as an answers file. */
function readReply(question: Question, reply: AnswerValue): ReturnType<Check> {
	const value = typedValue(question, reply);
	const problem = value === undefined ? 'a value is needed here' : answerProblem(question, value);
	return problem === undefined && value !== undefined ? { value } : { problem: problem ?? '' };
}

function typedValue(question: Question, reply: AnswerValue): AnswerValue | undefined {
	switch (question.kind) {
		case 'confirm':
			return reply === 'yes';
		case 'number': {
			const text = String(reply).trim().replace(',', '.');
			return text === '' ? undefined : Number(text);
		}
		case 'path':
			return String(reply).replace(/(?<=.)\/+$/, '');
		case 'risk':
			return String(reply).trim();
		case 'text':
			return String(reply);
		case 'choice':
		case 'many':
			return reply;
		default:
			return question satisfies never;
	}
}
