import type { Release } from './world.ts';

/** About the size of every package since 0.6 (`ls -l` of third parties' mirrors); the table of releases has none. */
const packageSize = 11_812_044;

/** What the simulated internet has, from a table of releases: url and digest are the table's own. */
export function releasesFrom(
	rows: readonly { readonly packages: readonly { readonly url: string; readonly sha256: string }[] }[],
): readonly Release[] {
	return rows.flatMap(row => row.packages.map(({ url, sha256 }) => ({ url, sha256, size: packageSize })));
}
