import type { ReactElement } from 'react';
import type { StepState } from '../../model/state.ts';
import { probesPassed } from '../../view/end.ts';
import { whatRemains } from '../../view/threat.ts';
import type { Look } from '../layout.ts';
import { blank, type Line, line, span, wrap } from '../line.ts';
import { Frame } from '../parts/frame.tsx';
import type { Prompt } from '../prompt.ts';
import { probeCounts, probeTroubles } from '../text/probe-text.ts';
import { markSpan } from '../theme.ts';
import { stepTitle } from './step-title.ts';

/** What a proof has shown, before anything else is asked. */
export function ProofResultScreen({
	look,
	step,
	prompt,
}: {
	readonly look: Look;
	readonly step: StepState | undefined;
	readonly prompt: Prompt;
}): ReactElement {
	const { width, theme } = look;
	const probes = step?.probes ?? [];
	const attacks = probes.some(probe => probe.threats.length > 0);
	const troubles = probeTroubles(probes, width, theme);
	const held = probes.filter(({ verdict }) => verdict === 'pass');
	const all = troubles.length === 0;
	const meaning = !all
		? ''
		: attacks
			? ' Each attempt failed under Sysbox, and succeeded where it is allowed to.'
			: ' A CI job finds what it needs.';
	const each: readonly Line[] = held.flatMap(({ title }) => wrap(line(markSpan('ok', theme), ` ${title}`), width, 2));
	const counts = attacks ? [...probeCounts(probes, theme), blank] : [];
	const remains = attacks && all ? wrap(line(whatRemains), width) : [];
	const leftover = step?.after?.find(({ id }) => id === 'probe.leftover');
	const seen = 'v shows what was seen at each.';
	const gone =
		leftover === undefined
			? [line(span(`The throw-away containers are gone. ${seen}`, 'dim'))]
			: wrap(line(span(theme.glyphs.warn, 'warn'), ` ${leftover.summary}. `, span(seen, 'dim')), width, 2);
	return (
		<Frame
			look={look}
			title={stepTitle(step, look)}
			about={[line(span(`${probesPassed(probes)}.`, 'strong'), meaning)]}
			bodies={[
				[...counts, ...troubles, ...(all ? [] : [blank]), ...each, blank, ...remains, ...gone],
				[...counts, ...troubles, ...(all ? [] : [blank]), ...remains, ...gone],
				[...troubles, ...gone],
			]}
			prompt={prompt}
		/>
	);
}
