import type { ReadHost } from '../port/host.ts';
import { poolsInForce } from './address-pools.ts';
import { type DockerFacts, describeDockerTrouble } from './daemon.ts';
import type { AddressPool } from './daemon-json.ts';

/** Docker's own addresses as they are used now: writing these down changes nothing. */
export type NetworkInUse =
	| { readonly kind: 'known'; readonly bip: string; readonly pools: readonly AddressPool[] }
	| { readonly kind: 'unknown'; readonly why: string };

export async function inspectNetworkInUse(
	host: ReadHost,
	docker: DockerFacts,
	signal: AbortSignal,
): Promise<NetworkInUse> {
	if (docker.info.kind !== 'ok') return { kind: 'unknown', why: describeDockerTrouble(docker.info) };
	if (docker.bridge.kind !== 'ok') return { kind: 'unknown', why: describeDockerTrouble(docker.bridge) };
	const pools = poolsInForce(docker.info.value.addressPools);
	const [network] = docker.bridge.value.ipv4;
	const prefix = network?.subnet.split('/')[1];
	if (network?.gateway !== undefined && prefix !== undefined) {
		return { kind: 'known', bip: `${network.gateway}/${prefix}`, pools };
	}
	// Docker 20.10 leaves the gateway out where no bip is set; the interface itself has the address.
	const name = docker.bridge.value.interface;
	const shown = await host.exec(['ip', '-4', '-o', 'address', 'show', 'dev', name], { timeoutMs: 10_000, signal });
	const address = /\binet (\d+(?:\.\d+){3}\/\d+)/.exec(shown.stdout)?.[1];
	return address === undefined
		? { kind: 'unknown', why: `the bridge ${name} shows no IPv4 address` }
		: { kind: 'known', bip: address, pools };
}
