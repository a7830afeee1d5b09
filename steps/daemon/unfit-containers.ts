import type { Container } from '../../src/docker/container.ts';
import type { DockerFacts } from '../../src/docker/daemon.ts';

export interface UnfitContainer {
	readonly name: string;
	/** `host network`, `privileged`. */
	readonly because: string;
	/** Sysbox refuses to create it; else it starts, and finds less than it is used to. */
	readonly refused: boolean;
}

/**
 * Containers that would not get on with Sysbox if they were created anew under it: it refuses to share a namespace of
 * the host, and --privileged and devices give nothing (seen with 0.7.0: exit 125, and devices owned by nobody).
 */
export function unfitContainers(docker: DockerFacts): readonly UnfitContainer[] {
	if (docker.containers.kind !== 'ok') return [];
	return docker.containers.value.flatMap((container): readonly UnfitContainer[] => {
		const shared = sharedNamespaces(container);
		if (shared.length > 0) return [{ name: container.name, because: `host ${shared.join(', ')}`, refused: true }];
		if (container.privileged) return [{ name: container.name, because: 'privileged', refused: false }];
		if (container.devices.length > 0) return [{ name: container.name, because: 'devices', refused: false }];
		return [];
	});
}

function sharedNamespaces(c: Container): readonly string[] {
	const modes = { network: c.networkMode, pid: c.pidMode, ipc: c.ipcMode, uts: c.utsMode };
	return Object.entries(modes).flatMap(([name, mode]) => (mode === 'host' ? [name] : []));
}
