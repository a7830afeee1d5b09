import { expect, it } from 'vitest';
import { steps } from '../../steps/index.ts';
import { proofNames, stepNames } from '../../steps/step-names.ts';

it('the names that the command line takes are those of the steps, and of the proofs among them', () => {
	expect(stepNames).toEqual(steps.map(step => step.id));
	expect(proofNames).toEqual(steps.filter(step => step.kind === 'proof').map(step => step.id));
});
