import type { Action } from './action.ts';
import { duration } from './impact.ts';

/** Why an action is not begun: what it needs, way back included, is more than what is left. Undefined: it fits. */
export function outOfWindow(action: Action, until: Date | undefined, now: Date): string | undefined {
	if (until === undefined || action.needsMs === undefined) return undefined;
	const left = until.getTime() - now.getTime();
	if (action.needsMs <= left) return undefined;
	const window = left > 0 ? `${duration(left)} are left until ${clock(until)}` : `the window ended at ${clock(until)}`;
	return `${action.title}: takes up to ${duration(action.needsMs)} with its way back, and ${window}`;
}

/** As the operator's own clock shows it. */
const clock = (at: Date): string =>
	`${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`;
