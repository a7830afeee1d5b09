import { describe, expect, it } from 'vitest';
import { type NumberedStep, neededBy, numbersText } from '../../src/prompts/needed-by.ts';
import { steps } from '../../steps/index.ts';

const announced: readonly NumberedStep[] = steps.map(({ id, needs }, index) => ({ id, n: index + 1, needs }));

describe('the steps that are not run without another', () => {
	it('are those that need it, and those that need them', () => {
		const names = (step: string) => neededBy(announced, step).map(n => announced[n - 1]?.id);
		expect(names('host')).toEqual(['sysbox', 'daemon', 'docker', 'ci', 'functional', 'security']);
		expect(names('daemon')).toEqual(['docker', 'ci', 'functional', 'security']);
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
