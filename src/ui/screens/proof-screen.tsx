import type { ReactElement } from 'react';
import type { StepState } from '../../model/state.ts';
import type { Look } from '../layout.ts';
import { blank, line, span } from '../line.ts';
import { Frame } from '../parts/frame.tsx';
import { probeCounts, probeTroubles, runningProbeLines } from '../text/probe-text.ts';
import type { Work } from '../text/work-text.ts';
import { stepTitle } from './step-title.ts';

/** Attempts while they are made: counts for each threat, what did not hold, what runs now. */
export function ProofScreen({
	look,
	step,
	work,
	total,
	stopping,
}: {
	readonly look: Look;
	readonly step: StepState;
	readonly work: Work;
	readonly total: number;
	readonly stopping: boolean;
}): ReactElement {
	const { width, theme } = look;
	const done = step.probes.filter(probe => probe.verdict !== 'left-out').length;
	const counts = probeCounts(step.probes, theme);
	const troubles = probeTroubles(step.probes, width, theme);
	const running = runningProbeLines(step, work.clocks, work.now, width, look.spinner);
	return (
		<Frame
			look={look}
			title={stepTitle(step, look)}
			about={[
				stopping
					? line(span(theme.glyphs.warn, 'warn'), ' Stopping; the throw-away containers are removed.')
					: line(`${done} of ${total} tried in throw-away containers. Nothing of yours is touched.`),
			]}
			bodies={[
				[...counts, blank, ...troubles, ...(troubles.length > 0 ? [blank] : []), ...running],
				[...counts, ...running, ...troubles],
			]}
		/>
	);
}
