import type { DockerFacts } from '../docker/daemon.ts';
import { issuesFor } from '../knowledge/lookup.ts';
import type { KnownIssue } from '../model/knowledge.ts';
import { joinEvidence, type Probe, type ProbeResult } from '../model/probe.ts';
import type { JudgeContext } from '../model/step.ts';
import type { ReadHost } from '../port/host.ts';
import { runcName } from '../sysbox/program-names.ts';
import { inspectProgram } from '../sysbox/services.ts';
import { parseKernelRelease } from '../system/kernel-release.ts';

/** The versions that a known issue is about, besides Docker's. Undefined: not known, so that such an issue does not apply. */
export interface IssueVersions {
	readonly sysbox: string | undefined;
	readonly kernel: string | undefined;
}

export async function inspectVersions(host: ReadHost, signal: AbortSignal): Promise<IssueVersions> {
	const [program, release] = await Promise.all([
		inspectProgram(host, runcName, signal),
		host.readFile('/proc/sys/kernel/osrelease'),
	]);
	const kernel =
		release.kind === 'bytes' ? parseKernelRelease(new TextDecoder().decode(release.bytes).trim()) : undefined;
	return {
		sysbox: program.version.kind === 'says' ? program.version.version : undefined,
		kernel: kernel?.kind === 'ok' ? kernel.value.version : undefined,
	};
}

/** Known issues of what is installed, of those whose words are known. */
export const issuesWithWords = (
	{ knowledge }: JudgeContext,
	{ sysbox, kernel }: IssueVersions,
	{ info }: DockerFacts,
): readonly KnownIssue[] =>
	issuesFor(knowledge, {
		sysbox,
		kernel,
		docker: info.kind === 'ok' ? info.value.serverVersion : undefined,
	}).filter(issue => issue.symptom !== undefined);

/** The same probe; what it saw is held against the words of known issues, unless it passes. */
export const explained = (probe: Probe, issues: readonly KnownIssue[]): Probe => ({
	...probe,
	run: async host => explain(await probe.run(host), issues),
});

function explain(result: ProbeResult, issues: readonly KnownIssue[]): ProbeResult {
	if (result.verdict === 'pass') return result;
	const said = [result.because, ...result.evidence.map(e => e.said)].join('\n');
	const issue = issues.find(({ symptom }) => symptom?.every(words => said.includes(words)));
	if (issue === undefined) return result;
	const { id, title, consequence, remedy, source } = issue;
	return {
		...result,
		because: `${result.because}. Known issue ${id}: ${title} (${source})`,
		evidence: joinEvidence(...result.evidence, { what: `known issue ${id}`, said: `${consequence}. ${remedy}` }),
		next: [`${remedy} (known issue ${id})`],
	};
}
