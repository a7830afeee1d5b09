import { setTimeout as delay } from 'node:timers/promises';

/** Time on a simulated host: it passes only when somebody says so. */
export interface SimulatedClock {
	/** Milliseconds since 1970. */
	now(): number;
	advance(ms: number): void;
	/** What an engine on this host waits with. */
	sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A person watching a demo waits at most this long for a command, however long it is said to take. */
const longestRealDelayMs = 150;

/**
 * `instant` never sleeps. `demo` sleeps a little, so that a wizard has something to show, while the simulated time
 * passes in full.
 */
export function simulatedClock(startMs: number, pace: 'instant' | 'demo' = 'instant'): SimulatedClock {
	let now = startMs;
	return {
		now: () => now,
		advance: ms => {
			now += Math.max(0, ms);
		},
		sleep: async (ms, signal) => {
			now += Math.max(0, ms);
			if (pace === 'demo' && ms > 0) await pause(Math.min(ms, longestRealDelayMs), signal);
			// A timer that is over at once would let a loop that waits for others starve them.
			else await Promise.resolve();
		},
	};
}

/** The real delay for a command of that simulated length: none for what a person would not notice. */
export function realDelay(simulatedMs: number): number {
	return simulatedMs < 100 ? 0 : Math.min(longestRealDelayMs, Math.ceil(simulatedMs / 20));
}

/** Resolves early, without an error, when the signal is given. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
	if (ms <= 0 || signal?.aborted) return;
	try {
		await delay(ms, undefined, signal === undefined ? {} : { signal });
	} catch {
		// Aborted: whoever asked looks at the signal.
	}
}
