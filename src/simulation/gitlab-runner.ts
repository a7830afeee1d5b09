import { finish, removeContainer, startContainer } from './engine.ts';
import type { Container, Engine } from './state.ts';
import { touch, type World } from './world.ts';

/** What a GitLab runner does on this host: it clears up after its jobs, and on SIGQUIT ends with the last of them. */

const jobLabel = 'com.gitlab.gitlab-runner.job.id';
const typeLabel = 'com.gitlab.gitlab-runner.type';

export const isRunnerImage = (ref: string): boolean => /(?:^|\/)gitlab-runner(?::|@|$)/.test(ref);

const jobOf = (container: Container): string | undefined => container.options.labels[jobLabel];

/**
 * A job is over when the container of its script has ended by itself; its services would go on for ever. What a stop of
 * Docker killed stays behind: the runner that knew of it is gone too.
 */
function clearUp(engine: Engine): void {
	const over = new Set(
		engine.containers
			.filter(c => c.options.labels[typeLabel] === 'build' && c.status === 'exited' && c.exitCode !== 137)
			.map(c => jobOf(c)),
	);
	for (const container of [...engine.containers]) {
		const job = jobOf(container);
		if (job !== undefined && over.has(job)) removeContainer(engine, container);
	}
}

/** Its turn: jobs that are over go, and a runner that was told to finish and has no job left ends. */
export function runnersTurn(world: World): { readonly unitEnds: boolean } {
	const { engine } = world.state.docker;
	const unit = world.state.units['gitlab-runner.service'];
	const runners = engine.containers.filter(c => c.status === 'running' && isRunnerImage(c.imageRef));
	if (unit?.active !== 'active' && runners.length === 0) return { unitEnds: false };
	clearUp(engine);
	if (engine.containers.some(c => jobOf(c) !== undefined && c.status === 'running')) return { unitEnds: false };
	for (const runner of runners) {
		if (runner.finishing !== true) continue;
		touch(world);
		delete runner.finishing;
		// Its image says STOPSIGNAL SIGQUIT, and with its stop signal Docker puts the restart policy aside.
		finish(world, runner, 0, 'hand');
		if (runner.startedWhenEnded !== true) continue;
		delete runner.startedWhenEnded;
		startContainer(world, runner);
	}
	return { unitEnds: unit?.finishing === true };
}
