import { describe, expect, it } from 'vitest';
import { steps } from '../../steps/index.ts';

describe('the list of steps on the first screen', () => {
	it('says in one row of 80 columns what each step does', () => {
		const longest = Math.max(...steps.map(step => step.title.length));
		for (const { id, title, brief = '' } of steps) {
			expect(brief, id).not.toBe('');
			expect(`1 ${title.padEnd(longest)}  ${brief}`.length, id).toBeLessThanOrEqual(78);
		}
	});
});
