import { type Instance, type RenderOptions, render, useInput, usePaste, useStdout } from 'ink';
import { type ReactElement, useEffect } from 'react';
import { type SafeText, safeLines } from '../text/safe.ts';
import type { Glyphs } from '../view/glyphs.ts';
import { keysOf } from './keys.ts';
import { blank, line, span, wrapAll } from './line.ts';
import { Rows } from './parts/rows.tsx';
import { textWidth } from './screen.ts';
import { TooSmallScreen, tooSmall } from './screens/too-small-screen.tsx';
import { introLines } from './text/transcript-text.ts';
import { themeFor } from './theme.ts';

export interface OpeningOptions {
	/** The version of this program. */
	readonly tool: string;
	readonly simulated: boolean;
	readonly glyphs: Glyphs;
	readonly stdin: NodeJS.ReadStream;
	readonly stdout: NodeJS.WriteStream;
	/** Ctrl+C: raw mode hands it to us as a key, and it is to do what the signal does. */
	readonly interrupt: () => void;
}

/** The first frame, drawn before the steps are loaded. */
export interface Opening {
	/** Gives the terminal to the wizard, as it is; undefined when that was done before, or the terminal was given back. */
	readonly handOver: () => Instance | undefined;
	/** Talk of others: it goes above the frame. */
	readonly say: (text: string) => void;
	/** Gives the terminal back, with nothing left on it. */
	readonly close: () => void;
}

/** Ink is told that it is interactive: it would draw nothing where `CI` is set, and CI hosts set it. */
export const mountedOn = ({ stdin, stdout }: Pick<OpeningOptions, 'stdin' | 'stdout'>): RenderOptions => ({
	stdin,
	stdout,
	interactive: true,
	exitOnCtrlC: false,
	isScreenReaderEnabled: false,
	patchConsole: false,
	maxFps: 20,
});

/** Mounts the first frame. */
export function openTerminal(options: OpeningOptions): Opening {
	let write: ((text: SafeText) => void) | undefined;
	let ours = true;
	const instance = render(
		<OpeningScreen
			options={options}
			onWrite={above => {
				write = above;
			}}
		/>,
		mountedOn(options),
	);
	return {
		handOver() {
			if (!ours) return undefined;
			ours = false;
			return instance;
		},
		say: text => {
			const rows = text.split('\n').filter(row => row.trim() !== '');
			write?.(safeLines(rows.map(row => `${row}\n`).join('')));
		},
		close() {
			if (!ours) return;
			ours = false;
			instance.rerender(null);
			instance.unmount();
		},
	};
}

function OpeningScreen({
	options,
	onWrite,
}: {
	readonly options: OpeningOptions;
	/** Handed over once mounted. */
	readonly onWrite: (write: (text: SafeText) => void) => void;
}): ReactElement {
	const { write } = useStdout();
	// What is typed would be echoed into the frame otherwise. Like any key before its screen was seen, it answers nothing.
	useInput((input, key) => {
		if (keysOf(input, key).some(({ kind }) => kind === 'interrupt')) options.interrupt();
	});
	usePaste(() => undefined);
	useEffect(() => onWrite(write), [onWrite, write]);
	const { columns = 80, rows = 24 } = options.stdout;
	if (tooSmall({ columns, rows })) return <TooSmallScreen columns={columns} rows={rows} />;
	const theme = themeFor(options.glyphs);
	const width = textWidth(columns);
	const doing = line(span(`Reading what earlier runs left here ${theme.more}`, 'dim'));
	return <Rows rows={[...introLines(options, width, theme), blank, ...wrapAll([doing], width)]} />;
}
