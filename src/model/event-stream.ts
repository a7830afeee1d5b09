import type { Emit, Event, EventPayload } from './event.ts';
import { eventVersion } from './event.ts';
import { initialState, type RunState, reduce, reduceBurst } from './state.ts';

/** Hands an event to the disk, in the order of the calls. `durable` means: answer only when it would survive a power cut. */
export type Append = (event: Event, options: { readonly durable: boolean }) => Promise<void>;

/** The state is the one behind the event; lines of output that came at once share the one behind the last of them. */
export type EventReader = (event: Event, state: RunState) => void;

/** Lines of a command that prints by the thousand, while the disk is at work on what came before. */
interface Burst {
	readonly events: Event[];
	readonly read: Promise<void>;
	/** Set when it has ended. */
	behind?: RunState | undefined;
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

const durable = { durable: true } as const;
const relaxed = { durable: false } as const;

/** Nothing rests on one of these alone: they are handed over together when many come at once. */
const inBursts: ReadonlySet<Event['type']> = new Set(['output', 'progress']);

/**
 * Numbers events, keeps the state that they reduce to, and hands them to the log and then to the readers, one after the
 * other in the order of emission. When the log cannot be written (a full disk), that emit and every later one fails:
 * without a log there is no undo, so nothing more may happen.
 */
export function eventStream(options: {
	readonly now: () => Date;
	readonly append?: Append | undefined;
	readonly readers: readonly EventReader[];
	readonly from?: RunState | undefined;
}): EventStream {
	let state = options.from ?? initialState;
	let lastSeq = state.lastSeq;
	let queue: Promise<void> = Promise.resolve();
	let failure: { readonly error: unknown } | undefined;
	/** Still growing; its events are not in the state yet. */
	let burst: Burst | undefined;

	const endBurst = (): RunState => {
		if (burst === undefined) return state;
		state = reduceBurst(state, burst.events);
		burst.behind = state;
		burst = undefined;
		return state;
	};
	const handOver = async (events: readonly Event[], behind: RunState): Promise<void> => {
		if (failure !== undefined) throw failure.error;
		const { append } = options;
		if (append !== undefined) {
			const appended: Promise<void>[] = [];
			for (const event of events) {
				const promise = append(event, durableTypes.has(event.type) ? durable : relaxed);
				// A log that writes many in one go answers with one promise for all.
				if (promise !== appended.at(-1)) appended.push(promise);
			}
			await Promise.all(appended);
		}
		for (const event of events) for (const reader of options.readers) reader(event, behind);
	};
	const inTurn = (work: () => Promise<void>): Promise<void> => {
		const read = queue.then(work);
		queue = read.catch(error => {
			failure ??= { error };
		});
		// Output and progress are emitted without waiting; their failure reaches whoever emits next.
		read.catch(() => undefined);
		return read;
	};
	const beginBurst = (first: Event): Burst => {
		const events = [first];
		const begun: Burst = { events, read: inTurn(() => handOver(events, begun.behind ?? endBurst())) };
		return begun;
	};

	/** Thousands of lines come within a millisecond or two, and to write a time out costs more than the rest of an event. */
	let last = { ms: Number.NaN, text: '' };
	const timestamp = (now: Date): string => {
		const ms = now.getTime();
		if (ms !== last.ms) last = { ms, text: now.toISOString() };
		return last.text;
	};

	const emit = (payload: EventPayload): Promise<void> => {
		if (failure !== undefined) {
			const refused = Promise.reject(failure.error);
			// As with those on their way: whoever does not wait for a line of output learns of it at the next event.
			refused.catch(() => undefined);
			return refused;
		}
		lastSeq += 1;
		const event = { v: eventVersion, seq: lastSeq, at: timestamp(options.now()), ...payload } as Event;
		if (!inBursts.has(event.type)) {
			// Whatever is no output ends a burst: what comes behind it is to come behind it in the log too.
			const behind = reduce(endBurst(), event);
			state = behind;
			return inTurn(() => handOver([event], behind));
		}
		if (burst === undefined) burst = beginBurst(event);
		else burst.events.push(event);
		return burst.read;
	};
	return {
		emit,
		state: endBurst,
		drained: async () => {
			await queue;
			if (failure !== undefined) throw failure.error;
		},
	};
}
