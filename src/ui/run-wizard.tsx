import { once } from 'node:events';
import { type Instance, render } from 'ink';
import type { Decider } from '../model/decider.ts';
import type { Difference } from '../model/drift.ts';
import type { EventReader } from '../model/event-stream.ts';
import { exitCode } from '../model/exit.ts';
import type { Answers } from '../model/question.ts';
import type { RiskName } from '../model/risk.ts';
import { actionsToRevert, changedAnything, type RunState } from '../model/state.ts';
import type { StepId } from '../model/step-id.ts';
import { decideByAsking } from '../prompts/decide-by-asking.ts';
import { oneLine, safeLines } from '../text/safe.ts';
import type { Glyphs } from '../view/glyphs.ts';
import { App, type InkTerminal } from './app.tsx';
import { askOnScreen } from './ask-on-screen.ts';
import { rule } from './layout.ts';
import { blank, type Line, line } from './line.ts';
import { mountedOn } from './opening.tsx';
import { menu, type Option } from './prompt.ts';
import { type Intro, type SeenSince, textWidth } from './screen.ts';
import { createStore, type Store } from './store.ts';
import { goesOn, summaryLines, summaryTitle } from './text/summary-text.ts';
import { themeFor } from './theme.ts';

export interface WizardOptions {
	readonly intro: Intro;
	readonly glyphs: Glyphs;
	readonly answers: Answers;
	readonly saved: Answers;
	/** Which of them come from the last run, by the question's id. */
	readonly lastRun?: ReadonlySet<string> | undefined;
	readonly risks: readonly RiskName[];
	readonly stdin: NodeJS.ReadStream;
	readonly stdout: NodeJS.WriteStream;
	/** What the first frame was drawn with; without it, the terminal is taken here. */
	readonly mounted?: Instance | undefined;
	/** Aborted when the run is to stop. */
	readonly signal: AbortSignal;
	/** Ctrl+C: raw mode hands it to us as a key, and it is to do what the signal does. */
	readonly interrupt: () => void;
	/** Ctrl+Z: stops this process, as the terminal would have done; called with the terminal in its normal mode. */
	readonly stopProcess: () => void;
	readonly listDirectory: (path: string) => Promise<readonly { readonly name: string; readonly directory: boolean }[]>;
	/** Steps whose saved answers are taken when the run goes on, until somebody goes back to them. */
	readonly settled: ReadonlySet<StepId>;
	/** Taking back what was done can be offered. */
	readonly canUndo: boolean;
	/** Looks at the host again, and holds it against what the run that goes on had seen. */
	readonly driftSince?: ((signal: AbortSignal) => Promise<readonly Difference[]>) | undefined;
	/** Writes the answers that repeat this run; absent where there is nothing to repeat. */
	readonly saveAnswers?:
		| ((
				state: RunState,
		  ) => Promise<
				{ readonly kind: 'saved'; readonly path: string } | { readonly kind: 'failed'; readonly why: string }
		  >)
		| undefined;
}

export type Begin = 'go-on' | 'undo' | 'leave';

export interface Wizard {
	readonly decider: Decider;
	readonly reader: EventReader;
	/** The start screen. */
	readonly begin: () => Promise<Begin>;
	/** Talk of others while the screen is ours: it goes above it. */
	readonly say: (text: string) => void;
	/** The operator chose, at a failure, to take back what was done. */
	readonly wantsUndo: () => boolean;
	/** The end screen, when the run has ended by itself; then the summary stays in the scrollback and the terminal is given back. */
	readonly end: () => Promise<{ readonly goesOn: boolean }>;
	/** Gives the terminal back, with nothing left on it but what is finished. */
	readonly leave: () => Promise<void>;
	/** Gives the terminal back at once, after a crash. */
	readonly abandon: () => void;
}

/** Behind commands that are to be copied, as they stand where output of a command would; the screen hides what is above. */
const copied = '# to be typed by hand; none of it was run';

/** Puts the wizard on the terminal. */
export function startWizard(options: WizardOptions): Wizard {
	const { intro, stdout, signal } = options;
	const theme = themeFor(options.glyphs);
	const sizeNow = () => ({ columns: stdout.columns ?? 80, rows: stdout.rows ?? 24 });
	let drawn = true;
	let terminal: InkTerminal | undefined;

	const store = createStore({
		intro,
		theme,
		size: sizeNow(),
		clock: Date.now,
		listDirectory: options.listDirectory,
		interrupt: options.interrupt,
		suspend: () => void terminal?.lend(() => untilContinued(options.stopProcess)),
		redraw: () => {
			instance.clear();
			instance.rerender(app);
		},
		// As they are, so that the terminal breaks them and a copy has no line breaks of ours.
		print: lines => terminal?.write(safeLines(`${[...lines, copied].map(oneLine).join('\n')}\n`)),
	});
	let settled: ReadonlySet<StepId> = new Set();
	let undoWanted = false;
	const wantUndo = (): void => {
		undoWanted = true;
	};
	const decider = decideByAsking(askOnScreen(store), {
		...options,
		settled: () => settled,
		around: () => ({ ...intro, run: store.state().run }),
		onUndo: options.canUndo ? wantUndo : undefined,
	});

	const setTerminal = (ours: InkTerminal): void => {
		terminal = ours;
	};
	const app = <App store={store} onTerminal={setTerminal} />;
	// Before Ink's own listener, so that what it lays out anew was made for the new size.
	const resized = (): void => {
		store.resize(sizeNow());
		instance.rerender(app);
	};
	stdout.prependListener('resize', resized);
	const { mounted } = options;
	const instance = mounted ?? render(app, mountedOn(options));
	mounted?.rerender(app);
	// A defect in a screen unmounts all of it; the run then ends at its next question instead of waiting for ever.
	const gone = instance.waitUntilExit();
	gone.catch(error => store.fail(error));
	const stop = (): void => store.stop();
	if (signal.aborted) stop();
	else signal.addEventListener('abort', stop, { once: true });

	const unmount = (): void => {
		if (!drawn) return;
		drawn = false;
		stdout.off('resize', resized);
		signal.removeEventListener('abort', stop);
		instance.unmount();
	};

	async function give(last: readonly Line[]): Promise<void> {
		store.close(last);
		await instance.waitUntilRenderFlush();
		unmount();
		await gone;
	}

	return {
		decider,
		reader: store.reader,
		say: text => {
			const lines = text.split('\n').filter(row => row.trim() !== '');
			if (drawn && lines.length > 0) store.note(lines.map(row => line(row)));
		},
		async begin() {
			const chosen = await startScreen(store, options);
			if (chosen === 'go-on') settled = options.settled;
			return chosen === 'undo' || chosen === 'leave' ? chosen : 'go-on';
		},
		wantsUndo: () => undoWanted,
		async end() {
			const { run } = store.state();
			const stopped = run.end === undefined || run.end.outcome === 'interrupted' || signal.aborted;
			// Nothing is left to decide after a run that has changed nothing: what it says stays above the prompt.
			const quiet = run.end?.exit === exitCode.done && !changedAnything(run);
			if (!stopped && !undoWanted && !quiet) await lastScreen(store, options);
			await give(run.end === undefined ? [] : summaryOf(store, intro));
			return { goesOn: goesOn(run) };
		},
		leave: () => give([]),
		abandon: unmount,
	};
}

/** The shell goes on while we are stopped; back in the foreground the screen is drawn anew. */
async function untilContinued(stopProcess: () => void): Promise<void> {
	const back = once(process, 'SIGCONT');
	// With its input given away, nothing but this keeps the process from ending when it is continued.
	const alive = setInterval(() => undefined, 60_000);
	stopProcess();
	await back;
	clearInterval(alive);
}

/** `again`: the run goes on, and everything is asked once more. */
async function startScreen(
	store: Store,
	{ intro, driftSince, signal }: Pick<WizardOptions, 'intro' | 'driftSince' | 'signal'>,
): Promise<Begin | 'begin' | 'again'> {
	const decided = new AbortController();
	const seen: SeenSince | undefined = driftSince === undefined ? undefined : { kind: 'looking' };
	const asked = store.ask({
		screen: { kind: 'start', seen },
		prompt: startMenu(intro),
		ways: { back: false, skip: false, quit: true },
	});
	// The operator need not wait for it: each step looks again by itself.
	driftSince?.(AbortSignal.any([signal, decided.signal])).then(
		differences => store.tell({ kind: 'start', seen: { kind: 'seen', differences } }),
		error => store.tell({ kind: 'start', seen: { kind: 'failed', why: String(error) } }),
	);
	const reply = await asked;
	decided.abort();
	const choices = ['begin', 'go-on', 'again', 'undo', 'leave'] as const;
	return reply.kind === 'taken' ? (choices.find(choice => choice === reply.value) ?? 'go-on') : 'leave';
}

/** Shows the summary until the operator leaves it, and offers the answers file. */
async function lastScreen(store: Store, { saveAnswers }: Pick<WizardOptions, 'saveAnswers'>): Promise<void> {
	let saved: string | undefined;
	let problem: string | undefined;
	for (;;) {
		const { run } = store.state();
		const offer = saveAnswers !== undefined && saved === undefined && Object.keys(run.answers).length > 0;
		const choices: readonly Option[] = [
			{ value: 'leave', label: 'Leave' },
			...(offer ? [{ value: 'save', label: 'Write the answers to a file, to repeat this run' }] : []),
		];
		const reply = await store.ask({
			screen: { kind: 'end', saved, problem },
			prompt: menu(choices, 'leave'),
			ways: { back: false, skip: false, quit: true },
		});
		if (reply.kind !== 'taken' || reply.value !== 'save') return;
		const result = await saveAnswers?.(run);
		if (result?.kind === 'saved') {
			saved = result.path;
			problem = undefined;
		} else problem = result?.why;
	}
}

/** What stays in the scrollback. */
function summaryOf(store: Store, intro: Intro): readonly Line[] {
	const { run, size } = store.state();
	const width = textWidth(size.columns);
	const { theme } = store;
	return [
		blank,
		rule(summaryTitle(run, intro, theme), { theme, width, simulated: intro.simulated }),
		...summaryLines(run, intro, 'each', width, theme),
	];
}

function startMenu(intro: Intro) {
	const leave = { value: 'leave', label: 'Leave' };
	const { resume } = intro;
	const takeBack: Option = { value: 'undo', label: 'Revert what was done' };
	if (resume === undefined) {
		const { standing } = intro;
		return menu([{ value: 'begin', label: 'Begin' }, ...(standing === undefined ? [] : [takeBack]), leave], 'begin');
	}
	const at = resume.steps.at(-1);
	return menu(
		[
			{ value: 'go-on', label: at === undefined ? 'Go on' : `Go on with step ${at.n}, ${at.title}` },
			{ value: 'again', label: 'Ask everything again from step 1' },
			...(intro.mode === 'run' && actionsToRevert(resume).length > 0 ? [takeBack] : []),
			leave,
		],
		'go-on',
	);
}
