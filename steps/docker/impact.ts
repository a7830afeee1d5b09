import type { Impact } from '../../src/core/action.ts';
import { describeImpact, groupImpact, type ImpactContainer } from '../../src/core/impact.ts';
import type { JudgeContext } from '../../src/core/step.ts';
import { impactOfStop } from '../../src/facts/container-impact.ts';
import type { Container } from '../../src/facts/docker-container.ts';
import { type Difference, describeDifference, otherDifferences } from './differences.ts';
import type { DockerStepFacts } from './facts.ts';

/** Running containers that a restart of Docker stops: none where live-restore keeps them going. */
export function stoppedByRestart({ docker }: DockerStepFacts): readonly Container[] {
	if (docker.containers.kind !== 'ok' || docker.info.kind !== 'ok' || docker.info.value.liveRestore) return [];
	return docker.containers.value.filter(c => c.running);
}

/** Every container that runs, and what a restart of Docker does to it. */
export function restartSheet({ docker }: DockerStepFacts, { now }: JudgeContext): readonly ImpactContainer[] {
	if (docker.containers.kind !== 'ok' || docker.info.kind !== 'ok') return [];
	const { liveRestore } = docker.info.value;
	return docker.containers.value.filter(c => c.running).map(c => impactOfStop(c, liveRestore, now));
}

export function impactOfRestart(facts: DockerStepFacts, context: JudgeContext): Impact {
	const containers = restartSheet(facts, context);
	const { lost, returning } = groupImpact(containers);
	const notes: string[] = [];
	const info = facts.docker.info.kind === 'ok' ? facts.docker.info.value : undefined;
	if (info?.liveRestore) {
		notes.push(
			'live-restore is on: containers go on running',
			// nestybox/sysbox#270, open.
			'Docker engines inside of Sysbox containers lose name resolution until those containers are restarted',
		);
	}
	if (info?.swarm === 'active') notes.push('This host is in a swarm: its services are placed anew');
	notes.push('docker does not answer while it restarts; jobs that talk to it fail');
	notes.push(...alsoTakesEffect(otherDifferences(facts, context)));
	return { stops: [...lost, ...returning].map(describeImpact), notes, containers };
}

export function impactOfReload(facts: DockerStepFacts, context: JudgeContext): Impact {
	const others = otherDifferences(facts, context).filter(d => d.needs === 'reload');
	return { stops: [], notes: ['No container is touched by a reload', ...alsoTakesEffect(others)] };
}

const alsoTakesEffect = (differences: readonly Difference[]): readonly string[] =>
	differences.map(d => `also takes effect: ${describeDifference(d)}`);
