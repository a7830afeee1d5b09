import { risksOf } from '../model/action.ts';
import type { AnswerDecision, BlockedDecision, Decider, ProofDecision, WaysOut } from '../model/decider.ts';
import {
	type AnswerSource,
	type Answers,
	type AnswerValue,
	answerProblem,
	initialAnswer,
	type Place,
	placeWords,
	type Question,
	sayAnswer,
} from '../model/question.ts';
import { changing, type PreviewedStep, reviewLines } from '../model/review.ts';
import { type RiskName, riskWords } from '../model/risk.ts';
import type { StepId } from '../model/step-id.ts';
import { hanging } from '../text/safe.ts';

/** One line from the operator; null when the input has ended. The prompt is one line, and is made safe there. */
export type AskLine = (prompt: string) => Promise<string | null>;

export interface PromptOptions {
	readonly ask: AskLine;
	readonly say: (line: string) => void;
	/** From an answers file: shown as the default, and still asked. */
	readonly answers: Answers;
	/** From an earlier part of this run, or the last one. */
	readonly saved: Answers;
	/** Which of them come from the last run, by the question's id. */
	readonly lastRun?: ReadonlySet<string> | undefined;
	/** Accepted on the command line. */
	readonly risks: readonly RiskName[];
	/** Given in this process: the default when somebody goes back to a question. */
	readonly given?: (() => Answers) | undefined;
	/** Steps whose saved answers are taken without asking again, until somebody goes back. */
	readonly settled?: (() => ReadonlySet<StepId>) | undefined;
	/** A foreseen step in full, diffs and all. */
	readonly planLines?: ((step: PreviewedStep) => readonly string[]) | undefined;
	/** The command that takes a run back. */
	readonly undoWith?: string | undefined;
	/** How many changes would be taken back, and the wish to do that once the run has ended. */
	readonly undo?: { readonly changes: () => number; readonly onAsked: () => void } | undefined;
}

/** What a word at a prompt means; the first of a list is what Enter takes. */
interface Choice<T> {
	readonly words: readonly string[];
	/** As the prompt names it, its letter in brackets. */
	readonly shown: string;
	readonly value: T;
}

/** Options that are listed: more than these scroll away before they are read. */
const mostOptions = 50;

/**
 * Asks a person in plain lines, in reading order: for terminals that draw nothing, and for screen readers. The questions,
 * defaults, risks and ways out are those of the wizard. Enter takes the default in brackets; a risk is accepted by typing
 * its name, never by Enter.
 */
export function decideFromPrompts(options: PromptOptions): Decider {
	const { ask, say } = options;

	/** Undefined when the input has ended. */
	async function choose<T>(question: string, choices: readonly Choice<T>[]): Promise<T | undefined> {
		const [first] = choices;
		const shown = choices.map((choice, index) => (index === 0 ? `${choice.shown} (Enter)` : choice.shown)).join(', ');
		for (;;) {
			const typed = await ask(` ${question} ${shown} > `);
			if (typed === null) return undefined;
			const word = typed.trim().toLowerCase();
			const choice = word === '' ? first : choices.find(({ words }) => words.includes(word));
			if (choice !== undefined) return choice.value;
			say(' that is none of them; type the letter in brackets');
		}
	}

	const quit = { words: ['q', 'quit'], shown: '[q]uit', value: 'quit' } as const;
	const back = ({ back: there }: WaysOut) =>
		there ? [{ words: ['b', 'back'], shown: '[b]ack', value: 'back' } as const] : [];

	return {
		async answer(step, question, ways, place) {
			if (question.kind === 'risk' && options.risks.includes(question.risk))
				return { kind: 'answer', value: question.risk, source: 'answers' };
			const fits = (value: AnswerValue | undefined): value is AnswerValue =>
				value !== undefined && answerProblem(question, value) === undefined;
			const saved = options.saved[question.id];
			if (ways.turned !== true && options.settled?.().has(step) === true && question.kind !== 'risk' && fits(saved))
				return { kind: 'answer', value: saved, source: 'saved' };
			// Enter takes what is shown, and the log says where that came from.
			const defaults: readonly (readonly [AnswerValue | undefined, AnswerSource])[] =
				question.kind === 'risk' || (question.kind === 'text' && question.secret === true)
					? []
					: [
							[options.given?.()[question.id], 'operator'],
							[options.answers[question.id], 'answers'],
							[saved, options.lastRun?.has(question.id) === true ? 'last-run' : 'saved'],
							[initialAnswer(question), 'default'],
						];
			const initial = defaults.find(([value]) => fits(value)) ?? [undefined, 'operator'];
			return askQuestion(question, place, initial, ways, ask, say);
		},

		async review(_step, run, ways) {
			for (const line of reviewLines(run, options.risks, options.undoWith)) say(line);
			for (;;) {
				const decision = await choose<'go-on' | 'all' | 'back' | 'quit'>('go on?', [
					{ words: ['g', 'go on'], shown: '[g]o on, and be asked again at each step', value: 'go-on' },
					{ words: ['v', 'view'], shown: '[v]iew every change in full', value: 'all' },
					...back(ways),
					quit,
				]);
				if (decision !== 'all') return decision ?? 'quit';
				for (const step of changing(run)) {
					say('');
					say(` ${step.n} ${step.title}`);
					for (const line of options.planLines?.(step) ?? []) say(line);
				}
			}
		},

		async approve(_step, plan, _findings, ways) {
			const accepted = new Set(options.risks);
			for (const risk of risksOf(plan)) {
				if (accepted.has(risk)) continue;
				const named = await askRisk(risk, ask, say);
				if (named !== 'accepted') return { kind: named };
				accepted.add(risk);
			}
			const decision = await choose<'apply' | 'skip' | 'back' | 'quit'>('do it?', [
				{ words: ['y', 'yes'], shown: '[y]es', value: 'apply' },
				{ words: ['s', 'skip'], shown: '[s]kip this step', value: 'skip' },
				...back(ways),
				quit,
			]);
			return decision === 'apply' ? { kind: 'apply', risks: risksOf(plan) } : { kind: decision ?? 'quit' };
		},

		async onLeft(_step, left) {
			for (const finding of left) {
				say('');
				say(` ${finding.summary}`);
				for (const text of [finding.remedy?.text, finding.evidence])
					if (text !== undefined) for (const line of hanging('     ', text, 7)) say(line);
			}
			const decision = await choose<'look-again' | 'go-on' | 'quit'>('is it done?', [
				{ words: ['l', 'look'], shown: '[l]ook again', value: 'look-again' },
				{ words: ['g', 'go'], shown: '[g]o on without it', value: 'go-on' },
				quit,
			]);
			return decision ?? 'quit';
		},

		async onFailure() {
			const { undo } = options;
			const changes = undo?.changes() ?? 0;
			const decision = await choose('what now?', [
				{ words: ['t', 'try', 'try again'], shown: '[t]ry again', value: 'retry' },
				...(changes > 0
					? [{ words: ['u', 'undo'], shown: `[u]ndo what was done (${changes})`, value: 'undo' } as const]
					: []),
				{ words: ['g', 'go on'], shown: '[g]o on without this step', value: 'go-on' },
				quit,
			]);
			if (decision === 'undo') undo?.onAsked();
			return decision === 'retry' || decision === 'go-on' ? decision : 'quit';
		},

		async onBlocked(_step, _findings, ways) {
			say(' This step cannot go on as things are. Put it right in another terminal, then look again.');
			const decision = await choose<BlockedDecision>('what now?', [
				{ words: ['l', 'look', 'look again'], shown: '[l]ook again', value: 'look-again' },
				{ words: ['g', 'go on'], shown: '[g]o on without this step', value: 'go-on' },
				...back(ways),
				quit,
			]);
			return decision ?? 'quit';
		},

		async beforeProbes(_step, { probes, leftOut, announced }, ways) {
			const attacks = probes.some(({ threats }) => threats.length > 0);
			say('');
			say(
				attacks
					? ` ${probes.length} attempts to get at this host, each of which has to fail:`
					: ` ${probes.length} things that a CI job needs:`,
			);
			for (const { title, attempt } of probes) say(`   ${title}: ${attempt}`);
			for (const { title, why } of leftOut) say(`   left out: ${title}: ${why}`);
			for (const fact of announced) say(` ${fact}`);
			const decision = await choose<ProofDecision>('start?', [
				{ words: ['y', 'yes', 'start'], shown: '[y]es', value: 'run' },
				{ words: ['s', 'skip'], shown: '[s]kip this proof', value: 'skip' },
				...back(ways),
				quit,
			]);
			return decision ?? 'quit';
		},
	};
}

async function askRisk(risk: RiskName, ask: AskLine, say: PromptOptions['say']): Promise<'accepted' | 'skip' | 'quit'> {
	say('');
	say(` ${riskWords[risk]}`);
	for (;;) {
		const typed = await ask(` to accept it, type  ${risk}  (Enter leaves it as it is, q quits) > `);
		if (typed === null) return 'quit';
		const word = typed.trim();
		if (word === risk) return 'accepted';
		if (word === '') return 'skip';
		if (word === 'q') return 'quit';
		say(` that is not the name; it is ${risk}`);
	}
}

async function askQuestion(
	question: Question,
	place: Place,
	[initial, source]: readonly [AnswerValue | undefined, AnswerSource],
	ways: WaysOut,
	ask: AskLine,
	say: PromptOptions['say'],
): Promise<AnswerDecision> {
	say('');
	say(` ${question.title}`);
	say(` ${question.help}`);
	say(` ${placeWords(place)}`);
	if (question.kind === 'choice' || question.kind === 'many') {
		for (const option of question.options.slice(0, mostOptions))
			say(`   ${option.value}  ${option.label}${option.hint === undefined ? '' : `: ${option.hint}`}`);
		const rest = question.options.length - mostOptions;
		if (rest > 0) say(`   and ${rest} more, which you can name too`);
	}
	if (question.kind === 'risk') say(` ${riskWords[question.risk]} To accept it, type its name: ${question.risk}`);
	if (question.kind === 'many') say(' several by comma; none is an answer too');
	if (source === 'last-run') say(' Enter takes the answer from the last run.');
	const shown = initial === undefined ? '' : ` [${sayAnswer(initial)}]`;
	const others = ways.back ? 'b back, q quits' : 'q quits';
	for (;;) {
		const typed = await ask(` ${question.id}${shown} (${others}) > `);
		if (typed === null || typed.trim() === 'q') return { kind: 'quit' };
		if (typed.trim() === 'b' && ways.back) return { kind: 'back' };
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
