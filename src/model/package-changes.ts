import { shellLine } from '../text/shell-line.ts';

/** A package that another takes the place of, or that goes. */
export interface EarlierPackage {
	readonly name: string;
	readonly version: string;
	/** Brought in by another package, so that it goes with it (apt-mark(8)). */
	readonly auto: boolean;
}

/** What a package manager does, as told before it begins. Revert brings the earlier selection back from it. */
export interface PackageChanges {
	/** Not there before. */
	readonly installed: readonly string[];
	readonly removed: readonly EarlierPackage[];
	/** Another version in place of this one. */
	readonly replaced: readonly (EarlierPackage & { readonly by: string })[];
}

/** How it is taken back, as lines that could be typed. */
export function describePackageUndo({ installed, removed, replaced }: PackageChanges): readonly string[] {
	const auto = [...removed, ...replaced].filter(p => p.auto).map(p => p.name);
	return [
		...(installed.length > 0 ? [shellLine(['apt-get', 'purge', ...installed])] : []),
		...(removed.length > 0 ? [shellLine(['apt-get', 'install', ...removed.map(p => p.name)])] : []),
		...replaced.map(p => `${p.name} ${p.version} again, where its package is still on this host`),
		...(auto.length > 0 ? [shellLine(['apt-mark', 'auto', ...auto])] : []),
	];
}
