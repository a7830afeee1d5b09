import type { AnswerValue } from '../model/question.ts';
import { sayAnswer } from '../model/question.ts';
import {
	asksFirst,
	assumedAhead,
	changing,
	type PreviewedStep,
	quietly,
	risksAhead,
	stopsAhead,
} from '../model/review.ts';
import { consentWords, type RiskName } from '../model/risk.ts';
import { hanging } from '../text/safe.ts';
import type { Asker, Choice, Decision, Input, Reply } from './decision.ts';
import { howReverted } from './decisions.ts';

/** One line from the operator; null when the input has ended. The prompt is one line, and is made safe there. */
export type AskLine = (prompt: string) => Promise<string | null>;

export interface LineOptions {
	readonly ask: AskLine;
	readonly say: (line: string) => void;
	/** Accepted on the command line. */
	readonly risks: readonly RiskName[];
	/** How the operator would start this tool again; absent where no revert is offered. */
	readonly command?: string | undefined;
	/** A foreseen step in full, diffs and all. */
	readonly planLines: (step: PreviewedStep) => readonly string[];
}

/** Options that are listed: more than these scroll away before they are read. */
const mostOptions = 50;

/**
 * Asks in plain lines, in reading order: for terminals that draw nothing, and for screen readers. Enter takes the default;
 * a risk is accepted by typing its name, never by Enter. Findings, plans and verdicts were told when they came.
 */
export function askInLines(options: LineOptions): Asker {
	return async decision => {
		options.say('');
		for (const line of decisionLines(decision, options)) options.say(` ${line}`);
		return lettersOf(decision.input) === undefined ? askLine(decision, options) : askLetter(decision, options);
	};
}

function decisionLines({ subject, title, body, input }: Decision, options: LineOptions): readonly string[] {
	switch (subject.kind) {
		case 'question':
			return [title, ...body, ...optionLines(subject.question)];
		case 'settings':
			return [title, ...body, ...optionLines({ kind: input.kind, options: 'choices' in input ? input.choices : [] })];
		case 'review':
			return [title, ...body, ...reviewLines(subject.run, options)];
		// What it is about was told when it came.
		case 'plan':
			return body;
		case 'failure':
			return [title, ...body];
		case 'risk':
		case 'result':
			return [title, ...body];
		case 'blocked': {
			const told = subject.manual === true ? subject.findings : [];
			return [
				title,
				...told.flatMap(({ summary, remedy, evidence }) => [
					`  ${summary}`,
					...[remedy?.text, evidence].flatMap(text => (text === undefined ? [] : hanging('    ', text, 6))),
				]),
				...body,
			];
		}
		case 'proof':
			return [
				title,
				...subject.probes.map(({ title, attempt }) => `  ${title}: ${attempt}`),
				...subject.leftOut.map(({ title, why }) => `  left out: ${title}: ${why}`),
				...body,
			];
		default:
			return subject satisfies never;
	}
}

function optionLines(question: { readonly kind: string; readonly options?: readonly Choice[] }): readonly string[] {
	const { kind, options = [] } = question;
	const rest = options.length - mostOptions;
	return [
		...options
			.slice(0, mostOptions)
			.map(({ value, label, hint }) => `  ${value}  ${label}${hint === undefined ? '' : `: ${hint}`}`),
		...(rest > 0 ? [`  and ${rest} more, which you can name too`] : []),
		...(kind === 'many' ? ['Separate several by comma; "none" selects none.'] : []),
	];
}

/** The whole run, a step a line, and what it means. */
function reviewLines(steps: readonly PreviewedStep[], { risks, command }: LineOptions): readonly string[] {
	const assumed = assumedAhead(steps);
	return [
		...steps.flatMap(step => [
			[
				` ${step.n} ${step.title}`,
				...(step.actions.length === 0
					? [`${asksFirst(step, '; ')}${quietly(step)}`]
					: step.asks === 0
						? []
						: [asksFirst(step, ' first')]),
			].join(': '),
			...step.actions.map(action => `   - ${action.title}`),
		]),
		...stopsAhead(steps).map(({ n, what }) => `stops at step ${n}: ${what}`),
		...consentWords(risksAhead(steps), risks).map(({ text }) => text),
		...(assumed.length === 0 ? [] : [`taken for what is still to be asked: ${assumed.join(', ')}`]),
		...(command === undefined ? [] : [howReverted(command)]),
	];
}

/** Choices that are taken by a letter; undefined where a value is typed. */
const lettersOf = (input: Input): readonly Choice[] | undefined =>
	input.kind === 'one' && input.choices.every(({ key }) => key !== undefined) ? input.choices : undefined;

/** `[y]es, do it`, `[l]ook again`, `save and [q]uit`: the letter of its key in brackets. */
function lettered({ label, key = '' }: Choice): string {
	const words = `${label.charAt(0).toLowerCase()}${label.slice(1)}`;
	const at = words.search(new RegExp(`\\b${key}\\b`));
	const bracketed = `[${key.charAt(0)}]${key.slice(1)}`;
	return at < 0 ? `${bracketed}, ${words}` : `${words.slice(0, at)}${bracketed}${words.slice(at + key.length)}`;
}

async function askLetter(decision: Decision, options: LineOptions): Promise<Reply> {
	const { input, ways, prompt, subject } = decision;
	const choices = lettersOf(input) ?? [];
	const initial = input.kind === 'one' ? input.initial : undefined;
	const other = (['back', 'skip', 'quit'] as const).filter(
		way => ways[way] && !choices.some(({ value }) => value === way),
	);
	const marked = (choice: Choice): string => `${lettered(choice)}${choice.value === initial ? ' (Enter)' : ''}`;
	const named = [...choices, ...other.map((way): Choice => ({ value: way, label: way, key: way }))];
	const shown = [
		...named.filter(({ value }) => value !== 'quit').map(marked),
		...(subject.kind === 'review' ? ['[v]iew every change in full'] : []),
		...named.filter(({ value }) => value === 'quit').map(marked),
	];
	for (;;) {
		const typed = (await options.ask(` ${prompt} ${shown.join(', ')} > `))?.trim().toLowerCase();
		if (typed === undefined) return { kind: 'quit' };
		const is = (key: string | undefined): boolean => key !== undefined && (typed === key || typed === key.charAt(0));
		const choice = choices.find(({ value, key }) => (typed === '' ? value === initial : is(key)));
		if (choice !== undefined) {
			const taken = taking(decision, choice.value);
			if ('kind' in taken) return taken;
		}
		const way = other.find(is);
		if (way !== undefined) return { kind: way };
		if (subject.kind === 'review' && is('view')) sayInFull(subject.run, options);
		else options.say(noSuchChoice);
	}
}

/** Said where what was typed is none of the choices. */
export const noSuchChoice = ' Type one of the letters in brackets.';

function sayInFull(run: readonly PreviewedStep[], { say, planLines }: LineOptions): void {
	for (const step of changing(run)) {
		say('');
		say(` ${step.n} ${step.title}`);
		for (const line of planLines(step)) say(line);
	}
}

async function askLine(decision: Decision, { ask, say }: LineOptions): Promise<Reply> {
	const { input, ways, prompt, subject } = decision;
	const { initial } = input;
	const word = input.kind === 'line' ? input.word : undefined;
	// Without a name that was typed nothing is done, and Enter is as good as going back.
	const named = subject.kind === 'risk' && word !== undefined;
	const shown = named ? ` type  ${word} ` : initial === undefined ? '' : ` [${sayAnswer(initial)}]`;
	const others = [...(ways.back ? [named ? 'Enter or b goes back' : 'b back'] : []), 'q quits'].join(', ');
	for (;;) {
		const typed = (await ask(` ${prompt}${shown} (${others}) > `))?.trim();
		if (typed === undefined || typed === 'q') return { kind: 'quit' };
		if (ways.back && (typed === 'b' || (named && typed === ''))) return { kind: 'back' };
		const taken = taking(decision, typed === '' && initial !== undefined ? initial : typed);
		if ('kind' in taken) return taken;
		say(` ${taken.problem}`);
	}
}

function taking({ check }: Decision, reply: AnswerValue): Reply | { readonly problem: string } {
	const checked = check === undefined ? { value: reply } : check(reply);
	return 'problem' in checked ? checked : { kind: 'taken', value: checked.value };
}
