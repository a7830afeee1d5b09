import { describe, expect, it } from 'vitest';
import type { Event, EventPayload } from '../../src/model/event.ts';
import {
	actionsToRevert,
	changedAnything,
	changesMade,
	initialState,
	type RunState,
	reduce,
	reduceAll,
	reduceBurst,
	stepOf,
} from '../../src/model/state.ts';
import type { UndoRecord } from '../../src/model/undo.ts';

const events = (payloads: readonly EventPayload[], from = 0): Event[] =>
	payloads.map((payload, index) => ({ v: 1, seq: from + index, at: `t${from + index}`, ...payload }) as Event);
const reduced = (...payloads: readonly EventPayload[]): RunState => reduceAll(events(payloads));

const start: EventPayload = {
	type: 'run.start',
	run: 'r1',
	tool: '1.0.0',
	mode: 'run',
	simulated: false,
	host: 'ci-07',
	user: 'anna',
	command: ['--yes'],
};
const resume: EventPayload = { type: 'run.resume', tool: '1.0.1', user: 'ben', command: [] };
const end = (outcome: Extract<EventPayload, { type: 'run.end' }>['outcome']): EventPayload => ({
	type: 'run.end',
	outcome,
	exit: 0,
	changed: true,
	reboot: false,
	open: [],
});
const stepStart = (step: string, kind: 'change' | 'proof' | 'report' = 'change'): EventPayload => ({
	type: 'step.start',
	step,
	title: step,
	kind,
	n: 1,
	of: 2,
});
const file: UndoRecord = { kind: 'file', path: '/a', before: null, after: 'x' };
const intent = (action: string, undo: UndoRecord = file, step = 's'): EventPayload => ({
	type: 'action.intent',
	step,
	action,
	title: action,
	kind: 'write',
	does: `write ${action}`,
	undo,
});
const outcome = (
	action: string,
	what: Extract<EventPayload, { type: 'action.outcome' }>['outcome'],
	step = 's',
): EventPayload => ({ type: 'action.outcome', step, action, outcome: what, ms: 1 });
const said = (line: string): EventPayload => ({ type: 'output', step: 's', action: 'a', stream: 'stdout', line });

describe('lines of output that come at once', () => {
	it('leave the state that they leave one by one, of whichever actions they are', () => {
		const before = reduced(start, stepStart('s'), stepStart('t'), intent('a'), intent('b'), intent('a', file, 't'));
		const others = [
			{ step: 's', action: 'b' },
			{ step: 't', action: 'a' },
			{ step: 't', action: 'unknown' },
		];
		const burst = Array.from({ length: 50 }, (_, n): EventPayload[] => [
			said(`line ${n}`),
			...(n % 4 === 0 ? others.map(other => ({ ...said(`other ${n}`), ...other }) as EventPayload) : []),
			...(n % 20 === 0 ? [{ type: 'progress', step: 's', action: 'a', done: n, unit: 'layers' } as const] : []),
		]).flat();
		for (const length of [0, 1, 3, 11, 12, 13, 40, burst.length]) {
			const some = events(burst.slice(0, length), 6);
			expect(reduceBurst(before, some)).toEqual(some.reduce(reduce, before));
		}
	});
});

describe('a run that goes on', () => {
	it('has not ended, whatever the log said when it was left', () => {
		const left = reduced(start, end('interrupted'));
		expect(left.end?.outcome).toBe('interrupted');
		const on = reduce(left, events([resume], 2)[0] as Event);
		expect(on.end).toBeUndefined();
		expect(on.resumes.map(r => r.user)).toEqual(['ben']);
		expect(on.start).toMatchObject({ run: 'r1', user: 'anna' });
		expect(on).toMatchObject({ lastSeq: 2, lastAt: 't2' });
	});

	it('begins a step anew, behind the others, and forgets what the step had seen', () => {
		const state = reduced(
			stepStart('s'),
			{ type: 'findings', step: 's', when: 'before', findings: [{ id: 'x', severity: 'warn', summary: 'x' }] },
			{ type: 'step.end', step: 's', status: 'failed', why: 'no luck', changed: false, open: ['s'] },
			stepStart('t'),
			stepStart('s'),
		);
		expect(state.steps.map(s => s.id)).toEqual(['t', 's']);
		expect(stepOf(state, 's')).toMatchObject({ status: 'running', before: [], open: [] });
		expect(stepOf(state, 's')?.why).toBeUndefined();
		expect(stepOf(state, 'nobody')).toBeUndefined();
	});

	it('keeps the first observation of a key and the one before the first change beside the last one', () => {
		const saw = (value: number): EventPayload => ({ type: 'observed', step: 's', key: 'containers', value });
		expect(reduced(saw(1), saw(2), intent('a'), saw(3), saw(4)).observed).toEqual({
			containers: {
				first: { at: 't0', value: 1 },
				beforeChanges: { at: 't1', value: 2 },
				last: { at: 't4', value: 4 },
			},
		});
	});
});

describe('an action', () => {
	it('is intended until its outcome is known: that is what a kill leaves', () => {
		expect(reduced(intent('a')).actions[0]).toMatchObject({ id: 'a', outcome: 'intended', seq: 0, at: 't0', tail: [] });
	});

	it('that is tried again is a second one; the outcome belongs to the latest', () => {
		const state = reduced(intent('a'), outcome('a', 'failed'), intent('a'), said('x'), outcome('a', 'done'));
		expect(state.actions.map(a => [a.outcome, a.tail])).toEqual([
			['failed', []],
			['done', ['x']],
		]);
	});

	it('of another step under the same name is another one', () => {
		const state = reduced(intent('a', file, 's'), intent('a', file, 't'), outcome('a', 'done', 's'));
		expect(state.actions.map(a => [a.step, a.outcome])).toEqual([
			['s', 'done'],
			['t', 'intended'],
		]);
	});

	it('keeps the last twelve lines that it printed, and no more', () => {
		const lines = Array.from({ length: 30 }, (_, n) => `line ${n}`);
		expect(reduced(intent('a'), ...lines.map(said)).actions[0]?.tail).toEqual(lines.slice(-12));
		expect(reduced(intent('a'), said('one')).actions[0]?.tail).toEqual(['one']);
	});

	it('carries evidence, failure and progress', () => {
		const failure = { said: 'no', next: ['try'] };
		const state = reduced(
			intent('a'),
			{ type: 'progress', step: 's', action: 'a', done: 5, total: 10, unit: 'bytes' },
			{ type: 'action.outcome', step: 's', action: 'a', outcome: 'failed', ms: 1, evidence: 'seen', failure },
		);
		expect(state.actions[0]).toMatchObject({
			progress: { done: 5, total: 10, unit: 'bytes' },
			evidence: 'seen',
			failure,
		});
	});

	it('that nobody intended changes nothing', () => {
		const state = reduced(outcome('a', 'done'), said('x'));
		expect(state.actions).toEqual([]);
	});
});

describe('a step', () => {
	it('shows its latest findings, plan and decision', () => {
		const state = reduced(
			stepStart('s'),
			{ type: 'findings', step: 's', when: 'before', findings: [{ id: 'x', severity: 'block', summary: 'no' }] },
			{ type: 'plan', step: 's', actions: [], impact: { stops: ['dind'], notes: [] } },
			{ type: 'decision', step: 's', decision: 'apply', risks: ['restart-docker'] },
			{ type: 'findings', step: 's', when: 'after', findings: [{ id: 'x', severity: 'ok', summary: 'yes' }] },
			{ type: 'step.end', step: 's', status: 'done', changed: true, open: [] },
		);
		expect(stepOf(state, 's')).toMatchObject({
			status: 'done',
			before: [{ severity: 'block' }],
			after: [{ severity: 'ok' }],
			plan: { impact: { stops: ['dind'] } },
			decision: { risks: ['restart-docker'] },
		});
	});

	it('has one verdict for each probe, the latest, and knows which probes run', () => {
		const begun = (id: string): EventPayload => ({
			type: 'probe.start',
			step: 's',
			id,
			title: id,
			attempt: 'x',
			n: 1,
			of: 2,
		});
		const verdict = (id: string, what: 'pass' | 'fail'): EventPayload => ({
			type: 'probe',
			step: 's',
			id,
			title: id,
			threats: [],
			verdict: what,
			because: 'x',
			evidence: [],
			ms: 1,
		});
		const state = reduced(stepStart('s', 'proof'), begun('p'), begun('q'), verdict('p', 'fail'), verdict('p', 'pass'));
		expect(stepOf(state, 's')?.probes.map(p => [p.id, p.verdict])).toEqual([['p', 'pass']]);
		expect(stepOf(state, 's')?.runningProbes.map(p => p.id)).toEqual(['q']);
	});
});

describe('answers', () => {
	it('are those given last, and each is remembered with its source', () => {
		const answer = (value: string, source: 'default' | 'operator'): EventPayload => ({
			type: 'answer',
			step: 's',
			id: 's.x',
			value,
			source,
		});
		const state = reduced(answer('a', 'default'), answer('b', 'operator'));
		expect(state.answers).toEqual({ 's.x': 'b' });
		expect(state.answerEvents.map(a => a.source)).toEqual(['default', 'operator']);
	});
});

describe('what revert has to look at', () => {
	it('is everything that was or may have been changed, newest first', () => {
		const state = reduced(
			intent('done'),
			outcome('done', 'done'),
			intent('failed'),
			outcome('failed', 'failed'),
			intent('back'),
			outcome('back', 'rolled-back'),
			intent('cut'),
			outcome('cut', 'interrupted'),
			intent('begun'),
		);
		expect(actionsToRevert(state).map(a => a.id)).toEqual(['begun', 'cut', 'back', 'failed', 'done']);
	});

	it('leaves out what was not done, what has no undo, and what a report wrote', () => {
		const state = reduced(
			stepStart('s'),
			stepStart('record', 'report'),
			intent('refused'),
			outcome('refused', 'refused'),
			intent('manual'),
			outcome('manual', 'manual'),
			intent('reload', { kind: 'none', why: 'only reads' }),
			outcome('reload', 'done'),
			intent('record', file, 'record'),
			outcome('record', 'done', 'record'),
		);
		expect(actionsToRevert(state)).toEqual([]);
	});

	it('leaves out what a later action of the step has taken back itself, once that is done', () => {
		const arm = [intent('arm'), outcome('arm', 'done')];
		const disarm: EventPayload = {
			...intent('disarm', { kind: 'none', why: 'x' }),
			takesBack: ['arm'],
		} as EventPayload;
		const ids = (...more: readonly EventPayload[]) =>
			actionsToRevert(reduced(stepStart('s'), ...arm, ...more)).map(a => a.id);
		expect(ids()).toEqual(['arm']);
		expect(ids(disarm, outcome('disarm', 'failed'))).toEqual(['arm']);
		expect(ids(disarm, outcome('disarm', 'done'))).toEqual([]);
		// Armed anew by a later process: that one stands.
		expect(ids(disarm, outcome('disarm', 'done'), ...arm)).toEqual(['arm']);
	});

	it('a host counts as changed after all but what was refused or left to a person', () => {
		expect(changedAnything(initialState)).toBe(false);
		for (const [what, changed] of [
			['done', true],
			['failed', true],
			['rolled-back', true],
			['interrupted', true],
			['refused', false],
			['manual', false],
		] as const)
			expect(changedAnything(reduced(intent('a'), outcome('a', what))), what).toBe(changed);
		expect(changedAnything(reduced(intent('a')))).toBe(true);
	});
});

describe('what was changed, as a person counts it', () => {
	const none: UndoRecord = { kind: 'none', why: 'x' };
	const ids = (...of: readonly EventPayload[]) => changesMade(reduced(stepStart('s'), ...of)).map(a => a.id);

	it('is what was done and stands, without the record', () => {
		expect(
			ids(
				intent('done'),
				outcome('done', 'done'),
				intent('failed'),
				outcome('failed', 'failed'),
				stepStart('record', 'report'),
				intent('record', file, 'record'),
				outcome('record', 'done', 'record'),
			),
		).toEqual(['done']);
	});

	it('is neither what was taken back nor who took it back', () => {
		const disarm = { ...intent('disarm', none), takesBack: ['arm'] } as EventPayload;
		expect(
			ids(
				intent('arm'),
				outcome('arm', 'done'),
				intent('restart', none),
				outcome('restart', 'done'),
				disarm,
				outcome('disarm', 'done'),
			),
		).toEqual(['restart']);
	});

	it('is not the way back of a change that failed', () => {
		const back = [
			intent('restart', none),
			{ ...intent('restart.start', none), rollbackOf: 'restart' } as EventPayload,
			outcome('restart.start', 'done'),
		];
		expect(ids(...back, outcome('restart', 'rolled-back'))).toEqual([]);
		expect(ids(...back, outcome('restart', 'failed'))).toEqual(['restart.start']);
	});
});

describe('the reducer', () => {
	it('never changes the state that it is given', () => {
		const freeze = (value: unknown): void => {
			if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
			Object.freeze(value);
			Object.values(value).forEach(freeze);
		};
		let state = initialState;
		const all = [start, stepStart('s'), intent('a'), said('x'), outcome('a', 'done'), end('done'), resume];
		for (const event of events(all)) {
			freeze(state);
			state = reduce(state, event);
		}
		expect(state.actions[0]?.outcome).toBe('done');
	});
});
