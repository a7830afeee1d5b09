import type { EndOfLifeRow, ReleaseRow } from '../model/knowledge.ts';

type Package = ReleaseRow['packages'][number];

const site = 'https://downloads.nestybox.com/sysbox/releases';

/** One generic package for every distribution since 0.5.0. */
const url = (version: string, arch: Package['arch']) => `${site}/v${version}/sysbox-ce_${version}-0.linux_${arch}.deb`;

const vendorDocs =
	'vendor: printed in docs/user-guide/install-package.md of that release (nestybox/sysbox git history)';
const thirdPartyArm =
	'third parties: coder/envbox release.yaml history and an AUR PKGBUILD agree; the vendor prints no arm64 digests';

const amd64 = (version: string, sha256: string, provenance = vendorDocs): Package => ({
	arch: 'amd64',
	url: url(version, 'amd64'),
	sha256,
	provenance,
});

const arm64 = (version: string, sha256: string): Package => ({
	arch: 'arm64',
	url: url(version, 'arm64'),
	sha256,
	provenance: thirdPartyArm,
});

const tags = 'nestybox/sysbox tags';

/** Newest first. No signatures are published, so a digest is as good as its provenance. */
export const releases: readonly ReleaseRow[] = [
	{
		version: '0.7.1',
		date: '2026-07-31',
		packages: [
			amd64(
				'0.7.1',
				'9d6d5484f980d0a17f86c492c1262015c2afb66280bdb97215b79fde6a0261c5',
				'third parties: 8 independent public repositories agree, an AUR PKGBUILD among them; the vendor has not printed it yet (nestybox/sysbox#1034 is open)',
			),
			arm64('0.7.1', '04ca894ae0b53f0fa54eaacc173ce40363c9a95ea5450f773716a84ef650a69b'),
		],
		source: tags,
	},
	{
		version: '0.7.0',
		date: '2026-03-03',
		packages: [
			amd64('0.7.0', 'eeff273671467b8fa351ab3d40709759462dc03d9f7b50a1b207b37982ce40a9'),
			arm64('0.7.0', 'eae9c0e91ddd39bd1826d6a7a313a73d42a8449ef5113e9d6d118b559cb809ba'),
		],
		source: `${tags}; the CHANGELOG misprints the year`,
	},
	{
		version: '0.6.7',
		date: '2025-05-09',
		packages: [
			amd64('0.6.7', 'b7ac389e5a19592cadf16e0ca30e40919516128f6e1b7f99e1cb4ff64554172e'),
			arm64('0.6.7', '16d80123ba53058cf90f5a68686e297621ea97942602682e34b3352783908f91'),
		],
		source: tags,
	},
	{
		version: '0.6.6',
		date: '2025-01-03',
		packages: [
			amd64('0.6.6', '87cfa5cad97dc5dc1a243d6d88be1393be75b93a517dc1580ecd8a2801c2777a'),
			arm64('0.6.6', '640014411de589f4e09f8383dc53b3c7785575be13d5573d4addbd597f858d56'),
		],
		source: tags,
	},
	{
		version: '0.6.5',
		date: '2024-11-09',
		packages: [
			amd64('0.6.5', 'f02ffb48eae99d6c884c9aa0378070cc716d028f58e87deec5ae00a41b706fe8'),
			arm64('0.6.5', 'd9267eb176190b96dcfa29ba4c4c685a26a4a1aca1d7f15deb31ec33ed63de15'),
		],
		source: tags,
	},
	{
		version: '0.6.4',
		date: '2024-04-06',
		packages: [amd64('0.6.4', 'd034ddd364ee1f226b8b1ce7456ea8a12abc2eb661bdf42d3e603ed2dc741827')],
		source: tags,
	},
	{
		version: '0.6.3',
		date: '2024-01-09',
		packages: [
			amd64('0.6.3', 'cfce811006a27305071b1634ca8fe690392f5dcc205612e7b4e5bde411b7701e'),
			arm64('0.6.3', '4b475e7e7eed79708b2707a67d556a5d3c0bdaef0a1f341311d095d1b4b3e271'),
		],
		source: tags,
	},
	{
		version: '0.6.2',
		date: '2023-06-11',
		packages: [amd64('0.6.2', 'fd287f2f3b5a072b62c378f9e1eeeeaa2ccad22bb48cb381d30d8c855c51b401')],
		source: tags,
	},
	{
		version: '0.6.1',
		date: '2023-04-07',
		packages: [amd64('0.6.1', 'd57dc297c60902d4f7316e4f641af00a2a9424e24dde88bb2bb7d3bc419b0f04')],
		source: tags,
	},
	{
		version: '0.5.2',
		date: '2022-05-18',
		packages: [amd64('0.5.2', 'f13fc0e156f72c6f8bd48e206c59482f83f19acc229701c74e0f23baafa724d8')],
		source: tags,
	},
	{ version: '0.5.1', date: '2022-04-07', packages: [], source: `${tags}; no digest is known` },
	{
		version: '0.5.0',
		date: '2022-03-23',
		packages: [amd64('0.5.0', 'eeacd9ae0e08ee5e5637e3b93e4f0cf78f20f9590ef2e7ab08347700682422f0')],
		source: tags,
	},
	{ version: '0.4.1', date: '2021-10-01', packages: [], source: `${tags}; no digest is known` },
	{
		version: '0.4.0',
		date: '2021-07-13',
		packages: [
			{
				arch: 'amd64',
				url: `${site}/v0.4.0/sysbox-ce_0.4.0-0.ubuntu-focal_amd64.deb`,
				sha256: 'b189602cdb2bbca9a1f25159a6e664ebd251d7c2fb6be968c7148564e96744c4',
				provenance: `${vendorDocs}; for Ubuntu 20.04 alone`,
			},
		],
		source: tags,
	},
];

/** The vendor fixes in the newest release line alone, and prints no dates of an end. */
export const endOfLife: readonly EndOfLifeRow[] = [
	{
		sysbox: '<0.7.0',
		meaning: 'releases before 0.7.0 get no more fixes',
		source: 'nestybox/sysbox tags: none below 0.7.0 since 0.6.7 of 2025-05-09, also not for the runc CVEs of 2025-11',
	},
];
