import type { ReactElement } from 'react';
import { type ThreatId, threatIds } from '../../model/finding.ts';
import type { StepState } from '../../model/state.ts';
import { threatTitles } from '../../model/threat.ts';
import type { AnnouncedProbe } from '../../prompts/decision.ts';
import type { Look } from '../layout.ts';
import { blank, type Line, line, pad, span, wrap } from '../line.ts';
import { Frame } from '../parts/frame.tsx';
import type { Prompt } from '../prompt.ts';
import { count } from '../text/words.ts';
import { stepTitle } from './step-title.ts';

/** What is about to be tried in throw-away containers, before any of it is. */
export function ProofConsentScreen({
	look,
	step,
	title,
	body,
	probes,
	leftOut,
	prompt,
}: {
	readonly look: Look;
	readonly step: StepState | undefined;
	readonly probes: readonly AnnouncedProbe[];
	readonly leftOut: readonly { readonly title: string; readonly why: string }[];
	readonly title: string;
	/** What they make, take and may set off together. */
	readonly body: readonly string[];
	readonly prompt: Prompt;
}): ReactElement {
	const { width, theme } = look;
	const attacks = probes.some(probe => probe.threats.length > 0);
	const bullet = (text: string): readonly Line[] => wrap(line(span(theme.glyphs.neutral, 'dim'), ` ${text}`), width, 2);
	const titles = Math.max(...threatIds.map((id: ThreatId) => threatTitles[id].length));
	const counts = attacks
		? threatIds.map((id: ThreatId) =>
				line(
					pad(threatTitles[id], titles),
					`  ${count(probes.filter(probe => probe.threats.includes(id)).length, 'attempt')}`,
				),
			)
		: [];
	const facts = [
		...body.flatMap(bullet),
		...(leftOut.length > 0
			? bullet(`${leftOut.length} left out, as they mean nothing on this host: ${leftOut.map(l => l.title).join(', ')}`)
			: []),
		...bullet(`v lists ${attacks ? 'each attempt with its control' : 'each of them'}, before anything is started.`),
	];
	const list = (whole: boolean): readonly Line[] =>
		probes.flatMap(({ title, attempt }) =>
			wrap(line('  ', title, ...(whole ? [span(`: ${attempt}`, 'dim')] : [])), width, 4),
		);
	return (
		<Frame
			look={look}
			title={stepTitle(step, look)}
			about={[line(title)]}
			bodies={[
				[...counts, ...(attacks ? [blank] : []), ...facts, blank, ...list(true)],
				[...counts, ...(attacks ? [blank] : []), ...facts, blank, ...list(false)],
				[...counts, ...(attacks ? [blank] : []), ...facts],
			]}
			prompt={prompt}
		/>
	);
}
