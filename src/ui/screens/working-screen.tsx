import type { ReactElement } from 'react';
import type { StepState } from '../../model/state.ts';
import type { Look } from '../layout.ts';
import { line, span } from '../line.ts';
import { Frame } from '../parts/frame.tsx';
import { elapsed, sentence } from '../text/words.ts';
import { foldedWorkLines, type Work, workLines } from '../text/work-text.ts';
import { stepTitle } from './step-title.ts';

/** What runs now: the approved changes, or the look before anything is asked. */
export function WorkingScreen({
	look,
	step,
	why,
	work,
	working,
	stopping,
}: {
	readonly look: Look;
	readonly step: StepState | undefined;
	readonly why: string | undefined;
	readonly work: Work | undefined;
	/** Changes are being made; else the host is looked at. */
	readonly working: boolean;
	readonly stopping: boolean;
}): ReactElement {
	const { theme, width, spinner } = look;
	const clock = step === undefined ? undefined : work?.clocks[`look ${step.id}`];
	const looking = line(
		span(spinner, 'cursor'),
		' looks at the host; nothing is changed',
		span(clock === undefined || work === undefined ? '' : `   ${elapsed(work.now - clock.from)}`, 'dim'),
	);
	const about = stopping
		? [
				line(
					span(theme.glyphs.warn, 'warn'),
					' Stopping at the next safe point. A package manager is not interrupted in the middle.',
				),
			]
		: why === undefined
			? []
			: [line(sentence(why))];
	const bodies =
		working && work !== undefined
			? [workLines(work, width, theme, spinner), foldedWorkLines(work, width, theme, spinner)]
			: [[looking]];
	return (
		<Frame
			look={look}
			title={step === undefined ? 'A look at this host' : stepTitle(step, look)}
			about={about}
			bodies={bodies}
		/>
	);
}
