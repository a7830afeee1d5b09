import type { ReactElement } from 'react';
import type { StepState } from '../../model/state.ts';
import type { Look } from '../layout.ts';
import { blank, type Line, line, span, wrap } from '../line.ts';
import { Frame } from '../parts/frame.tsx';
import type { Prompt } from '../prompt.ts';
import { probeCounts, probeTroubles } from '../text/probe-text.ts';
import { markSpan } from '../theme.ts';
import { stepTitle } from './step-title.ts';

/** What a proof has shown that did not go as it should, before anything else is asked. */
export function ProofResultScreen({
	look,
	step,
	title,
	body,
	prompt,
}: {
	readonly look: Look;
	readonly step: StepState | undefined;
	readonly title: string;
	/** Whether the containers are gone. */
	readonly body: readonly string[];
	readonly prompt: Prompt;
}): ReactElement {
	const { width, theme } = look;
	const probes = step?.probes ?? [];
	const attacks = probes.some(probe => probe.threats.length > 0);
	const troubles = probeTroubles(probes, width, theme);
	const held = probes.filter(({ verdict }) => verdict === 'pass');
	const each: readonly Line[] = held.flatMap(({ title }) => wrap(line(markSpan('ok', theme), ` ${title}`), width, 2));
	const counts = attacks ? [...probeCounts(probes, theme), blank] : [];
	const leftover = step?.after?.some(({ id }) => id === 'probe.leftover') === true;
	const last = span(`${body.at(-1)} v shows what was seen at each.`, 'dim');
	const gone = wrap(leftover ? line(span(theme.glyphs.warn, 'warn'), ' ', last) : line(last), width, leftover ? 2 : 0);
	return (
		<Frame
			look={look}
			title={stepTitle(step, look)}
			about={[line(span(title, 'strong'))]}
			bodies={[
				[...counts, ...troubles, blank, ...each, blank, ...gone],
				[...counts, ...troubles, blank, ...gone],
				[...troubles, ...gone],
			]}
			prompt={prompt}
		/>
	);
}
