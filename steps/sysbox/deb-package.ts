import type { ReadHost } from '../../src/port/host.ts';
import { type AptSimulation, type PackageStep, simulateApt } from '../../src/system/apt.ts';
import { type DebPackage, packagesCommand, parsePackages } from '../../src/system/dpkg.ts';
import { excerpt } from '../../src/system/reading.ts';

export const packageName = 'sysbox-ce';

/** What dpkg says of the package, and of itself. */
export type PackageState =
	| { readonly kind: 'no-dpkg' }
	| { readonly kind: 'unknown'; readonly why: string }
	| { readonly kind: 'absent'; readonly arch: string | undefined }
	| { readonly kind: 'installed'; readonly arch: string | undefined; readonly record: DebPackage }
	/** Begun and not finished: dpkg wants to go on with it before anything else. */
	| { readonly kind: 'unfinished'; readonly arch: string | undefined; readonly record: DebPackage };

export async function inspectPackage(host: ReadHost, signal: AbortSignal): Promise<PackageState> {
	const result = await host.exec([...packagesCommand, 'dpkg', packageName], { timeoutMs: 10_000, signal });
	if (result.problem === 'missing') return { kind: 'no-dpkg' };
	if (result.problem !== undefined) return { kind: 'unknown', why: `dpkg-query: ${result.problem}` };
	const reading = parsePackages(result.stdout);
	if (reading.kind !== 'ok') return { kind: 'unknown', why: reading.why };
	const arch = reading.value.find(p => p.name === 'dpkg')?.arch;
	const record = reading.value.find(p => p.name === packageName);
	if (record === undefined || record.state === 'not-installed' || record.state === 'config-files') {
		return { kind: 'absent', arch };
	}
	return record.state === 'installed' && !record.reinstall
		? { kind: 'installed', arch, record }
		: { kind: 'unfinished', arch, record };
}

/** What a .deb file says of itself. */
export type DebControl =
	| { readonly kind: 'control'; readonly name: string; readonly version: string; readonly arch: string }
	| { readonly kind: 'not-a-package'; readonly said: string };

export async function readDebControl(host: ReadHost, path: string, signal: AbortSignal): Promise<DebControl> {
	const argv = ['dpkg-deb', '--field', path, 'Package', 'Version', 'Architecture'] as const;
	const result = await host.exec(argv, { timeoutMs: 30_000, signal });
	const field = (name: string) => new RegExp(`^${name}:[ \\t]*(\\S+)`, 'm').exec(result.stdout)?.[1];
	const [name, version, arch] = [field('Package'), field('Version'), field('Architecture')];
	if (result.code !== 0 || name === undefined || version === undefined || arch === undefined) {
		return { kind: 'not-a-package', said: excerpt(result.stderr || result.problem || result.stdout, 200) };
	}
	return { kind: 'control', name, version, arch };
}

/**
 * What the package depends on, for the time before its file is there (sysbox-pkgr deb/sysbox-ce/control). `apt-get
 * satisfy` resolves it as it would the package itself.
 */
const dependencies = 'debconf, fuse, iptables, jq, lsb-release, rsync';

/** What apt would do besides installing the package itself. */
export async function simulateInstall(
	host: ReadHost,
	file: string | undefined,
	signal: AbortSignal,
): Promise<AptSimulation> {
	const simulation = await (file === undefined
		? simulateApt(host, 'satisfy', ['--no-install-recommends', dependencies], signal)
		: simulateApt(host, 'install', ['--no-install-recommends', file], signal));
	if (simulation.kind !== 'would') return simulation;
	const others = (steps: readonly PackageStep[]) => steps.filter(step => step.name !== packageName);
	return {
		kind: 'would',
		installs: others(simulation.installs),
		upgrades: others(simulation.upgrades),
		removes: others(simulation.removes),
	};
}
