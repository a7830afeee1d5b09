import type { ReactElement } from 'react';
import type { RunState } from '../../model/state.ts';
import type { Look } from '../layout.ts';
import { blank, labelled, line, span } from '../line.ts';
import { Frame } from '../parts/frame.tsx';
import type { Prompt } from '../prompt.ts';
import type { Intro } from '../screen.ts';
import { goesOn, summaryLines, summaryTitle } from '../text/summary-text.ts';

/** The end of the run: threats before and now, what was changed, what is left, how it is taken back. */
export function SummaryScreen({
	look,
	run,
	intro,
	saved,
	problem,
	prompt,
}: {
	readonly look: Look;
	readonly run: RunState;
	readonly intro: Intro;
	/** Where the answers were saved to. */
	readonly saved: string | undefined;
	readonly problem: string | undefined;
	readonly prompt: Prompt;
}): ReactElement {
	const { theme, width } = look;
	const goOn = goesOn(run)
		? labelled(intro.mode === 'test' ? 'Again' : 'Go on', intro.goOn, width, { indent: 0, column: 10 })
		: [];
	const left = run.end?.outcome === 'done' ? (intro.takesBack?.stays ?? []) : [];
	const stays = left.length === 0 ? [] : labelled('Stays', left.join('\n'), width, { indent: 0, column: 10 });
	const note =
		saved !== undefined
			? [blank, line(span(theme.glyphs.ok, 'ok'), ` saved: ${saved}`)]
			: problem !== undefined
				? [blank, line(span(theme.glyphs.block, 'block'), ` not saved: ${problem}`)]
				: [];
	return (
		<Frame
			look={look}
			title={summaryTitle(run, intro, theme)}
			about={run.end?.why === undefined ? [] : [line(run.end.why)]}
			bodies={(['each', 'steps', 'brief', 'counted', 'undo', 'one'] as const).map(detail => [
				...summaryLines(run, intro, detail, width, theme),
				...stays,
				...goOn,
				...note,
			])}
			prompt={prompt}
		/>
	);
}
