import { describe, expect, it } from 'vitest';
import type { Setting } from '../../src/model/review.ts';
import { bench, enter, esc } from './support.tsx';

const up = '\u001b[A';

const setting = (id: string, label: string, value: string | undefined, help: string): Setting => ({
	step: 'ci',
	question: { id, kind: 'text', label, title: `Which ${label.toLowerCase()}?`, help, initial: value },
	value,
	source: value === undefined ? undefined : 'default',
});

const settings: readonly Setting[] = [
	setting('ci.folder', 'Directory', '/srv/ci', 'Files inherit the owner of the directory.'),
	setting('ci.memory', 'Memory per container', '2g', 'A job is two containers.'),
	...Array.from({ length: 10 }, (_, n) => setting(`ci.x${n}`, `Setting ${n}`, 'x', 'One of many.')),
];

describe('the settings page', () => {
	it.each([
		[80, 24],
		[60, 20],
	])('shows each setting with its value at %i columns and %i rows, and Enter continues', async (columns, rows) => {
		const { decider, sees, frame, keys } = bench({ size: { columns, rows } });
		const decision = decider.settings?.(settings);
		await sees('❯ Continue');
		expect(frame()).toContain('Nothing has been changed yet.');
		expect(frame()).toMatch(/Setting 9 +x \(default\)/);
		expect(frame().split('\n').length).toBeLessThanOrEqual(rows);
		for (const row of frame().split('\n')) expect(row.length).toBeLessThan(columns);
		await keys(enter);
		expect(await decision).toEqual({ kind: 'go-on' });
	});

	it('explains the setting that is marked, and opens it by Enter', async () => {
		const { decider, sees, keys, frame } = bench();
		const decision = decider.settings?.(settings.slice(0, 2));
		await sees('❯ Continue');
		await keys(up);
		await sees('A job is two containers.');
		expect(frame()).toContain('❯ Memory per container');
		await keys(enter);
		await sees('Which memory per container?');
		await keys('4', 'g', enter);
		expect(await decision).toEqual({ kind: 'changed', answers: { 'ci.memory': '4g' } });
	});

	it('comes back from a setting that is left as it is', async () => {
		const { decider, sees, keys } = bench();
		const decision = decider.settings?.(settings.slice(0, 2));
		await sees('❯ Continue');
		await keys(up, up, enter);
		await sees('Which directory?');
		await keys(esc);
		await sees('❯ Continue');
		await keys('q');
		expect(await decision).toEqual({ kind: 'quit' });
	});

	it('begins at what needs an answer, and does not go on without it', async () => {
		const { decider, sees, keys } = bench();
		const open = [
			...settings.slice(0, 1),
			setting('ci.jenkins-url', 'Jenkins URL', undefined, 'Where the agent connects.'),
		];
		void decider.settings?.(open);
		await sees(/❯ Jenkins URL +needs an answer/);
		await keys('\u001b[B', enter);
		await sees('ci.jenkins-url needs an answer');
	});
});
