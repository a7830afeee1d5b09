import type { ReactElement } from 'react';
import type { Finding } from '../../model/finding.ts';
import { threatTitles } from '../../model/threat.ts';
import type { Look } from '../layout.ts';
import { blank, labelled, line, span } from '../line.ts';
import { Frame } from '../parts/frame.tsx';
import { severityWord } from '../text/words.ts';
import { severityMark } from '../theme.ts';

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
	const { remedy, why, evidence, threat, waived } = finding;
	const told = (label: string, text: string | undefined) =>
		text === undefined ? [] : labelled(label, text, width, { indent: 0, column: 10 });
	const body = [
		...told('found', evidence),
		...told('why', why),
		...told('threat', threat === undefined ? undefined : threatTitles[threat]),
		...told('waived', waived === undefined ? undefined : `${waived.reason} (until ${waived.expires})`),
		...(remedy === undefined
			? []
			: [
					blank,
					line(span(remedyWords[remedy.kind], 'strong')),
					...labelled('', remedy.text, width, { indent: 2, column: 0 }),
				]),
		...(remedy?.kind === 'commands'
			? remedy.commands.flatMap(command => labelled('', command, width, { indent: 4, column: 0, tone: 'strong' }))
			: []),
		blank,
		...told('its name', finding.id),
	];
	return (
		<Frame
			look={look}
			title={`Explain ${theme.glyphs.neutral} ${at + 1} of ${findings.length}`}
			about={[
				line(severityMark(finding.severity, theme), ` ${severityWord(finding)}  `, span(finding.summary, 'strong')),
			]}
			bodies={[body]}
		/>
	);
}
