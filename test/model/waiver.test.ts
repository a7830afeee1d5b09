import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/model/finding.ts';
import { waive } from '../../src/model/waiver.ts';

describe('a waiver', () => {
	const now = new Date('2026-11-24T23:59:59Z');
	const finding: Finding = { id: 'disk.data-root', severity: 'block', summary: 'full' };
	const waiver = { finding: 'disk.data-root', reason: 'grows next week', expires: '2026-11-24' };
	const waived = (over: Partial<Finding>, expires = waiver.expires) =>
		waive([{ ...finding, ...over }], [{ ...waiver, expires }], now)[0]?.waived;

	it('covers its finding up to and on its last day, and not on the day after', () => {
		expect(waived({})).toEqual({ reason: 'grows next week', expires: '2026-11-24' });
		expect(waived({}, '2026-11-25')).toBeDefined();
		expect(waived({}, '2026-11-23')).toBeUndefined();
	});

	it('keeps the finding, with its severity', () => {
		expect(waive([finding], [waiver], now)).toEqual([
			{ ...finding, waived: { reason: 'grows next week', expires: '2026-11-24' } },
		]);
	});

	it('covers no other finding, nothing that is fine, and nothing about what was passed', () => {
		expect(waived({ id: 'disk.tmp' })).toBeUndefined();
		expect(waived({ severity: 'ok' })).toBeUndefined();
		expect(waived({ about: 'input' })).toBeUndefined();
		for (const severity of ['info', 'warn', 'could-not-tell'] as const) expect(waived({ severity })).toBeDefined();
	});
});
