import { describe, expect, it } from 'vitest';
import { parseSysboxVersion } from '../../src/sysbox/version.ts';
import { cgroupsOf } from '../../src/system/cgroups.ts';
import { dpkgArchitecture, installedPackage, parsePackages, unfinishedPackages } from '../../src/system/dpkg.ts';
import { parseKernelRelease, parseUname } from '../../src/system/kernel-release.ts';
import { parseMemInfo } from '../../src/system/meminfo.ts';
import { isReadOnly, mountOf, parseMountInfo } from '../../src/system/mountinfo.ts';
import { parseOsRelease } from '../../src/system/os-release.ts';
import { excerpt, valueIn } from '../../src/system/reading.ts';
import { parseSubordinateIds, type SubordinateIds, userRange } from '../../src/system/subordinate-ids.ts';
import { parseSysctlConf, settingAtBoot } from '../../src/system/sysctl-conf.ts';
import { readTextFile, readTextOr } from '../../src/system/text-file.ts';
import { mapsHostRoot, parseIdMap, showIdMap } from '../../src/system/uid-map.ts';
import { compareVersions, plainVersion } from '../../src/system/version.ts';
import { sha256 } from '../../src/text/sha256.ts';
import { changed, hostFixture, scriptedHost } from '../support/scripted-host.ts';

describe('a version', () => {
	it.each([
		['26.1.5+dfsg1', '26.1.5'],
		['5:29.7.2-1~ubuntu.24.04~noble', '29.7.2'],
		['24.0.7-0ubuntu4.1', '24.0.7'],
		['0.7.1.linux', '0.7.1'],
		['v0.7.1', '0.7.1'],
		['6.8', '6.8.0'],
		['dev', undefined],
	])('%s is %s', (text, plain) => {
		expect(plainVersion(text)).toBe(plain);
	});

	it('of a distribution is no pre-release of itself', () => {
		expect(compareVersions('0.6.7.linux', '0.7.0')).toBeLessThan(0);
	});
});

describe('os-release', () => {
	it('is read with and without quotes', () => {
		expect(
			valueIn(
				parseOsRelease(
					'ID="rhel"\nVERSION_ID=\'9.4\'\nID_LIKE="fedora centos"\nPRETTY_NAME="Red Hat \\"Plow\\""\n# x\n',
				),
			),
		).toEqual({ id: 'rhel', versionId: '9.4', idLike: ['fedora', 'centos'], prettyName: 'Red Hat "Plow"' });
	});

	it('without an id is plain linux, and without assignments is none', () => {
		expect(valueIn(parseOsRelease('NAME=Arch\n'))).toEqual({ id: 'linux', idLike: [], prettyName: 'Arch' });
		expect(parseOsRelease('hello\n').kind).toBe('unreadable');
	});
});

describe('a kernel release', () => {
	it.each([
		['6.8.0-88-generic\n', '6.8.0', 'generic', false],
		['6.18.44-fc-v657', '6.18.44', 'fc-v657', false],
		['6.6.87.2-microsoft-standard-WSL2', '6.6.87', 'microsoft-standard-WSL2', true],
		['6.12.57+deb13-amd64', '6.12.57', '+deb13-amd64', false],
		['5.4', '5.4.0', '', false],
	])('%s', (text, version, flavour, wsl) => {
		expect(valueIn(parseKernelRelease(text))).toMatchObject({ version, flavour, wsl });
	});

	it('begins with its numbers', () => {
		expect(parseKernelRelease('linux of 2019.1').kind).toBe('unreadable');
		expect(parseKernelRelease('').kind).toBe('unreadable');
	});

	it('comes with system and machine from uname', () => {
		expect(valueIn(parseUname('Linux 6.8.0-88-generic x86_64\n'))).toEqual({
			system: 'Linux',
			release: '6.8.0-88-generic',
			machine: 'x86_64',
		});
		expect(parseUname('Linux 6.8.0').kind).toBe('unreadable');
	});
});

describe('the version of a sysbox program', () => {
	const text =
		'sysbox-runc\n\tedition: \tCommunity Edition (CE)\n\tversion: \t0.7.0\n\tcommit: \ta4dd414f\n\tbuilt at: \tTue Mar  3 21:51:47 UTC 2026\n\tbuilt by: \t\n\toci-specs: \t1.1.0+dev\n';

	it('is one of its indented lines', () => {
		expect(valueIn(parseSysboxVersion(text))).toEqual({
			program: 'sysbox-runc',
			version: '0.7.0',
			edition: 'Community Edition (CE)',
			commit: 'a4dd414f',
			builtAt: 'Tue Mar  3 21:51:47 UTC 2026',
		});
	});

	it('is not that of another program', () => {
		expect(parseSysboxVersion('runc version 1.1.15\n').kind).toBe('unreadable');
		expect(parseSysboxVersion('sysbox-fs\n\tversion: \n').kind).toBe('unreadable');
	});
});

describe('dpkg-query', () => {
	const packages =
		valueIn(
			parsePackages(
				'dpkg\t1.22\tamd64\tii \nfuse3\t3.17\tamd64\tiF \nold\t1.0\tall\trc \nheld\t2\tamd64\thi \nbad\t1\tamd64\tiiR\n',
			),
		) ?? [];

	it('tells installed packages from what is left of others', () => {
		expect(installedPackage(packages, 'held')?.wanted).toBe('hold');
		expect(installedPackage(packages, 'old')).toBeUndefined();
		expect(installedPackage(packages, 'fuse3')).toBeUndefined();
	});

	it('tells what is half done', () => {
		expect(unfinishedPackages(packages).map(p => `${p.name}: ${p.state}`)).toEqual([
			'fuse3: half-configured',
			'bad: installed',
		]);
	});

	it("tells the architecture by dpkg's own", () => {
		expect(dpkgArchitecture(packages)).toBe('amd64');
	});
});

describe('subordinate ids', () => {
	const ids = (text: string): SubordinateIds => valueIn(parseSubordinateIds(text)) ?? { ranges: [], strangers: [] };
	const good = ids('# comment\nanna:100000:65536\nsysbox:165536:65536\n');

	it('give sysbox one range when both files agree', () => {
		expect(userRange(good, good, 'sysbox')).toEqual({ kind: 'one', start: 165536, count: 65536 });
		expect(userRange(good, good, 'nobody')).toEqual({ kind: 'none' });
	});

	it('are wrong with two lines, with different lines, and with too few ids', () => {
		const twice = ids('sysbox:100000:65536\nsysbox:200000:65536\n');
		expect(userRange(twice, good, 'sysbox')).toEqual({ kind: 'duplicate', file: 'subuid', lines: [1, 2] });
		expect(userRange(good, twice, 'sysbox')).toEqual({ kind: 'duplicate', file: 'subgid', lines: [1, 2] });
		expect(userRange(good, ids('sysbox:1:65536\n'), 'sysbox').kind).toBe('mismatch');
		expect(userRange(good, ids(''), 'sysbox').kind).toBe('mismatch');
		const small = ids('sysbox:100000:1000\n');
		expect(userRange(small, small, 'sysbox').kind).toBe('too-small');
	});

	it('keep lines that are none', () => {
		expect(ids('sysbox:x:y\n').strangers).toEqual([{ line: 1, text: 'sysbox:x:y' }]);
	});
});

describe('mounts', () => {
	const mounts = valueIn(parseMountInfo(String(hostFixture('ubuntu-24.04').files['/proc/self/mountinfo']))) ?? [];

	it('are found for a path by the longest point above it', () => {
		expect(mountOf(mounts, '/var/lib/docker')?.fsType).toBe('ext4');
		expect(mountOf(mounts, '/run/docker.sock')?.fsType).toBe('tmpfs');
		expect(mountOf(mounts, '/runner')?.fsType).toBe('ext4');
		expect(mountOf(mounts, '/srv/my data/x')?.fsType).toBe('xfs');
	});

	it('hide each other on the same point', () => {
		const two = valueIn(parseMountInfo('1 0 0:1 / / rw - ext4 a rw\n2 1 0:2 / / ro - overlay b rw\n')) ?? [];
		expect(mountOf(two, '/etc')).toMatchObject({ fsType: 'overlay' });
		expect(mountOf(two, '/etc') && isReadOnly(two[1] ?? two[0]!)).toBe(true);
	});

	it('tell the version and the controllers of control groups', () => {
		expect(cgroupsOf(mounts, 'cpu memory\n')).toEqual({ version: '2', controllers: ['cpu', 'memory'] });
		const v1 =
			valueIn(
				parseMountInfo(
					'1 0 0:1 / / rw - ext4 a rw\n2 1 0:2 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n3 1 0:3 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n',
				),
			) ?? [];
		expect(cgroupsOf(v1, undefined)).toEqual({ version: '1', controllers: ['cpu', 'cpuacct'] });
		const hybrid =
			valueIn(
				parseMountInfo(
					'2 1 0:2 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n3 1 0:3 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n',
				),
			) ?? [];
		expect(cgroupsOf(hybrid, undefined).version).toBe('hybrid');
		expect(cgroupsOf([], undefined).version).toBe('none');
	});
});

describe('smaller files', () => {
	it('meminfo counts in kB', () => {
		expect(valueIn(parseMemInfo('MemTotal:  1000 kB\nMemAvailable:  500 kB\nSwapTotal: 0 kB\n'))).toEqual({
			totalBytes: 1_024_000,
			availableBytes: 512_000,
			swapBytes: 0,
		});
	});

	it.each([
		['         0     165536      65536\n', false, '0→165536 (65536)'],
		['         0          0 4294967295\n', true, '0→0 (4294967295)'],
		['0 165536 1000\n1000 0 1\n', true, '0→165536 (1000), 1000→0 (1)'],
	])('an id map tells whether root is root on the host: %j', (text, root, shown) => {
		const map = valueIn(parseIdMap(text)) ?? [];
		expect([mapsHostRoot(map), showIdMap(map)]).toEqual([root, shown]);
	});

	it.each([
		['', 'the id map is empty'],
		['0 165536 65536\n1000 0 one\n', 'not: 1000 0 one'],
		['0 165536 65536\n1000 0x0 1\n', 'not: 1000 0x0 1'],
	])('an id map with a line that is not understood says nothing: %j', (text, why) => {
		expect(parseIdMap(text)).toEqual({ kind: 'unreadable', why: expect.stringContaining(why) });
	});

	it('an excerpt is one line', () => {
		expect(excerpt('a\n  b', 20)).toBe('a b');
		expect(excerpt('x'.repeat(50), 10)).toBe(`${'x'.repeat(9)}…`);
	});
});

describe('sysctl.d', () => {
	it('has comments, dashes and slashes', () => {
		expect(parseSysctlConf('# a = 1\n; b = 2\n-kernel/x = 3 \nnet.ipv4.conf.eth0/1.y=4\n')).toEqual([
			{ key: 'kernel.x', value: '3', line: 3 },
			{ key: 'net.ipv4.conf.eth0/1.y', value: '4', line: 4 },
		]);
	});

	it('is read in the order of names, /etc hides a file of the same name, and sysctl.conf comes last', () => {
		const files = [
			{ path: '/etc/sysctl.d/60-a.conf', text: 'k = 1\n' },
			{ path: '/usr/lib/sysctl.d/99-z.conf', text: 'k = 2\n' },
		];
		expect(settingAtBoot(files, 'k')?.value).toBe('2');
		expect(settingAtBoot([...files, { path: '/etc/sysctl.d/99-z.conf', text: '# nothing\n' }], 'k')?.value).toBe('1');
		expect(settingAtBoot([...files, { path: '/etc/sysctl.conf', text: '\nk = 3\n' }], 'k')).toMatchObject({
			value: '3',
			path: '/etc/sysctl.conf',
			line: 2,
		});
		expect(settingAtBoot(files, 'other')).toBeUndefined();
	});
});

describe('a text file', () => {
	const host = scriptedHost(
		changed(hostFixture('ubuntu-24.04'), { files: { '/etc/x': 'abc', '/etc/secret': { denied: true } } }),
	);

	it('comes with the digest of its bytes', async () => {
		expect(await readTextFile(host, '/etc/x')).toEqual({
			kind: 'text',
			text: 'abc',
			sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
		});
		expect(await sha256(new Uint8Array())).toMatch(/^e3b0c442/);
	});

	it('says what was in the way', async () => {
		expect((await readTextFile(host, '/etc/secret')).kind).toBe('denied');
		expect((await readTextFile(host, '/nowhere')).kind).toBe('missing');
		expect(await readTextOr(host, '/nowhere')).toBeUndefined();
	});

	it('is none when its bytes are no text', async () => {
		const binary = {
			...host,
			readFile: async () => ({
				kind: 'bytes' as const,
				bytes: new Uint8Array([0xff, 0xfe]),
				meta: { mode: 0, uid: 0, gid: 0, size: 2, realPath: '/x' },
			}),
		};
		expect((await readTextFile(binary, '/x')).kind).toBe('not-text');
	});
});
