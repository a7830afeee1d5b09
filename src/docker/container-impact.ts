import type { Fate, ImpactContainer } from '../model/impact.ts';
import { type Container, describeOwner } from './container.ts';

/** What a stop of the Docker daemon does to a container that runs. */
export function impactOfStop(container: Container, liveRestore: boolean, now: Date): ImpactContainer {
	const owner = describeOwner(container);
	const runningMs = now.getTime() - Date.parse(container.startedAt);
	return {
		id: container.id,
		name: container.name,
		image: container.image,
		owner,
		job: isJob(container) ? true : undefined,
		restartPolicy: container.restartPolicy,
		startedAt: container.startedAt,
		runningMs: Number.isFinite(runningMs) && runningMs >= 0 ? runningMs : undefined,
		fate: liveRestore ? 'keeps-running' : fateOf(container),
	};
}

/** Docker starts it again by its policy when it comes up itself (moby daemon/daemon.go, restore). */
function fateOf({ autoRemove, restartPolicy }: Container): Fate {
	if (autoRemove) return 'is-removed';
	switch (restartPolicy) {
		case 'always':
		case 'unless-stopped':
			return 'comes-back';
		case 'on-failure':
			return 'comes-back-after-error';
		default:
			return 'does-not-come-back';
	}
}

/** Made by a CI system for one job: it makes another one, and nobody starts this one again. */
export const isJob = ({ owner }: Container): boolean => owner?.kind === 'gitlab-runner' || owner?.kind === 'jenkins';
