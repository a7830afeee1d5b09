import type { Emit, Event, EventPayload } from './event.ts';
import { eventVersion } from './event.ts';
import { initialState, type RunState, reduce } from './state.ts';

/** Hands an event to the disk. `durable` means: answer only when it would survive a power cut. */
export type Append = (event: Event, options: { readonly durable: boolean }) => Promise<void>;

export type EventReader = (event: Event, state: RunState) => void;

export interface EventStream {
	readonly emit: Emit;
	readonly state: () => RunState;
	/** Resolves when everything emitted so far was appended. */
	readonly drained: () => Promise<void>;
}

/** What must be on disk before the next thing happens: an undo depends on it. The rest may follow. */
const durableTypes: ReadonlySet<Event['type']> = new Set([
	'run.start',
	'run.resume',
	'decision',
	'action.intent',
	'action.outcome',
	'step.end',
	'record.written',
	'run.end',
]);

/**
 * Numbers events, keeps the state that they reduce to, and hands them to the log and then to the readers, one after the
 * other in the order of emission. When the log cannot be written (a full disk), that emit and every later one fails:
 * without a log there is no undo, so nothing more may happen.
 */
export function eventStream(options: {
	readonly now: () => Date;
	readonly append?: Append;
	readonly readers: readonly EventReader[];
	readonly from?: RunState;
}): EventStream {
	let state = options.from ?? initialState;
	let queue: Promise<void> = Promise.resolve();
	let failure: { readonly error: unknown } | undefined;

	const emit = (payload: EventPayload): Promise<void> => {
		if (failure !== undefined) return Promise.reject(failure.error);
		const event = { v: eventVersion, seq: state.lastSeq + 1, at: options.now().toISOString(), ...payload } as Event;
		state = reduce(state, event);
		const seen = state;
		const appended = queue.then(async () => {
			if (failure !== undefined) throw failure.error;
			await options.append?.(event, { durable: durableTypes.has(event.type) });
			for (const read of options.readers) read(event, seen);
		});
		queue = appended.catch(error => {
			failure ??= { error };
		});
		// Output and progress are emitted without waiting; their failure reaches whoever emits next.
		appended.catch(() => undefined);
		return appended;
	};
	return {
		emit,
		state: () => state,
		drained: async () => {
			await queue;
			if (failure !== undefined) throw failure.error;
		},
	};
}
