import type { Emit, Event, EventPayload } from './event.ts';
import { eventVersion } from './event.ts';
import { initialState, type RunState, reduce } from './state.ts';

/** Hands an event to the disk, in the order of the calls. `durable` means: answer only when it would survive a power cut. */
export type Append = (event: Event, options: { readonly durable: boolean }) => Promise<void>;

export type EventReader = (event: Event, state: RunState) => void;

interface Seen {
	readonly event: Event;
	readonly state: RunState;
}

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

/** Nothing rests on one of these alone: they are handed over together when many come at once. */
const inBursts: ReadonlySet<Event['type']> = new Set(['output', 'progress']);

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

	/** Lines of a command that prints by the thousand, while the disk is at work on what came before. */
	let burst: { readonly seen: Seen[]; readonly read: Promise<void> } | undefined;

	const emit = (payload: EventPayload): Promise<void> => {
		if (failure !== undefined) return Promise.reject(failure.error);
		const event = { v: eventVersion, seq: state.lastSeq + 1, at: options.now().toISOString(), ...payload } as Event;
		state = reduce(state, event);
		if (burst !== undefined && inBursts.has(event.type)) {
			burst.seen.push({ event, state });
			return burst.read;
		}
		const seen: Seen[] = [{ event, state }];
		const read = queue.then(async () => {
			if (burst?.seen === seen) burst = undefined;
			if (failure !== undefined) throw failure.error;
			const { append } = options;
			if (append !== undefined)
				await Promise.all(seen.map(one => append(one.event, { durable: durableTypes.has(one.event.type) })));
			for (const one of seen) for (const reader of options.readers) reader(one.event, one.state);
		});
		// Whatever is no output ends a burst: what comes behind it is to come behind it in the log too.
		burst = inBursts.has(event.type) ? { seen, read } : undefined;
		queue = read.catch(error => {
			failure ??= { error };
		});
		// Output and progress are emitted without waiting; their failure reaches whoever emits next.
		read.catch(() => undefined);
		return read;
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
