import { Static, useApp, useInput, usePaste, useStdout } from 'ink';
import { type ReactElement, useEffect, useSyncExternalStore } from 'react';
import type { SafeText } from '../text/safe.ts';
import { keysOf } from './keys.ts';
import { Rows } from './parts/rows.tsx';
import { CurrentScreen } from './screens/current-screen.tsx';
import type { Store } from './store.ts';

/** Often enough for a clock and a turning mark, seldom enough for a slow line. */
const tickMs = 125;

/** What only a mounted component can do to the terminal. */
export interface InkTerminal {
	/** Gives the terminal to somebody else for a time. */
	readonly lend: ReturnType<typeof useApp>['suspendTerminal'];
	/** Writes above the screen, as it is. */
	readonly write: (text: SafeText) => void;
}

/** Draws the store's state, and hands keys to it. It knows nothing else. */
export function App({
	store,
	onTerminal,
}: {
	readonly store: Store;
	/** Handed over once mounted. */
	readonly onTerminal?: ((terminal: InkTerminal) => void) | undefined;
}): ReactElement {
	const { suspendTerminal } = useApp();
	const { write } = useStdout();
	const state = useSyncExternalStore(store.subscribe, store.state);
	const running = state.asking === undefined && !state.closed;

	useInput((input, key) => {
		for (const one of keysOf(input, key)) store.press(one);
	});
	usePaste(text => store.press({ kind: 'paste', text }));
	useEffect(() => onTerminal?.({ lend: suspendTerminal, write }), [onTerminal, suspendTerminal, write]);
	useEffect(() => {
		if (!running) return undefined;
		const timer = setInterval(store.tick, tickMs);
		return () => clearInterval(timer);
	}, [running, store]);

	return (
		<>
			<Static items={[...state.transcript]}>{(lines, index) => <Rows key={index} rows={lines} />}</Static>
			{state.closed ? null : <CurrentScreen state={state} theme={store.theme} />}
		</>
	);
}
