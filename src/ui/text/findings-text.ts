import type { Finding } from '../../model/finding.ts';
import { findingCounts, findingView } from '../../view/finding.ts';
import { type Line, labelled, line, pad, span, wrap } from '../line.ts';
import { markSpan, type Theme } from '../theme.ts';

export const countsLine = (findings: readonly Finding[], theme: Theme): Line =>
	findingCounts(findings).flatMap(({ mark, text }, index) =>
		line(index === 0 ? '' : '   ', markSpan(mark, theme), ` ${text}`),
	);

export type FindingDetail = 'all' | 'fix' | 'one-line';

/** One finding: mark, word and sentence; then what was seen and the way out. */
export function findingLines(finding: Finding, detail: FindingDetail, width: number, theme: Theme): readonly Line[] {
	const { mark, word, summary, rows, commands } = findingView(finding);
	const head = wrap(line(markSpan(mark, theme), ` ${pad(word, 10)}`, summary), width, 12);
	if (detail === 'one-line') return head;
	return [
		...head,
		...rows
			.filter(({ label }) => detail === 'all' || label !== 'why')
			.flatMap(({ label, text }) => labelled(label, text, width, { indent: 4, column: 8 })),
		...commands.flatMap(command => wrap(line(' '.repeat(12), span(command, 'strong')), width, 14)),
	];
}

export const findingsLines = (
	findings: readonly Finding[],
	detail: FindingDetail,
	width: number,
	theme: Theme,
): readonly Line[] => findings.flatMap(finding => findingLines(finding, detail, width, theme));

/** Commands that an operator could type against these findings. */
export const remedyCommands = (findings: readonly Finding[]): readonly string[] =>
	findings.flatMap(({ remedy }) => (remedy?.kind === 'commands' ? remedy.commands : []));
