import type { Container } from '../../src/facts/docker-container.ts';
import type { DockerFacts } from '../../src/facts/docker-daemon.ts';

/** The name under which the package registers the runtime and every page of Sysbox's manual speaks of it. */
export const runtimeName = 'sysbox-runc';

/** Where the package puts it. */
export const runtimePath = '/usr/bin/sysbox-runc';

/** Containers that run under Sysbox at this moment: a stop of Sysbox breaks them for good. */
export function runningUnderSysbox(docker: DockerFacts): readonly Container[] {
	if (docker.containers.kind !== 'ok') return [];
	const defaultRuntime = docker.info.kind === 'ok' ? docker.info.value.defaultRuntime : '';
	return docker.containers.value.filter(c => c.running && (c.runtime || defaultRuntime) === runtimeName);
}

/** `a`, `a and b`, `a, b and 3 more`. */
export function nameSome(names: readonly string[], most = 5): string {
	const shown = names.slice(0, most);
	const rest = names.length - shown.length;
	if (rest > 0) return `${shown.join(', ')} and ${rest} more`;
	const last = shown.at(-1) ?? '';
	return shown.length <= 1 ? last : `${shown.slice(0, -1).join(', ')} and ${last}`;
}
