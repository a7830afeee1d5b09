import { describe, expect, it } from 'vitest';
import type { Answers, Question } from '../../src/core/question.ts';
import type { RiskName } from '../../src/core/risk.ts';
import { decideFromPrompts, readAnswer } from '../../src/decide/from-prompts.ts';
import { noDefault, onward, plain, planWith, riskQuestion } from './deciders.ts';

/** A person who types these lines; after the last one the input has ended. */
function person(
	lines: readonly string[],
	how: { readonly answers?: Answers; readonly saved?: Answers; readonly risks?: readonly RiskName[] } = {},
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
	});
	return { ...onward(decider), prompts, said, left: typed };
}

const base = { id: 'x.y', title: 'T', help: 'H' };
const options = [
	{ value: 'a', label: 'the first' },
	{ value: 'b', label: 'the second' },
];

describe('a question in plain lines', () => {
	it('shows title, help and the default, and Enter takes the default', async () => {
		const anna = person(['']);
		expect(await anna.answer(plain)).toEqual({ kind: 'answer', value: '2g', source: 'default' });
		expect(anna.said).toEqual(['\n Memory', ' Of a job.']);
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
		expect(anna.said.slice(2)).toEqual([
			' must be a number',
			' must be a number',
			' must be at least 1',
			' must be at most 9',
		]);
	});

	it('lists the choices with what they mean', async () => {
		const anna = person(['c', 'b']);
		expect(await anna.answer({ ...base, kind: 'choice', options })).toMatchObject({ value: 'b' });
		expect(anna.said).toEqual(['\n T', ' H', '   a  the first', '   b  the second', ' must be one of: a, b']);
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
		expect(anna.said).toEqual([' y, s or q']);
	});

	it('with risks asks for each one by its name, then for the whole', async () => {
		const anna = person(['restart-docker', ' stop-containers ', 'y']);
		expect(await anna.approve(planWith('restart-docker', 'stop-containers'))).toEqual({
			kind: 'apply',
			risks: ['restart-docker', 'stop-containers'],
		});
		expect(anna.prompts).toHaveLength(3);
	});

	it.each([[['', 'y']], [['y', 'y']], [['stop-containers', 'y']], [['restart-docker', '', 'y']]])(
		'is skipped unless every risk was typed: %j',
		async lines => {
			const anna = person(lines);
			expect(await anna.approve(planWith('restart-docker', 'stop-containers'))).toEqual({ kind: 'skip' });
			expect(anna.left).not.toHaveLength(0);
		},
	);

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

describe('a failure in plain lines', () => {
	it.each([
		[['t'], 'retry'],
		[['g'], 'go-on'],
		[['q'], 'quit'],
		[[''], 'quit'],
		[[], 'quit'],
		[['what', 'T'], 'retry'],
	])('%j is %s', async (lines, decision) => {
		expect(await person(lines).onFailure()).toBe(decision);
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
