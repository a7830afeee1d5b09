import type { Container } from '../../src/docker/container.ts';
import { impactOfStop } from '../../src/docker/container-impact.ts';
import { describeImpact, groupImpact, type Impact, type ImpactContainer } from '../../src/model/impact.ts';
import { beforeDelegation } from '../../src/model/managed-files.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import type { Difference } from '../../src/sysbox/reload.ts';
import { nameSome } from '../../src/text/name-some.ts';
import { estimateRestart } from '../../src/watchdog/timing.ts';
import { describeDifference, otherDifferences } from './differences.ts';
import { type DockerStepFacts, earlierFile } from './facts.ts';
import { jenkinsAgents } from './jenkins.ts';
import { drainable, jobsChoice } from './jobs-choice.ts';
import { chosenToStart } from './start-again-choice.ts';

/** Running containers that a restart of Docker stops: none where live-restore keeps them going. */
export function stoppedByRestart({ docker }: DockerStepFacts): readonly Container[] {
	if (docker.containers.kind !== 'ok' || docker.info.kind !== 'ok' || docker.info.value.liveRestore) return [];
	return docker.containers.value.filter(c => c.running);
}

/** Every container that runs, and what a restart of Docker does to it. */
export function restartSheet(facts: DockerStepFacts, context: JudgeContext): readonly ImpactContainer[] {
	const { docker } = facts;
	if (docker.containers.kind !== 'ok' || docker.info.kind !== 'ok') return [];
	const { liveRestore } = docker.info.value;
	const startsAgain = chosenToStart(context);
	const awaited = waitedFor(facts, context);
	return docker.containers.value
		.filter(c => c.running)
		.map(container => {
			const hit = impactOfStop(container, liveRestore, context.now);
			if (awaited(container)) return { ...hit, fate: 'finishes-first' };
			const staysDown = hit.fate === 'does-not-come-back' || hit.fate === 'comes-back-after-error';
			return staysDown && hit.job !== true && startsAgain(hit) ? { ...hit, startedAgain: true } : hit;
		});
}

/** Runners that finish, and what they finish. */
function waitedFor(facts: DockerStepFacts, context: JudgeContext): (container: Container) => boolean {
	if (jobsChoice(context) !== 'drain') return () => false;
	const runners = new Set(drainable(facts).flatMap(r => (r.kind === 'container' ? [r.id] : [])));
	return ({ id, owner }) => owner?.kind === 'gitlab-runner' || runners.has(id);
}

/** Whether something stops that nobody waited for. */
export const stopsContainers = (facts: DockerStepFacts, context: JudgeContext): boolean => {
	const { lost, returning } = groupImpact(restartSheet(facts, context));
	return lost.length + returning.length > 0;
};

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
	const agents = facts.jenkins === undefined ? jenkinsAgents(facts.docker) : [];
	if (agents.length > 0)
		notes.push(`Whether Jenkins builds in ${nameSome(agents.map(c => c.name))} cannot be seen from here`);
	const { restartMs, withWayBackMs } = estimateRestart(facts.watchdog.lastStart);
	const seconds = (ms: number) => `${Math.ceil(ms / 1000)} s`;
	notes.push(
		'docker does not answer while it restarts; jobs that talk to it fail',
		`By its last start that takes about ${seconds(restartMs)}, and at most ${seconds(withWayBackMs)} should it not come back`,
	);
	const { path } = facts.file;
	if (beforeDelegation(path, context.state) !== undefined && earlierFile(facts) !== 'unchanged')
		notes.push(`Should it not come back, the earlier ${path} is put back, although others write it`);
	notes.push(...alsoTakesEffect(otherDifferences(facts, context)));
	return { stops: [...lost, ...returning].map(describeImpact), notes, containers };
}

export function impactOfReload(facts: DockerStepFacts, context: JudgeContext): Impact {
	const others = otherDifferences(facts, context).filter(d => d.needs === 'reload');
	return { stops: [], notes: ['No container is touched by a reload', ...alsoTakesEffect(others)] };
}

const alsoTakesEffect = (differences: readonly Difference[]): readonly string[] =>
	differences.map(d => `also takes effect: ${describeDifference(d)}`);
