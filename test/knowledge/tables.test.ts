import semver from 'semver';
import { describe, expect, it } from 'vitest';
import { knowledge } from '../../src/knowledge/index.ts';
import {
	distroRow,
	dockerdKey,
	endOfLifeOf,
	issuesFor,
	kernelAtLeast,
	kernelBand,
	knowledgeAge,
	latestRelease,
	packageFor,
	releaseByDigest,
	releaseOf,
	type SeenVersions,
} from '../../src/knowledge/lookup.ts';

const issueIds = (seen: SeenVersions) => issuesFor(knowledge, seen).map(issue => issue.id);

describe('the tables', () => {
	it('name a source in every row', () => {
		const rows = [
			knowledge.distros,
			knowledge.kernelBands,
			knowledge.releases,
			knowledge.knownIssues,
			knowledge.dockerdKeys,
			knowledge.endOfLife,
		].flat();
		for (const row of rows) expect(row.source.length).toBeGreaterThan(10);
	});

	it('name each vulnerability as such, below and above the release that closes it', () => {
		for (const { cves = [], consequence } of knowledge.knownIssues)
			for (const cve of cves) expect(consequence).toContain(cve);
		const open = (sysbox: string) => issuesFor(knowledge, { sysbox }).flatMap(issue => issue.cves ?? []);
		expect(open('0.6.7')).toEqual(['CVE-2025-31133', 'CVE-2025-52565', 'CVE-2025-52881']);
		// The vendor says that Sysbox is not affected by it.
		expect(open('0.6.3')).not.toContain('CVE-2024-21626');
		expect(open('0.7.0')).toEqual([]);
	});

	it('tell which releases get no fixes any more', () => {
		expect(endOfLifeOf(knowledge, '0.6.7')?.meaning).toContain('0.7.0');
		expect(endOfLifeOf(knowledge, '0.7.0')).toBeUndefined();
		expect(endOfLifeOf(knowledge, '0.7.1')).toBeUndefined();
	});

	it('have digests that are digests, each once, and addresses that name their version', () => {
		const packages = knowledge.releases.flatMap(r => r.packages.map(p => ({ ...p, version: r.version })));
		expect(new Set(packages.map(p => p.sha256)).size).toBe(packages.length);
		for (const p of packages) {
			expect(p.sha256).toMatch(/^[0-9a-f]{64}$/);
			expect(p.url).toMatch(new RegExp(`^https://.*/v${p.version}/sysbox-ce_${p.version}-0\\..*_${p.arch}\\.deb$`));
			expect(p.provenance).toMatch(/^(vendor|third parties): /);
		}
	});

	it('have ranges and versions that semver understands, and ids that are unique', () => {
		for (const issue of knowledge.knownIssues) {
			for (const range of [issue.sysbox, issue.docker, issue.kernel])
				if (range !== undefined) expect(semver.validRange(range), issue.id).not.toBeNull();
			expect(
				[issue.sysbox, issue.docker, issue.kernel, issue.distro].some(c => c !== undefined),
				`${issue.id} would hold for every host`,
			).toBe(true);
		}
		const ids = knowledge.knownIssues.map(i => i.id);
		expect(new Set(ids).size).toBe(ids.length);
		for (const row of knowledge.releases) expect(semver.valid(row.version)).not.toBeNull();
		for (const row of [...knowledge.distros.map(d => d.minKernel), ...knowledge.kernelBands.map(b => b.from)])
			expect(semver.coerce(row)).not.toBeNull();
	});

	it('are in order: releases by date, kernel bands upwards', () => {
		const dates = knowledge.releases.map(r => r.date);
		expect(dates).toEqual([...dates].sort().reverse());
		const bands = knowledge.kernelBands.map(b => semver.coerce(b.from)?.version ?? '');
		expect(bands).toEqual([...bands].sort(semver.compare));
		for (const date of [...dates, knowledge.date]) expect(date).toMatch(/^\d{4}-\d{2}-\d{2}$/);
	});

	it('name each dockerd key once, with versions that semver and values that JSON understands', () => {
		const keys = knowledge.dockerdKeys.map(k => k.key);
		expect(new Set(keys).size).toBe(keys.length);
		for (const { key, docker, removal } of knowledge.dockerdKeys) {
			if (docker !== undefined) expect(semver.validRange(docker), key).not.toBeNull();
			if (removal.kind === 'explicit') expect(() => JSON.parse(removal.value), key).not.toThrow();
		}
	});
});

describe('distributions', () => {
	it('are found by their version, else by any version', () => {
		expect(distroRow(knowledge, 'ubuntu', '24.04')).toMatchObject({ support: 'vendor', minKernel: '6.8' });
		expect(distroRow(knowledge, 'ubuntu', '99.10')).toMatchObject({ support: 'works', version: '*' });
		expect(distroRow(knowledge, 'debian', undefined)).toMatchObject({ version: '*' });
		expect(distroRow(knowledge, 'slackware', '15')).toBeUndefined();
	});
});

describe('kernels', () => {
	it.each([
		['4.19.0', 'block'],
		['5.4.0', 'block'],
		['5.5.0', 'warn'],
		['5.11.22', 'warn'],
		['5.15.0', 'warn'],
		['5.19.0', 'ok'],
		['6.18.44', 'ok'],
	])('%s is %s', (version, severity) => {
		expect(kernelBand(knowledge, version)?.severity).toBe(severity);
	});

	it('are compared as versions, not as text', () => {
		expect(kernelAtLeast('5.15.0', '5.5')).toBe(true);
		expect(kernelAtLeast('5.4.0', '5.5')).toBe(false);
		expect(kernelBand(knowledge, '5.15.0')?.from).toBe('5.12');
	});
});

describe('releases', () => {
	it('know the newest, whatever the order of the table', () => {
		expect(latestRelease(knowledge)?.version).toBe('0.7.1');
		expect(latestRelease({ ...knowledge, releases: knowledge.releases.toReversed() })?.version).toBe('0.7.1');
		expect(latestRelease({ ...knowledge, releases: [] })).toBeUndefined();
	});

	it("are found under the package's own version too", () => {
		expect(releaseOf(knowledge, '0.7.1.linux')?.date).toBe('2026-07-31');
		expect(packageFor(knowledge, 'v0.7.1', 'arm64')?.sha256).toMatch(/^04ca894a/);
		expect(packageFor(knowledge, '0.7.1', 'riscv64')).toBeUndefined();
		expect(packageFor(knowledge, '9.9.9', 'amd64')).toBeUndefined();
	});

	it('are recognised by a digest, which says who vouches for it', () => {
		const latest = releaseByDigest(knowledge, '9D6D5484F980D0A17F86C492C1262015C2AFB66280BDB97215B79FDE6A0261C5');
		expect(latest?.release.version).toBe('0.7.1');
		expect(releaseByDigest(knowledge, '00')).toBeUndefined();
	});
});

describe('known issues', () => {
	it('hold only where every condition does', () => {
		expect(issueIds({ sysbox: '0.7.0', docker: '29.5.0' })).toContain('time-namespace');
		expect(issueIds({ sysbox: '0.7.0.linux', docker: '5:29.7.2-1~ubuntu' })).toContain('time-namespace');
		expect(issueIds({ sysbox: '0.7.1', docker: '29.7.2' })).not.toContain('time-namespace');
		expect(issueIds({ sysbox: '0.7.0', docker: '28.5.2' })).not.toContain('time-namespace');
	});

	it('do not hold where something could not be read', () => {
		expect(issueIds({})).toEqual([]);
		expect(issueIds({ sysbox: '0.7.0' })).not.toContain('time-namespace');
		expect(issueIds({ sysbox: 'dev', docker: '29.7.2' })).toEqual([]);
	});

	it('know a distribution with and without its version', () => {
		expect(issueIds({ distro: { id: 'ubuntu', version: '25.04' } })).toEqual(['fusermount3-apparmor']);
		expect(issueIds({ distro: { id: 'ubuntu', version: '24.04' } })).toEqual([]);
		expect(issueIds({ sysbox: '0.6.0', kernel: '5.15.0', distro: { id: 'ubuntu', version: '22.04' } })).toContain(
			'shiftfs-5-15',
		);
		expect(issueIds({ sysbox: '0.6.5', distro: { id: 'debian', version: '12' } })).toContain('login-defs');
		expect(issueIds({ sysbox: '0.6.6', distro: { id: 'debian', version: '12' } })).not.toContain('login-defs');
	});

	it('name fuse3 from the release that needs it', () => {
		expect(issueIds({ sysbox: '0.7.0' })).toContain('fuse3');
		expect(issueIds({ sysbox: '0.6.7' })).not.toContain('fuse3');
	});
});

describe('dockerd keys', () => {
	it('say what a change and a removal need', () => {
		expect(dockerdKey(knowledge, 'runtimes', '26.1.5')).toMatchObject({
			change: 'reload',
			removal: { kind: 'explicit', value: '{}' },
		});
		expect(dockerdKey(knowledge, 'max-download-attempts', '26.1.5+dfsg1').removal).toEqual({ kind: 'reload' });
		expect(dockerdKey(knowledge, 'bip', '26.1.5')).toMatchObject({ change: 'restart', removal: { kind: 'restart' } });
		// Reloaded only by some versions: by others, and by one that is not known, a restart is assumed.
		expect(dockerdKey(knowledge, 'allow-nondistributable-artifacts', '27.5.1').change).toBe('reload');
		expect(dockerdKey(knowledge, 'allow-nondistributable-artifacts', '28.0.0').change).toBe('restart');
		expect(dockerdKey(knowledge, 'nri-opts').change).toBe('restart');
	});

	it('are taken for restart-only when they are not known', () => {
		expect(dockerdKey(knowledge, 'something-new')).toMatchObject({
			change: 'restart',
			removal: { kind: 'restart' },
		});
	});
});

describe('the age of the tables', () => {
	it('is fresh for 90 days', () => {
		expect(knowledgeAge(knowledge, new Date('2027-02-21T00:00:00Z'))).toEqual({ days: 90, stale: false });
		expect(knowledgeAge(knowledge, new Date('2027-02-22T00:00:00Z'))).toEqual({ days: 91, stale: true });
		expect(knowledgeAge({ ...knowledge, date: 'never' }, new Date()).stale).toBe(true);
	});
});
