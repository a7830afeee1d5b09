export const severities = ['ok', 'info', 'warn', 'block', 'could-not-tell'] as const;
export type Severity = (typeof severities)[number];

/** How a finding goes away. */
export type Remedy =
	| { readonly kind: 'planned' /** The step's own plan ends it. */; readonly text: string }
	| { readonly kind: 'commands'; readonly text: string; readonly commands: readonly string[] }
	| { readonly kind: 'advice'; readonly text: string };

/** One thing that was looked at, and what it means. `id` is public: answers, `--ignore` and records name it. */
export interface Finding {
	readonly id: string;
	readonly severity: Severity;
	/** One sentence about the operator's host. */
	readonly summary: string;
	/** What was seen, as it was seen. */
	readonly evidence?: string;
	/** Why it matters. */
	readonly why?: string;
	readonly remedy?: Remedy;
	/** Only root could have told. Such a finding does not make a check run end "could not tell" (design §2). */
	readonly needsRoot?: true;
	/** Names a threat whose row cannot be called lowered while this finding stands. */
	readonly threat?: ThreatId;
	/**
	 * Access to the host that the operator's own containers, runners and services have. It never blocks a step: it keeps
	 * its threat's row from being lowered, and is work for the operator.
	 */
	readonly keeps?: 'threat';
	/** What is known of this Sysbox or kernel: no row of the threat table goes below Medium unless this is ok. */
	readonly caps?: 'threat';
	/** Sysbox or Docker is installed and cannot start a container now, or would not come up at its next start. */
	readonly breaks?: true;
	/** Nothing that a run does ends it: a reboot does, or work of the operator. It blocks nothing, and is told as work left. */
	readonly needs?: 'reboot' | 'operator';
	/** Set by the engine when the answers waive this finding. */
	readonly waived?: { readonly reason: string; readonly expires: string };
}

export const threatIds = ['container-escape', 'resource-abuse', 'docker-compromise'] as const;
export type ThreatId = (typeof threatIds)[number];

/** What no run ends and what blocks none: host access of the operator's own containers, a reboot, other work of theirs. */
export function leftForOperator(findings: readonly Finding[]): readonly Finding[] {
	return findings.filter(
		f =>
			f.waived === undefined &&
			((f.keeps !== undefined && f.severity !== 'ok' && f.severity !== 'info') ||
				(f.needs !== undefined && f.severity !== 'ok')),
	);
}

/** One line of what is left: what it is, where, and what to do. */
export function sayLeft({ id, summary, evidence, remedy }: Finding): string {
	const where = evidence === undefined ? '' : ` (${evidence.split('\n').join('; ')})`;
	const how =
		remedy?.kind === 'commands' ? `${remedy.text.replace(/\.$/, '')}: ${remedy.commands.join('; ')}` : remedy?.text;
	return `${id}: ${summary}${where}${how === undefined ? '' : `. ${how}`}`;
}

/** Blocks that stand: not waived, and not only about a threat's row. */
export function standingBlocks(findings: readonly Finding[]): readonly Finding[] {
	return findings.filter(f => f.severity === 'block' && f.waived === undefined && f.keeps === undefined);
}

/** Blocks that their step's own plan cannot end. */
export const hardBlocks = (findings: readonly Finding[]): readonly Finding[] =>
	standingBlocks(findings).filter(f => f.remedy?.kind !== 'planned');
