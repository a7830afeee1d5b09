import { findingIds } from '../../src/model/finding-id.ts';

/** What a look at a host can find here, each with what it is about. Ids are public and stay. */
export const functionalFindingIds = findingIds({
	'functional.images': 'the images of the functional proof',
	'functional.runtime': 'whether Docker serves the Sysbox runtime',
});
