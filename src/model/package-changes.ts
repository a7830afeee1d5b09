import * as z from 'zod';
import { shellLine } from '../text/shell-line.ts';
import type { DataOf } from './data.ts';

/** A package that another takes the place of, or that goes. */
const earlierPackageSchema = z.object({
	name: z.string(),
	version: z.string(),
	/** Brought in by another package, so that it goes with it (apt-mark(8)). */
	auto: z.boolean(),
});
export type EarlierPackage = DataOf<typeof earlierPackageSchema>;

/** What a package manager does, as told before it begins. Revert brings the earlier selection back from it. */
export const packageChangesSchema = z.object({
	/** Not there before. */
	installed: z.array(z.string()),
	removed: z.array(earlierPackageSchema),
	/** Another version in place of this one. */
	replaced: z.array(earlierPackageSchema.extend({ by: z.string() })),
});
export type PackageChanges = DataOf<typeof packageChangesSchema>;

/** How it is taken back; `typed`: a line that could be typed. */
export function packageUndo({ installed, removed, replaced }: PackageChanges) {
	const auto = [...removed, ...replaced].filter(p => p.auto).map(p => p.name);
	const typed = (...argv: readonly [string, ...string[]]) => ({ typed: true, text: shellLine(argv) });
	return [
		...(installed.length > 0 ? [typed('apt-get', 'purge', ...installed)] : []),
		...(removed.length > 0 ? [typed('apt-get', 'install', ...removed.map(p => p.name))] : []),
		...replaced.map(p => ({
			typed: false,
			text: `${p.name} ${p.version} again, where its package is still on this host`,
		})),
		...(auto.length > 0 ? [typed('apt-mark', 'auto', ...auto)] : []),
	];
}
