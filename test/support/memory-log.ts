import { createHash } from 'node:crypto';
import type { Event } from '../../src/model/event.ts';
import type { RunLog } from '../../src/session/run-log.ts';

/** The process is gone: nothing that comes after is executed. */
export class Killed extends Error {}

/**
 * A log in memory that survives its process. `dieAt` kills at the nth event: before the event is kept, or directly
 * after, as a real kill can fall on either side.
 */
export function memoryLog(
	kept: { events: Event[]; backups: Map<string, Uint8Array> },
	dieAt?: { n: number; side: 'before' | 'after' },
): RunLog {
	let count = 0;
	return {
		run: 'test',
		async append(event) {
			count += 1;
			if (dieAt !== undefined && count > dieAt.n) throw new Killed();
			if (dieAt?.n === count && dieAt.side === 'before') throw new Killed();
			kept.events.push(JSON.parse(JSON.stringify(event)) as Event);
			if (dieAt?.n === count) throw new Killed();
		},
		async keep(bytes) {
			const sha = createHash('sha256').update(bytes).digest('hex');
			kept.backups.set(sha, bytes);
			return sha;
		},
		kept: async sha => kept.backups.get(sha),
		keptAt: sha => `/kept/${sha}`,
	};
}
