import * as z from 'zod';
import type { DataOf } from './data.ts';
import type { Finding } from './finding.ts';

/** A finding that the operator lives with, by name, with a reason and a last day. It stays visible in the record. */
export const waiverSchema = z.object({
	finding: z.string(),
	reason: z.string().regex(/\S/),
	/** A day of the calendar; on the day after, the finding counts again. `never` is not possible on purpose. */
	expires: z.iso.date(),
});
export type Waiver = DataOf<typeof waiverSchema>;

/** Marks findings that a waiver covers. Findings about what was passed cannot be waived. */
export function waive(findings: readonly Finding[], waivers: readonly Waiver[], now: Date): readonly Finding[] {
	return findings.map(finding => {
		const waiver = waivers.find(w => w.finding === finding.id && !isExpired(w, now));
		if (waiver === undefined || finding.severity === 'ok' || finding.about === 'input') return finding;
		return { ...finding, waived: { reason: waiver.reason, expires: waiver.expires } };
	});
}

/** The day itself still counts. */
export const isExpired = ({ expires }: Waiver, now: Date): boolean => expires < now.toISOString().slice(0, 10);
