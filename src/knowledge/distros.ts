import type { DistroRow } from '../model/knowledge.ts';

const vendorTable = 'nestybox/sysbox docs/distro-compat.md (27cb713)';
const packageRule = 'nestybox/sysbox-pkgr deb/sysbox-ce preinst: any other distribution needs a kernel of 5.5 or later';

/** Not in the vendor's table; the one generic package installs on it, and others run it so. */
const works = (id: string, version: string, note?: string): DistroRow => ({
	id,
	version,
	support: 'works',
	minKernel: '5.5',
	source: packageRule,
	note,
});

const vendor = (id: string, version: string, minKernel: string, note?: string): DistroRow => ({
	id,
	version,
	support: 'vendor',
	minKernel,
	source: vendorTable,
	note,
});

const sourceBuild = (id: string, version: string, minKernel: string): DistroRow => ({
	id,
	version,
	support: 'source-build',
	minKernel,
	source: vendorTable,
	note: 'No package is published for it: Sysbox has to be built from source',
});

const enterpriseOnly = (id: string, minKernel: string): DistroRow => ({
	id,
	version: '*',
	support: 'unsupported',
	minKernel,
	source: vendorTable,
	note: 'Only the Enterprise Edition ran on it, and that ended in 2022',
});

const fuseProfile = 'Its AppArmor profile of fusermount3 needs one more rule (nestybox/sysbox#947, #1005)';

/** The first row that fits is used: exact versions stand before `*`. */
export const distros: readonly DistroRow[] = [
	vendor('ubuntu', '24.04', '6.8'),
	vendor('ubuntu', '22.04', '5.15'),
	vendor('ubuntu', '20.04', '5.4', 'Without shiftfs, files of bind mounts show as owned by nobody before kernel 5.12'),
	vendor('ubuntu', '18.04', '5.3', 'Needs shiftfs before kernel 5.12'),
	works('ubuntu', '25.04', fuseProfile),
	works('ubuntu', '25.10', fuseProfile),
	works('ubuntu', '26.04', fuseProfile),
	works('ubuntu', '*'),
	vendor('debian', '11', '5.5', 'Its own kernel cannot map ids of mounts; a backported one can'),
	vendor('debian', '10', '5.5', 'Only with a backported kernel'),
	works('debian', '12'),
	works('debian', '13'),
	works('debian', '*'),
	...['34', '35', '36', '37', '*'].map(version => sourceBuild('fedora', version, '5.12')),
	...['8', '*'].map(version => sourceBuild('rocky', version, '5.12')),
	...['8', '9', '*'].map(version => sourceBuild('almalinux', version, '5.12')),
	sourceBuild('centos', '*', '5.12'),
	sourceBuild('amzn', '2', '5.12'),
	sourceBuild('amzn', '2023', '6.1'),
	enterpriseOnly('rhel', '5.12'),
	enterpriseOnly('flatcar', '5.10'),
];
