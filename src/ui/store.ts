import type { Event } from '../model/event.ts';
import type { EventReader } from '../model/event-stream.ts';
import { initialState, type RunState } from '../model/state.ts';
import type { Check, Reply } from '../prompts/decision.ts';
import type { Key } from './keys.ts';
import { type Line, plainText } from './line.ts';
import { type Effect, pressKey } from './press.ts';
import type { Field, Prompt } from './prompt.ts';
import {
	type Asking,
	type Clock,
	type Intro,
	type Overlay,
	type Screen,
	textWidth,
	type WizardState,
} from './screen.ts';
import { introLines, stepLines } from './text/transcript-text.ts';
import type { Theme } from './theme.ts';

/** Doors to the world; everything else in the wizard is data and functions of it. */
export interface StoreOptions {
	readonly intro: Intro;
	readonly theme: Theme;
	readonly size: { readonly columns: number; readonly rows: number };
	readonly clock: () => number;
	/** Names in a directory of the host, for Tab. */
	readonly listDirectory: (path: string) => Promise<readonly { readonly name: string; readonly directory: boolean }[]>;
	/** Ctrl+C, as if the terminal had sent the signal. */
	readonly interrupt: () => void;
	/** Ctrl+Z. */
	readonly suspend: () => void;
	/** Ctrl+L. */
	readonly redraw: () => void;
	/** Lines that are to be copied: written as they are, without breaks of ours. */
	readonly print: (lines: readonly string[]) => void;
}

export interface Store {
	readonly theme: Theme;
	readonly state: () => WizardState;
	readonly subscribe: (listener: () => void) => () => void;
	readonly reader: EventReader;
	/** Shows a screen and waits. `check` turns what was typed into a value, or says what is wrong with it. */
	readonly ask: (asking: Asking, check?: Check) => Promise<Reply>;
	readonly press: (key: Key) => void;
	readonly resize: (size: WizardState['size']) => void;
	/** Moves the time on; called while something runs. */
	readonly tick: () => void;
	/** The screen is gone by a defect: whoever waits for the operator, or will, gets this error. */
	readonly fail: (error: unknown) => void;
	/** The work is to end: whoever waits for the operator is answered with "quit". */
	readonly stop: () => void;
	readonly note: (lines: readonly Line[]) => void;
	/** Tells more on the screen that waits, if it is still one of that kind. */
	readonly tell: (screen: Screen) => void;
	/** Puts last lines into the transcript and draws nothing more. */
	readonly close: (last: readonly Line[]) => void;
}

/**
 * Output may come by the thousand lines; the screen follows at this pace: a frame costs as much as thousands of lines, and
 * nobody reads faster. A key is answered at once all the same. Longer than a tick, which draws what has come since the
 * last one: a shorter wait ends just before each tick, and everything is drawn twice.
 */
const floodMs = 250;

/** The wizard's state: the reduced run, what is being asked, what is laid over it. Knows nothing of Ink. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state and what changes it, each below 25 lines.
export function createStore(options: StoreOptions): Store {
	const { theme, clock } = options;
	let state = firstState(options);
	const listeners = new Set<() => void>();
	let failure: { readonly error: unknown } | undefined;
	let waiting:
		| {
				readonly resolve: (reply: Reply) => void;
				readonly reject: (error: unknown) => void;
				readonly check: Check | undefined;
		  }
		| undefined;
	let flood: ReturnType<typeof setTimeout> | undefined;
	const printed = new Map<string, string>();

	const notify = (): void => {
		clearTimeout(flood);
		flood = undefined;
		for (const listener of listeners) listener();
	};
	const set = (change: Partial<WizardState>): void => {
		state = { ...state, ...change, now: clock() };
		notify();
	};
	const setPrompt = (prompt: Prompt): void => {
		if (state.asking !== undefined) set({ asking: { ...state.asking, prompt } });
	};
	const reply = (answer: Reply): void => {
		const { asking } = state;
		if (waiting === undefined || asking === undefined) return;
		let taken = answer;
		if (answer.kind === 'taken' && waiting.check !== undefined) {
			const checked = waiting.check(answer.value);
			if ('problem' in checked) {
				setPrompt({ ...asking.prompt, problem: checked.problem });
				return;
			}
			taken = { kind: 'taken', value: checked.value };
		}
		const { resolve } = waiting;
		waiting = undefined;
		set({ asking: undefined, overlay: undefined });
		resolve(taken);
	};
	const complete = async (value: string): Promise<void> => {
		const completed = await completedPath(value, options.listDirectory);
		const prompt = state.asking?.prompt;
		// While the directory was read somebody may have typed on.
		if (prompt?.kind !== 'field' || prompt.value !== value) return;
		const { completions: _, problem: __, ...rest } = prompt;
		setPrompt({ ...rest, ...completed });
	};
	const screen = (shown: Screen): void => {
		if (state.asking !== undefined) set({ asking: { ...state.asking, screen: shown } });
	};
	// A directory that cannot be read completes to nothing; what is typed stays.
	const tab = (value: string): void => void complete(value).catch(() => undefined);
	const doors = {
		...options,
		reply,
		prompt: setPrompt,
		screen,
		complete: tab,
		overlay: (overlay?: Overlay) => set({ overlay }),
	};

	return {
		theme,
		state: () => state,
		subscribe: listener => {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
		reader: (event, run) => {
			if (event.type === 'output' || event.type === 'progress') {
				// The lines of a burst share one state.
				if (run !== state.run) state = { ...state, run, now: clock() };
				flood ??= setTimeout(notify, floodMs);
				return;
			}
			const clocks = turnClocks(state.clocks, event, clock());
			const transcript =
				event.type === 'step.end'
					? withStep(state.transcript, printed, run, event.step, state.size, theme)
					: state.transcript;
			const totals = event.type === 'probe.start' ? { ...state.totals, [event.step]: event.of } : state.totals;
			state = { ...state, run, clocks, totals, transcript, now: clock() };
			notify();
		},
		ask: (asking, check) =>
			new Promise<Reply>((resolve, reject) => {
				if (failure !== undefined) {
					reject(failure.error);
					return;
				}
				if (state.stopping) {
					resolve({ kind: 'quit' });
					return;
				}
				waiting = { resolve, reject, check };
				set({ asking, overlay: undefined });
			}),
		press: key => {
			if (!state.closed) perform(pressKey(state, key, theme), doors);
		},
		resize: size => set({ size }),
		tick: () => set({}),
		fail: error => {
			failure = { error };
			waiting?.reject(error);
			waiting = undefined;
		},
		stop: () => {
			set({ stopping: true });
			reply({ kind: 'quit' });
		},
		tell: screen => {
			if (state.asking?.screen.kind === screen.kind) set({ asking: { ...state.asking, screen } });
		},
		note: lines => set({ transcript: [...state.transcript, lines] }),
		close: last => {
			set({
				asking: undefined,
				overlay: undefined,
				closed: true,
				transcript: last.length === 0 ? state.transcript : [...state.transcript, last],
			});
		},
	};
}

const firstState = ({ intro, theme, size, clock }: StoreOptions): WizardState => ({
	intro,
	run: intro.resume ?? initialState,
	asking: undefined,
	overlay: undefined,
	transcript: [introLines(intro, textWidth(size.columns), theme)],
	stopping: false,
	clocks: {},
	totals: {},
	now: clock(),
	size,
	closed: false,
});

/** What a key can do to the wizard, and to the world. */
interface Doors extends Pick<StoreOptions, 'interrupt' | 'suspend' | 'redraw' | 'print'> {
	readonly reply: (reply: Reply) => void;
	readonly prompt: (prompt: Prompt) => void;
	readonly screen: (screen: Screen) => void;
	readonly overlay: (overlay: Overlay | undefined) => void;
	readonly complete: (value: string) => void;
}

function perform(effect: Effect, doors: Doors): void {
	switch (effect.kind) {
		case 'reply':
			doors.reply(effect.reply);
			break;
		case 'prompt':
			doors.prompt(effect.prompt);
			break;
		case 'screen':
			doors.screen(effect.screen);
			break;
		case 'overlay':
			doors.overlay(effect.overlay);
			break;
		case 'complete':
			doors.complete(effect.value);
			break;
		case 'print':
			doors.print(effect.lines);
			break;
		case 'interrupt':
		case 'suspend':
		case 'redraw':
			doors[effect.kind]();
			break;
		case 'none':
			break;
		default:
			effect satisfies never;
	}
}

function turnClocks(
	clocks: Readonly<Record<string, Clock>>,
	event: Event,
	now: number,
): Readonly<Record<string, Clock>> {
	const begin = (key: string) => ({ ...clocks, [key]: { from: now } });
	const end = (key: string) => ({ ...clocks, [key]: { from: clocks[key]?.from ?? now, to: now } });
	switch (event.type) {
		case 'step.start':
			return begin(`look ${event.step}`);
		case 'plan':
			// A plan of a later round begins anew.
			return Object.fromEntries(Object.entries(clocks).filter(([key]) => !key.startsWith(`action ${event.step} `)));
		case 'action.intent':
			return begin(`action ${event.step} ${event.action}`);
		case 'action.outcome':
			return end(`action ${event.step} ${event.action}`);
		case 'probe.start':
			return begin(`probe ${event.step} ${event.id}`);
		case 'probe':
			return end(`probe ${event.step} ${event.id}`);
		default:
			return clocks;
	}
}

/** A finished step goes into the transcript once; after going back only what is new about it does. */
function withStep(
	transcript: WizardState['transcript'],
	printed: Map<string, string>,
	run: RunState,
	id: string,
	size: WizardState['size'],
	theme: Theme,
): WizardState['transcript'] {
	const step = run.steps.find(s => s.id === id);
	if (step === undefined || step.why === 'gone back') return transcript;
	const rows = stepLines(run, step, textWidth(size.columns), theme);
	const text = rows.map(plainText).join('\n');
	if (printed.get(id) === text) return transcript;
	printed.set(id, text);
	return [...transcript, rows];
}

/** What Tab makes of the beginning of a path: as much as all names in its directory that fit have in common. */
async function completedPath(
	value: string,
	listDirectory: StoreOptions['listDirectory'],
): Promise<Pick<Field, 'value' | 'at' | 'completions' | 'problem'>> {
	const cut = value.lastIndexOf('/') + 1;
	const directory = cut === 0 ? '.' : value.slice(0, cut);
	const begun = value.slice(cut);
	const names = (await listDirectory(directory)).filter(({ name }) => name.startsWith(begun));
	const [only] = names;
	const completed =
		names.length === 1 && only !== undefined
			? `${only.name}${only.directory ? '/' : ''}`
			: commonStart(names.map(({ name }) => name));
	const next = value.slice(0, cut) + (names.length === 0 ? begun : completed);
	return {
		value: next,
		at: [...next].length,
		completions: names.length > 1 ? names.map(({ name, directory: is }) => `${name}${is ? '/' : ''}`) : undefined,
		problem: names.length === 0 ? `nothing begins with ${begun} in ${directory}` : undefined,
	};
}

function commonStart(names: readonly string[]): string {
	const [first = ''] = names;
	let length = first.length;
	for (const name of names) while (!name.startsWith(first.slice(0, length))) length -= 1;
	return first.slice(0, length);
}
