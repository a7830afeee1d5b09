import { describe, expect, it } from 'vitest';
import { answerProblem, initialAnswer, type Question } from '../../src/model/question.ts';
import { isRiskName, riskNames } from '../../src/model/risk.ts';

describe('an answer', () => {
	const base = { id: 'x.y', title: 'x', label: 'Setting', help: 'x' };
	const options = [
		{ value: 'a', label: 'A' },
		{ value: 'b', label: 'B' },
	];
	const noSpace = (value: string) => (value.includes(' ') ? 'must be one word' : undefined);
	const confirm: Question = { ...base, kind: 'confirm' };
	const choice: Question = { ...base, kind: 'choice', options };
	const many: Question = { ...base, kind: 'many', options };
	const text: Question = { ...base, kind: 'text', validate: noSpace };
	const path: Question = { ...base, kind: 'path', wants: 'file', validate: noSpace };
	const number: Question = { ...base, kind: 'number', min: 1, max: 10 };
	const risk: Question = { ...base, kind: 'risk', risk: 'restart-docker' };

	it.each<[string, Question, unknown]>([
		['yes', confirm, true],
		['no', confirm, false],
		['one of the options', choice, 'b'],
		['some of the options', many, ['b', 'a']],
		['none of them', many, []],
		['text', text, 'word'],
		['text that nobody judges', { ...base, kind: 'text' }, ''],
		['a path', path, '/tmp'],
		['the smallest number', number, 1],
		['the largest number', number, 10],
		['a number without bounds', { ...base, kind: 'number' }, -1e9],
		['the name of the risk', risk, 'restart-docker'],
	])('is fine when it is %s', (_what, question, value) => {
		expect(answerProblem(question, value)).toBeUndefined();
	});

	it.each<[Question, unknown, string]>([
		[confirm, 'yes', 'must be true or false'],
		[choice, 'c', 'must be one of: a, b'],
		[choice, ['a'], 'must be one of: a, b'],
		[many, 'a', 'must be a list of: a, b'],
		[many, ['a', 'c', 'd'], 'has no choice called c, d; choose among: a, b'],
		[text, 4, 'must be text'],
		[text, 'two words', 'must be one word'],
		[path, false, 'must be text'],
		[path, 'two words', 'must be one word'],
		[number, '4', 'must be a number'],
		[number, Number.NaN, 'must be a number'],
		[number, Number.POSITIVE_INFINITY, 'must be a number'],
		[number, 0, 'must be at least 1'],
		[number, 11, 'must be at most 10'],
		[risk, 'yes', 'must be the word restart-docker'],
		[risk, true, 'must be the word restart-docker'],
	])('says what is wrong with it (%#)', (question, value, problem) => {
		expect(answerProblem(question, value)).toBe(problem);
	});

	it('is never the default for a risk', () => {
		expect(initialAnswer({ ...confirm, initial: true })).toBe(true);
		expect(initialAnswer(risk)).toBeUndefined();
		expect(initialAnswer(text)).toBeUndefined();
	});

	it('names a risk only by its whole name', () => {
		for (const name of riskNames) expect(isRiskName(name)).toBe(true);
		expect(isRiskName('restart')).toBe(false);
		expect(isRiskName('')).toBe(false);
	});
});
