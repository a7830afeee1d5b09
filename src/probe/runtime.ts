import { type DockerFacts, describeDockerTrouble, followsTrouble } from '../docker/daemon.ts';
import type { Finding } from '../model/finding.ts';
import { runtimeName } from '../sysbox/runtime.ts';

/** Without the runtime there is nothing to prove. That it is registered says nothing more: a missing binary is too. */
export function judgeRuntime(step: string, docker: DockerFacts): readonly Finding[] {
	const id = `${step}.runtime`;
	if (docker.info.kind !== 'ok') {
		return [
			{
				id,
				severity: 'block',
				summary: `The proofs need Docker, and ${describeDockerTrouble(docker.info)}.`,
				needsRoot: docker.info.kind === 'denied' ? true : undefined,
				...followsTrouble(docker.info),
			},
		];
	}
	const registered = Object.keys(docker.info.value.runtimes);
	if (registered.includes(runtimeName)) {
		return [{ id, severity: 'ok', summary: `Docker knows the runtime ${runtimeName}.` }];
	}
	return [
		{
			id,
			severity: 'block',
			summary: `Docker does not know the runtime ${runtimeName}.`,
			evidence: `Runtimes: ${registered.join(' ')}`,
			remedy: { kind: 'advice', text: 'Run the steps sysbox, daemon and docker first.' },
		},
	];
}
