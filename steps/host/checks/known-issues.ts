import { followsTrouble } from '../../../src/docker/daemon.ts';
import { issuesFor, knowledgeAge, type SeenVersions } from '../../../src/knowledge/lookup.ts';
import type { Finding } from '../../../src/model/finding.ts';
import type { KnownIssue } from '../../../src/model/knowledge.ts';
import type { JudgeContext } from '../../../src/model/step.ts';
import type { HostFacts } from '../host-facts.ts';
import { hostVersions, judgedByLooking, targetSysbox } from '../target-sysbox.ts';
import { advice, type Check, info, ok, warn } from './check.ts';

function seenVersions(facts: HostFacts, context: JudgeContext): SeenVersions {
	const { sysbox } = targetSysbox(facts, context);
	return { ...hostVersions(facts), ...(sysbox !== undefined && { sysbox }) };
}

/** One finding for each known issue of this host's versions, or one that says that there is none. */
export function knownIssueFindings(facts: HostFacts, context: JudgeContext): readonly Finding[] {
	const seen = seenVersions(facts, context);
	const { which } = targetSysbox(facts, context);
	const issues = issuesFor(context.knowledge, seen).filter(
		issue =>
			!judgedByLooking.has(issue.id) &&
			// The step that has the installed one says them, and looks at more: what it runs, what Docker has loaded.
			!(issue.sysbox !== undefined && which === 'installed'),
	);
	const evidence = `Sysbox ${seen.sysbox ?? '?'} (${which}), Docker ${seen.docker ?? '?'}, kernel ${seen.kernel ?? '?'}`;
	const why = 'Some versions of Sysbox, Docker, kernel and distribution do not work together';
	if (issues.length === 0) {
		const unknown = [seen.docker === undefined ? 'Docker' : [], seen.kernel === undefined ? 'the kernel' : []].flat();
		return [
			unknown.length === 0
				? {
						id: 'sysbox.known-issues',
						why,
						...ok(
							which === 'installed'
								? 'Nothing is known against the versions of Docker and the kernel; the step sysbox looks at Sysbox'
								: "Nothing is known against this host's versions",
							evidence,
						),
					}
				: {
						id: 'sysbox.known-issues',
						why,
						severity: 'could-not-tell',
						summary: `Known issues could not be looked up: the version of ${unknown.join(' and ')} is not known`,
						evidence,
						needsRoot: facts.docker.info.kind === 'denied' ? true : undefined,
						...(facts.docker.info.kind !== 'ok' && unknown.length === 1 && followsTrouble(facts.docker.info)),
					},
		];
	}
	return issues.map((issue: KnownIssue) => ({
		id: `sysbox.known-issues.${issue.id}`,
		severity: issue.severity,
		summary: `${issue.title}: ${lowerFirst(issue.consequence)}`,
		knownIssue: issue.title,
		evidence: `${evidence}; ${issue.source}`,
		why,
		...advice(issue.remedy),
	}));
}

/** "It ends with …" goes on after a colon; names such as CVE-… and code stay as they are. */
const lowerFirst = (text: string) => (/^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text);

export const ageChecks: readonly Check[] = [
	{
		id: 'clock.sane',
		about: 'the clock',
		why: 'With a wrong clock apt and downloads refuse every certificate, and records carry wrong dates',
		judge: (_facts, { knowledge, now }) => {
			const { days } = knowledgeAge(knowledge, now);
			const evidence = `clock: ${now.toISOString()}; tables of ${knowledge.date}`;
			// The tables cannot be from the future, and nobody should run them twenty years on.
			return days < -1 || days > 365 * 20
				? warn(`The clock says ${now.toISOString().slice(0, 10)}, which cannot be`, {
						evidence,
						remedy: { kind: 'commands', text: 'Set it', commands: ['timedatectl set-ntp true'] },
					})
				: ok('The clock is plausible', evidence);
		},
	},
	{
		id: 'knowledge.age',
		about: "the age of this tool's tables",
		why: 'Releases and known issues come from tables of this tool, which asks no network',
		judge: (_facts, { knowledge, now }) => {
			const { days, stale } = knowledgeAge(knowledge, now);
			return stale
				? info(`The tables of this tool are ${days} days old: newer releases and issues are not in them`, {
						evidence: `date ${knowledge.date}`,
						...advice('Use a newer version of this tool'),
					})
				: ok('The tables of this tool are fresh', `date ${knowledge.date}`);
		},
	},
];
