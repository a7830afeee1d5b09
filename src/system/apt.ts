import type { Argv, ReadHost } from '../port/host.ts';

/** apt may wait 300 s for another apt or dpkg, such as the one of the host's own nightly upgrades. */
export const waitForLock = ['-o', 'DPkg::Lock::Timeout=300'] as const;

/**
 * Installs a package from a file, and keeps configuration files that somebody has changed. `older`: it may replace a
 * newer one. Without `removes` nothing else goes: what the simulation did not foresee must not go along with a yes.
 */
export const installFile = (
	file: string,
	{ older, removes }: { readonly older: boolean; readonly removes: boolean },
): Argv => [
	'apt-get',
	'install',
	'-y',
	'--no-install-recommends',
	...(removes ? [] : ['--no-remove']),
	...(older ? ['--allow-downgrades'] : []),
	...waitForLock,
	'-o',
	'Dpkg::Options::=--force-confold',
	file,
];

/** A package that apt would put in, take out, or exchange: then both versions are there. */
export interface PackageStep {
	readonly name: string;
	readonly from?: string | undefined;
	readonly to?: string | undefined;
}

/** What apt would do. */
export type AptSimulation =
	| {
			readonly kind: 'would';
			readonly installs: readonly PackageStep[];
			/** Upgrades and downgrades. */
			readonly upgrades: readonly PackageStep[];
			readonly removes: readonly PackageStep[];
	  }
	| { readonly kind: 'refuses'; readonly said: string }
	| { readonly kind: 'unknown'; readonly why: string };

/** Needs no root and no lock: apt only thinks aloud. `words` come behind `--simulate`. */
export async function simulateApt(
	host: ReadHost,
	verb: 'install' | 'satisfy' | 'purge',
	words: readonly string[],
	signal: AbortSignal,
): Promise<AptSimulation> {
	const argv: Argv = ['apt-get', verb, '--simulate', ...words];
	const result = await host.exec(argv, { timeoutMs: 60_000, signal });
	if (result.problem !== undefined) return { kind: 'unknown', why: `apt-get: ${result.problem}` };
	// apt before 1.9 has no "satisfy".
	if (/invalid operation/i.test(result.stderr)) return { kind: 'unknown', why: `this apt has no "${verb}"` };
	if (result.code !== 0) return { kind: 'refuses', said: refusal(`${result.stdout}\n${result.stderr}`) };
	return parseSimulation(result.stdout);
}

/** apt's `Inst NAME [OLD] (NEW …)` and `Remv NAME [OLD]` lines; without `[OLD]` the package is new. */
export function parseSimulation(text: string): Extract<AptSimulation, { kind: 'would' }> {
	const installs: PackageStep[] = [];
	const upgrades: PackageStep[] = [];
	const removes: PackageStep[] = [];
	for (const line of text.split('\n')) {
		const [, verb, full = '', from, to] =
			/^(Inst|Remv|Purg) (\S+)(?: \[([^\]\s]*)[^\]]*\])?(?: \((\S+?)[\s)])?/.exec(line) ?? [];
		if (verb === undefined) continue;
		const [name = full] = full.split(':');
		const step: PackageStep = { name, from, to };
		if (verb !== 'Inst') removes.push(step);
		else if (from === undefined) installs.push(step);
		else upgrades.push(step);
	}
	return { kind: 'would', installs, upgrades, removes };
}

/** The lines that say why: apt's explanation of unmet dependencies, and its errors. */
function refusal(text: string): string {
	const lines = text.split('\n').map(line => line.trimEnd());
	const telling = lines.filter(line => /^(E:|W:)|Depends:|PreDepends:|Conflicts:|Breaks:|unmet|held/.test(line));
	return (telling.length > 0 ? telling : lines.filter(line => line !== '').slice(-3)).join('\n');
}

/** Those of the packages that came in for another one, and would go with it. */
export async function autoInstalled(
	host: ReadHost,
	names: readonly string[],
	signal: AbortSignal,
): Promise<ReadonlySet<string>> {
	if (names.length === 0) return new Set();
	const result = await host.exec(['apt-mark', 'showauto', ...names], { timeoutMs: 30_000, signal });
	return new Set(result.code === 0 ? result.stdout.split('\n').map(line => line.trim()) : []);
}
