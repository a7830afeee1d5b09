import * as z from 'zod';
import { nameSome } from '../text/name-some.ts';
import type { DataOf } from './data.ts';
import type { RiskName } from './risk.ts';

export const answerValueSchema = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);
export type AnswerValue = DataOf<typeof answerValueSchema>;

/** Where an answer comes from. */
export const answerSources = ['default', 'answers', 'operator', 'saved', 'last-run'] as const;
export type AnswerSource = (typeof answerSources)[number];

/** Answers by question id, such as `ci.memory`. Answers are remembered between sessions; facts never are. */
export const answersSchema = z.record(z.string(), answerValueSchema);
export type Answers = DataOf<typeof answersSchema>;

export interface Choice {
	readonly value: string;
	readonly label: string;
	readonly hint?: string | undefined;
}

interface QuestionBase {
	/** Public: `STEP.NAME`, the key in the answers file. */
	readonly id: string;
	/** What it settles, a noun in two or three words: the name of its row among the settings. */
	readonly label: string;
	readonly title: string;
	/** Why it is asked and what the answer changes on the host. */
	readonly help: string;
	/** An answer to it can bring up further questions. */
	readonly leadsOn?: true | undefined;
	/** It stops something on the host: it is asked alone, in its step, and is no setting. */
	readonly alone?: true | undefined;
	/** Its answer names what has to be fetched: it is asked before the first change. */
	readonly fetches?: true | undefined;
}

export type Question = QuestionBase &
	(
		| { readonly kind: 'confirm'; readonly initial?: boolean | undefined }
		| { readonly kind: 'choice'; readonly options: readonly Choice[]; readonly initial?: string | undefined }
		| { readonly kind: 'many'; readonly options: readonly Choice[]; readonly initial?: readonly string[] | undefined }
		| {
				readonly kind: 'text';
				readonly initial?: string | undefined;
				readonly secret?: true | undefined;
				readonly validate?: ((value: string) => string | undefined) | undefined;
		  }
		| {
				readonly kind: 'path';
				readonly initial?: string | undefined;
				readonly wants: 'file' | 'folder' | 'any';
				readonly validate?: ((value: string) => string | undefined) | undefined;
		  }
		| {
				readonly kind: 'number';
				readonly initial?: number | undefined;
				readonly min?: number | undefined;
				readonly max?: number | undefined;
				readonly unit?: string | undefined;
		  }
		/** Asks for the risk's name, typed. There is never a default. */
		| { readonly kind: 'risk'; readonly risk: RiskName }
	);

/**
 * Says what is wrong with a value for this question, or undefined when it is fine. Used by every decider, so that an
 * answers file and a keyboard are held to the same rules.
 */
export function answerProblem(question: Question, value: unknown): string | undefined {
	switch (question.kind) {
		case 'confirm':
			return typeof value === 'boolean' ? undefined : 'must be true or false';
		case 'choice':
			return typeof value === 'string' && question.options.some(o => o.value === value)
				? undefined
				: `must be one of: ${question.options.map(o => o.value).join(', ')}`;
		case 'many': {
			const known = question.options.map(o => o.value);
			if (!Array.isArray(value)) return `must be a list of: ${known.join(', ')}`;
			const strangers = value.filter(v => !known.includes(String(v)));
			return strangers.length === 0
				? undefined
				: `has no choice called ${strangers.join(', ')}; choose among: ${known.join(', ')}`;
		}
		case 'text':
		case 'path':
			if (typeof value !== 'string') return 'must be text';
			return question.validate?.(value);
		case 'number':
			if (typeof value !== 'number' || !Number.isFinite(value)) return 'must be a number';
			if (question.min !== undefined && value < question.min) return `must be at least ${question.min}`;
			if (question.max !== undefined && value > question.max) return `must be at most ${question.max}`;
			return undefined;
		case 'risk':
			return value === question.risk ? undefined : `must be the word ${question.risk}`;
		default:
			return question satisfies never;
	}
}

/** Where a question stands among those of its step, as far as the answers so far tell, and what is shown behind them. */
export interface Place {
	readonly n: number;
	readonly of: number;
	/** An answer that is still to come can bring up more. */
	readonly mayGrow: boolean;
	/** `run`: everything that the whole run would do, before its first change. */
	readonly next: 'run' | 'plan' | 'proof' | 'record';
}

/** An answer as a person reads it. */
export function sayAnswer(value: AnswerValue): string {
	if (Array.isArray(value))
		return value.length === 0 ? 'none' : value.length > 20 ? nameSome(value, 20) : value.join(',');
	return value === true ? 'yes' : value === false ? 'no' : String(value);
}

/** Stands in the log for an answer that is kept nowhere. */
export const secretAnswer = '[secret]';

/** The value that Enter takes, or undefined where a person (or the answers file) has to say it. */
export function initialAnswer(question: Question): AnswerValue | undefined {
	return question.kind === 'risk' ? undefined : question.initial;
}

export const textAnswer = (answers: Answers, id: string): string | undefined => {
	const value = answers[id];
	return typeof value === 'string' ? value : undefined;
};

export const numberAnswer = (answers: Answers, id: string): number | undefined => {
	const value = answers[id];
	return typeof value === 'number' ? value : undefined;
};

export const listAnswer = (answers: Answers, id: string): readonly string[] | undefined => {
	const value = answers[id];
	return Array.isArray(value) ? value : undefined;
};

export const yesNoAnswer = (answers: Answers, id: string): boolean | undefined => {
	const value = answers[id];
	return typeof value === 'boolean' ? value : undefined;
};
