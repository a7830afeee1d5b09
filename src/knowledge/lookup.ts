import semver from 'semver';
import type {
	DistroRow,
	DockerdKeyRow,
	EndOfLifeRow,
	KernelBand,
	Knowledge,
	KnownIssue,
	ReleaseRow,
} from '../model/knowledge.ts';

/**
 * The three numbers of a version as distributions write it. What follows them (`+dfsg1`, `-0ubuntu4`, `.linux`) is
 * packaging, which semver would take for a pre-release; tables know nothing of parsers, so this is said here again.
 */
const plain = (version: string): string | undefined => semver.coerce(version.replace(/^\d+:/, ''))?.version;

const compareVersions = (a: string, b: string): number => semver.compare(plain(a) ?? '0.0.0', plain(b) ?? '0.0.0');

export type ReleasePackage = ReleaseRow['packages'][number];

/** The row of a distribution: its exact version before `*`. Undefined: nothing is known of it. */
export function distroRow(knowledge: Knowledge, id: string, version: string | undefined): DistroRow | undefined {
	const rows = knowledge.distros.filter(row => row.id === id);
	return rows.find(row => row.version === version) ?? rows.find(row => row.version === '*');
}

/** The band that a kernel belongs to. */
export function kernelBand(knowledge: Knowledge, kernel: string): KernelBand | undefined {
	return knowledge.kernelBands
		.toSorted((a, b) => compareVersions(a.from, b.from))
		.findLast(band => compareVersions(kernel, band.from) >= 0);
}

/** Whether a kernel is the given one or a later one. */
export const kernelAtLeast = (kernel: string, floor: string): boolean => compareVersions(kernel, floor) >= 0;

/** The newest release that is known. */
export function latestRelease(knowledge: Knowledge): ReleaseRow | undefined {
	return knowledge.releases.toSorted((a, b) => compareVersions(b.version, a.version))[0];
}

/** The row of a release, as `0.7.1`, `v0.7.1` or dpkg's `0.7.1.linux` names it. */
export function releaseOf(knowledge: Knowledge, version: string): ReleaseRow | undefined {
	return knowledge.releases.find(row => compareVersions(row.version, version) === 0);
}

/** The package of a release for an architecture, by dpkg's name of it. */
export function packageFor(knowledge: Knowledge, version: string, arch: string): ReleasePackage | undefined {
	return releaseOf(knowledge, version)?.packages.find(p => p.arch === arch);
}

/** Which published package has this digest. */
export function releaseByDigest(
	knowledge: Knowledge,
	sha256: string,
): { readonly release: ReleaseRow; readonly package: ReleasePackage } | undefined {
	for (const release of knowledge.releases) {
		const found = release.packages.find(p => p.sha256 === sha256.toLowerCase());
		if (found !== undefined) return { release, package: found };
	}
	return undefined;
}

/** What is seen on a host. What could not be read is left out, and then no issue that depends on it applies. */
export interface SeenVersions {
	readonly sysbox?: string | undefined;
	readonly docker?: string | undefined;
	readonly kernel?: string | undefined;
	readonly distro?: { readonly id: string; readonly version?: string | undefined } | undefined;
}

/** The known issues of a combination of versions. */
export function issuesFor(knowledge: Knowledge, seen: SeenVersions): readonly KnownIssue[] {
	const holds = (version: string | undefined, range: string | undefined) =>
		range === undefined || semver.satisfies(plain(version ?? '') ?? '', range);
	return knowledge.knownIssues.filter(
		issue =>
			holds(seen.sysbox, issue.sysbox) &&
			holds(seen.docker, issue.docker) &&
			holds(seen.kernel, issue.kernel) &&
			(issue.distro === undefined || issue.distro.some(name => isDistro(name, seen.distro))),
	);
}

/** What is said of a release of Sysbox that gets no fixes any more; undefined: it gets them, as far as is known. */
export const endOfLifeOf = ({ endOfLife }: Knowledge, sysbox: string): EndOfLifeRow | undefined =>
	endOfLife.find(row => semver.satisfies(plain(sysbox) ?? '', row.sysbox));

function isDistro(name: string, seen: SeenVersions['distro']): boolean {
	return seen !== undefined && (name === seen.id || name === `${seen.id} ${seen.version ?? ''}`);
}

/**
 * What a change of a daemon.json key needs in that version of Docker. Of an unknown key, or one that the version is not
 * known to reload, the safe thing is assumed.
 */
export function dockerdKey(knowledge: Knowledge, key: string, docker?: string): DockerdKeyRow {
	const holds = ({ docker: range }: DockerdKeyRow) =>
		range === undefined || semver.satisfies(plain(docker ?? '') ?? '', range);
	return (
		knowledge.dockerdKeys.find(row => row.key === key && holds(row)) ?? {
			key,
			change: 'restart',
			removal: { kind: 'restart' },
			source: 'not in the table, so a restart is assumed',
		}
	);
}

/** The tables say whether there is a newer release only while they are fresh. */
const freshDays = 90;

/** Days since the tables were looked over, and whether they are too old to tell what is the newest. */
export function knowledgeAge(knowledge: Knowledge, now: Date): { readonly days: number; readonly stale: boolean } {
	const days = Math.floor((now.getTime() - Date.parse(knowledge.date)) / 86_400_000);
	return { days, stale: !(days <= freshDays) };
}
