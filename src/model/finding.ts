import * as z from 'zod';
import type { DataOf } from './data.ts';

export const severities = ['ok', 'info', 'warn', 'block', 'could-not-tell'] as const;
export const threatIds = ['container-escape', 'resource-abuse', 'docker-compromise'] as const;
export type ThreatId = (typeof threatIds)[number];

/** One thing that was looked at, and what it means. `id` is public: answers, `--ignore` and records name it. */
export const findingSchema = z.object({
	id: z.string(),
	severity: z.enum(severities),
	/** One sentence about the operator's host. */
	summary: z.string(),
	/** About what the operator passed (files, answers), not about the host: it ends a run as wrong input, and is not waived. */
	about: z.literal('input').optional(),
	/** The title of the known issue of Sysbox or the kernel that it tells of. */
	knownIssue: z.string().optional(),
	/** What was seen, as it was seen. */
	evidence: z.string().optional(),
	/** Why it matters. */
	why: z.string().optional(),
	/** How it goes away. `planned`: the step's own plan ends it. */
	remedy: z
		.discriminatedUnion('kind', [
			z.object({ kind: z.literal('planned'), text: z.string() }),
			z.object({ kind: z.literal('commands'), text: z.string(), commands: z.array(z.string()) }),
			z.object({ kind: z.literal('advice'), text: z.string() }),
		])
		.optional(),
	/** Only root could have told. Such a finding does not make a check run end "could not tell" (design §2). */
	needsRoot: z.literal(true).optional(),
	/** The id of a finding that stands and explains this one: it is told, and what follows from it is only named. */
	follows: z.string().optional(),
	/** Names a threat whose row cannot be called lowered while this finding stands. */
	threat: z.enum(threatIds).optional(),
	/**
	 * Access to the host that the operator's own containers, runners and services have. It never blocks a step: it keeps
	 * its threat's row from being lowered, and is work for the operator.
	 */
	keeps: z.literal('threat').optional(),
	/** What is known of this Sysbox or kernel: no row of the threat table goes below Medium unless this is ok. */
	caps: z.literal('threat').optional(),
	/** Sysbox or Docker is installed and cannot start a container now, or would not come up at its next start. */
	breaks: z.literal(true).optional(),
	/** Nothing that a run does ends it: a reboot does, or work of the operator. It blocks nothing, and is told as work left. */
	needs: z.enum(['reboot', 'operator']).optional(),
	/** Set by the engine when the answers waive this finding. */
	waived: z.object({ reason: z.string(), expires: z.string() }).optional(),
});
export type Finding = DataOf<typeof findingSchema>;
export type Severity = Finding['severity'];
export type Remedy = NonNullable<Finding['remedy']>;

/** What has to be told: what follows from another finding goes with that one. */
export const causes = <T extends Finding>(findings: readonly T[]): readonly T[] =>
	findings.filter(({ follows }) => follows === undefined);

/** Of each cause the ids of what follows from it. */
export function consequences(findings: readonly Finding[]): ReadonlyMap<string, readonly string[]> {
	const ids = new Map<string, string[]>();
	for (const { id, follows } of findings)
		if (follows !== undefined) ids.set(follows, [...(ids.get(follows) ?? []), id]);
	return ids;
}

/** A finding explains others only while it stands, here or in an earlier step; waived or gone, each speaks for itself. */
export function explained(findings: readonly Finding[], earlier: readonly Finding[]): readonly Finding[] {
	const standing = new Set(
		[...earlier, ...findings]
			.filter(({ severity, waived }) => severity !== 'ok' && severity !== 'info' && waived === undefined)
			.map(({ id }) => id),
	);
	return findings.map(({ follows, ...finding }) =>
		follows !== undefined && standing.has(follows) ? { ...finding, follows } : finding,
	);
}

/** What no run ends and what blocks none: host access of the operator's own containers, a reboot, other work of theirs. */
export function leftForOperator(findings: readonly Finding[]): readonly Finding[] {
	return findings.filter(
		f =>
			f.waived === undefined &&
			((f.keeps !== undefined && f.severity !== 'ok' && f.severity !== 'info') ||
				(f.needs !== undefined && f.severity !== 'ok')),
	);
}

/** What is left of a finding: what it is, where, and what to do. */
export function sayLeft({ summary, evidence, remedy }: Finding): string {
	const where = evidence === undefined ? '' : ` (${evidence.split('\n').join('; ')})`;
	const how =
		remedy?.kind === 'commands' ? `${remedy.text.replace(/\.$/, '')}: ${remedy.commands.join('; ')}` : remedy?.text;
	return `${summary}${where}${how === undefined ? '' : `. ${how}`}`;
}

/** Blocks that stand: not waived, and not only about a threat's row. */
export function standingBlocks(findings: readonly Finding[]): readonly Finding[] {
	return findings.filter(f => f.severity === 'block' && f.waived === undefined && f.keeps === undefined);
}

/** Blocks that their step's own plan cannot end. */
export const hardBlocks = (findings: readonly Finding[]): readonly Finding[] =>
	standingBlocks(findings).filter(f => f.remedy?.kind !== 'planned');
