import type { AddressPool } from './daemon-json.ts';

/**
 * What dockerd hands out networks from when nothing is configured: moby `libnetwork/ipamutils`,
 * `localScopeDefaultNetworks`. The shorter list in some of Docker's pages (172.17.0.0/12) would begin at 172.16.0.0,
 * which is not what a host without the key uses.
 */
export const builtInPools: readonly AddressPool[] = [
	{ base: '172.17.0.0/16', size: 16 },
	{ base: '172.18.0.0/16', size: 16 },
	{ base: '172.19.0.0/16', size: 16 },
	{ base: '172.20.0.0/14', size: 16 },
	{ base: '172.24.0.0/14', size: 16 },
	{ base: '172.28.0.0/14', size: 16 },
	{ base: '192.168.0.0/16', size: 20 },
];

/** The pools in force: dockerd reads an empty list as none, and `docker info` lists only what is configured. */
export const poolsInForce = (configured: readonly AddressPool[] | undefined): readonly AddressPool[] =>
	configured === undefined || configured.length === 0 ? builtInPools : configured;

export function samePools(a: readonly AddressPool[], b: readonly AddressPool[]): boolean {
	return a.length === b.length && a.every((pool, at) => pool.base === b[at]?.base && pool.size === b[at]?.size);
}

/** For a sentence: `172.25.0.0/16 in networks of /24`, or that they are Docker's own. */
export function describePools(pools: readonly AddressPool[]): string {
	if (samePools(pools, builtInPools)) return "Docker's built-in pools";
	return pools.map(pool => `${pool.base} in networks of /${pool.size}`).join(', ');
}
