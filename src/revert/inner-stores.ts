import type { Container } from '../docker/container.ts';
import type { ReadHost } from '../port/host.ts';

/** Where sysbox-mgr keeps what inner engines store, one directory a kind, and in it one a container (sysbox-mgr, volMgr). */
const storeRoot = '/var/lib/sysbox';

/** Directories looked into for a first file; a store with more of them than that is no empty one. */
const mostDirectories = 500;

/** What a container has stored inside of itself and no volume of Docker holds: images, volumes, clusters. */
export interface InnerStore {
	readonly container: string;
	readonly path: string;
}

/**
 * The stores of containers that cannot run any more without Sysbox. Only those that hold something: sysbox-mgr makes
 * seven directories for every container, most of them for good empty.
 */
export async function innerStoresOf(host: ReadHost, containers: readonly Container[]): Promise<readonly InnerStore[]> {
	if (containers.length === 0) return [];
	const kinds = await host.list(storeRoot);
	if (kinds.kind !== 'names') return [];
	const stores: InnerStore[] = [];
	for (const kind of kinds.names) {
		const listed = await host.list(`${storeRoot}/${kind}`);
		if (listed.kind !== 'names') continue;
		for (const { id, name } of containers) {
			const path = `${storeRoot}/${kind}/${id}`;
			if (listed.names.includes(id) && (await holdsSomething(host, path))) stores.push({ container: name, path });
		}
	}
	return stores;
}

/** Whether anything but empty directories and empty files lies there. What cannot be looked at counts as something. */
async function holdsSomething(host: ReadHost, store: string): Promise<boolean> {
	const toLookInto = [store];
	for (let looked = 0; toLookInto.length > 0; looked++) {
		const directory = toLookInto.pop() ?? store;
		if (looked === mostDirectories) return true;
		const listed = await host.list(directory);
		if (listed.kind === 'missing') continue;
		if (listed.kind !== 'names') return true;
		for (const name of listed.names) {
			const path = `${directory}/${name}`;
			const found = await host.stat(path);
			if (found.kind === 'found' && found.type === 'directory' && !found.link) toLookInto.push(path);
			else if (found.kind !== 'found' || found.type !== 'file' || found.link || found.meta.size > 0) return true;
		}
	}
	return false;
}
