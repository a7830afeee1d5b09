import type { Container } from '../docker/container.ts';
import type { DockerFacts } from '../docker/daemon.ts';

import { runcName } from './program-names.ts';

/** The name under which the package registers the runtime and every page of Sysbox's manual speaks of it. */
export const runtimeName = runcName;

/** Where the package puts it. */
export const runtimePath = '/usr/bin/sysbox-runc';

/** Containers that run under Sysbox at this moment. One that runs on while Sysbox goes down is dead afterwards. */
export function runningUnderSysbox(docker: Pick<DockerFacts, 'containers' | 'info'>): readonly Container[] {
	if (docker.containers.kind !== 'ok') return [];
	const defaultRuntime = docker.info.kind === 'ok' ? docker.info.value.defaultRuntime : '';
	return docker.containers.value.filter(c => c.running && (c.runtime || defaultRuntime) === runtimeName);
}

/** A container as far as it takes to start it again. */
export interface StoppedContainer {
	readonly id: string;
	readonly name: string;
}
