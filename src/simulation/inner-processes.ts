import type { Container } from './state.ts';
import { nextPid, type Scope } from './world.ts';

/** The containers that a process is in, the innermost first. */
export function containersAround(scope: Scope): readonly Container[] {
	return scope.inside === undefined ? [] : [scope.inside.container, ...containersAround(scope.inside.parent)];
}

const processesIn = (container: Container): number =>
	container.processes.length +
	(container.engine?.containers.reduce((sum, inner) => sum + (inner.pid === 0 ? 0 : processesIn(inner)), 0) ?? 0);

/** Every limit on the way out counts: that of an inner container and that of the one around it. */
export function canFork(scope: Scope): boolean {
	return containersAround(scope).every(
		({ options, ...container }) => options.pidsLimit <= 0 || processesIn({ options, ...container }) < options.pidsLimit,
	);
}

/** A process that goes on beside the one that started it. Returns its pid inside. */
export function startInBackground(scope: Scope, argv: readonly string[], endsAt: number | undefined): number {
	if (scope.inside === undefined) return nextPid(scope.world);
	const { container } = scope.inside;
	const pid = Math.max(1, ...container.processes.map(p => p.pid)) + 7;
	container.processes.push({
		pid,
		hostPid: nextPid(scope.world),
		argv: [...argv],
		startedAt: scope.world.state.now,
		...(endsAt !== undefined && { endsAt }),
	});
	return pid;
}

/** A process wants this much memory at once: true when a limit around it does not allow that, and it is killed. */
export function killedForMemory(scope: Scope, bytes: number): boolean {
	const limited = containersAround(scope).find(({ options }) => options.memory > 0 && bytes > options.memory);
	if (limited === undefined) return false;
	limited.oomKilled = true;
	scope.world.state.kernelLog.push({
		at: scope.world.state.now,
		text: `Memory cgroup out of memory: Killed process in docker-${limited.id}.scope`,
	});
	return true;
}

/** A busy loop of that length: with a quota, the scheduler holds it back once in each period of 100 ms. */
export function burnCpu(scope: Scope, ms: number): void {
	for (const container of containersAround(scope)) {
		if (container.options.nanoCpus > 0) container.throttledPeriods += Math.floor(ms / 100);
	}
}
