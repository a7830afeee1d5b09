import { describe, expect, it } from 'vitest';
import type { Event, EventPayload } from '../../src/model/event.ts';
import { eventStream } from '../../src/model/event-stream.ts';
import { initialState } from '../../src/model/state.ts';

const now = (): Date => new Date('2026-11-24T03:00:00Z');
const said = (line: string): EventPayload => ({ type: 'output', step: 's', action: 'a', stream: 'stdout', line });
const undo = { kind: 'none', why: 'x' } as const;
const failure = { kind: 'failed' } as const;

/** One of each type, so that a new one has to be thought about here. */
const oneOfEach: { readonly [T in EventPayload['type']]: Extract<EventPayload, { type: T }> } = {
	'run.start': {
		type: 'run.start',
		run: 'r',
		tool: '1',
		mode: 'run',
		simulated: false,
		host: 'h',
		user: 'u',
		command: [],
	},
	'run.resume': { type: 'run.resume', tool: '1', user: 'u', command: [] },
	'step.start': { type: 'step.start', step: 's', title: 's', kind: 'change', n: 1, of: 1 },
	observed: { type: 'observed', step: 's', key: 'k', value: 1 },
	findings: { type: 'findings', step: 's', when: 'before', findings: [] },
	answer: { type: 'answer', step: 's', id: 's.a', value: 1, source: 'default' },
	plan: { type: 'plan', step: 's', actions: [] },
	decision: { type: 'decision', step: 's', decision: 'apply', risks: [] },
	'action.intent': { type: 'action.intent', step: 's', action: 'a', title: 't', kind: 'exec', does: 'd', undo },
	output: { type: 'output', step: 's', action: 'a', stream: 'stdout', line: 'x' },
	progress: { type: 'progress', step: 's', action: 'a', done: 1, unit: 'bytes' },
	'action.outcome': { type: 'action.outcome', step: 's', action: 'a', outcome: 'done', ms: 1 },
	'probe.start': { type: 'probe.start', step: 's', id: 'p', title: 'p', attempt: 'x', n: 1, of: 1 },
	probe: {
		type: 'probe',
		step: 's',
		id: 'p',
		title: 'p',
		threats: [],
		verdict: 'pass',
		because: 'x',
		evidence: [],
		ms: 1,
	},
	'step.end': { type: 'step.end', step: 's', status: 'done', changed: true, open: [] },
	'record.written': { type: 'record.written', step: 's', path: '/r', sha256: 'x', incomplete: false },
	'run.end': { type: 'run.end', outcome: 'done', exit: 0, changed: true, reboot: false, open: [] },
};

describe('the stream of events', () => {
	it('numbers from 0, dates each event, and goes on behind an earlier process', async () => {
		const seen: Event[] = [];
		const stream = eventStream({ now, readers: [event => seen.push(event)] });
		await stream.emit(said('a'));
		await stream.emit(said('b'));
		expect(seen.map(({ v, seq, at }) => [v, seq, at])).toEqual([
			[2, 0, '2026-11-24T03:00:00.000Z'],
			[2, 1, '2026-11-24T03:00:00.000Z'],
		]);
		const later = eventStream({
			now,
			readers: [event => seen.push(event)],
			from: { ...initialState, lastSeq: 41 },
		});
		await later.emit(said('c'));
		expect(seen.at(-1)?.seq).toBe(42);
	});

	it('keeps the order of emission although nobody waits and the disk answers late', async () => {
		const order: string[] = [];
		const gates: (() => void)[] = [];
		const stream = eventStream({
			now,
			append: event => new Promise<void>(resolve => gates.push(() => resolve(void order.push(`disk ${event.seq}`)))),
			readers: [event => order.push(`read ${event.seq}`)],
		});
		const all = ['a', 'b', 'c'].map(line => stream.emit({ ...oneOfEach['step.start'], step: line }));
		for (const wait of all) {
			await Promise.resolve();
			expect(gates).toHaveLength(1);
			gates.shift()?.();
			await wait;
		}
		expect(order).toEqual(['disk 0', 'read 0', 'disk 1', 'read 1', 'disk 2', 'read 2']);
	});

	it('hands lines of output that come at once to the log together, and then to the readers, with the state behind the last of them', async () => {
		const order: string[] = [];
		const gates: (() => void)[] = [];
		const stream = eventStream({
			now,
			append: event => {
				order.push(`log ${event.seq}`);
				return new Promise<void>(resolve => gates.push(resolve));
			},
			readers: [(event, state) => order.push(`read ${event.seq} ${state.lastSeq}`)],
		});
		const all = ['a', 'b', 'c'].map(line => stream.emit(said(line)));
		await Promise.resolve();
		expect(order).toEqual(['log 0', 'log 1', 'log 2']);
		for (const gate of gates) gate();
		await Promise.all(all);
		expect(order.slice(3)).toEqual(['read 0 2', 'read 1 2', 'read 2 2']);
	});

	it('counts lines that are still on their way to the disk as soon as somebody asks, and shows them to no earlier reader', async () => {
		const tails: (readonly string[] | undefined)[] = [];
		const stream = eventStream({ now, readers: [(_event, state) => tails.push(state.actions[0]?.tail)] });
		const all = [oneOfEach['action.intent'], said('a'), said('b')].map(stream.emit);
		expect(stream.state()).toMatchObject({ lastSeq: 2, actions: [{ tail: ['a', 'b'] }] });
		all.push(stream.emit(said('c')), stream.emit(oneOfEach['action.outcome']));
		expect(stream.state()).toMatchObject({ lastSeq: 4, actions: [{ tail: ['a', 'b', 'c'], outcome: 'done' }] });
		await Promise.all(all);
		expect(tails).toEqual([[], ['a', 'b'], ['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'c']]);
	});

	it('shows readers the state as of their event, not a later one', async () => {
		const lengths: number[] = [];
		const stream = eventStream({ now, readers: [(_event, state) => lengths.push(state.steps.length)] });
		const both = [stream.emit(oneOfEach['step.start']), stream.emit({ ...oneOfEach['step.start'], step: 'other' })];
		expect(stream.state().steps).toHaveLength(2);
		await Promise.all(both);
		expect(lengths).toEqual([1, 2]);
	});

	it('asks for a disk that survives a power cut exactly where an undo or an end rests on it', async () => {
		const durable: string[] = [];
		const stream = eventStream({
			now,
			append: async (event, how) => void (how.durable && durable.push(event.type)),
			readers: [],
		});
		for (const payload of Object.values(oneOfEach)) await stream.emit(payload);
		expect(durable).toEqual([
			'run.start',
			'run.resume',
			'decision',
			'action.intent',
			'action.outcome',
			'step.end',
			'record.written',
			'run.end',
		]);
	});

	it('stops everything when the log cannot be written: that event, those on their way, and every later one', async () => {
		const full = new Error('no space left');
		const read: number[] = [];
		let appended = 0;
		const stream = eventStream({
			now,
			append: async event => {
				appended += 1;
				if (event.seq === 1) throw full;
			},
			readers: [event => read.push(event.seq)],
		});
		const all = ['a', 'b', 'c'].map(line => stream.emit({ ...oneOfEach['step.start'], step: line }));
		expect(await Promise.allSettled(all)).toMatchObject([
			{ status: 'fulfilled' },
			{ status: 'rejected', reason: full },
			{ status: 'rejected', reason: full },
		]);
		await expect(stream.emit(said('d'))).rejects.toBe(full);
		await expect(stream.drained()).rejects.toBe(full);
		expect(appended).toBe(2);
		expect(read).toEqual([0]);
	});

	it('ends no process over output that comes after the failure, which nobody waits for', async () => {
		const unhandled: unknown[] = [];
		const note = (error: unknown) => unhandled.push(error);
		process.on('unhandledRejection', note);
		const stream = eventStream({ now, append: () => Promise.reject(failure), readers: [] });
		await expect(stream.emit(said('a'))).rejects.toBe(failure);
		void stream.emit(said('b'));
		await new Promise(resolve => setImmediate(resolve));
		process.off('unhandledRejection', note);
		expect(unhandled).toEqual([]);
	});

	it('tells whoever drains that a reader failed', async () => {
		const stream = eventStream({
			now,
			readers: [
				() => {
					throw failure;
				},
			],
		});
		void stream.emit(said('a')).catch(() => undefined);
		await expect(stream.drained()).rejects.toBe(failure);
	});

	it('is drained only when the last event was appended', async () => {
		let release = (): void => undefined;
		const held = new Promise<void>(resolve => {
			release = resolve;
		});
		let done = false;
		const stream = eventStream({
			now,
			append: async () => {
				await held;
				done = true;
			},
			readers: [],
		});
		void stream.emit(said('a'));
		release();
		await stream.drained();
		expect(done).toBe(true);
	});
});
