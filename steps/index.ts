import type { Step } from '../src/model/step.ts';
import { ciStep } from './ci/step.ts';
import { daemonStep } from './daemon/step.ts';
import { dockerStep } from './docker/step.ts';
import { functionalStep } from './functional/step.ts';
import { hostStep } from './host/step.ts';
import { withManagedFiles } from './managed-files.ts';
import { recordStep } from './record/step.ts';
import { security } from './security/step.ts';
import { type StepName, stepNames } from './step-names.ts';
import { sysboxStep } from './sysbox/step.ts';

const byName: Readonly<Record<StepName, Step>> = {
	host: hostStep,
	sysbox: sysboxStep,
	daemon: daemonStep,
	docker: dockerStep,
	ci: ciStep,
	functional: functionalStep,
	security,
	record: recordStep,
};

/** The runbook, in its order. */
export const steps: readonly Step[] = stepNames.map(name => withManagedFiles(byName[name]));
