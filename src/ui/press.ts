import type { Reply } from '../prompts/decision.ts';
import { notFine } from '../view/finding.ts';
import { bindings, type Command, type Hint, type Key, means } from './keys.ts';
import { plainText } from './line.ts';
import { newPager, pressPager } from './pager.ts';
import { type Prompt, pressPrompt } from './prompt.ts';
import {
	actionsOf,
	currentStep,
	findingsAbout,
	findingsOf,
	type Overlay,
	type Screen,
	textWidth,
	type WizardState,
} from './screen.ts';
import { remedyCommands } from './text/findings-text.ts';
import { fullText } from './text/full-text.ts';
import { planCommands, planPages } from './text/plan-text.ts';
import type { Theme } from './theme.ts';

/** What a key comes to. The store carries it out. */
export type Effect =
	| { readonly kind: 'reply'; readonly reply: Reply }
	| { readonly kind: 'prompt'; readonly prompt: Prompt }
	| { readonly kind: 'screen'; readonly screen: Screen }
	| { readonly kind: 'overlay'; readonly overlay: Overlay | undefined }
	| { readonly kind: 'complete'; readonly value: string }
	| { readonly kind: 'print'; readonly lines: readonly string[] }
	| { readonly kind: 'interrupt' | 'suspend' | 'redraw' | 'none' };

const none: Effect = { kind: 'none' };

/** Head, foot and a margin of the full view. */
export const pagerRows = (rows: number): number => Math.max(3, rows - 5);

/** What title, place, prompt and key line leave for changes in full. */
export const planPageRows = (rows: number): number => Math.max(3, rows - 8);

/** Pure: the state and a key to what is to be done. */
export function pressKey(state: WizardState, key: Key, theme: Theme): Effect {
	if (key.kind === 'interrupt' || key.kind === 'suspend' || key.kind === 'redraw') return { kind: key.kind };
	if (state.overlay !== undefined) return pressOverlay(state, state.overlay, key, theme);
	const { asking } = state;
	const commands = commandsNow(state, theme);
	const prompt = asking?.prompt;
	// In a line to type, letters are letters.
	const typing = prompt?.kind === 'field';
	if (asking !== undefined && prompt !== undefined) {
		const pressed = pressPrompt(prompt, key);
		switch (pressed.kind) {
			case 'taken':
				return { kind: 'reply', reply: { kind: 'taken', value: pressed.value } };
			case 'changed':
				return { kind: 'prompt', prompt: pressed.prompt };
			case 'complete':
				return { kind: 'complete', value: pressed.value };
			case 'ignored':
				break;
			default:
				pressed satisfies never;
		}
	}
	const screen = asking?.screen;
	// Out of the changes in full to the plan that they are of, and only from there to the question before it.
	if (key.kind === 'escape' && screen?.kind === 'plan' && screen.page > 0)
		return { kind: 'screen', screen: { ...screen, page: 0 } };
	const meant = commands.find(command => means(key, command) && (!typing || key.kind !== 'char'));
	return meant === undefined ? none : command(state, meant, theme);
}

function command(state: WizardState, meant: Command, theme: Theme): Effect {
	switch (meant) {
		case 'back':
		case 'skip':
		case 'quit':
			return { kind: 'reply', reply: { kind: meant } };
		case 'help':
			return { kind: 'overlay', overlay: { kind: 'help' } };
		case 'full-view':
			return { kind: 'overlay', overlay: { kind: 'full-view', pager: newPager } };
		case 'explain':
			return { kind: 'overlay', overlay: { kind: 'explain', findings: explained(state), at: 0 } };
		case 'print-commands':
			return { kind: 'print', lines: commandsOf(state) };
		case 'next-page':
		case 'previous-page': {
			const screen = state.asking?.screen;
			if (screen?.kind !== 'plan') return none;
			const page = pageOf(state, screen.page, theme) + (meant === 'next-page' ? 1 : -1);
			return { kind: 'screen', screen: { ...screen, page: pageOf(state, page, theme) } };
		}
		default:
			return none;
	}
}

/** The page of a plan that is shown; a window that became larger has fewer of them. */
const pageOf = (state: WizardState, page: number, theme: Theme): number =>
	Math.max(0, Math.min(page, pagesOf(state, theme)));

/** How many pages the changes of the plan take in full. */
function pagesOf(state: WizardState, theme: Theme): number {
	const { columns, rows } = state.size;
	return planPages(currentStep(state)?.plan?.actions ?? [], planPageRows(rows), textWidth(columns), theme).length;
}

function pressOverlay(state: WizardState, overlay: Overlay, key: Key, theme: Theme): Effect {
	const close: Effect = { kind: 'overlay', overlay: undefined };
	switch (overlay.kind) {
		case 'help':
			return means(key, 'close') || key.kind === 'enter' ? close : none;
		case 'full-view': {
			const rows = fullText(state.run, currentStep(state), state.asking?.screen, textWidth(state.size.columns), theme);
			const pages = { rows: rows.map(plainText), height: pagerRows(state.size.rows) };
			const pager = pressPager(overlay.pager, key, pages);
			return pager === undefined ? close : { kind: 'overlay', overlay: { kind: 'full-view', pager } };
		}
		case 'explain': {
			const { findings, at } = overlay;
			const finding = findings[at];
			if (means(key, 'next'))
				return { kind: 'overlay', overlay: { ...overlay, at: Math.min(at + 1, findings.length - 1) } };
			if (means(key, 'previous')) return { kind: 'overlay', overlay: { ...overlay, at: Math.max(0, at - 1) } };
			if (means(key, 'print-commands') && finding !== undefined)
				return { kind: 'print', lines: remedyCommands([finding]) };
			return means(key, 'close') || key.kind === 'enter' ? close : none;
		}
		default:
			return overlay satisfies never;
	}
}

/** What `e` explains: everything that is not fine; where all is fine, all. */
function explained(state: WizardState) {
	const findings = findingsAbout(currentStep(state), state.asking?.screen);
	const troubles = notFine(findings);
	return troubles.length > 0 ? troubles : findings;
}

/** What an operator could type instead of what this screen offers. */
export function commandsOf(state: WizardState): readonly string[] {
	const screen = state.asking?.screen;
	const { command: own, mode } = state.intro;
	switch (screen?.kind) {
		case 'plan':
			return planCommands(currentStep(state)?.plan?.actions ?? []);
		case 'review':
			return planCommands(screen.run.flatMap(step => step.actions));
		case 'risk':
			return planCommands(actionsOf(currentStep(state), screen.risk));
		case 'blocked':
			return remedyCommands(screen.findings);
		case 'failure':
			return screen.failure.next;
		case 'end':
			return mode === 'run' ? [`${own} status`, `${own} revert`] : [`${own} status`];
		default:
			return [];
	}
}

/** The commands whose keys work on this screen, in the order of the key line. */
export function commandsNow(state: WizardState, theme: Theme): readonly Command[] {
	const { asking } = state;
	const step = currentStep(state);
	const screen = asking?.screen.kind;
	const commands: Command[] = [];
	if (asking?.ways.back === true) commands.push('back');
	if (asking?.screen.kind === 'plan' && asking.screen.page < pagesOf(state, theme)) commands.push('next-page');
	if (asking?.screen.kind === 'plan' && asking.screen.page > 0) commands.push('previous-page');
	if (asking?.ways.skip === true) commands.push('skip');
	if (screen === 'review' || (screen !== 'start' && screen !== 'settings' && step !== undefined))
		commands.push('full-view');
	if (screen !== 'start' && screen !== 'end' && screen !== 'review' && findingsOf(step).length > 0)
		commands.push('explain');
	if (commandsOf(state).length > 0) commands.push('print-commands');
	commands.push('help');
	if (asking?.ways.quit === true) commands.push('quit');
	return commands;
}

/** The key line: what the prompt takes, then the commands. A way that the prompt itself offers is not named twice. */
export function hintsNow(state: WizardState, theme: Theme): readonly Hint[] {
	const prompt = state.asking?.prompt;
	const screen = state.asking?.screen;
	const commands = commandsNow(state, theme);
	const hints = commands
		.filter(command => command !== 'skip' || (screen?.kind !== 'plan' && screen?.kind !== 'proof'))
		.filter(command => command !== 'explain' || screen?.kind !== 'plan' || screen.page === 0)
		.map(
			(command): Hint =>
				command === 'next-page' && screen?.kind === 'plan' && screen.page === 0
					? { key: bindings[command].shown, does: 'in full' }
					: command,
		);
	switch (prompt?.kind) {
		case undefined:
			return [...hints, { key: 'ctrl+c', does: 'stop' }];
		case 'menu':
			return [{ key: `${theme.arrows} enter`, does: '' }, ...hints];
		case 'checklist':
			return [
				{ key: theme.upDown, does: '' },
				{ key: 'space', does: 'tick' },
				{ key: 'a', does: 'all' },
				{ key: 'enter', does: '' },
				...hints,
			];
		case 'field':
			return [
				{ key: 'enter', does: prompt.value === '' && prompt.fallback !== undefined ? 'take the default' : 'take' },
				...(prompt.value === '' && prompt.fallback !== undefined ? [{ key: 'tab', does: 'edit it' }] : []),
				...(prompt.completes === true && prompt.value !== '' ? [{ key: 'tab', does: 'complete' }] : []),
				...(commands.includes('back') ? [{ key: 'esc', does: 'back' }] : []),
				{ key: 'ctrl+c', does: 'save, quit' },
			];
		default:
			return prompt satisfies never;
	}
}
