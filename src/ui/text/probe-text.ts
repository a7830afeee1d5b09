import { type ThreatId, threatIds } from '../../model/finding.ts';
import type { StepState } from '../../model/state.ts';
import { threatTitles } from '../../model/threat.ts';
import { verdictWord } from '../../model/verdict-words.ts';
import { type Line, labelled, line, pad, type Span, span, wrap } from '../line.ts';
import type { Clock } from '../screen.ts';
import { type Theme, verdictMark } from '../theme.ts';
import { elapsed } from './words.ts';

type Probes = StepState['probes'];

/** All probes of a proof are of one kind: attacks on this host, or tests of what works. */
const kindOf = (probes: Probes): Pick<Probes[number], 'threats'> => ({ threats: probes.flatMap(of => of.threats) });

/** `14 of 14 blocked`, `7 of 7 passed`; what was left out does not count. */
export function probesHeld({ probes }: Pick<StepState, 'probes'>): string {
	const counted = probes.filter(probe => probe.verdict !== 'left-out');
	const held = counted.filter(probe => probe.verdict === 'pass');
	return `${held.length} of ${counted.length} ${verdictWord(kindOf(probes), 'pass')}`;
}

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
				return n === 0
					? []
					: [`  ${String(n).padStart(3)} `, verdictMark(verdict, theme), ` ${verdictWord(kind, verdict)}`];
			});
			return line(pad(title, width), ...parts);
		});
}

/** What got through, failed or is unknown, with the sentence that says why. */
export function probeTroubles(probes: Probes, width: number, theme: Theme): readonly Line[] {
	return probes
		.filter(({ verdict }) => verdict === 'fail' || verdict === 'could-not-tell')
		.flatMap(({ verdict, title, because, threats }) =>
			wrap(
				line(
					verdictMark(verdict, theme),
					' ',
					span(title, 'strong'),
					`  ${verdictWord({ threats }, verdict)}: ${because}`,
				),
				width,
				4,
			),
		);
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
	return probes.flatMap(probe => [
		...wrap(
			line(verdictMark(probe.verdict, theme), ' ', span(probe.title, 'strong'), span(`  ${probe.id}`, 'dim')),
			width,
			4,
		),
		...labelled(verdictWord(probe, probe.verdict), probe.because, width, {
			column: 16,
		}),
		...(probe.expectation === undefined ? [] : labelled('must', probe.expectation, width, { column: 16 })),
		...probe.evidence.flatMap(({ what, said }) => labelled('saw', `${what}: ${said}`, width, { column: 16 })),
	]);
}
