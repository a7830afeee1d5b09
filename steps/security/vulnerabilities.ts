import { endOfLifeOf, issuesFor } from '../../src/knowledge/lookup.ts';
import type { Finding } from '../../src/model/finding.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import type { IssueVersions } from '../../src/probe/known-symptoms.ts';

/**
 * What the tables know against the Sysbox that the proof runs on. An attempt that is blocked today says nothing about a
 * vulnerability that nobody tried, so an open one keeps the rows of the threat table at Medium.
 */
export function judgeVulnerabilities(
	{ sysbox, kernel }: IssueVersions,
	{ knowledge }: JudgeContext,
): readonly Finding[] {
	const common = { id: 'security.cves', caps: 'threat' } as const;
	if (sysbox === undefined)
		return [
			{
				...common,
				severity: 'could-not-tell',
				summary: 'Open CVEs of Sysbox: unknown, as sysbox-runc does not tell its version',
			},
		];
	const cves = issuesFor(knowledge, { sysbox, kernel }).flatMap(issue => issue.cves ?? []);
	const table = `our table of ${knowledge.date}`;
	const end = endOfLifeOf(knowledge, sysbox);
	return [
		cves.length === 0
			? { ...common, severity: 'ok', summary: `Open CVEs of Sysbox ${sysbox}: none in ${table}` }
			: {
					...common,
					severity: 'warn',
					summary: `Open CVEs of Sysbox ${sysbox}: ${cves.join(', ')} (${table})`,
					why: 'A job that uses one of them is not held by what these attempts show.',
					remedy: { kind: 'advice', text: 'Upgrade Sysbox' },
				},
		...(end === undefined
			? []
			: [
					{
						id: 'security.end-of-life',
						caps: 'threat',
						severity: 'warn',
						summary: `Sysbox ${sysbox} is at its end of life: ${end.meaning}`,
						evidence: end.source,
						why: 'What is found in it later stays open.',
						remedy: { kind: 'advice', text: 'Upgrade Sysbox' },
					} as const,
				]),
	];
}
