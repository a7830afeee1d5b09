import { describe, expect, it } from 'vitest';
import type { Probe } from '../../src/model/probe.ts';
import type { Answers, Question } from '../../src/model/question.ts';
import type { RiskName } from '../../src/model/risk.ts';
import type { ShownAction } from '../../src/model/shown-action.ts';
import { decideFromPrompts, type PromptOptions, readAnswer } from '../../src/prompts/from-prompts.ts';
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
		readonly undo?: PromptOptions['undo'];
		readonly planLines?: PromptOptions['planLines'];
	} = {},
) {
	const typed = [...lines];
	const prompts: string[] = [];
	const said: string[] = [];
	const decider = decideFromPrompts({
		ask: async prompt => {
			prompts.push(prompt);
			return typed.shift() ?? null;
		},
		say: line => said.push(line),
		answers: how.answers ?? {},
		saved: how.saved ?? {},
		risks: how.risks ?? [],
		given: () => how.given ?? {},
		settled: () => new Set(how.settled ?? []),
		...(how.undo !== undefined && { undo: how.undo }),
		...(how.planLines !== undefined && { planLines: how.planLines }),
		undoWith: 'sysbox-setup revert',
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

const base = { id: 'x.y', title: 'T', help: 'H' };
const options = [
	{ value: 'a', label: 'the first' },
	{ value: 'b', label: 'the second' },
];

const place = ' Question 1 of 1 in this step. Then comes its plan, if anything is to change.';

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
		expect(anna.said.slice(4)).toEqual([
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
		expect(shown.prompts[0]).toContain('[no]');
		expect(await person(['N']).answer({ ...confirm, initial: true })).toMatchObject({ value: false });
		const unsure = person(['maybe', 'y']);
		expect(await unsure.answer(confirm)).toMatchObject({ value: true });
		expect(unsure.said.at(-1)).toBe(' must be true or false');
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
		expect(anna.said).toEqual([' that is none of them; type the letter in brackets']);
	});

	it('with risks asks for each one by its name, then for the whole', async () => {
		const anna = person(['restart-docker', ' stop-containers ', 'y']);
		expect(await anna.approve(planWith('restart-docker', 'stop-containers'))).toEqual({
			kind: 'apply',
			risks: ['restart-docker', 'stop-containers'],
		});
		expect(anna.prompts).toHaveLength(3);
	});

	it.each([[['', 'y']], [['y', '', 'y']], [['stop-containers', '', 'y']], [['restart-docker', '', 'y']]])(
		'is skipped unless every risk was typed: %j',
		async lines => {
			const anna = person(lines);
			expect(await anna.approve(planWith('restart-docker', 'stop-containers'))).toEqual({ kind: 'skip' });
			expect(anna.left).toEqual(['y']);
		},
	);

	it('says what a risk means, and that another word is not its name', async () => {
		const anna = person(['restart docker', 'restart-docker', 'y']);
		expect(await anna.approve(planWith('restart-docker'))).toEqual({ kind: 'apply', risks: ['restart-docker'] });
		expect(anna.said).toEqual([
			'',
			' Docker is restarted. Without live-restore every container stops with it.',
			' that is not the name; it is restart-docker',
		]);
		expect(await person(['q']).approve(planWith('restart-docker'))).toEqual({ kind: 'quit' });
	});

	it('is left, not skipped, when the input ends at a risk', async () => {
		expect(await person([]).approve(planWith('restart-docker'))).toEqual({ kind: 'quit' });
	});

	it('does not ask again for a risk that was accepted on the command line', async () => {
		const anna = person([''], { risks: ['restart-docker'] });
		expect(await anna.approve(planWith('restart-docker'))).toEqual({
			kind: 'apply',
			risks: ['restart-docker'],
		});
	});
});

describe('a review of the whole run in plain lines', () => {
	const run = [
		{ id: 'host', n: 1, title: 'Host', kind: 'change', actions: planned.slice(0, 1), asks: 0, assumed: [] },
		{ id: 'ci', n: 5, title: 'CI', kind: 'change', actions: [], asks: 0, assumed: [{ id: 'ci.memory', value: '4g' }] },
	] as const;

	it('tells every step, what is assumed and the way back, and goes on by Enter', async () => {
		const { decider, said, prompts } = person(['']);
		expect(await decider.review?.('host', run, { back: false })).toBe('go-on');
		expect(said).toEqual([
			'',
			' Everything that this run would do. Nothing is done yet, and you are asked again at each step.',
			'  1 Host',
			'    - Install fuse3',
			'  5 CI: nothing to change',
			' taken for what is still to be asked: ci.memory 4g',
			' taken back with: sysbox-setup revert',
		]);
		expect(prompts[0]).not.toContain('[b]ack');
	});

	it('shows each change in full as often as wished, goes back, and is left when the input ends', async () => {
		const planLines: PromptOptions['planLines'] = step => [`all of ${step.id}`];
		const { decider, said, left } = person(['v', 'v', 'b', 'x'], { planLines });
		expect(await decider.review?.('host', run, { back: true })).toBe('back');
		expect(said.filter(line => line === 'all of host')).toHaveLength(2);
		expect(left).toEqual(['x']);
		expect(await person([]).decider.review?.('host', run, { back: true })).toBe('quit');
	});
});

describe('a failure in plain lines', () => {
	it.each([
		[['t'], 'retry'],
		[['g'], 'go-on'],
		[['q'], 'quit'],
		[[''], 'retry'],
		[[], 'quit'],
		[['u', 'q'], 'quit'],
		[['what', 'T'], 'retry'],
	])('%j is %s', async (lines, decision) => {
		const anna = person(lines);
		expect(await anna.onFailure()).toBe(decision);
		expect(anna.left).toEqual([]);
	});

	it('can be answered with the way back, once there is something to take back', async () => {
		const wishes: string[] = [];
		const undo = { changes: () => 2, onAsked: () => wishes.push('undo') };
		const anna = person(['u'], { undo });
		expect(await anna.onFailure()).toBe('quit');
		expect(anna.prompts[0]).toContain('[u]ndo what was done (2)');
		expect(wishes).toEqual(['undo']);
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
