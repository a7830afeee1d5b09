/**
 * Each bound of each row of the tables, below it, at it and above it. What is expected is written down here and not
 * taken from the row, so that a bound that is moved by mistake is seen; a row without a test fails.
 */
import semver from 'semver';
import { describe, expect, it } from 'vitest';
import { knowledge } from '../../src/knowledge/index.ts';
import { dockerdKey, endOfLifeOf, issuesFor, kernelAtLeast, kernelBand } from '../../src/knowledge/lookup.ts';
import type { KnownIssue } from '../../src/model/knowledge.ts';

/** Version → whether the row holds for it. */
type Expected = Readonly<Record<string, boolean>>;

const issues: Readonly<Record<string, Partial<Record<'sysbox' | 'docker' | 'kernel', Expected>>>> = {
	fuse3: { sysbox: { '0.6.7': false, '0.7.0': true, '0.7.1': true } },
	'time-namespace': {
		sysbox: { '0.7.0': true, '0.7.1': false, '0.7.2': false },
		docker: { '29.4.3': false, '29.5.0': true, '29.7.2': true },
	},
	'inner-docker-openat2': { sysbox: { '0.6.7': true, '0.7.0': false, '0.7.1': false } },
	'login-defs': { sysbox: { '0.6.4': false, '0.6.5': true, '0.6.6': false } },
	'docker-cp': { sysbox: { '0.6.7': false, '0.7.0': true, '0.7.1': true } },
	'sysbox-fs-hang': { sysbox: { '0.6.7': true, '0.7.0': true, '0.7.1': true, '0.8.0': true } },
	'sysbox-fs-deadlock': { sysbox: { '0.7.0': true, '0.7.1': false, '0.8.0': false } },
	'containerd-2-sysfs': {
		sysbox: { '0.7.0': true, '0.7.1': false, '0.7.2': false },
		kernel: { '6.7.12': false, '6.8.0': true, '6.17.0': true },
	},
	'runc-2025-cves': { sysbox: { '0.6.7': true, '0.7.0': false, '0.7.1': false } },
	'inner-runc-1-2': { sysbox: { '0.6.5': true, '0.6.6': false, '0.6.7': false } },
	'kernel-6-5-emulation': {
		sysbox: { '0.6.3': true, '0.6.4': false, '0.6.5': false },
		kernel: { '6.4.16': false, '6.5.0': true, '6.6.0': true },
	},
	'runc-2024-21626': { sysbox: { '0.6.3': true, '0.6.4': false, '0.6.5': false } },
	'shiftfs-5-15': {
		sysbox: { '0.6.0': true, '0.6.1': false, '0.6.2': false },
		kernel: { '5.14.21': false, '5.15.0': true, '5.15.186': true, '5.16.0': false, '5.17.0': false },
	},
	'binfmt-misc': { kernel: { '6.6.99': true, '6.7.0': false, '6.8.0': false } },
	'binfmt-misc-sysbox': {
		sysbox: { '0.6.6': true, '0.6.7': false, '0.7.0': false },
		kernel: { '6.6.99': false, '6.7.0': true, '6.8.0': true },
	},
	'sysbox-fs-start': { sysbox: { '0.6.7': false, '0.7.0': true, '0.7.1': true } },
	'docker-before-cgroup-2': { docker: { '19.3.15': true, '20.10.0': false, '20.10.24': false } },
	'docker-without-validate': { docker: { '20.10.24': true, '23.0.0': false, '24.0.0': false } },
};

/** Whether the row of the key is the one that counts. */
const keys: Readonly<Record<string, Expected>> = {
	'default-cgroupns-mode': { '19.3.15': false, '20.10.0': true, '20.10.1': true },
	'max-download-attempts': { '19.3.15': false, '20.10.0': true, '26.1.5': true },
	'allow-nondistributable-artifacts': { '27.5.1': true, '28.0.0': false, '28.5.2': false },
	'nri-opts': { '29.1.5': false, '29.2.0': true, '29.7.2': true },
	'default-stop-timeout': { '29.6.4': false, '29.7.0': true, '29.7.2': true },
	proxies: { '20.10.24': false, '23.0.0': true, '24.0.0': true },
};

/** Whether a kernel is new enough for the distribution. */
const floors: Readonly<Record<string, Expected>> = {
	'ubuntu 24.04': { '6.7.12': false, '6.8.0': true, '6.11.0': true },
	'ubuntu 22.04': { '5.14.21': false, '5.15.0': true, '6.8.0': true },
	'ubuntu 20.04': { '5.3.18': false, '5.4.0': true, '5.15.0': true },
	'ubuntu 18.04': { '5.2.21': false, '5.3.0': true, '5.4.0': true },
	'ubuntu 25.04': { '5.4.300': false, '5.5.0': true, '6.14.0': true },
	'ubuntu 25.10': { '5.4.300': false, '5.5.0': true, '6.17.0': true },
	'ubuntu 26.04': { '5.4.300': false, '5.5.0': true, '7.0.0': true },
	'ubuntu *': { '5.4.300': false, '5.5.0': true, '5.6.0': true },
	'debian 10': { '5.4.300': false, '5.5.0': true, '5.10.0': true },
	'debian 11': { '5.4.300': false, '5.5.0': true, '5.10.0': true },
	'debian 12': { '5.4.300': false, '5.5.0': true, '6.1.0': true },
	'debian 13': { '5.4.300': false, '5.5.0': true, '6.12.0': true },
	'debian *': { '5.4.300': false, '5.5.0': true, '5.6.0': true },
	'fedora 34': { '5.11.22': false, '5.12.0': true, '5.13.0': true },
	'fedora 35': { '5.11.22': false, '5.12.0': true, '5.14.0': true },
	'fedora 36': { '5.11.22': false, '5.12.0': true, '5.17.0': true },
	'fedora 37': { '5.11.22': false, '5.12.0': true, '6.0.0': true },
	'fedora *': { '5.11.22': false, '5.12.0': true, '6.0.0': true },
	'rocky 8': { '5.11.22': false, '5.12.0': true, '5.14.0': true },
	'rocky *': { '5.11.22': false, '5.12.0': true, '5.14.0': true },
	'almalinux 8': { '5.11.22': false, '5.12.0': true, '5.14.0': true },
	'almalinux 9': { '5.11.22': false, '5.12.0': true, '5.14.0': true },
	'almalinux *': { '5.11.22': false, '5.12.0': true, '5.14.0': true },
	'centos *': { '5.11.22': false, '5.12.0': true, '5.14.0': true },
	'amzn 2': { '5.11.22': false, '5.12.0': true, '5.15.0': true },
	'amzn 2023': { '6.0.19': false, '6.1.0': true, '6.12.0': true },
	'rhel *': { '5.11.22': false, '5.12.0': true, '5.14.0': true },
	'flatcar *': { '5.9.16': false, '5.10.0': true, '5.11.0': true },
};

/** Whether a kernel is in that band or in a later one. */
const bands: Readonly<Record<string, Expected>> = {
	'0.0': { '0.0.0': true, '0.0.1': true, '4.19.0': true },
	'5.5': { '5.4.300': false, '5.5.0': true, '5.6.0': true },
	'5.12': { '5.11.22': false, '5.12.0': true, '5.13.0': true },
	'5.19': { '5.18.19': false, '5.19.0': true, '6.0.0': true },
	'6.7': { '6.6.99': false, '6.7.0': true, '6.8.0': true },
};

/** Whether a release of Sysbox gets no fixes any more, by the range of its row. */
const ended: Readonly<Record<string, Expected>> = {
	'<0.7.0': { '0.6.7': true, '0.7.0': false, '0.7.1': false },
};

/** The versions that a range turns at. */
const boundsOf = (range: string): readonly string[] =>
	new semver.Range(range).set.flat().flatMap(({ semver: at }) => (at instanceof semver.SemVer ? [at.version] : []));

/** Every bound has a version at it, and others on both sides of it. */
function expectCovered(row: string, range: string, expected: Expected | undefined): void {
	expect(expected, `${row} has no test`).toBeDefined();
	const versions = Object.keys(expected ?? {});
	const bounds = boundsOf(range);
	if (bounds.length === 0) expect(versions.length, `${row} holds for every version`).toBeGreaterThanOrEqual(3);
	for (const bound of bounds) {
		expect(versions, `${row} at its bound`).toContain(bound);
		expect(bound === '0.0.0' || versions.some(v => semver.lt(v, bound)), `${row} below ${bound}`).toBe(true);
		expect(
			versions.some(v => semver.gt(v, bound)),
			`${row} above ${bound}`,
		).toBe(true);
	}
}

const fields = ['sysbox', 'docker', 'kernel'] as const;
const firstHeld = (expected: Expected | undefined) => Object.entries(expected ?? {}).find(([, holds]) => holds)?.[0];

function holdsFor(issue: KnownIssue, field: (typeof fields)[number], version: string): boolean {
	const tested = issues[issue.id] ?? {};
	const others = fields.flatMap(name => {
		const held = name === field ? undefined : firstHeld(tested[name]);
		return held === undefined ? [] : [[name, held] as const];
	});
	const [id = '', release] = issue.distro?.[0]?.split(' ') ?? [];
	const seen = {
		...Object.fromEntries(others),
		[field]: version,
		...(issue.distro !== undefined && { distro: { id, ...(release !== undefined && { version: release }) } }),
	};
	return issuesFor(knowledge, seen).some(({ id: found }) => found === issue.id);
}

describe('known issues', () => {
	const rows = knowledge.knownIssues.flatMap(issue =>
		fields.flatMap(field => (issue[field] === undefined ? [] : [{ issue, field, range: issue[field] }])),
	);
	it.each(rows.map(row => ({ ...row, id: row.issue.id })))('$id: $field $range', ({ issue, field, range }) => {
		const expected = issues[issue.id]?.[field];
		expectCovered(`${issue.id} ${field}`, range, expected);
		for (const [version, holds] of Object.entries(expected ?? {}))
			expect(holdsFor(issue, field, version), `${issue.id} with ${field} ${version}`).toBe(holds);
	});

	it('are those that are tested, and no others', () => {
		const ranged = new Set(rows.map(({ issue }) => issue.id));
		expect(Object.keys(issues).filter(id => !ranged.has(id))).toEqual([]);
	});
});

describe('dockerd keys', () => {
	const rows = knowledge.dockerdKeys.flatMap(({ key, docker }) => (docker === undefined ? [] : [{ key, docker }]));
	it.each(rows)('$key: $docker', ({ key, docker }) => {
		expectCovered(key, docker, keys[key]);
		for (const [version, listed] of Object.entries(keys[key] ?? {}))
			expect(knowledge.dockerdKeys.includes(dockerdKey(knowledge, key, version)), `${key} of ${version}`).toBe(listed);
	});
});

describe('floors of distributions', () => {
	it.each(knowledge.distros)('$id $version: $minKernel', ({ id, version, minKernel }) => {
		const row = `${id} ${version}`;
		expectCovered(row, `>=${semver.coerce(minKernel)?.version}`, floors[row]);
		for (const [kernel, enough] of Object.entries(floors[row] ?? {}))
			expect(kernelAtLeast(kernel, minKernel), `${row} with ${kernel}`).toBe(enough);
	});
});

describe('kernel bands', () => {
	it.each(knowledge.kernelBands)('from $from', ({ from }) => {
		expectCovered(from, `>=${semver.coerce(from)?.version}`, bands[from]);
		const order = knowledge.kernelBands.map(band => band.from);
		for (const [kernel, inside] of Object.entries(bands[from] ?? {})) {
			const found = kernelBand(knowledge, kernel)?.from ?? '';
			expect(order.indexOf(found) >= order.indexOf(from), `${kernel} in ${from}`).toBe(inside);
		}
	});
});

describe('releases that get no fixes any more', () => {
	it.each(knowledge.endOfLife)('$sysbox', row => {
		expectCovered(row.sysbox, row.sysbox, ended[row.sysbox]);
		for (const [version, holds] of Object.entries(ended[row.sysbox] ?? {}))
			expect(endOfLifeOf(knowledge, version) !== undefined, version).toBe(holds);
	});
});
