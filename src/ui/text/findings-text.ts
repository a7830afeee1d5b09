import { causes, type Finding, type Severity } from '../../model/finding.ts';
import { type Line, labelled, line, pad, span, wrap } from '../line.ts';
import { severityMark, type Theme } from '../theme.ts';
import { severityWord } from './words.ts';

const order: readonly Severity[] = ['block', 'could-not-tell', 'warn', 'info', 'ok'];

export const bySeverity = (findings: readonly Finding[]): readonly Finding[] =>
	findings.toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));

/** What an operator has to know of: everything that is not fine. */
export const notFine = (findings: readonly Finding[]): readonly Finding[] =>
	bySeverity(causes(findings)).filter(finding => finding.severity !== 'ok' && finding.severity !== 'info');

/** `✔ 61 ok   ▲ 2 warnings   ✖ 1 blocks   · 9 notes`; what is zero is left out. */
export function findingCounts(findings: readonly Finding[], theme: Theme): Line {
	const number = (test: (finding: Finding) => boolean): number => causes(findings).filter(test).length;
	const notes = number(f => f.severity === 'info');
	const planned = number(f => f.severity === 'block' && f.remedy?.kind === 'planned');
	const blocks = number(f => f.severity === 'block') - planned;
	const parts: readonly (readonly [number, Severity, string])[] = [
		[number(f => f.severity === 'ok'), 'ok', 'ok'],
		[number(f => f.severity === 'warn'), 'warn', number(f => f.severity === 'warn') === 1 ? 'warning' : 'warnings'],
		[planned, 'block', 'to do'],
		[blocks, 'block', blocks === 1 ? 'blocks' : 'block'],
		[number(f => f.severity === 'could-not-tell'), 'could-not-tell', 'could not tell'],
		[notes, 'info', notes === 1 ? 'note' : 'notes'],
	];
	return parts
		.filter(([n]) => n > 0)
		.flatMap(([n, severity, word], index) =>
			line(index === 0 ? '' : '   ', severityMark(severity, theme), ` ${n} ${word}`),
		);
}

export type FindingDetail = 'all' | 'fix' | 'one-line';

/** One finding: mark, word and sentence; then what was seen and the way out. */
export function findingLines(finding: Finding, detail: FindingDetail, width: number, theme: Theme): readonly Line[] {
	const head = wrap(
		line(severityMark(finding.severity, theme), ` ${pad(severityWord(finding), 10)}`, finding.summary),
		width,
		12,
	);
	if (detail === 'one-line') return head;
	const beside = (label: string, text: string | undefined): readonly Line[] =>
		text === undefined ? [] : labelled(label, text, width, { indent: 4, column: 8 });
	const { remedy, waived } = finding;
	return [
		...head,
		...beside('found', finding.evidence),
		...(detail === 'all' ? beside('why', finding.why) : []),
		...(waived === undefined
			? []
			: beside('waived', `${waived.reason}${waived.expires === '' ? '' : ` (until ${waived.expires})`}`)),
		...beside(remedy?.kind === 'planned' ? 'plan' : 'fix', remedy?.text),
		...(remedy?.kind === 'commands'
			? remedy.commands.flatMap(command => wrap(line(' '.repeat(12), span(command, 'strong')), width, 14))
			: []),
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
