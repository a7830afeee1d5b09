import type { ReactElement } from 'react';
import type { Command } from '../keys.ts';
import { bindings } from '../keys.ts';
import type { Look } from '../layout.ts';
import { blank, type Line, line, pad, span, wrap } from '../line.ts';
import { Frame } from '../parts/frame.tsx';
import type { Intro } from '../screen.ts';

const meanings: Readonly<Partial<Record<Command, string>>> = {
	back: 'the decision before this one, as long as nothing was changed since (Esc does it too)',
	'next-page': 'the changes one after the other, each in full (space does it too)',
	'previous-page': 'the changes before',
	skip: 'leave this step out; what needs it is left out too',
	'full-view': 'every check, diff and piece of evidence of this step; / searches',
	explain: 'the findings one by one: what was seen, why it matters, what helps',
	'print-commands': 'write the commands above this screen, to be copied',
	quit: 'save and leave; started again, the run goes on here',
};

/** The keys that work on the screen below, and the marks. */
export function HelpScreen({
	look,
	commands,
	intro,
}: {
	readonly look: Look;
	readonly commands: readonly Command[];
	readonly intro: Intro;
}): ReactElement {
	const { theme, width } = look;
	const { glyphs } = theme;
	const key = (shown: string, text: string): readonly Line[] =>
		wrap(line(span(pad(shown, 10), 'strong'), text), width, 10);
	const body = [
		...key(theme.arrows, 'choose; h j k l do it too'),
		...key('enter', 'take what is marked: what you answered before, else never what stops or weakens something'),
		...commands.flatMap(command => {
			const text = meanings[command];
			return text === undefined ? [] : key(bindings[command].shown, text);
		}),
		...key('ctrl+c', 'stop at the next safe point and save; a second one ends at once'),
		blank,
		line(
			span(glyphs.ok, 'ok'),
			' ok   ',
			span(glyphs.warn, 'warn'),
			' warning   ',
			span(glyphs.block, 'block'),
			' problem   ',
			span(glyphs.unknown, 'unknown'),
			' unknown',
		),
		...wrap(
			line(
				`Everything is logged as it happens. To see where a run is: ${intro.command} status. To take it back: ${intro.command} revert.`,
			),
			width,
		),
	];
	return <Frame look={look} title="Help" about={[]} bodies={[body]} />;
}
