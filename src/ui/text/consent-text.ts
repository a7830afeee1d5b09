import { consentWords, type RiskName } from '../../model/risk.ts';
import { type Line, line, span, wrap } from '../line.ts';
import type { Theme } from '../theme.ts';

/** What is still to be accepted by name, and what was when the run was started. */
export function consentLines(
	risks: readonly RiskName[],
	accepted: readonly RiskName[],
	width: number,
	{ glyphs }: Theme,
): readonly Line[] {
	return consentWords(risks, accepted).flatMap(({ given, text }) =>
		wrap(line(given ? span(glyphs.ok, 'ok') : span(glyphs.warn, 'warn'), ` ${text}`), width, 2),
	);
}
