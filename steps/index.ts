import type { Step } from '../src/core/step.ts';
import { ciStep } from './ci/step.ts';
import { daemonStep } from './daemon/step.ts';
import { dockerStep } from './docker/step.ts';
import { functionalStep } from './functional/step.ts';
import { handsOff } from './hands-off.ts';
import { hostStep } from './host/step.ts';
import { recordStep } from './record/step.ts';
import { security } from './security/step.ts';
import { sysboxStep } from './sysbox/step.ts';

/** The runbook, in its order. */
export const steps: readonly Step[] = [
	hostStep,
	sysboxStep,
	daemonStep,
	dockerStep,
	ciStep,
	functionalStep,
	security,
	recordStep,
].map(handsOff);
