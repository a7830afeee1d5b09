import type { Impact } from '../../src/core/action.ts';
import type { JudgeContext } from '../../src/core/step.ts';
import { type Container, describeOwner } from '../../src/facts/docker-container.ts';
import { type Difference, describeDifference, otherDifferences } from './differences.ts';
import type { DockerStepFacts } from './facts.ts';

/** Running containers that a restart of Docker stops: none where live-restore keeps them going. */
export function stoppedByRestart({ docker }: DockerStepFacts): readonly Container[] {
	if (docker.containers.kind !== 'ok' || docker.info.kind !== 'ok' || docker.info.value.liveRestore) return [];
	return docker.containers.value.filter(c => c.running);
}

export function impactOfRestart(facts: DockerStepFacts, context: JudgeContext): Impact {
	const stops = stoppedByRestart(facts);
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
	return { stops: stops.map(c => describeStop(c, context.now)), notes };
}

export function impactOfReload(facts: DockerStepFacts, context: JudgeContext): Impact {
	const others = otherDifferences(facts, context).filter(d => d.needs === 'reload');
	return { stops: [], notes: ['No container is touched by a reload', ...alsoTakesEffect(others)] };
}

const alsoTakesEffect = (differences: readonly Difference[]): readonly string[] =>
	differences.map(d => `also takes effect: ${describeDifference(d)}`);

/** `runner-x7k (GitLab job 8812, running 12 min): does not come back, restart policy no`. */
function describeStop(container: Container, now: Date): string {
	const about = [describeOwner(container), runningFor(container, now)].filter(text => text !== undefined);
	const name = about.length === 0 ? container.name : `${container.name} (${about.join(', ')})`;
	if (container.autoRemove) return `${name}: is removed when it stops`;
	switch (container.restartPolicy) {
		case 'always':
		case 'unless-stopped':
			return `${name}: comes back, restart policy ${container.restartPolicy}`;
		case 'on-failure':
			return `${name}: comes back only if it ends with an error, restart policy on-failure`;
		default:
			return `${name}: does not come back, restart policy ${container.restartPolicy}`;
	}
}

function runningFor({ startedAt }: Container, now: Date): string | undefined {
	const minutes = Math.floor((now.getTime() - Date.parse(startedAt)) / 60_000);
	if (!Number.isFinite(minutes) || minutes < 0) return undefined;
	if (minutes < 120) return `running ${minutes} min`;
	const hours = Math.floor(minutes / 60);
	return hours < 72 ? `running ${hours} h` : `running ${Math.floor(hours / 24)} days`;
}
