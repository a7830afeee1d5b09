import { type ThreatId, threatIds } from '../../core/finding.ts';
import type { StepState } from '../../core/state.ts';
import { threatTitles } from '../../core/threat.ts';
import { clean, type Line, labelled, line, pad, type Span, span, wrap } from '../line.ts';
import type { Clock } from '../screen.ts';
import { type Theme, verdictMark } from '../theme.ts';
import { elapsed } from './words.ts';

type Probes = StepState['probes'];

const verdictWords = {
	pass: 'held',
	fail: 'did not hold',
	'could-not-tell': 'could not tell',
	'left-out': 'left out',
} as const;

/** In a proof without threats a probe is a thing that works, not an attack that was held. */
const workWords = { ...verdictWords, pass: 'work', fail: 'do not work' } as const;
const workWord = { ...verdictWords, pass: 'works', fail: 'does not work' } as const;

const hasThreats = (probes: Probes): boolean => probes.some(probe => probe.threats.length > 0);

/** `14 of 14 held`, `7 of 7 work`; what was left out does not count. */
export function probesHeld({ probes }: Pick<StepState, 'probes'>): string {
	const counted = probes.filter(probe => probe.verdict !== 'left-out');
	const held = counted.filter(probe => probe.verdict === 'pass');
	return `${held.length} of ${counted.length} ${hasThreats(probes) ? verdictWords.pass : workWords.pass}`;
}

/** One row a threat, or one for all: how many held, did not, could not be told. */
export function probeCounts(probes: Probes, theme: Theme): readonly Line[] {
	const rows: readonly (readonly [string, Probes])[] = hasThreats(probes)
		? threatIds.map((id: ThreatId) => [threatTitles[id], probes.filter(probe => probe.threats.includes(id))] as const)
		: [['', probes]];
	const words = hasThreats(probes) ? verdictWords : workWords;
	const width = Math.max(...rows.map(([title]) => title.length));
	return rows
		.filter(([, of]) => of.length > 0)
		.map(([title, of]) => {
			const parts = (['pass', 'fail', 'could-not-tell'] as const).flatMap((verdict): readonly (string | Span)[] => {
				const n = of.filter(probe => probe.verdict === verdict).length;
				return n === 0 ? [] : [`  ${String(n).padStart(3)} `, verdictMark(verdict, theme), ` ${words[verdict]}`];
			});
			return line(pad(title, width), ...parts);
		});
}

/** What did not hold or could not be told, with the sentence that says why. */
export function probeTroubles(probes: Probes, width: number, theme: Theme): readonly Line[] {
	const words = hasThreats(probes) ? verdictWords : workWord;
	return probes
		.filter(({ verdict }) => verdict === 'fail' || verdict === 'could-not-tell')
		.flatMap(({ verdict, title, because }) =>
			wrap(
				line(verdictMark(verdict, theme), ' ', span(clean(title), 'strong'), `  ${words[verdict]}: ${clean(because)}`),
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
			...wrap(line(span(spinner, 'cursor'), ' ', span(clean(title), 'strong'), span(time, 'dim')), width, 2),
			...wrap(line('  ', span(clean(attempt), 'dim')), width, 2),
		];
	});
}

/** Everything that a probe told, for the full view. */
export function probeEvidence(probes: Probes, width: number, theme: Theme): readonly Line[] {
	return probes.flatMap(probe => [
		...wrap(
			line(verdictMark(probe.verdict, theme), ' ', span(clean(probe.title), 'strong'), span(`  ${probe.id}`, 'dim')),
			width,
			4,
		),
		...labelled((probe.threats.length > 0 ? verdictWords : workWord)[probe.verdict], probe.because, width, {
			column: 16,
		}),
		...(probe.expectation === undefined ? [] : labelled('must', probe.expectation, width, { column: 16 })),
		...probe.evidence.flatMap(({ what, said }) => labelled('saw', `${what}: ${said}`, width, { column: 16 })),
	]);
}
