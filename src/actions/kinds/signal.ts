import { type ActionKind, essenceOfUndo, halfDone } from '../kind.ts';
import { describeUndo, recordOf } from '../undo.ts';

/** Sends a signal to a process. */
export const signal: ActionKind<'signal'> = {
	does: ({ signal: name, pid, program }) => `kill -${name.slice(3)} ${pid}   # ${program}`,
	undo: action => describeUndo(action.undo),
	essence: action => [action.program, action.signal, essenceOfUndo(action.undo)],
	prepare: action => ({ kind: 'prepared', undo: recordOf(action.undo) }),
	async perform(action, { host }) {
		const sent = await host.signal(action.pid, action.signal);
		if (sent.kind === 'sent') return { kind: 'done' };
		const what = sent.kind === 'denied' ? 'not permitted' : 'is not running';
		return { kind: 'failed', said: `${action.program} (pid ${action.pid}): ${what}`, next: [] };
	},
	now: (_action, undo) => halfDone(undo),
};
