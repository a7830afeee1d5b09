import * as z from 'zod';
import { orEmptyList, orEmptyMap, orEmptyText, type Reading, read, readJson, unreadable } from '../system/reading.ts';

export interface BridgeNetwork {
	readonly id: string;
	/** The host's interface, `docker0` unless it was changed. */
	readonly interface: string;
	readonly ipv4: readonly {
		readonly subnet: string /** Docker 20.10 leaves it out when `bip` is not set. */;
		readonly gateway?: string | undefined;
	}[];
	readonly containers: number;
}

const schema = z
	.array(
		z.object({
			Id: orEmptyText,
			IPAM: z
				.object({ Config: orEmptyList(z.object({ Subnet: z.string(), Gateway: z.string().optional() })) })
				.nullish(),
			Options: orEmptyMap(z.string()),
			Containers: orEmptyMap(z.unknown()),
		}),
	)
	.min(1);

/** `docker network inspect bridge`. */
export function parseBridgeNetwork(text: unknown): Reading<BridgeNetwork> {
	const json = readJson(text, schema, 'docker network inspect');
	if (json.kind !== 'ok') return json;
	const network = json.value[0];
	if (network === undefined) return unreadable('docker network inspect named no network');
	return read({
		id: network.Id,
		interface: network.Options['com.docker.network.bridge.name'] ?? 'docker0',
		ipv4: (network.IPAM?.Config ?? [])
			.filter(config => !config.Subnet.includes(':'))
			.map(config => ({
				subnet: config.Subnet,
				gateway: config.Gateway?.replace(/\/\d+$/, ''),
			})),
		containers: Object.keys(network.Containers).length,
	});
}
