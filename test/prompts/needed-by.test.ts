import { describe, expect, it } from 'vitest';
import { type NumberedStep, neededBy, numbersText } from '../../src/prompts/needed-by.ts';
import { steps } from '../../steps/index.ts';

const announced: readonly NumberedStep[] = steps.map(({ id, needs }, index) => ({ id, n: index + 1, needs }));

describe('the steps that are not run without another', () => {
	it('are those that need it, and those that need them', () => {
		expect(neededBy(announced, 'host')).toEqual([2, 3, 4, 5, 6, 7]);
		expect(neededBy(announced, 'daemon')).toEqual([4, 5, 6, 7]);
		expect(neededBy(announced, 'record')).toEqual([]);
	});

	it.each([
		[[5], '5'],
		[[5, 6], '5 and 6'],
		[[4, 5, 6, 7], '4 to 7'],
		[[2, 4, 7], '2, 4 and 7'],
	])('%j are told as %s', (numbers, text) => {
		expect(numbersText(numbers)).toBe(text);
	});
});
