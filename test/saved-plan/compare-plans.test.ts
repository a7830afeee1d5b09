import { describe, expect, it } from 'vitest';
import { showExactly } from '../../src/actions/show-action.ts';
import type { Action } from '../../src/model/action.ts';
import type { Event, EventPayload } from '../../src/model/event.ts';
import type { ImpactContainer } from '../../src/model/impact.ts';
import { reduceAll } from '../../src/model/state.ts';
import { accountedFor, comparePlans, compareStep, nothingDone } from '../../src/saved-plan/compare-plans.ts';
import { differenceLines } from '../../src/saved-plan/difference-text.ts';
import { exactly, type PlannedStep } from '../../src/saved-plan/saved-plan.ts';

const run = (id: string, more: Partial<Action> = {}): Action =>
	({
		id,
		kind: 'exec',
		title: `Do ${id}`,
		why: 'test',
		argv: ['do', id],
		timeoutMs: 1,
		undo: { kind: 'none', why: 'x' },
		...more,
	}) as Action;

const step = (actions: readonly Action[], impact?: PlannedStep['impact'], id = 's'): PlannedStep => ({
	id,
	title: id,
	actions: actions.map(action => exactly(showExactly(action))),
	...(impact !== undefined && { impact }),
});
const lines = (approved: PlannedStep, now: PlannedStep, accounted = nothingDone): readonly string[] =>
	differenceLines(compareStep(approved, now, accounted));

const container = (id: string, fate: ImpactContainer['fate']): ImpactContainer => ({
	id,
	name: `c-${id}`,
	image: 'img',
	restartPolicy: 'no',
	startedAt: '2026-11-24T00:00:00Z',
	fate,
});
const stopping = (...containers: readonly ImpactContainer[]): PlannedStep['impact'] => ({
	stops: [],
	notes: [],
	containers: containers.map(one => ({ ...one })),
});

describe('a step held to its plan', () => {
	it('is the same with the same actions in the same order', () => {
		expect(lines(step([run('a'), run('b')]), step([run('a'), run('b')]))).toEqual([]);
	});

	it('differs by what is more, less or another, and in the order', () => {
		expect(lines(step([run('a')]), step([run('a'), run('b')]))).toEqual(['s: not in the plan: Do b', '  do b']);
		expect(lines(step([run('a'), run('b')]), step([run('b')]))).toEqual([
			's: in the plan, and not to be done now: Do a',
		]);
		expect(lines(step([run('a')]), step([run('a', { argv: ['do', 'c'] })]))).toEqual([
			's: is another one now: Do a',
			'  - do a',
			'  + do c',
		]);
		expect(lines(step([run('a'), run('b')]), step([run('b'), run('a')]))).toEqual([
			's: the order was a, b, and is b, a',
		]);
		expect(lines(step([run('a')]), step([run('a', { risks: ['restart-docker'] })]))).toEqual([
			's: is another one now: Do a',
			'  - no risk',
			'  + risk restart-docker',
		]);
	});

	it('says so when what differs is a secret', () => {
		const login = (password: string) => step([run('a', { argv: ['docker', 'login', `--password=${password}`] })]);
		const told = lines(login('onesecretword'), login('twosecretword'));
		expect(told.join('\n')).toContain('differs in what is not shown, such as a password');
		expect(told.join('\n')).not.toMatch(/secretword/);
	});

	it('differs when something would stop of which nobody was told, or comes back worse; less is no surprise', () => {
		const a = step([], stopping(container('1', 'comes-back'), container('2', 'comes-back')));
		expect(lines(a, step([], stopping(container('1', 'comes-back'))))).toEqual([]);
		expect(lines(a, step([], stopping(container('3', 'comes-back'))))).toEqual([
			's: would stop now, and was not in the plan: c-3 (img)',
		]);
		expect(lines(a, step([], stopping(container('1', 'is-removed'))))).toHaveLength(1);
		expect(lines(a, step([], stopping(container('4', 'keeps-running'))))).toEqual([]);
		const said = (...stops: string[]): PlannedStep => step([], { stops, notes: [] });
		expect(lines(said('x'), said('x', 'y'))).toEqual(['s: would stop now, and was not in the plan: y']);
	});

	it('has the same way back where both are foreseen, and may have less of one in the middle of a run', () => {
		const brings = (...names: readonly string[]) =>
			step([
				run('a', {
					undo: {
						kind: 'packages',
						changes: { installed: names, removed: [], replaced: [] },
					},
				} as Partial<Action>),
			]);
		const [approved, now] = [brings('sysbox', 'jq'), brings('sysbox')];
		expect(compareStep(approved, now, nothingDone)).toEqual([]);
		expect(differenceLines(compareStep(approved, now, nothingDone, true)).join('\n')).toMatch(/^ {2}- undo: .*jq/m);
	});

	it('may give back what the run took away, which no plan foresees', () => {
		expect(lines(step([run('a')]), step([run('a'), run('b', { givesBack: true })]))).toEqual([]);
		const other = step([run('a', { givesBack: true, argv: ['do', 'c'] })]);
		expect(lines(step([run('a')]), other)).toHaveLength(3);
	});

	it('names steps that only one of both has', () => {
		const told = differenceLines(
			comparePlans([step([], undefined, 'a')], [step([], undefined, 'b')], () => nothingDone, true),
		);
		expect(told).toEqual([
			'a: is in the plan, and not part of this run; pass the same --only, --skip and --from',
			'b: is not in the plan; pass the same --only, --skip and --from',
		]);
	});

	it('prints no character that a terminal would obey, whoever wrote the file', () => {
		const approved = step([run('a')]);
		const forged = { ...approved, actions: approved.actions.map(a => ({ ...a, title: 'x\u001b[2J\ny' })) };
		expect(lines(forged, step([]))).toEqual(['s: in the plan, and not to be done now: x<U+001B>[2J<U+000A>y']);
	});
});

describe('a run that goes on', () => {
	const digest = 'd'.repeat(64);
	const plan = step([run('a'), run('b'), run('c'), run('d')]);
	const intent = (id: string, of = 's'): EventPayload => ({
		type: 'action.intent',
		step: of,
		action: id,
		title: id,
		kind: 'exec',
		does: `do ${id}`,
		undo: { kind: 'none', why: 'x' },
	});
	const outcome = (id: string, came: 'done' | 'rolled-back' | 'interrupted'): EventPayload => ({
		type: 'action.outcome',
		step: 's',
		action: id,
		outcome: came,
		ms: 1,
	});
	const start = (held: boolean): EventPayload => ({
		type: 'run.start',
		run: 'r',
		tool: '1.0.0',
		mode: 'run',
		simulated: false,
		host: 'h',
		user: 'u',
		command: [],
		...(held && { plan: { file: 'p.json', digest } }),
	});
	const left = (payloads: readonly EventPayload[], now: readonly string[]): readonly string[] => {
		const state = reduceAll(payloads.map((payload, seq) => ({ v: 1, seq, at: '', ...payload }) as Event));
		return lines(plan, step(now.map(id => run(id))), accountedFor(state, plan, digest));
	};

	it('has done what the log says, and does not do it again', () => {
		const log = [start(true), intent('a'), outcome('a', 'done')];
		expect(left(log, ['b', 'c', 'd'])).toEqual([]);
		expect(left(log, ['a', 'b', 'c', 'd'])[0]).toBe('s: to be done a second time: Do a');
	});

	it('may have done what was cut off, and has not done what was taken back', () => {
		const log = [start(true), intent('a'), outcome('a', 'interrupted'), intent('b'), outcome('b', 'rolled-back')];
		expect(left(log, ['a', 'b', 'c', 'd'])).toEqual([]);
		expect(left(log, ['b', 'c', 'd'])).toEqual([]);
		expect(left(log, ['c', 'd'])).toEqual(['s: in the plan, and not to be done now: Do b']);
	});

	it('does anew what the way back of a later action took back', () => {
		const wayBack = { ...intent('b.no-a'), takesBack: ['a'] } as EventPayload;
		const log = [start(true), intent('a'), outcome('a', 'done'), intent('b'), wayBack, outcome('b.no-a', 'done')];
		expect(left([...log, outcome('b', 'rolled-back')], ['a', 'b', 'c', 'd'])).toEqual([]);
	});

	it('need not do what an earlier step has done to the word', () => {
		expect(left([start(true), intent('a', 'other')], ['b', 'c', 'd'])).toEqual([]);
	});

	it('counts nothing that was done before it was held to the plan', () => {
		const log = [start(false), intent('a'), outcome('a', 'done')];
		expect(left(log, ['b', 'c', 'd'])).toHaveLength(1);
		const resume: EventPayload = {
			type: 'run.resume',
			tool: '1.0.0',
			user: 'u',
			command: [],
			plan: { file: 'p.json', digest },
		};
		expect(left([...log, resume], ['b', 'c', 'd'])).toHaveLength(1);
	});
});
