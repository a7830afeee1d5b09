import { describe, expect, test } from 'vitest';
import { deadlineMs, estimateRestart, looksOf } from '../../src/watchdog/timing.ts';

const lastStart = (ms: number | undefined) => ({ ms, entered: '1' });

describe('the deadline of the switch', () => {
	test.each([
		['nothing is known of the last start', undefined, 60_000],
		['Docker starts fast', 4_000, 60_000],
		['twice the last start is more than a minute', 45_000, 90_000],
		['twice the last start is no whole ten seconds', 31_000, 70_000],
	])('where %s', (_, ms, deadline) => {
		expect(deadlineMs(lastStart(ms))).toBe(deadline);
	});

	test('leaves time for what else is done before Docker starts', () => {
		expect(deadlineMs(lastStart(4_000), 25_000)).toBe(90_000);
	});

	test('is part of what a window has to have room for', () => {
		expect(estimateRestart(lastStart(45_000))).toEqual({ restartMs: 60_000, withWayBackMs: 160_000 });
	});

	test('is followed by looks for ten minutes, or for ten starts', () => {
		expect(looksOf(lastStart(4_000))).toBe(120);
		expect(looksOf(lastStart(90_000))).toBe(180);
	});
});
