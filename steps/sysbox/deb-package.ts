import { type DebPackage, packagesCommand, parsePackages } from '../../src/facts/dpkg.ts';
import { excerpt } from '../../src/facts/reading.ts';
import type { ReadHost } from '../../src/host/port.ts';

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

/** What apt would do besides installing the package itself. */
export type AptSimulation =
	| {
			readonly kind: 'would';
			readonly installs: readonly string[];
			readonly upgrades: readonly string[];
			readonly removes: readonly string[];
	  }
	| { readonly kind: 'refuses'; readonly said: string }
	| { readonly kind: 'unknown'; readonly why: string };

/**
 * What the package depends on, for the time before its file is there (sysbox-pkgr deb/sysbox-ce/control). `apt-get
 * satisfy` resolves it as it would the package itself.
 */
const dependencies = 'debconf, fuse, iptables, jq, lsb-release, rsync';

/** Needs no root and no lock: apt only thinks aloud. */
export async function simulateInstall(
	host: ReadHost,
	file: string | undefined,
	signal: AbortSignal,
): Promise<AptSimulation> {
	const argv =
		file === undefined
			? (['apt-get', 'satisfy', '--simulate', '--no-install-recommends', dependencies] as const)
			: (['apt-get', 'install', '--simulate', '--no-install-recommends', file] as const);
	const result = await host.exec(argv, { timeoutMs: 60_000, signal });
	if (result.problem !== undefined) return { kind: 'unknown', why: `apt-get: ${result.problem}` };
	// apt before 1.9 has no such command.
	if (/invalid operation/i.test(result.stderr)) return { kind: 'unknown', why: 'this apt has no "satisfy"' };
	if (result.code !== 0) return { kind: 'refuses', said: refusal(`${result.stdout}\n${result.stderr}`) };
	return parseSimulation(result.stdout);
}

/** apt's `Inst NAME [OLD] (NEW …)` and `Remv NAME` lines; without `[OLD]` the package is new. */
export function parseSimulation(text: string): AptSimulation {
	const installs: string[] = [];
	const upgrades: string[] = [];
	const removes: string[] = [];
	for (const line of text.split('\n')) {
		const [, verb, name = '', old] = /^(Inst|Remv|Purg) (\S+)(?: (\[[^\]]*\]))?/.exec(line) ?? [];
		if (verb === undefined || name.split(':')[0] === packageName) continue;
		if (verb !== 'Inst') removes.push(name);
		else if (old === undefined) installs.push(name);
		else upgrades.push(name);
	}
	return { kind: 'would', installs, upgrades, removes };
}

/** The lines that say why: apt's explanation of unmet dependencies, and its errors. */
function refusal(text: string): string {
	const lines = text.split('\n').map(line => line.trimEnd());
	const telling = lines.filter(line => /^(E:|W:)|Depends:|PreDepends:|Conflicts:|Breaks:|unmet|held/.test(line));
	return (telling.length > 0 ? telling : lines.filter(line => line !== '').slice(-3)).join('\n');
}
