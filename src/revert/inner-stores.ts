import type { Container } from '../facts/docker-container.ts';
import type { ReadHost } from '../host/port.ts';

/** Where sysbox-mgr keeps what inner engines store, one folder a kind, and in it one a container (sysbox-mgr, volMgr). */
const storeRoot = '/var/lib/sysbox';

/** What a container has stored inside of itself and no volume of Docker holds: images, volumes, clusters. */
export interface InnerStore {
	readonly container: string;
	readonly path: string;
}

/** The stores of containers that cannot run any more without Sysbox. */
export async function innerStoresOf(host: ReadHost, containers: readonly Container[]): Promise<readonly InnerStore[]> {
	if (containers.length === 0) return [];
	const kinds = await host.list(storeRoot);
	if (kinds.kind !== 'names') return [];
	const stores: InnerStore[] = [];
	for (const kind of kinds.names) {
		const listed = await host.list(`${storeRoot}/${kind}`);
		if (listed.kind !== 'names') continue;
		for (const { id, name } of containers)
			if (listed.names.includes(id)) stores.push({ container: name, path: `${storeRoot}/${kind}/${id}` });
	}
	return stores;
}
