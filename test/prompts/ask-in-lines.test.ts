import { describe, expect, it } from 'vitest';
import type { Event } from '../../src/model/event.ts';
import type { Probe } from '../../src/model/probe.ts';
import type { Answers, Question } from '../../src/model/question.ts';
import type { Setting } from '../../src/model/review.ts';
import type { RiskName } from '../../src/model/risk.ts';
import type { ShownAction } from '../../src/model/shown-action.ts';
import { initialState, type RunState, reduceAll } from '../../src/model/state.ts';
import { askInLines, type LineOptions } from '../../src/prompts/ask-in-lines.ts';
import { decideByAsking } from '../../src/prompts/decide-by-asking.ts';
import type { NumberedStep } from '../../src/prompts/needed-by.ts';
import { readAnswer } from '../../src/prompts/question-decision.ts';
import { noDefault, onlyQuestion, onward, plain, planWith, riskQuestion } from './deciders.ts';

/** A person who types these lines; after the last one the input has ended. */
function person(
	lines: readonly string[],
	how: {
		readonly answers?: Answers;
		readonly saved?: Answers;
		readonly risks?: readonly RiskName[];
		readonly given?: Answers;
		readonly settled?: readonly string[];
		readonly run?: RunState;
		readonly onUndo?: () => void;
		readonly planLines?: LineOptions['planLines'];
		readonly steps?: readonly NumberedStep[];
	} = {},
) {
	const typed = [...lines];
	const prompts: string[] = [];
	const said: string[] = [];
	const risks = how.risks ?? [];
	const asker = askInLines({
		ask: async prompt => {
			prompts.push(prompt);
			return typed.shift() ?? null;
		},
		say: line => said.push(line),
		risks,
		planLines: how.planLines ?? (() => []),
		command: 'sysbox-setup',
	});
	const run = { ...(how.run ?? initialState), answers: how.given ?? {} };
	const decider = decideByAsking(asker, {
		answers: how.answers ?? {},
		saved: how.saved ?? {},
		risks,
		settled: () => new Set(how.settled ?? []),
		onUndo: how.onUndo,
		around: () => ({ run, steps: how.steps ?? [], mode: 'run', command: 'sysbox-setup' }),
	});
	return {
		...onward(decider),
		decider,
		onBlocked: (back: boolean) => decider.onBlocked?.('step', [], { back }),
		beforeProbes: () =>
			decider.beforeProbes?.(
				'step',
				{ probes: [probe], leftOut: [], announced: ['An EDR will see it.'] },
				{ back: false },
			),
		prompts,
		said,
		left: typed,
	};
}

const probe = {
	id: 'p',
	title: 'Load a module',
	attempt: 'asks the kernel for one',
	threats: ['escape'],
	expectation: 'x',
} as unknown as Probe;

const planned = [
	{ id: 'a', kind: 'exec', title: 'Install fuse3', why: 'x', does: 'apt-get install fuse3', undo: 'x' },
] as const satisfies readonly ShownAction[];

const base = { id: 'x.y', title: 'T', label: 'Setting', help: 'H' };
const options = [
	{ value: 'a', label: 'the first' },
	{ value: 'b', label: 'the second' },
];

/** A run that has made one change. */
const changed = reduceAll(
	(
		[
			{ type: 'step.start', step: 'step', title: 'Step', kind: 'change', n: 1, of: 1 },
			{
				type: 'action.intent',
				step: 'step',
				action: 'a',
				title: 'A',
				kind: 'exec',
				does: 'x',
				undo: { kind: 'folder', path: '/x' },
			},
			{ type: 'action.outcome', step: 'step', action: 'a', outcome: 'done', ms: 1 },
		] as const
	).map((event, seq) => ({ v: 2, seq, at: '2026-11-24T10:00:00Z', ...event })),
);

const place = " Last question of this step. Next: this step's plan, if it has changes.";

describe('a question in plain lines', () => {
	it('shows title, help and the default, and Enter takes the default', async () => {
		const anna = person(['']);
		expect(await anna.answer(plain)).toEqual({ kind: 'answer', value: '2g', source: 'default' });
		expect(anna.said).toEqual(['', ' Memory', ' Of a job.', place]);
		expect(anna.prompts).toEqual([' ci.memory [2g] (q quits) > ']);
	});

	it('shows what the answers file or an interrupted run says instead, and Enter takes that for what it is', async () => {
		const given = person([''], { answers: { 'ci.memory': '8g' }, saved: { 'ci.memory': '4g' } });
		expect(await given.answer(plain)).toEqual({ kind: 'answer', value: '8g', source: 'answers' });
		const saved = person([''], { saved: { 'ci.memory': '4g' } });
		expect(await saved.answer(plain)).toEqual({ kind: 'answer', value: '4g', source: 'saved' });
		expect(saved.prompts[0]).toContain('[4g]');
		const unfit = person([''], { saved: { 'ci.memory': true } });
		expect(await unfit.answer(plain)).toEqual({ kind: 'answer', value: '2g', source: 'default' });
	});

	it('takes what is typed, without the blanks around it', async () => {
		expect(await person(['  8g ']).answer(plain)).toEqual({ kind: 'answer', value: '8g', source: 'operator' });
	});

	it('says what is wrong and asks again until it is right', async () => {
		const number: Question = { ...base, kind: 'number', min: 1, max: 9 };
		const anna = person(['', 'many', '0', '10', '5']);
		expect(await anna.answer(number)).toEqual({ kind: 'answer', value: 5, source: 'operator' });
		expect(anna.said.slice(5)).toEqual([
			' must be a number',
			' must be a number',
			' must be at least 1',
			' must be at most 9',
		]);
	});

	it('lists the choices with what they mean', async () => {
		const anna = person(['c', 'b']);
		expect(await anna.answer({ ...base, kind: 'choice', options })).toMatchObject({ value: 'b' });
		expect(anna.said).toEqual(['', ' T', ' H', place, '   a  the first', '   b  the second', ' must be one of: a, b']);
	});

	it('reads several choices by comma or blank, and "none"', async () => {
		const many: Question = { ...base, kind: 'many', options, initial: ['a'] };
		const shown = person(['b, a']);
		expect(await shown.answer(many)).toMatchObject({ value: ['b', 'a'] });
		expect(shown.prompts[0]).toContain('[a]');
		expect(await person(['a b']).answer(many)).toMatchObject({ value: ['a', 'b'] });
		expect(await person(['none']).answer(many)).toMatchObject({ value: [] });
		expect(await person(['']).answer(many)).toMatchObject({ value: ['a'], source: 'default' });
	});

	it('reads yes and no in any case, and nothing else for them', async () => {
		const confirm: Question = { ...base, kind: 'confirm', initial: false };
		const shown = person(['Yes']);
		expect(await shown.answer(confirm)).toMatchObject({ value: true });
		expect(shown.prompts).toEqual([' x.y [y]es, [n]o (Enter), [q]uit > ']);
		expect(await person(['N']).answer({ ...confirm, initial: true })).toMatchObject({ value: false });
		const unsure = person(['maybe', 'y']);
		expect(await unsure.answer(confirm)).toMatchObject({ value: true });
		expect(unsure.said.at(-1)).toBe(' Type one of the letters in brackets.');
	});

	it('takes a risk only by its name: Enter and yes are no answer', async () => {
		const tempting = { 'docker.restart': 'restart-docker' };
		const anna = person(['', 'yes', 'y', 'restart-docker'], { saved: tempting, answers: tempting });
		const decision = await anna.answer(riskQuestion);
		expect(anna.left).toEqual([]);
		expect(anna.prompts[0]).toBe(' docker.restart (q quits) > ');
		expect(await person([], { risks: ['restart-docker'] }).answer(riskQuestion)).toMatchObject({
			value: 'restart-docker',
		});
		expect(decision).toEqual({ kind: 'answer', value: 'restart-docker', source: 'operator' });
	});

	it('can be left with q, and is left when the input ends', async () => {
		expect(await person(['q']).answer(plain)).toEqual({ kind: 'quit' });
		expect(await person([]).answer(noDefault)).toEqual({ kind: 'quit' });
	});
});

describe('a plan in plain lines', () => {
	it.each([
		['', { kind: 'apply', risks: [] }],
		['y', { kind: 'apply', risks: [] }],
		['YES', { kind: 'apply', risks: [] }],
		['s', { kind: 'skip' }],
		['skip', { kind: 'skip' }],
		['q', { kind: 'quit' }],
	])('is decided by %j', async (line, decision) => {
		expect(await person([line]).approve(planWith())).toEqual(decision);
	});

	it('is left when the input ends, and asked again after another word', async () => {
		expect(await person([]).approve(planWith())).toEqual({ kind: 'quit' });
		const anna = person(['sure', 'y']);
		expect(await anna.approve(planWith())).toEqual({ kind: 'apply', risks: [] });
		expect(anna.said.at(-1)).toBe(' Type one of the letters in brackets.');
	});

	it('with risks is decided first, and then each one is asked for by its name', async () => {
		const anna = person(['y', 'restart-docker', ' stop-containers ']);
		expect(await anna.approve(planWith('restart-docker', 'stop-containers'))).toEqual({
			kind: 'apply',
			risks: ['restart-docker', 'stop-containers'],
		});
		expect(anna.prompts).toEqual([
			' do it? [s]kip, leave it as it is (Enter), [y]es, do it: type restart-docker, stop-containers, [q]uit > ',
			' to accept it, type  restart-docker  (Enter or b goes back, q quits) > ',
			' to accept it, type  stop-containers  (Enter or b goes back, q quits) > ',
		]);
	});

	it('with a risk leads back by Enter, where somebody may only have changed their mind', async () => {
		const anna = person(['']);
		expect(await anna.decider.approve('step', planWith('restart-docker'), [], { back: true })).toEqual({
			kind: 'back',
		});
		expect(anna.prompts[0]).toContain('go [b]ack (Enter), [y]es, do it: type restart-docker, [s]kip this step, [q]uit');
	});

	it('says which steps fall away with it', async () => {
		const steps = [
			{ id: 'step', n: 4, needs: [] },
			{ id: 'ci', n: 5, needs: ['step'] },
			{ id: 'functional', n: 6, needs: ['ci'] },
		];
		const anna = person(['s'], { steps });
		await anna.approve(planWith());
		expect(anna.prompts[0]).toContain('[s]kip this step with 5 and 6');
		const blocked = person(['g'], { steps });
		await blocked.onBlocked(false);
		expect(blocked.prompts[0]).toContain('[g]o on without this step and 5 and 6, which need it');
	});

	it.each([
		[['y', '', 's', 'y']],
		[['y', 'restart-docker', '', 's', 'y']],
		[['y', 'stop-containers', '', '', 'y']],
		[['', 'y']],
	])('is shown again, and done only when every risk was typed: %j', async lines => {
		const anna = person(lines);
		expect(await anna.approve(planWith('restart-docker', 'stop-containers'))).toEqual({ kind: 'skip' });
		expect(anna.left).toEqual(['y']);
	});

	it('says what a risk means, and that another word is not its name', async () => {
		const anna = person(['y', 'restart docker', 'restart-docker']);
		expect(await anna.approve(planWith('restart-docker'))).toEqual({ kind: 'apply', risks: ['restart-docker'] });
		expect(anna.said.slice(-2)).toEqual([
			' Docker is restarted. Without live-restore every container stops with it.',
			' that is not the name; it is restart-docker',
		]);
		expect(await person(['y', 'q']).approve(planWith('restart-docker'))).toEqual({ kind: 'quit' });
	});

	it('is left, not skipped, when the input ends at a risk', async () => {
		expect(await person(['y']).approve(planWith('restart-docker'))).toEqual({ kind: 'quit' });
	});

	it('does not ask again for a risk that was accepted on the command line', async () => {
		const anna = person([''], { risks: ['restart-docker'] });
		expect(await anna.approve(planWith('restart-docker'))).toEqual({
			kind: 'apply',
			risks: ['restart-docker'],
		});
	});
});

describe('the settings of a run in plain lines', () => {
	const settings: readonly Setting[] = [
		{ step: 'ci', question: plain, value: '2g', source: 'default' },
		{ step: 'record', question: noDefault, value: undefined, source: undefined },
	];
	const settled = settings.slice(0, 1);

	it('are listed with their values, and taken as they are by Enter', async () => {
		const { decider, said, prompts } = person(['']);
		expect(await decider.settings?.(settled)).toEqual({ kind: 'go-on' });
		expect(said).toContain('   ci.memory  Memory: 2g (default)');
		expect(prompts).toEqual([' setting to change, or continue [continue] (q quits) > ']);
	});

	it('are changed by name, and one that is given its old value is no change', async () => {
		expect(await person(['ci.memory', '4g']).decider.settings?.(settled)).toEqual({
			kind: 'changed',
			answers: { 'ci.memory': '4g' },
		});
		const { decider, left } = person(['ci.memory', '', 'ci.memory', 'b', 'one-by-one', 'x']);
		expect(await decider.settings?.(settled)).toEqual({ kind: 'one-by-one' });
		expect(left).toEqual(['x']);
	});

	it('are not gone on from while one needs an answer, or with a name that is none', async () => {
		const { decider, said, prompts } = person(['continue', 'memory', '', 'anna']);
		expect(await decider.settings?.(settings)).toEqual({ kind: 'changed', answers: { 'record.owner': 'anna' } });
		expect(prompts[0]).toContain('[record.owner]');
		expect(said).toContain(' record.owner needs an answer');
		expect(said).toContain(' Type the name of a setting, or continue.');
		expect(await person([]).decider.settings?.(settings)).toEqual({ kind: 'quit' });
	});
});

describe('a review of the whole run in plain lines', () => {
	const run = [
		{ id: 'host', n: 1, title: 'Host', kind: 'change', actions: planned.slice(0, 1), asks: 0, assumed: [] },
		{ id: 'ci', n: 5, title: 'CI', kind: 'change', actions: [], asks: 0, assumed: [{ id: 'ci.memory', value: '4g' }] },
	] as const;

	it('tells every step, what is assumed and the way back, and goes on by Enter', async () => {
		const { decider, said, prompts } = person(['']);
		expect(await decider.review?.(run, { back: false })).toEqual({ kind: 'apply', risks: [] });
		expect(said).toEqual([
			'',
			' Review: the whole run',
			' 1 change to this host. Nothing is done yet.',
			'  1 Host',
			'    - Install fuse3',
			'  5 CI: nothing to change',
			' taken for what is still to be asked: ci.memory 4g',
			' Revert with:  sysbox-setup revert',
		]);
		expect(prompts[0]).not.toContain('[b]ack');
	});

	it('shows each change in full as often as wished, goes back, and is left when the input ends', async () => {
		const planLines: LineOptions['planLines'] = step => [`all of ${step.id}`];
		const { decider, said, left } = person(['v', 'v', 'b', 'x'], { planLines });
		expect(await decider.review?.(run, { back: true })).toEqual({ kind: 'back' });
		expect(said.filter(line => line === 'all of host')).toHaveLength(2);
		expect(left).toEqual(['x']);
		expect(await person([]).decider.review?.(run, { back: true })).toEqual({ kind: 'quit' });
	});
});

describe('a failure in plain lines', () => {
	it.each([
		[['t'], 'retry'],
		[['g'], 'go-on'],
		[['q'], 'quit'],
		[[''], 'retry'],
		[[], 'quit'],
		[['r', 'q'], 'quit'],
		[['what', 'T'], 'retry'],
	])('%j is %s', async (lines, decision) => {
		const anna = person(lines);
		expect(await anna.onFailure()).toBe(decision);
		expect(anna.left).toEqual([]);
	});

	it('can be answered with the way back, once there is something to revert', async () => {
		const wishes: string[] = [];
		const anna = person(['r'], { run: changed, onUndo: () => wishes.push('undo') });
		expect(await anna.onFailure()).toBe('quit');
		expect(anna.prompts[0]).toContain('[r]evert what was done (1 change)');
		expect(wishes).toEqual(['undo']);
		const nowhere = person(['r', 'q'], { run: changed });
		await nowhere.onFailure();
		expect(nowhere.prompts[0]).not.toContain('[r]evert');
	});
});

describe('a step that is blocked, in plain lines', () => {
	it.each([
		[[''], 'look-again'],
		[['l'], 'look-again'],
		[['g'], 'go-on'],
		[['b'], 'back'],
		[['x', 'q'], 'quit'],
		[[], 'quit'],
	])('%j is %s', async (lines, decision) => {
		expect(await person(lines).onBlocked(true)).toBe(decision);
	});

	it('has no way back where nothing lies behind it', async () => {
		const anna = person(['b', 'q']);
		expect(await anna.onBlocked(false)).toBe('quit');
		expect(anna.prompts[0]).not.toContain('[b]ack');
	});
});

describe('a proof in plain lines', () => {
	it('is announced, and started by Enter', async () => {
		const anna = person(['']);
		expect(await anna.beforeProbes()).toBe('run');
		expect(anna.said.join('\n')).toContain('Load a module: asks the kernel for one');
		expect(anna.said.join('\n')).toContain('EDR');
		expect(await person(['s']).beforeProbes()).toBe('skip');
		expect(await person([]).beforeProbes()).toBe('quit');
	});

	it('tells what got through, and can be left there', async () => {
		const run = reduceAll(
			[
				{ type: 'step.start', step: 'step', title: 'Step', kind: 'proof', n: 1, of: 1 },
				{
					type: 'probe',
					step: 'step',
					id: 'p',
					title: 'P',
					threats: [],
					verdict: 'fail',
					because: 'x',
					evidence: [],
					ms: 1,
				},
			].map((event, seq) => ({ v: 2, seq, at: '2026-11-24T10:00:00.000Z', ...event })) as readonly Event[],
		);
		const anna = person([''], { run });
		expect(await anna.decider.afterProbes?.('step')).toBe('go-on');
		expect(anna.said.join('\n')).toContain('The throw-away containers are gone.');
		expect(anna.prompts).toEqual([' go on? [g]o on (Enter), save and [q]uit > ']);
		expect(await person(['q'], { run }).decider.afterProbes?.('step')).toBe('quit');
		expect(await person([], { run }).decider.afterProbes?.('step')).toBe('quit');
	});
});

describe('going back in plain lines', () => {
	it('is offered where it leads somewhere, and asks again with what was answered', async () => {
		const anna = person(['b', ''], { given: { 'ci.memory': '6g' } });
		expect(await anna.decider.answer('ci', plain, { back: true }, onlyQuestion)).toEqual({ kind: 'back' });
		expect(await anna.decider.answer('ci', plain, { back: false }, onlyQuestion)).toMatchObject({ value: '6g' });
		expect(anna.prompts).toEqual([' ci.memory [6g] (b back, q quits) > ', ' ci.memory [6g] (q quits) > ']);
	});

	it('takes saved answers of finished steps unasked, until somebody goes back', async () => {
		const saved = { 'ci.memory': '4g', 'ci.cpus': '2', 'record.owner': 'anna' };
		const anna = person(['b', ''], { saved, settled: ['ci'] });
		const cpus = { ...plain, id: 'ci.cpus' };
		expect(await anna.decider.answer('ci', plain, { back: true }, onlyQuestion)).toMatchObject({
			value: '4g',
			source: 'saved',
		});
		expect(await anna.decider.answer('record', noDefault, { back: true }, onlyQuestion)).toEqual({ kind: 'back' });
		expect(await anna.decider.answer('ci', cpus, { back: true, turned: true }, onlyQuestion)).toMatchObject({
			value: '2',
			source: 'saved',
		});
		expect(anna.prompts).toHaveLength(2);
	});
});

describe('what was typed', () => {
	it('is a value of the kind of its question, or none', () => {
		expect(readAnswer({ ...base, kind: 'number' }, '')).toBeUndefined();
		expect(readAnswer({ ...base, kind: 'number' }, '1.5')).toBe(1.5);
		expect(readAnswer({ ...base, kind: 'confirm' }, 'x')).toBeUndefined();
		expect(readAnswer({ ...base, kind: 'path', wants: 'file' }, '/a b')).toBe('/a b');
		expect(readAnswer(riskQuestion, 'x')).toBe('x');
	});
});
