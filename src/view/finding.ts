import { causes, type Finding, type Severity } from '../model/finding.ts';
import { count } from '../text/count.ts';
import type { Mark } from './glyphs.ts';
import { type Named, severityNames } from './words.ts';

/** A finding as it is told, in whatever format. */
export interface FindingView extends Named {
	readonly id: string;
	readonly summary: string;
	readonly rows: readonly {
		readonly label: 'found' | 'why' | 'waived' | 'plan' | 'fix';
		/** A fact a line. */
		readonly text: string;
	}[];
	/** What an operator types to end it. */
	readonly commands: readonly string[];
}

export function findingView({ id, severity, summary, evidence, why, waived, remedy }: Finding): FindingView {
	const rows: readonly { readonly label: FindingView['rows'][number]['label']; readonly text: string | undefined }[] = [
		{ label: 'found', text: evidence },
		{ label: 'why', text: why },
		{
			label: 'waived',
			text: waived && `${waived.reason}${waived.expires === '' ? '' : ` (until ${waived.expires})`}`,
		},
		{ label: remedy?.kind === 'planned' ? 'plan' : 'fix', text: remedy?.text },
	];
	return {
		...severityNames[severity],
		id,
		summary,
		rows: rows.flatMap(({ label, text }) => (text === undefined ? [] : [{ label, text }])),
		commands: remedy?.kind === 'commands' ? remedy.commands : [],
	};
}

const order: readonly Severity[] = ['block', 'could-not-tell', 'warn', 'info', 'ok'];

/** The worst first. */
export const bySeverity = (findings: readonly Finding[]): readonly Finding[] =>
	findings.toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));

/** What an operator has to know of: everything that is not fine. */
export const notFine = (findings: readonly Finding[]): readonly Finding[] =>
	bySeverity(causes(findings)).filter(({ severity }) => severity !== 'ok' && severity !== 'info');

/** `61 ok`, `2 warnings`, `1 problem`, `9 notes`, each with its mark; what is zero is left out. */
export function findingCounts(findings: readonly Finding[]): readonly { readonly mark: Mark; readonly text: string }[] {
	const told = causes(findings);
	return (['ok', 'warn', 'block', 'could-not-tell', 'info'] as const).flatMap(severity => {
		const n = told.filter(finding => finding.severity === severity).length;
		const { mark, word } = severityNames[severity];
		if (n === 0) return [];
		return [{ mark, text: mark === 'ok' || mark === 'unknown' ? `${n} ${word}` : count(n, word) }];
	});
}
