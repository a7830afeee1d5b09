import type { StepId } from '../model/step-id.ts';

/** A step as it is announced, with the steps without which it is not run. */
export interface NumberedStep {
	readonly id: StepId;
	readonly n: number;
	readonly needs: readonly StepId[];
}

/** The numbers of the steps that are not run when this one is not finished. */
export function neededBy(steps: readonly NumberedStep[], id: StepId): readonly number[] {
	const missing = new Set([id]);
	// In their order, so that a step comes after all that it needs.
	for (const step of steps) if (step.needs.some(need => missing.has(need))) missing.add(step.id);
	return steps.filter(step => step.id !== id && missing.has(step.id)).map(({ n }) => n);
}

/** `4 to 7`, `4 and 6`, `2, 4 and 6`. */
export function numbersText(numbers: readonly number[]): string {
	const [first = 0] = numbers;
	const last = numbers.at(-1) ?? first;
	if (numbers.length > 2 && last - first === numbers.length - 1) return `${first} to ${last}`;
	return numbers.length < 2 ? `${first}` : `${numbers.slice(0, -1).join(', ')} and ${last}`;
}
