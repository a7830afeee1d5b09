import type { StepState } from '../../model/state.ts';
import type { Look } from '../layout.ts';

/** "2 of 8 · Sysbox": where the operator is. */
export const stepTitle = (step: StepState | undefined, look: Pick<Look, 'theme'>): string =>
	step === undefined ? '' : `${step.n} of ${step.of} ${look.theme.glyphs.neutral} ${step.title}`;
