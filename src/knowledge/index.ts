import type { Knowledge } from '../model/knowledge.ts';
import { distros } from './distros.ts';
import { dockerdKeys } from './dockerd-keys.ts';
import { kernelBands } from './kernels.ts';
import { knownIssues } from './known-issues.ts';
import { endOfLife, releases } from './releases.ts';

/** The tables that this version of the tool was built with. */
export const knowledge: Knowledge = {
	date: '2026-11-23',
	distros,
	kernelBands,
	releases,
	knownIssues,
	dockerdKeys,
	endOfLife,
};
