import { describe, expect, it } from 'vitest';
import type { Place, Question } from '../../src/model/question.ts';
import { bench, down, enter, esc, stepStart } from './support.tsx';

const asked = { id: 'ci.x', title: 'What shall it be?', label: 'Setting', help: 'It changes a file.' };
const ways = { back: true };
const place: Place = { n: 3, of: 8, mayGrow: false, next: 'run' };

async function ask(question: Question, options: Parameters<typeof bench>[0] = {}) {
	const wizard = bench(options);
	await wizard.emit(stepStart('host'));
	const answer = wizard.decider.answer('host', question, ways, place);
	await wizard.sees('What shall it be?');
	return { ...wizard, answer };
}

describe('a question', () => {
	it('says where one is, what it is about and which keys work', async () => {
		const { frame } = await ask({ ...asked, kind: 'confirm', initial: true });
		expect(frame()).toContain('1 of 2 · Host compatibility');
		expect(frame()).toContain('It changes a file.');
		expect(frame()).toContain('Question 3 of 8. Then: the full plan.');
		expect(frame()).toContain('❯ Yes');
		expect(frame()).toContain('b back · v all · ? help · q quit');
	});

	it('takes the shown default with Enter', async () => {
		const { keys, answer } = await ask({ ...asked, kind: 'confirm', initial: false });
		await keys(enter);
		expect(await answer).toEqual({ kind: 'answer', value: false, source: 'default' });
	});

	it('without a default takes nothing with Enter', async () => {
		const { keys, sees, answer } = await ask({ ...asked, kind: 'confirm' });
		await keys(enter);
		await sees('choose one first');
		await keys('y');
		expect(await answer).toMatchObject({ value: true });
	});

	it('is chosen by arrows and by the keys of vi', async () => {
		const options = ['a', 'b', 'c'].map(value => ({ value, label: `Option ${value}`, hint: `does ${value}` }));
		const { keys, sees, answer } = await ask({ ...asked, kind: 'choice', options, initial: 'a' });
		await keys(down, 'j', 'k');
		await sees('❯ Option b');
		await keys(enter);
		expect(await answer).toMatchObject({ value: 'b' });
	});

	it('ticks several with the space bar', async () => {
		const options = ['a', 'b', 'c'].map(value => ({ value, label: `Option ${value}` }));
		const { keys, sees, answer } = await ask({ ...asked, kind: 'many', options, initial: ['a'] });
		await sees('[x] Option a');
		await keys(down, down, ' ');
		await sees('[x] Option c');
		await keys(enter);
		expect(await answer).toMatchObject({ value: ['a', 'c'] });
	});

	it('refuses what does not fit, says why, and keeps what was typed', async () => {
		const validate = (value: string): string | undefined => (value === 'good' ? undefined : 'must be good');
		const { keys, sees, frame, answer } = await ask({ ...asked, kind: 'text', validate });
		await keys('b', 'a', 'd', enter);
		await sees('✖ must be good');
		expect(frame()).toContain('> bad');
		await keys('\u007f', '\u007f', '\u007f', 'good');
		await keys(enter);
		expect(await answer).toMatchObject({ value: 'good' });
	});

	it('splits what came in one piece into its keys', async () => {
		const { keys, answer } = await ask({ ...asked, kind: 'text' });
		await keys('abc\r');
		expect(await answer).toMatchObject({ value: 'abc' });
	});

	it('takes a paste as text, also with line breaks, and never as Enter', async () => {
		const { keys, sees, answer } = await ask({ ...asked, kind: 'text' });
		await keys('\u001b[200~one\ntwo\n\u001b[201~');
		await sees('> one two');
		await keys(enter);
		expect(await answer).toMatchObject({ value: 'one two' });
	});

	it('reads numbers within their bounds', async () => {
		const { keys, sees, answer } = await ask({ ...asked, kind: 'number', min: 1, max: 8, unit: 'CPUs', initial: 4 });
		await sees('4 CPUs');
		await keys('9', enter);
		await sees('must be at most 8');
		await keys('\u007f', '0', ',', '5', enter);
		await sees('must be at least 1');
		await keys('\u0015', enter);
		expect(await answer).toMatchObject({ value: 4 });
	});

	it('completes paths on the host', async () => {
		const { keys, sees, answer } = await ask(
			{ ...asked, kind: 'path', wants: 'folder' },
			{
				directories: {
					'/srv/': [{ name: 'ci', directory: true }],
					'/': [
						{ name: 'srv', directory: true },
						{ name: 'sys', directory: true },
					],
				},
			},
		);
		await keys('/', 's', '\t');
		await sees('srv/   sys/');
		await keys('r', '\t');
		await sees('> /srv/');
		await keys('c', '\t');
		await sees('> /srv/ci/');
		await keys(enter);
		expect(await answer).toMatchObject({ value: '/srv/ci' });
	});

	it('shows stars for a secret and no default', async () => {
		const { keys, sees, frame, answer } = await ask(
			{ ...asked, kind: 'text', secret: true },
			{ decider: { saved: { 'ci.x': 'old' } } },
		);
		await keys('s', '3');
		await sees('> **');
		expect(frame()).not.toContain('old');
		await keys(enter);
		expect(await answer).toMatchObject({ value: 's3' });
	});

	it('goes back with b and with Esc, and quits with q', async () => {
		for (const [key, kind] of [
			['b', 'back'],
			[esc, 'back'],
			['q', 'quit'],
		] as const) {
			const { keys, answer } = await ask({ ...asked, kind: 'confirm', initial: true });
			await keys(key);
			expect((await answer).kind).toBe(kind);
		}
	});

	it('shows what was answered before as the default', async () => {
		const { sees } = await ask({ ...asked, kind: 'number', initial: 1 }, { decider: { saved: { 'ci.x': 7 } } });
		await sees('7   (enter takes it)');
	});

	it('is not asked again in a step that was finished, until somebody goes back', async () => {
		const wizard = bench({ decider: { saved: { 'ci.x': true }, settled: () => new Set(['host']) } });
		await wizard.emit(stepStart('host'));
		const question: Question = { ...asked, kind: 'confirm', initial: false };
		expect(await wizard.decider.answer('host', question, ways, place)).toMatchObject({ value: true, source: 'saved' });
		const again = wizard.decider.answer('host', question, { ...ways, turned: true }, place);
		await wizard.sees('❯ Yes');
		await wizard.keys(enter);
		expect(await again).toMatchObject({ value: true, source: 'saved' });
	});
});
