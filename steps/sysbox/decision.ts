import { issuesFor } from '../../src/knowledge/lookup.ts';
import type { KnownIssue } from '../../src/model/knowledge.ts';
import { yesNoAnswer } from '../../src/model/question.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import { runcName } from '../../src/sysbox/program-names.ts';
import { upgradeId } from '../../src/sysbox/question-ids.ts';
import { agreedVersion } from '../../src/sysbox/services.ts';
import { timeNamespaceIssue } from '../../src/sysbox/time-namespaces.ts';
import { compareVersions } from '../../src/system/version.ts';
import { type Candidate, candidateVersion } from './candidate.ts';
import { packageName } from './deb-package.ts';
import type { SysboxFacts } from './facts.ts';

/** What is to happen to the package. */
export type Decision =
	/** It stays as it is: installed, built from source, or nothing that could be done. */
	| { readonly kind: 'leave' }
	| { readonly kind: 'install' }
	/** dpkg began with it and did not finish. */
	| { readonly kind: 'configure' }
	| { readonly kind: 'replace'; readonly from: string; readonly to: string; readonly older: boolean };

export function decide(facts: SysboxFacts, context: JudgeContext): Decision {
	switch (facts.package.kind) {
		case 'absent':
			return isSourceBuild(facts) || !isUsable(facts) ? { kind: 'leave' } : { kind: 'install' };
		case 'unfinished': {
			const { state, reinstall } = facts.package.record;
			const canConfigure = state !== 'half-installed' && !reinstall;
			// The operator's own file is what mends a package whose scripts cannot end.
			if (canConfigure && !(facts.candidate.kind === 'file' && isUsable(facts))) return { kind: 'configure' };
			return isUsable(facts) && !isHeld(facts) ? { kind: 'install' } : { kind: 'leave' };
		}
		case 'installed': {
			const offer = replacement(facts);
			return offer !== undefined && wantsReplacement(facts, context)
				? { kind: 'replace', ...offer }
				: { kind: 'leave' };
		}
		default:
			return { kind: 'leave' };
	}
}

/** Somebody holds it as it is: apt refuses to change it, and `dpkg --install` ends the hold without a word. */
export const isHeld = ({ package: found }: SysboxFacts): boolean => 'record' in found && found.record.wanted === 'hold';

/** Another version than the installed one that could be put in its place. */
export function replacement(
	facts: SysboxFacts,
): { readonly from: string; readonly to: string; readonly older: boolean } | undefined {
	if (facts.package.kind !== 'installed' || isHeld(facts) || !isUsable(facts)) return undefined;
	const from = facts.package.record.version;
	const to = candidateVersion(facts.candidate);
	if (to === undefined) return undefined;
	const order = compareVersions(to, from);
	if (order === 0) return undefined;
	// An older release is taken only where the operator hands it over.
	if (order < 0 && facts.candidate.kind !== 'file') return undefined;
	return { from, to, older: order < 0 };
}

/** Asked, or else what Enter would take. */
export const wantsReplacement = (facts: SysboxFacts, context: JudgeContext): boolean =>
	yesNoAnswer(context.answers, upgradeId) ?? replacementByDefault(facts, context);

/**
 * An upgrade breaks the Sysbox containers that run, so it is not offered as the thing to do, except where a file was
 * handed over for it, or where what is installed cannot work.
 */
export const replacementByDefault = (facts: SysboxFacts, context: JudgeContext): boolean =>
	facts.candidate.kind === 'file' ||
	issuesOf(facts, context).some(issue => issue.severity === 'block' && !waitsForRestart(issue, facts));

/** Its remedy is in the file already, and only a start of Docker is missing. */
export const waitsForRestart = (issue: KnownIssue, { timeNamespaces }: SysboxFacts): boolean =>
	issue.id === timeNamespaceIssue && timeNamespaces.file === 'off';

/** Programs without a package. */
export const isSourceBuild = (facts: SysboxFacts): boolean =>
	facts.package.kind !== 'installed' &&
	facts.package.kind !== 'unfinished' &&
	facts.services.programs.some(p => p.name === runcName && p.path !== undefined);

/** A package that apt could be given here. */
export function isUsable(facts: SysboxFacts): boolean {
	const { candidate, simulation } = facts;
	if (simulation?.kind === 'refuses') return false;
	return candidate.kind === 'release' || (candidate.kind === 'file' && fileMistake(candidate, facts) === undefined);
}

/** What is wrong with a .deb file as an answer to "install Sysbox on this machine". */
export function fileMistake(candidate: Extract<Candidate, { kind: 'file' }>, facts: SysboxFacts): string | undefined {
	const { control } = candidate;
	if (control.kind === 'not-a-package') return `is not a Debian package: ${control.said}`;
	if (control.name !== packageName) return `holds ${control.name}, not ${packageName}`;
	const arch = 'arch' in facts.package ? facts.package.arch : undefined;
	if (arch !== undefined && control.arch !== arch && control.arch !== 'all') {
		return `is for ${control.arch}; this machine is ${arch}`;
	}
	return undefined;
}

/** The version that is there, by the programs themselves and else by dpkg. */
export function installedVersion(facts: SysboxFacts): string | undefined {
	const agreed = agreedVersion(facts.services.programs);
	if (agreed.kind === 'agreed') return agreed.version;
	return facts.package.kind === 'installed' ? facts.package.record.version : undefined;
}

/**
 * Known issues of Sysbox in this version on this host, without those that were looked at and do not apply. Without a
 * version those of the installed one.
 */
export function issuesOf(
	facts: SysboxFacts,
	{ knowledge }: JudgeContext,
	sysbox: string | undefined = installedVersion(facts),
): readonly KnownIssue[] {
	if (sysbox === undefined) return [];
	const { docker, kernel, distro, timeNamespaces } = facts;
	return issuesFor(knowledge, {
		sysbox,
		docker: docker.info.kind === 'ok' ? docker.info.value.serverVersion : undefined,
		kernel,
		distro:
			distro === undefined
				? undefined
				: { id: distro.id, ...(distro.versionId !== undefined && { version: distro.versionId }) },
	}).filter(issue => {
		// The others are about the host, and the step `host` looks at it itself.
		if (issue.sysbox === undefined) return false;
		if (issue.id === 'fuse3') return !facts.fusermount3;
		// What is switched off in the file and in the daemon is no issue here, now or after the next start.
		if (issue.id === timeNamespaceIssue) return timeNamespaces.file === 'on' || timeNamespaces.loaded !== 'off';
		return true;
	});
}
