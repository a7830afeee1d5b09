import { describe, expect, it } from 'vitest';
import { decideFromAnswers as decide, decideNothing } from '../../src/prompts/from-answers.ts';
import { noDefault, onward, plain, planWith, riskQuestion } from './deciders.ts';

const decideFromAnswers = (options: Parameters<typeof decide>[0]) => onward(decide(options));
const nothing = { answers: {}, saved: {}, risks: [] };

describe('deciding without a person', () => {
	it('takes the answer of the file before the remembered one before the default', async () => {
		const answer = (answers: object, saved: object) =>
			decideFromAnswers({ answers: { ...answers }, saved: { ...saved }, risks: [] }).answer(plain);
		expect(await answer({ 'ci.memory': '8g' }, { 'ci.memory': '4g' })).toEqual({
			kind: 'answer',
			value: '8g',
			source: 'answers',
		});
		expect(await answer({}, { 'ci.memory': '4g' })).toEqual({ kind: 'answer', value: '4g', source: 'saved' });
		expect(await answer({}, {})).toEqual({ kind: 'answer', value: '2g', source: 'default' });
	});

	it('takes a falsy answer for what it is', async () => {
		const decider = decideFromAnswers({ ...nothing, answers: { 'x.y': false, 'x.n': 0, 'x.t': '' } });
		const base = { title: 'x', label: 'Setting', help: 'x' };
		expect(await decider.answer({ ...base, id: 'x.y', kind: 'confirm', initial: true })).toMatchObject({
			value: false,
		});
		expect(await decider.answer({ ...base, id: 'x.n', kind: 'number', initial: 3 })).toMatchObject({ value: 0 });
		expect(await decider.answer({ ...base, id: 'x.t', kind: 'text', initial: 'a' })).toMatchObject({ value: '' });
	});

	it('does not use a remembered answer that no longer fits its question', async () => {
		const decider = decideFromAnswers({ ...nothing, saved: { 'ci.memory': 4 } });
		expect(await decider.answer(plain)).toEqual({ kind: 'answer', value: '2g', source: 'default' });
	});

	it('says that an answer is missing rather than making one up', async () => {
		expect(await decideFromAnswers(nothing).answer(noDefault)).toEqual({ kind: 'missing' });
	});

	it('answers a risk only when it was accepted by name, never from a file or an earlier run', async () => {
		const tempting = { 'docker.restart': 'restart-docker' };
		expect(
			await decideFromAnswers({ answers: tempting, saved: tempting, risks: ['stop-containers'] }).answer(riskQuestion),
		).toEqual({ kind: 'missing' });
		expect(await decideFromAnswers({ ...nothing, risks: ['restart-docker'] }).answer(riskQuestion)).toEqual({
			kind: 'answer',
			value: 'restart-docker',
			source: 'answers',
		});
	});

	it('approves a plan without a risk, and names exactly the risks that are missing', async () => {
		const decider = decideFromAnswers({ ...nothing, risks: ['restart-docker'] });
		expect(await decider.approve(planWith())).toEqual({ kind: 'apply', risks: [] });
		expect(await decider.approve(planWith('restart-docker'))).toEqual({
			kind: 'apply',
			risks: ['restart-docker'],
		});
		expect(await decider.approve(planWith('restart-docker', 'stop-containers'))).toEqual({
			kind: 'refused',
			missing: ['stop-containers'],
		});
	});

	it('tries nothing twice', async () => {
		expect(await decideFromAnswers(nothing).onFailure()).toBe('go-on');
	});
});

describe('deciding for check and plan', () => {
	it('approves nothing, whatever was accepted, and still answers questions', async () => {
		const decider = onward(decideNothing({ answers: { 'ci.memory': '8g' }, saved: {} }));
		expect(await decider.approve(planWith())).toEqual({ kind: 'skip' });
		expect(await decider.answer(plain)).toMatchObject({ value: '8g' });
	});
});
