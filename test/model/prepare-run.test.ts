import { describe, expect, it } from 'vitest';
import type { Action } from '../../src/model/action.ts';
import type { Decider, PlanDecision, ReviewDecision, SettingsDecision } from '../../src/model/decider.ts';
import type { Question } from '../../src/model/question.ts';
import type { PreviewedStep } from '../../src/model/review.ts';
import type { RiskName } from '../../src/model/risk.ts';
import { changeStep, type Step } from '../../src/model/step.ts';
import { decideFromAnswers } from '../../src/prompts/from-answers.ts';
import { engineRun } from '../support/engine-run.ts';
import { tinyHost } from '../support/tiny-host.ts';

const write = (path: string, text: string, risk?: RiskName): Action =>
	({
		id: 'write',
		kind: 'write',
		title: `Write ${text} to ${path}`,
		why: 'test',
		path,
		bytes: new TextEncoder().encode(text),
		mode: 0o644,
		expect: { kind: 'missing' },
		...(risk !== undefined && { risks: [risk] }),
	}) as unknown as Action;

/** Asks for a text and wants a file to hold it. */
function writes(
	id: string,
	extra: { needs?: string[]; risk?: RiskName; alone?: true; initial?: string | null; blocked?: boolean } = {},
): Step {
	const path = `/${id}`;
	const initial = extra.initial === null ? undefined : (extra.initial ?? 'x');
	const question: Question = {
		id: `${id}.text`,
		kind: 'text',
		label: `Text of ${id}`,
		title: 'Which text?',
		help: 'It is written.',
		alone: extra.alone,
		initial,
	};
	return changeStep<string | undefined>({
		id,
		title: `Step ${id}`,
		why: 'test',
		needs: extra.needs ?? [],
		answerIds: [question.id],
		async inspect({ host }) {
			const file = await host.readFile(path);
			return file.kind === 'bytes' ? new TextDecoder().decode(file.bytes) : undefined;
		},
		judge: () =>
			extra.blocked === true ? [{ id: 'host.old', severity: 'block', summary: 'too old', breaks: true }] : [],
		ask: answers => (answers[question.id] === undefined ? [question] : []),
		plan(now, { answers }) {
			const text = String(answers[question.id] ?? '');
			if (now === text) return { actions: [] };
			return { actions: [write(path, text, extra.risk)] };
		},
	});
}

/** A person who decides as listed, and takes what is offered where nothing is listed. */
function person(listed: {
	readonly settings?: readonly SettingsDecision[];
	readonly review?: readonly ReviewDecision[];
	readonly approve?: readonly PlanDecision[];
	readonly onReview?: () => void;
}) {
	const told: string[] = [];
	const settings = [...(listed.settings ?? [])];
	const reviews = [...(listed.review ?? [])];
	const plans = [...(listed.approve ?? [])];
	const unattended = decideFromAnswers({ answers: {}, saved: {}, risks: [] });
	const say = (run: readonly PreviewedStep[]): string =>
		run
			.flatMap(({ actions }) => actions)
			.map(({ title }) => title)
			.join(', ');
	const decider: Decider = {
		...unattended,
		async answer(step, question, ways, place) {
			told.push(`asks ${question.id}`);
			return unattended.answer(step, question, ways, place);
		},
		async settings(shown) {
			const rows = shown.map(({ question, value, source }) => `${question.id}=${String(value)} ${source}`);
			told.push(`settings ${rows.join(', ')}`);
			return settings.shift() ?? { kind: 'go-on' };
		},
		async review(run) {
			told.push(`review ${say(run)}`);
			listed.onReview?.();
			return reviews.shift() ?? { kind: 'apply', risks: [] };
		},
		async approve(_step, { actions }, _findings, { agreed }) {
			if (agreed !== undefined) return { kind: 'apply', risks: agreed };
			told.push(`plan ${actions.map(({ title }) => title).join(', ')}`);
			return plans.shift() ?? { kind: 'apply', risks: actions.flatMap(({ risks = [] }) => risks) };
		},
	};
	return { decider, told };
}

const files = (): Map<string, string> => new Map();

describe('the settings of a run', () => {
	it('are shown once, with what would be taken, and nothing of them is asked again', async () => {
		const { decider, told } = person({});
		const host = files();
		const { end, events } = await engineRun([writes('a'), writes('b', { needs: ['a'] })], tinyHost(host), {
			decider,
			ahead: true,
		});
		expect(end.exit).toBe(0);
		expect(told).toEqual(['settings a.text=x default, b.text=x default', 'review Write x to /a, Write x to /b']);
		expect(Object.fromEntries(host)).toEqual({ '/a': 'x', '/b': 'x' });
		expect(events.flatMap(e => (e.type === 'answer' ? [`${e.id} ${e.source}`] : []))).toEqual([
			'a.text default',
			'b.text default',
		]);
		expect(events.flatMap(e => (e.type === 'decision' ? [e.decision] : []))).toEqual(['apply', 'apply']);
	});

	it('are foreseen again with one that was changed, and kept as the operator’s', async () => {
		const { decider, told } = person({ settings: [{ kind: 'changed', answers: { 'b.text': 'y' } }] });
		const host = files();
		const { events } = await engineRun([writes('a'), writes('b')], tinyHost(host), { decider, ahead: true });
		expect(told).toEqual([
			'settings a.text=x default, b.text=x default',
			'settings a.text=x default, b.text=y operator',
			'review Write x to /a, Write y to /b',
		]);
		expect(host.get('/b')).toBe('y');
		expect(events.flatMap(e => (e.type === 'answer' ? [`${e.id} ${e.source}`] : []))).toContain('b.text operator');
	});

	it('lack what has no default, and the run is foreseen behind it once it is there', async () => {
		const { decider, told } = person({ settings: [{ kind: 'changed', answers: { 'a.text': 'y' } }] });
		const steps = [writes('a', { initial: null }), writes('b')];
		await engineRun(steps, tinyHost(files()), { decider, ahead: true });
		expect(told).toEqual([
			'settings a.text=undefined undefined',
			'settings a.text=y operator, b.text=x default',
			'review Write y to /a, Write x to /b',
		]);
	});

	it('do not hold what stops something: that is asked in its step', async () => {
		const { decider, told } = person({});
		const steps = [writes('a'), writes('b', { alone: true })];
		await engineRun(steps, tinyHost(files()), { decider, ahead: true });
		expect(told).toEqual(['settings a.text=x default', 'review Write x to /a, Write x to /b', 'asks b.text']);
	});

	it('can be asked one by one, with the review before the first plan', async () => {
		const { decider, told } = person({
			settings: [{ kind: 'one-by-one' }],
			review: [{ kind: 'go-on' }],
		});
		await engineRun([writes('a'), writes('b')], tinyHost(files()), { decider, ahead: true });
		expect(told.slice(1)).toEqual([
			'asks a.text',
			'review Write x to /a, Write x to /b',
			'plan Write x to /a',
			'asks b.text',
			'plan Write x to /b',
		]);
	});

	it('are not shown for a host on which the run cannot go on, nor for one step', async () => {
		const { decider, told } = person({});
		await engineRun([writes('a', { blocked: true }), writes('b')], tinyHost(files()), { decider, ahead: true });
		expect(told.join()).not.toContain('settings');
		const one = person({});
		await engineRun([writes('a')], tinyHost(files()), { decider: one.decider, ahead: true });
		expect(one.told).toEqual(['asks a.text', 'plan Write x to /a']);
	});

	it('are left alone where nothing is to be changed, until somebody goes back to them', async () => {
		const host = new Map([
			['/a', 'x'],
			['/b', 'x'],
		]);
		const { decider, told } = person({ review: [{ kind: 'back' }] });
		const { end } = await engineRun([writes('a'), writes('b')], tinyHost(host), { decider, ahead: true });
		expect(end).toMatchObject({ exit: 0, changed: false });
		expect(told).toEqual(['review ', 'settings a.text=x default, b.text=x default', 'review ']);
	});

	it('end the run before anything is looked at in a step when it is left there', async () => {
		const { decider } = person({ settings: [{ kind: 'quit' }] });
		const host = files();
		const { end, events } = await engineRun([writes('a'), writes('b')], tinyHost(host), { decider, ahead: true });
		expect(end).toMatchObject({ exit: 4, changed: false, work: [{ step: 'a' }] });
		expect(events.map(({ type }) => type)).toEqual(['run.start']);
		expect(host.size).toBe(0);
	});
});

describe('what was agreed to in the review', () => {
	it('covers no risk that was not accepted by its name', async () => {
		const { decider, told } = person({});
		const steps = [writes('a'), writes('b', { risk: 'restart-docker' })];
		await engineRun(steps, tinyHost(files()), { decider, ahead: true });
		expect(told.slice(2)).toEqual(['plan Write x to /b']);
		const accepted = person({ review: [{ kind: 'apply', risks: ['restart-docker'] }] });
		await engineRun(steps, tinyHost(files()), { decider: accepted.decider, ahead: true });
		expect(accepted.told.slice(2)).toEqual([]);
	});

	it('covers no plan but the one that was shown', async () => {
		const host = files();
		const { decider, told } = person({ onReview: () => host.set('/seen', 'z') });
		const depends = changeStep<string>({
			id: 'c',
			title: 'Step c',
			why: 'test',
			needs: [],
			async inspect({ host }) {
				const seen = await host.readFile('/seen');
				const done = await host.readFile('/c');
				return done.kind === 'bytes' ? '' : seen.kind === 'bytes' ? 'z' : 'x';
			},
			judge: () => [],
			plan: text => ({ actions: text === '' ? [] : [write('/c', text)] }),
		});
		await engineRun([writes('a'), depends], tinyHost(host), { decider, ahead: true });
		expect(told.slice(1)).toEqual(['review Write x to /a, Write x to /c', 'plan Write z to /c']);
	});

	it('is not taken for steps that are to be gone through one by one, and "back" leads to it', async () => {
		const { decider, told } = person({
			settings: [{ kind: 'changed', answers: { 'a.text': 'y' } }],
			review: [{ kind: 'go-on' }],
			approve: [{ kind: 'back' }],
		});
		const { end } = await engineRun([writes('a'), writes('b')], tinyHost(files()), { decider, ahead: true });
		expect(end.exit).toBe(0);
		expect(told).toEqual([
			'settings a.text=x default, b.text=x default',
			'settings a.text=y operator, b.text=x default',
			'review Write y to /a, Write x to /b',
			'plan Write y to /a',
			'settings a.text=y operator, b.text=x default',
			'review Write y to /a, Write x to /b',
		]);
	});
});
