import type { FindingId } from '../src/model/finding-id.ts';
import { steps } from './index.ts';

/** Findings about what was passed: they are never waived. */
export const inputFindingIds: readonly string[] = ['input.ci', 'input.deb-file', 'input.image-archive'];

/** Every finding of a look at a host that can be waived, and what it is about. */
export const findingIds: readonly FindingId[] = steps.flatMap(step => step.findingIds ?? []);
