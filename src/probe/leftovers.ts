import type { Argv, WriteHost } from '../port/host.ts';
import { archivePrefix, runLabel } from './probe-host.ts';
import { type Removal, removeDirectoryOf, removeLabelled } from './removal.ts';

/**
 * Removes what proofs of earlier runs left behind when they were killed: every object with our label, and their image
 * archives. Only for the holder of the host's lock: with it, no other run of ours is alive.
 */
export async function removeLeftovers(
	host: WriteHost,
	options: { readonly stateDirectory: string; readonly emitCommand?: ((command: Argv) => void) | undefined },
): Promise<Removal> {
	const objects = await removeLabelled(host, runLabel, options.emitCommand);
	const removed = [...objects.removed];
	const left = [...objects.left];
	const listed = await host.list(options.stateDirectory);
	for (const name of listed.kind === 'names' ? listed.names : []) {
		if (!name.startsWith(archivePrefix)) continue;
		const files = await removeDirectoryOf(host, `${options.stateDirectory}/${name}`);
		removed.push(...files.removed);
		left.push(...files.left);
	}
	return { removed, left };
}
