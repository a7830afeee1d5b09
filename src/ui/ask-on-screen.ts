import type { Asker, Choice, Input } from '../prompts/decision.ts';
import { menu, type Option, type Prompt } from './prompt.ts';
import type { Store } from './store.ts';

/** Asks at the screen: a decision is one screen, its input what the keys are for. */
export const askOnScreen =
	(store: Store): Asker =>
	({ subject, title, body, input, ways, check }) =>
		store.ask(
			{
				screen: subject.kind === 'plan' ? { ...subject, page: 0 } : subject,
				title,
				body,
				prompt: promptFor(input, subject.kind === 'question'),
				// In a line to type, q is a letter.
				ways: { ...ways, quit: ways.quit && input.kind !== 'line' },
			},
			check,
		);

/** `hot`: a choice is taken by the first letter of its key. At a decision over the host that would be too easy. */
function promptFor(input: Input, hot: boolean): Prompt {
	switch (input.kind) {
		case 'one': {
			const option = ({ value, label, hint, key }: Choice): Option => ({
				value,
				label,
				hint,
				hotkey: hot ? key?.charAt(0) : undefined,
			});
			return menu(input.choices.map(option), input.initial);
		}
		case 'many':
			return { kind: 'checklist', options: input.choices, at: 0, ticked: input.initial ?? [] };
		case 'line':
			return {
				kind: 'field',
				value: '',
				at: 0,
				fallback: input.initial,
				mask: input.secret,
				completes: input.path,
				unit: input.unit,
				word: input.word,
			};
		default:
			return input satisfies never;
	}
}
