import { distroRow, kernelAtLeast, kernelBand, latestRelease, packageFor } from '../../../src/knowledge/lookup.ts';
import type { DistroRow } from '../../../src/model/knowledge.ts';
import type { JudgeContext } from '../../../src/model/step.ts';

import { runcName } from '../../../src/sysbox/program-names.ts';
import type { HostFacts } from '../host-facts.ts';
import { advice, block, type Check, commands, couldNotTell, info, ok, type Verdict, warn } from './check.ts';

/** The table's row for this distribution, where there is one. */
function rowOf(facts: HostFacts, context: JudgeContext): DistroRow | undefined {
	return facts.os.kind === 'ok' ? distroRow(context.knowledge, facts.os.value.id, facts.os.value.versionId) : undefined;
}

/** Sysbox from somewhere else than the package: then a missing package is no obstacle. */
const hasSysbox = (facts: HostFacts) => facts.programs.has(runcName);

/** A distribution without a row: relatives of Debian take the package, others cannot. */
function strangerVerdict(facts: HostFacts, evidence: string, name: string, idLike: readonly string[]): Verdict {
	if (idLike.some(id => id === 'debian' || id === 'ubuntu')) {
		return warn(`${name} is not known to this tool; it is related to Debian, so the package may install`, {
			evidence: `${evidence} ID_LIKE=${idLike.join(' ')}`,
			...advice('Try it on a host that does not matter first'),
		});
	}
	return (hasSysbox(facts) ? warn : block)(`${name} is not known to this tool, and only a .deb is published`, {
		evidence,
		...advice('Use a host with Ubuntu or Debian, or build Sysbox from source'),
	});
}

export const platformChecks: readonly Check[] = [
	{
		id: 'platform.linux',
		about: 'the operating system',
		why: 'Sysbox is a Linux container runtime and runs on the machine that Docker runs on',
		judge: ({ uname }) => {
			if (uname.kind !== 'ok') return couldNotTell('The operating system is not known', uname.why);
			return uname.value.system === 'Linux'
				? ok('This is Linux', `uname: ${uname.value.system} ${uname.value.release}`)
				: block(`This is ${uname.value.system}, not Linux`, {
						evidence: `uname: ${uname.value.system}`,
						...advice('Run this on the Linux host whose Docker the CI jobs use'),
					});
		},
	},
	{
		id: 'distro.supported',
		about: 'the distribution, against the table of supported ones',
		why: 'Sysbox publishes one package, tested on some distributions and known to install on others',
		judge: (facts, context) => {
			const { os } = facts;
			if (os.kind !== 'ok') return couldNotTell('The distribution is not known', os.why);
			const name = os.value.prettyName;
			const row = rowOf(facts, context);
			const evidence = `/etc/os-release: ID=${os.value.id} VERSION_ID=${os.value.versionId ?? '(none)'}`;
			const fromSource = hasSysbox(facts) ? warn : block;
			if (row === undefined) return strangerVerdict(facts, evidence, name, os.value.idLike);
			switch (row.support) {
				case 'vendor':
					return ok(`${name} is in the vendor's table`, evidence);
				case 'works':
					return info(`${name} is not in the vendor's table; the package installs on it`, {
						evidence,
						...(row.note !== undefined && advice(row.note)),
					});
				case 'source-build':
				case 'unsupported':
					return fromSource(`${name} cannot use the published package`, {
						evidence,
						...advice(row.note ?? 'Sysbox has to be built from source'),
					});
				default:
					return row.support satisfies never;
			}
		},
	},
	{
		id: 'arch.supported',
		about: 'the processor architecture, against the published packages',
		why: 'The package exists for some processor architectures only',
		judge: (facts, { knowledge }) => {
			const { arch, uname } = facts;
			const latest = latestRelease(knowledge);
			if (arch === undefined || latest === undefined)
				return couldNotTell('The architecture is not known', 'dpkg and uname do not tell');
			const machine = uname.kind === 'ok' ? `, kernel ${uname.value.machine}` : '';
			const missing = hasSysbox(facts) ? warn : block;
			return packageFor(knowledge, latest.version, arch) === undefined
				? missing(`There is no Sysbox package for ${arch}`, {
						evidence: `dpkg architecture ${arch}${machine}`,
						...advice(`Published are ${latest.packages.map(p => p.arch).join(' and ')}`),
					})
				: ok(`There is a package for ${arch}`, `dpkg architecture ${arch}${machine}`);
		},
	},
	{
		id: 'kernel.floor',
		about: 'the kernel, against the minimum of the distribution',
		why: "The package's own check of the kernel does not work on the distributions that it knows, so apt would let an old one pass",
		judge: (facts, context) => {
			const { kernel } = facts;
			if (kernel.kind !== 'ok') return couldNotTell('The kernel is not known', kernel.why);
			const row = rowOf(facts, context);
			const band = kernelBand(context.knowledge, kernel.value.version);
			const evidence = `uname -r: ${kernel.value.release}`;
			if (row === undefined && band?.severity === 'block') {
				return block(`Kernel ${kernel.value.version} is too old: ${band.meaning}`, { evidence, ...newerKernel(facts) });
			}
			if (row === undefined) return ok(`Kernel ${kernel.value.version} is new enough for Sysbox`, evidence);
			return kernelAtLeast(kernel.value.version, row.minKernel)
				? ok(`Kernel ${kernel.value.version} is at least ${row.minKernel}, the minimum for this distribution`, evidence)
				: block(`Kernel ${kernel.value.version} is too old: this distribution needs ${row.minKernel} or later`, {
						evidence: `${evidence}; ${row.source}`,
						...newerKernel(facts),
					});
		},
	},
	{
		id: 'kernel.band',
		about: 'what the kernel can do with the ids of mounts',
		why: 'What a kernel can do with the ids of mounts decides how fast containers start and who owns their files',
		judge: (facts, context) => {
			const { kernel } = facts;
			if (kernel.kind !== 'ok') return couldNotTell('What the kernel can do is not known', kernel.why);
			const band = kernelBand(context.knowledge, kernel.value.version);
			if (band === undefined) return couldNotTell('Nothing is known of this kernel', kernel.value.release);
			const summary = `Kernel ${kernel.value.version}: ${band.meaning}`;
			const row = rowOf(facts, context);
			// The vendor's table accepts some older kernels on the distribution that patched them.
			const accepted = row?.support === 'vendor' && kernelAtLeast(kernel.value.version, row.minKernel);
			const severity = band.severity === 'block' && accepted ? 'warn' : band.severity;
			return severity === 'ok'
				? ok(summary, kernel.value.release)
				: { severity, summary, evidence: `${kernel.value.release}; ${band.source}`, ...newerKernel(facts) };
		},
	},
	{
		id: 'kernel.user-namespaces',
		about: 'whether the kernel has user namespaces',
		why: 'The user namespace is what keeps root of a container from being root of the host',
		judge: ({ userNamespaces }) =>
			userNamespaces
				? ok('The kernel has user namespaces', '/proc/self/ns/user is there')
				: block('The kernel was built without user namespaces', {
						evidence: 'there is no /proc/self/ns/user',
						...advice('Boot a kernel with CONFIG_USER_NS, as the distributions build them'),
					}),
	},
	{
		id: 'kernel.fuse',
		about: 'whether the kernel has FUSE',
		why: 'sysbox-fs shows each container its own /proc and /sys through FUSE',
		judge: ({ fileSystems, fuseDevice }) => {
			if (fileSystems?.includes('fuse') || fuseDevice)
				return ok('The kernel has FUSE', fuseDevice ? '/dev/fuse is there' : '/proc/filesystems');
			return warn('FUSE is not loaded in the kernel', {
				evidence: 'no /dev/fuse, and no fuse in /proc/filesystems',
				...commands('Load it; it stays for this boot', 'modprobe fuse'),
			});
		},
	},
	{
		id: 'kernel.overlay',
		about: 'whether the kernel has overlayfs',
		why: 'Inner Docker engines keep their images on overlayfs',
		judge: ({ fileSystems }) => {
			if (fileSystems === undefined)
				return couldNotTell('The file systems of the kernel are not known', '/proc/filesystems could not be read');
			return fileSystems.includes('overlay')
				? ok('The kernel has overlayfs', '/proc/filesystems')
				: warn('overlayfs is not loaded in the kernel', {
						evidence: 'no overlay in /proc/filesystems',
						...commands('Load it; it stays for this boot', 'modprobe overlay'),
					});
		},
	},
	{
		id: 'kernel.modules',
		about: 'loadable kernel modules, and their directory',
		why: 'sysbox-mgr reads /proc/modules when it starts, and shows the modules of the running kernel to its containers',
		judge: ({ kernel, kernelModules, loadableModules }) => {
			// Seen with the real one: it ends when the file is missing, and only warns when the directory is.
			if (!loadableModules) {
				return warn('This kernel has no loadable modules, and the released sysbox-mgr does not start there', {
					evidence: '/proc/modules is not there',
					...advice('Boot a kernel with CONFIG_MODULES, as the distributions build them'),
				});
			}
			if (kernel.kind !== 'ok') return couldNotTell('The directory of kernel modules is not known', kernel.why);
			const directory = `/lib/modules/${kernel.value.release}`;
			return kernelModules
				? ok('The modules of the running kernel are there', directory)
				: info('There are no modules of the running kernel: sysbox-mgr warns, and containers cannot read any', {
						evidence: `${directory} is not there`,
					});
		},
	},
	{
		id: 'kernel.headers',
		about: 'the folder of kernel headers',
		why: 'sysbox-mgr shows the kernel headers to its containers, for jobs that build modules',
		judge: ({ kernel, kernelHeaders }) => {
			if (kernel.kind !== 'ok') return couldNotTell('The folder of kernel headers is not known', kernel.why);
			const directory = `/usr/src/linux-headers-${kernel.value.release}`;
			return kernelHeaders
				? ok('The headers of the running kernel are there', directory)
				: info('There are no headers of the running kernel; only jobs that build kernel modules miss them', {
						evidence: `${directory} is not there`,
					});
		},
	},
	{
		id: 'kernel.br-netfilter',
		about: 'whether bridged traffic can be filtered',
		why: 'An inner Docker or Kubernetes filters bridged traffic with a module that only the host can load (nestybox/sysbox#1008)',
		judge: ({ bridgeNetfilter }) =>
			bridgeNetfilter
				? ok('br_netfilter is loaded', '/proc/sys/net/bridge/bridge-nf-call-iptables is there')
				: info('br_netfilter is not loaded; inner engines warn about it', {
						evidence: '/proc/sys/net/bridge/bridge-nf-call-iptables is not there',
						...commands(
							'Load it now and at every boot',
							'modprobe br_netfilter',
							'echo br_netfilter > /etc/modules-load.d/br_netfilter.conf',
						),
					}),
	},
	{
		id: 'kernel.reboot-pending',
		about: 'whether a reboot is pending',
		why: 'A kernel that was installed and not started yet makes the checks of this page speak of the old one',
		judge: ({ rebootRequired }) =>
			rebootRequired === undefined
				? ok('No reboot is pending', '/run/reboot-required is not there')
				: warn('A reboot is pending: another kernel or library was installed', {
						evidence: `/run/reboot-required: ${rebootRequired.trim()}`,
						needs: 'reboot',
						caps: 'threat',
						...advice('Reboot at a quiet time, then start this again: it goes on where it stopped'),
					}),
	},
];

/** How this distribution gets a newer kernel. */
function newerKernel({ os, arch, kernel, container }: HostFacts) {
	if (kernel.kind === 'ok' && kernel.value.wsl) return advice('Run wsl --update on Windows, which brings its kernel');
	if (container !== undefined) return advice('Boot a newer kernel on the machine that this container runs on');
	if (os.kind === 'ok' && os.value.id === 'ubuntu' && os.value.versionId !== undefined) {
		return commands(
			'Install the hardware enablement kernel, then reboot',
			`apt-get install linux-generic-hwe-${os.value.versionId}`,
		);
	}
	if (os.kind === 'ok' && os.value.id === 'debian' && os.value.codename !== undefined) {
		const backports = `${os.value.codename}-backports`;
		return commands(
			`Install the kernel of ${backports}, then reboot`,
			`apt-get install -t ${backports} linux-image-${arch ?? 'amd64'}`,
		);
	}
	return advice('Boot a newer kernel of this distribution');
}
