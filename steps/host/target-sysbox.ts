import { viewOf } from '../../src/docker/daemon-file.ts';
import { issuesFor, latestRelease, type SeenVersions } from '../../src/knowledge/lookup.ts';
import { yesNoAnswer } from '../../src/model/question.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import { runcName } from '../../src/sysbox/program-names.ts';
import { upgradeId } from '../../src/sysbox/question-ids.ts';
import { timeNamespaceIssue } from '../../src/sysbox/time-namespaces.ts';
import { installedPackage } from '../../src/system/dpkg.ts';
import { compareVersions } from '../../src/system/version.ts';
import type { HostFacts } from './host-facts.ts';

/** Issues that a check of this step looks for on the host itself. */
export const judgedByLooking: ReadonlySet<string> = new Set(['fuse3', 'fusermount3-apparmor']);

type TargetFacts = Pick<
	HostFacts,
	'daemonFile' | 'docker' | 'installedSysbox' | 'kernel' | 'os' | 'packages' | 'programs'
>;

/** The Sysbox that a run leaves on this host, and how it is told apart from others. */
export interface TargetSysbox {
	/** Undefined: something is installed that does not say its version, or no release is known. */
	readonly sysbox: string | undefined;
	readonly which: 'installed' | 'the newest known release' | 'its version is not known';
}

/** The versions of this host without Sysbox. */
export function hostVersions({ docker, kernel, os }: Pick<HostFacts, 'docker' | 'kernel' | 'os'>): SeenVersions {
	return {
		docker:
			docker.info.kind === 'ok' && docker.info.value.serverVersion !== '' ? docker.info.value.serverVersion : undefined,
		kernel: kernel.kind === 'ok' ? kernel.value.version : undefined,
		distro:
			os.kind === 'ok'
				? { id: os.value.id, ...(os.value.versionId !== undefined && { version: os.value.versionId }) }
				: undefined,
	};
}

/**
 * The installed one, unless this run would replace it: that is asked for, or the default where a known issue keeps the
 * installed one from working. Without one the newest that is known.
 */
export function targetSysbox(
	facts: TargetFacts,
	{ knowledge, answers }: Pick<JudgeContext, 'knowledge' | 'answers'>,
): TargetSysbox {
	const latest = latestRelease(knowledge)?.version;
	const installed = facts.installedSysbox;
	const newest = { sysbox: latest, which: 'the newest known release' } as const;
	if (installed === undefined)
		return facts.programs.has(runcName) ? { sysbox: undefined, which: 'its version is not known' } : newest;
	const record = facts.packages?.kind === 'ok' ? installedPackage(facts.packages.value, 'sysbox-ce') : undefined;
	const canReplace =
		record !== undefined && record.wanted !== 'hold' && latest !== undefined && compareVersions(latest, installed) > 0;
	const cannotWork = issuesFor(knowledge, { ...hostVersions(facts), sysbox: installed }).some(
		issue =>
			issue.sysbox !== undefined &&
			issue.severity === 'block' &&
			!judgedByLooking.has(issue.id) &&
			!(issue.id === timeNamespaceIssue && viewOf(facts.daemonFile)?.features?.get('time-namespaces') === false),
	);
	return canReplace && (yesNoAnswer(answers, upgradeId) ?? cannotWork)
		? newest
		: { sysbox: installed, which: 'installed' };
}
