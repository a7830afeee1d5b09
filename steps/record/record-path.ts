import type { StepContext } from '../../src/model/step.ts';

/** The record's path: as the operator said, or in the folder where they stand, named by host and day. */
export function recordPath(of: {
	readonly hostname: string;
	readonly options: StepContext['options'];
	readonly now: Date;
}): string {
	const { record, workingFolder } = of.options;
	const folder = workingFolder.endsWith('/') ? workingFolder.slice(0, -1) : workingFolder;
	if (record !== undefined) return record.startsWith('/') ? record : `${folder}/${record}`;
	// A host name is somebody else's text: only what is safe in a file name is taken from it.
	const host = of.hostname.replaceAll(/[^A-Za-z0-9.-]/g, '-');
	return `${folder}/sysbox-setup-record-${host}-${of.now.toISOString().slice(0, 10)}.md`;
}
