import { type ThreatId, threatIds } from '../../model/finding.ts';
import type { StepState } from '../../model/state.ts';
import { threatTitles } from '../../model/threat.ts';
import { verdictName } from '../../view/words.ts';
import { type Line, labelled, line, pad, type Span, span, wrap } from '../line.ts';
import type { Clock } from '../screen.ts';
import { markSpan, type Theme } from '../theme.ts';
import { elapsed } from './words.ts';

type Probes = StepState['probes'];

/** All probes of a proof are of one kind: attacks on this host, or tests of what works. */
const kindOf = (probes: Probes): Pick<Probes[number], 'threats'> => ({ threats: probes.flatMap(of => of.threats) });

/** One row a threat, or one for all: how many were blocked, got through, are unknown. */
export function probeCounts(probes: Probes, theme: Theme): readonly Line[] {
	const rows: readonly (readonly [string, Probes])[] =
		kindOf(probes).threats.length > 0
			? threatIds.map((id: ThreatId) => [threatTitles[id], probes.filter(probe => probe.threats.includes(id))] as const)
			: [['', probes]];
	const kind = kindOf(probes);
	const width = Math.max(...rows.map(([title]) => title.length));
	return rows
		.filter(([, of]) => of.length > 0)
		.map(([title, of]) => {
			const parts = (['pass', 'fail', 'could-not-tell'] as const).flatMap((verdict): readonly (string | Span)[] => {
				const n = of.filter(probe => probe.verdict === verdict).length;
				const { mark, word } = verdictName(kind, verdict);
				return n === 0 ? [] : [`  ${String(n).padStart(3)} `, markSpan(mark, theme), ` ${word}`];
			});
			return line(pad(title, width), ...parts);
		});
}

/** What got through, failed or is unknown, with the sentence that says why. */
export function probeTroubles(probes: Probes, width: number, theme: Theme): readonly Line[] {
	return probes
		.filter(({ verdict }) => verdict === 'fail' || verdict === 'could-not-tell')
		.flatMap(probe => {
			const { mark, word } = verdictName(probe, probe.verdict);
			const said = `  ${word}: ${probe.because}`;
			return wrap(line(markSpan(mark, theme), ' ', span(probe.title, 'strong'), said), width, 4);
		});
}

export function runningProbeLines(
	step: StepState,
	clocks: Readonly<Record<string, Clock>>,
	now: number,
	width: number,
	spinner: string,
): readonly Line[] {
	return step.runningProbes.flatMap(({ id, title, attempt }) => {
		const clock = clocks[`probe ${step.id} ${id}`];
		const time = clock === undefined ? '' : `  ${elapsed((clock.to ?? now) - clock.from)}`;
		return [
			...wrap(line(span(spinner, 'cursor'), ' ', span(title, 'strong'), span(time, 'dim')), width, 2),
			...wrap(line('  ', span(attempt, 'dim')), width, 2),
		];
	});
}

/** Everything that a probe told, for the full view. */
export function probeEvidence(probes: Probes, width: number, theme: Theme): readonly Line[] {
	return probes.flatMap(probe => {
		const { mark, word } = verdictName(probe, probe.verdict);
		const beside = (label: string, text: string) => labelled(label, text, width, { column: 16 });
		return [
			...wrap(line(markSpan(mark, theme), ' ', span(probe.title, 'strong'), span(`  ${probe.id}`, 'dim')), width, 4),
			...beside(word, probe.because),
			...(probe.expectation === undefined ? [] : beside('must', probe.expectation)),
			...probe.evidence.flatMap(({ what, said }) => beside('saw', `${what}: ${said}`)),
		];
	});
}
