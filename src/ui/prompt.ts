import type { AnswerValue } from '../model/question.ts';
import { type Key, moves } from './keys.ts';

export interface Option {
	readonly value: string;
	readonly label: string;
	readonly hint?: string | undefined;
	/** Takes this option at once: `y`, `n`. */
	readonly hotkey?: string | undefined;
}

/** One of several. `at` is -1 where there is no default and nothing was chosen yet. */
export interface Menu {
	readonly kind: 'menu';
	readonly options: readonly Option[];
	readonly at: number;
	readonly problem?: string | undefined;
}

/** Any of several. */
export interface Checklist {
	readonly kind: 'checklist';
	readonly options: readonly Option[];
	readonly at: number;
	readonly ticked: readonly string[];
	readonly problem?: string | undefined;
}

/** A line to type. */
export interface Field {
	readonly kind: 'field';
	readonly value: string;
	/** Position of the cursor, in characters. */
	readonly at: number;
	/** What Enter takes while nothing was typed. */
	readonly fallback?: string | undefined;
	readonly mask?: true | undefined;
	readonly completes?: true | undefined;
	/** The word that has to be typed; nothing else is taken. */
	readonly word?: string | undefined;
	readonly unit?: string | undefined;
	/** What Tab found when it was more than one. */
	readonly completions?: readonly string[] | undefined;
	readonly problem?: string | undefined;
}

export type Prompt = Menu | Checklist | Field;

/** What a key did: a changed prompt, a value to be taken, a wish to complete, or nothing here. */
export type Pressed =
	| { readonly kind: 'changed'; readonly prompt: Prompt }
	| { readonly kind: 'taken'; readonly value: AnswerValue }
	| { readonly kind: 'complete'; readonly value: string }
	| { readonly kind: 'ignored' };

export const menu = (options: readonly Option[], initial?: string): Menu => ({
	kind: 'menu',
	options,
	at: initial === undefined ? -1 : options.findIndex(option => option.value === initial),
});

/** A pure step: prompt and key to what comes of it. */
export function pressPrompt(prompt: Prompt, key: Key): Pressed {
	switch (prompt.kind) {
		case 'menu':
			return pressMenu(prompt, key);
		case 'checklist':
			return pressChecklist(prompt, key);
		case 'field':
			return pressField(prompt, key);
		default:
			return prompt satisfies never;
	}
}

const changed = (prompt: Prompt): Pressed => ({ kind: 'changed', prompt });
const ignored: Pressed = { kind: 'ignored' };

/** The prompt without what was said about the key before. */
function quiet(prompt: Menu): Menu;
function quiet(prompt: Checklist): Checklist;
function quiet(prompt: Field): Field;
function quiet(prompt: Prompt): Prompt {
	const { problem: _, ...rest } = prompt;
	if (rest.kind !== 'field') return rest;
	const { completions: __, ...field } = rest;
	return field;
}

const around = (at: number, by: number, count: number): number =>
	at < 0 ? (by > 0 ? 0 : count - 1) : (at + by + count) % count;

function pressMenu(prompt: Menu, key: Key): Pressed {
	const hot = key.kind === 'char' ? prompt.options.find(option => option.hotkey === key.char) : undefined;
	if (hot !== undefined) return { kind: 'taken', value: hot.value };
	const by = moves(key);
	if (by !== undefined) return changed({ ...quiet(prompt), at: around(prompt.at, by, prompt.options.length) });
	if (key.kind === 'home') return changed({ ...quiet(prompt), at: 0 });
	if (key.kind === 'end') return changed({ ...quiet(prompt), at: prompt.options.length - 1 });
	if (key.kind !== 'enter') return ignored;
	const option = prompt.options[prompt.at];
	return option === undefined
		? changed({ ...prompt, problem: 'choose one first' })
		: { kind: 'taken', value: option.value };
}

function pressChecklist(prompt: Checklist, key: Key): Pressed {
	const option = prompt.options[prompt.at];
	if (key.kind === 'char' && key.char === ' ' && option !== undefined) {
		const ticked = prompt.ticked.includes(option.value)
			? prompt.ticked.filter(value => value !== option.value)
			: prompt.options.map(o => o.value).filter(value => value === option.value || prompt.ticked.includes(value));
		return changed({ ...quiet(prompt), ticked });
	}
	if (key.kind === 'char' && key.char === 'a') {
		const all = prompt.options.map(o => o.value);
		return changed({ ...quiet(prompt), ticked: prompt.ticked.length === all.length ? [] : all });
	}
	const by = moves(key);
	if (by !== undefined) return changed({ ...quiet(prompt), at: around(prompt.at, by, prompt.options.length) });
	return key.kind === 'enter' ? { kind: 'taken', value: [...prompt.ticked] } : ignored;
}

function pressField(prompt: Field, key: Key): Pressed {
	const chars = [...prompt.value];
	const at = Math.min(prompt.at, chars.length);
	const put = (value: readonly string[], cursor: number): Pressed =>
		changed({ ...quiet(prompt), value: value.join(''), at: Math.max(0, Math.min(cursor, value.length)) });
	const insert = (text: string): Pressed => {
		const added = [...text];
		return put([...chars.slice(0, at), ...added, ...chars.slice(at)], at + added.length);
	};
	/** The default becomes text that can be changed. */
	const edit = (): Pressed =>
		prompt.fallback === undefined ? ignored : put([...prompt.fallback], [...prompt.fallback].length);
	const untouched = chars.length === 0 && prompt.fallback !== undefined;
	switch (key.kind) {
		case 'char':
			return insert(key.char);
		case 'paste':
			return insert(key.text.replaceAll(/\s*[\r\n]+\s*/g, ' ').trim());
		case 'left':
			return put(chars, at - 1);
		case 'right':
			return untouched ? edit() : put(chars, at + 1);
		case 'home':
			return put(chars, 0);
		case 'end':
			return untouched ? edit() : put(chars, chars.length);
		case 'backspace':
			return untouched ? edit() : put([...chars.slice(0, Math.max(0, at - 1)), ...chars.slice(at)], at - 1);
		case 'delete':
			return put([...chars.slice(0, at), ...chars.slice(at + 1)], at);
		case 'clear-line':
			return put([], 0);
		case 'tab':
			if (untouched) return edit();
			return prompt.completes === true ? { kind: 'complete', value: prompt.value } : ignored;
		case 'enter':
			return { kind: 'taken', value: prompt.value === '' ? (prompt.fallback ?? '') : prompt.value };
		default:
			return ignored;
	}
}
