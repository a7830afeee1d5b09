import { describe, expect, it } from 'vitest';
import { readDuration, readUntil } from '../src/cli/window-options.ts';
import { outOfWindow } from '../src/model/window.ts';

describe('a duration', () => {
	it('has a unit', () => {
		expect(['45s', '30m', '2h', ' 5m '].map(readDuration)).toEqual([45_000, 1_800_000, 7_200_000, 300_000]);
	});

	it.each(['', '30', '0m', '-5m', '1.5h', '30 m', '30min', '999999m'])('%j is none', text => {
		expect(readDuration(text)).toBeUndefined();
	});
});

describe('the end of a window', () => {
	const now = new Date(2026, 10, 24, 22, 30);

	it('is the next time that the clock shows so', () => {
		expect(readUntil('23:00', now)).toEqual(new Date(2026, 10, 24, 23, 0));
		expect(readUntil('06:00', now)).toEqual(new Date(2026, 10, 25, 6, 0));
		expect(readUntil('22:30', now)).toEqual(new Date(2026, 10, 25, 22, 30));
	});

	it('is the moment that a date with its time names', () => {
		expect(readUntil('2026-11-25T06:00Z', now)).toEqual(new Date('2026-11-25T06:00Z'));
		expect(readUntil('2026-11-25T06:00', now)).toEqual(new Date(2026, 10, 25, 6, 0));
	});

	it.each(['', '6', '24:00', '06:60', 'tomorrow', '2026-11-25', '2026-13-25T06:00'])('%j is none', text => {
		expect(readUntil(text, now)).toBeUndefined();
	});

	const action = {
		id: 'restart',
		kind: 'exec',
		title: 'Restart Docker',
		why: 'x',
		argv: ['true'],
		timeoutMs: 1,
		undo: { kind: 'none', why: 'x' },
		needsMs: 120_000,
	} as const;

	it('lets begin what fits with its way back, to the second', () => {
		const until = (ms: number) => new Date(now.getTime() + ms);
		expect(outOfWindow(action, undefined, now)).toBeUndefined();
		expect(outOfWindow(action, until(120_000), now)).toBeUndefined();
		expect(outOfWindow(action, until(119_999), now)).toBe(
			'Restart Docker: takes up to 2 min with its way back, and 1 min are left until 22:31',
		);
		expect(outOfWindow(action, until(-1), now)).toContain('the window ended at 22:29');
		const { needsMs: _, ...harmless } = action;
		expect(outOfWindow(harmless, until(-1), now)).toBeUndefined();
	});
});
