import type { LastStart } from './facts.ts';
import { lookEverySeconds } from './script.ts';

const shortestMs = 60_000;

/** What docker.service is waited for when nothing is known: dockerd itself allows 15 s for the containers to stop. */
const stopMs = 15_000;

/**
 * How long after it was armed the switch looks for the first time: at least a minute, and twice what Docker's last start
 * took; whole tens of seconds, so that the same host gives the same plan twice. `others`: what else is done between
 * arming it and Docker's start.
 */
export function deadlineMs({ ms }: LastStart, othersMs = 0): number {
	return Math.ceil((Math.max(shortestMs, 2 * (ms ?? 0)) + othersMs) / 10_000) * 10_000;
}

/** How long a start of Docker is let go on before it is taken for one that hangs: ten minutes, or ten starts. */
export const patienceMs = ({ ms }: LastStart): number => Math.min(10_000_000, Math.max(600_000, 10 * (ms ?? 0)));

/** How often the switch looks before it gives up on a Docker that is still starting. */
export const looksOf = (last: LastStart): number => Math.ceil(patienceMs(last) / 1000 / lookEverySeconds);

export interface RestartEstimate {
	/** What a restart that goes well takes: the stop and the start. */
	readonly restartMs: number;
	/** What it takes at most when Docker does not come back: the switch's deadline, its two looks and another start. */
	readonly withWayBackMs: number;
}

/** How long Docker will be away, for whoever has to fit it into a window. */
export function estimateRestart(last: LastStart): RestartEstimate {
	const start = last.ms ?? 10_000;
	return {
		restartMs: stopMs + start,
		withWayBackMs: deadlineMs(last) + 2 * lookEverySeconds * 1000 + stopMs + start,
	};
}
