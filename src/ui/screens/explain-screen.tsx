import type { ReactElement } from 'react';
import type { Finding } from '../../model/finding.ts';
import { threatTitles } from '../../model/threat.ts';
import { findingView } from '../../view/finding.ts';
import type { Look } from '../layout.ts';
import { blank, labelled, line, span } from '../line.ts';
import { Frame } from '../parts/frame.tsx';
import { markSpan } from '../theme.ts';

const remedyWords = {
	planned: 'This step does it, once you say yes to its plan:',
	commands: 'Type this in another terminal, then look again:',
	advice: 'What helps:',
} as const;

/** One finding at length: what it is, what was seen, why it matters, what helps. */
export function ExplainScreen({
	look,
	findings,
	at,
}: {
	readonly look: Look;
	readonly findings: readonly Finding[];
	readonly at: number;
}): ReactElement {
	const { width, theme } = look;
	const finding = findings[at];
	if (finding === undefined)
		return <Frame look={look} title="Explain" about={[line('Nothing was found yet.')]} bodies={[]} />;
	const { remedy, threat } = finding;
	const { mark, word, summary, rows, commands, id } = findingView(finding);
	const beside = (label: string, text: string) => labelled(label, text, width, { indent: 0, column: 10 });
	const facts = rows.filter(({ label }) => label !== 'plan' && label !== 'fix');
	const body = [
		...facts.flatMap(({ label, text }) => beside(label, text)),
		...(threat === undefined ? [] : beside('threat', threatTitles[threat])),
		...(remedy === undefined
			? []
			: [
					blank,
					line(span(remedyWords[remedy.kind], 'strong')),
					...labelled('', remedy.text, width, { indent: 2, column: 0 }),
				]),
		...commands.flatMap(command => labelled('', command, width, { indent: 4, column: 0, tone: 'strong' })),
		blank,
		...beside('its name', id),
	];
	return (
		<Frame
			look={look}
			title={`Explain ${theme.glyphs.neutral} ${at + 1} of ${findings.length}`}
			about={[line(markSpan(mark, theme), ` ${word}  `, span(summary, 'strong'))]}
			bodies={[body]}
		/>
	);
}
