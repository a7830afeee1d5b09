import { render } from 'ink-testing-library';
import { vi } from 'vitest';
import type { Decider } from '../../src/model/decider.ts';
import type { Emit, EventPayload } from '../../src/model/event.ts';
import { eventStream } from '../../src/model/event-stream.ts';
import type { ShownAction } from '../../src/model/shown-action.ts';
import { decideByAsking, type PersonOptions } from '../../src/prompts/decide-by-asking.ts';
import { App } from '../../src/ui/app.tsx';
import { askOnScreen } from '../../src/ui/ask-on-screen.ts';
import type { Intro } from '../../src/ui/screen.ts';
import { createStore, type Store } from '../../src/ui/store.ts';
import { themeFor } from '../../src/ui/theme.ts';
import { unicodeGlyphs } from '../../src/view/glyphs.ts';

export const intro: Intro = {
	tool: '1.0.0',
	host: 'ci-07',
	user: 'anna',
	simulated: false,
	command: 'sysbox-setup',
	goOn: 'sysbox-setup --answers a.yml',
	mode: 'run',
	accepted: [],
	now: Date.parse('2026-11-24T10:00:00Z'),
	steps: [
		{
			id: 'host',
			n: 1,
			title: 'Host compatibility',
			needs: [],
			why: 'looks whether this host is fit',
			brief: 'is this host fit?',
		},
		{
			id: 'security',
			n: 2,
			needs: [],
			title: 'Security proof',
			why: 'attempts to get to this host',
			brief: 'what must fail',
		},
	],
};

/** How long a screen may take on a machine that is busy with something else; nothing is measured by it. */
const patienceMs = 20_000;
vi.setConfig({ testTimeout: 2 * patienceMs });

export interface Bench {
	readonly store: Store;
	readonly decider: Decider;
	readonly emit: Emit;
	/** What is on the screen now. */
	readonly frame: () => string;
	/** Waits until the screen holds it; never for a time. */
	readonly sees: (text: string | RegExp) => Promise<void>;
	/** Sends keys one by one, as a person does. */
	readonly keys: (...keys: readonly string[]) => Promise<void>;
	readonly printed: string[];
	readonly done: string[];
}

/** The wizard on a fake terminal, fed with events and questions by the test. */
export function bench(
	options: {
		readonly intro?: Partial<Intro>;
		readonly size?: { readonly columns: number; readonly rows: number };
		readonly decider?: Partial<PersonOptions>;
		readonly directories?: Readonly<Record<string, readonly { name: string; directory: boolean }[]>>;
	} = {},
): Bench {
	const printed: string[] = [];
	const done: string[] = [];
	const store = createStore({
		intro: { ...intro, ...options.intro },
		theme: themeFor(unicodeGlyphs),
		size: options.size ?? { columns: 80, rows: 24 },
		clock: () => Date.parse('2026-11-24T10:00:00Z'),
		listDirectory: async path => options.directories?.[path] ?? [],
		interrupt: () => done.push('interrupt'),
		suspend: () => done.push('suspend'),
		redraw: () => done.push('redraw'),
		print: lines => printed.push(...lines),
	});
	const stream = eventStream({ now: () => new Date('2026-11-24T10:00:00Z'), readers: [store.reader] });
	const decider = decideByAsking(askOnScreen(store), {
		answers: {},
		saved: {},
		risks: [],
		settled: () => new Set(),
		around: () => ({ ...store.state().intro, run: store.state().run }),
		...options.decider,
	});
	const { lastFrame, stdin } = render(<App store={store} />);
	const frame = (): string => lastFrame() ?? '';
	const sees = (text: string | RegExp): Promise<void> =>
		vi.waitFor(
			() => {
				const found = typeof text === 'string' ? frame().includes(text) : text.test(frame());
				if (!found) throw new Error(`not on the screen: ${String(text)}\n${frame()}`);
			},
			{ timeout: patienceMs, interval: 2 },
		);
	return {
		store,
		decider,
		emit: stream.emit,
		frame,
		sees,
		keys: async (...keys) => {
			for (const key of keys) {
				stdin.write(key);
				await new Promise(resolve => setImmediate(resolve));
			}
		},
		printed,
		done,
	};
}

export const enter = '\r';
export const esc = '\u001b';
export const down = '\u001b[B';
export const right = '\u001b[C';

export const stepStart = (
	step: string,
	title = 'Host compatibility',
	kind: 'change' | 'proof' = 'change',
): EventPayload => ({
	type: 'step.start',
	step,
	title,
	kind,
	n: 1,
	of: 2,
});

export const shown = (change: Partial<ShownAction> = {}): ShownAction => ({
	id: 'install',
	kind: 'exec',
	title: 'Install fuse3',
	why: 'Sysbox calls it',
	does: 'apt-get install -y fuse3',
	undo: 'apt-get purge fuse3',
	...change,
});
