import type { StepContext } from '../../src/model/step.ts';

/** The record's path: as the operator said, or in the directory where they stand, named by host and day. */
export function recordPath(of: {
	readonly hostname: string;
	readonly options: StepContext['options'];
	readonly now: Date;
}): string {
	const { record, workingDirectory } = of.options;
	const directory = workingDirectory.endsWith('/') ? workingDirectory.slice(0, -1) : workingDirectory;
	if (record !== undefined) return record.startsWith('/') ? record : `${directory}/${record}`;
	// A host name is somebody else's text: only what is safe in a file name is taken from it.
	const host = of.hostname.replaceAll(/[^A-Za-z0-9.-]/g, '-');
	return `${directory}/sysbox-setup-record-${host}-${of.now.toISOString().slice(0, 10)}.md`;
}
