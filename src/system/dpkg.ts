import { type Reading, read, unreadable } from './reading.ts';

export interface DebPackage {
	readonly name: string;
	readonly version: string;
	readonly arch: string;
	/** What dpkg was told to do: install, hold, remove (deinstall), purge, unknown. */
	readonly wanted: 'install' | 'hold' | 'deinstall' | 'purge' | 'unknown';
	readonly state:
		| 'not-installed'
		| 'config-files'
		| 'half-installed'
		| 'unpacked'
		| 'half-configured'
		| 'triggers-awaited'
		| 'triggers-pending'
		| 'installed';
	/** dpkg calls for the package to be installed again. */
	readonly reinstall: boolean;
}

/** One line a package; what {@link parsePackages} reads. */
export const packagesCommand = [
	'dpkg-query',
	'-W',
	'-f',
	// biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own format language
	'${Package}\\t${Version}\\t${Architecture}\\t${db:Status-Abbrev}\\n',
] as const;

const wantedWords = { i: 'install', h: 'hold', r: 'deinstall', p: 'purge', u: 'unknown' } as const;
const stateWords = {
	n: 'not-installed',
	c: 'config-files',
	H: 'half-installed',
	U: 'unpacked',
	F: 'half-configured',
	W: 'triggers-awaited',
	t: 'triggers-pending',
	i: 'installed',
} as const;

/** The output of {@link packagesCommand}. dpkg-query ends with 1 when a name asked for is unknown, and prints the rest. */
export function parsePackages(text: unknown): Reading<readonly DebPackage[]> {
	if (typeof text !== 'string' || text.trim() === '') return unreadable('dpkg-query printed nothing');
	const packages: DebPackage[] = [];
	for (const line of text.split('\n')) {
		if (line.trim() === '') continue;
		const [name = '', version = '', arch = '', status = ''] = line.split('\t');
		const wanted = wantedWords[status[0] as keyof typeof wantedWords];
		const state = stateWords[status[1] as keyof typeof stateWords];
		if (name === '' || wanted === undefined || state === undefined)
			return unreadable(`dpkg-query printed a line of another shape: ${line.slice(0, 80)}`);
		packages.push({ name, version, arch, wanted, state, reinstall: status[2] === 'R' });
	}
	return read(packages);
}

/** The installed package of that name. */
export function installedPackage(packages: readonly DebPackage[], name: string): DebPackage | undefined {
	return packages.find(p => p.name === name && p.state === 'installed');
}

/** Packages that dpkg has begun and not finished; apt tries to finish them first whatever it is asked for. */
export function unfinishedPackages(packages: readonly DebPackage[]): readonly DebPackage[] {
	const unfinished = new Set<DebPackage['state']>(['half-installed', 'unpacked', 'half-configured']);
	return packages.filter(p => unfinished.has(p.state) || p.reinstall);
}

/** dpkg's own architecture is the one that it installs packages of, whatever the kernel is. */
export function dpkgArchitecture(packages: readonly DebPackage[]): string | undefined {
	return installedPackage(packages, 'dpkg')?.arch;
}
