import type { StepContext } from '../../src/core/step.ts';

/** The record's path: as the operator said, or in the folder where they stand, named by host and day. */
export function recordPath(context: Pick<StepContext, 'host' | 'options' | 'now'>): string {
	const { record, workingFolder } = context.options;
	const folder = workingFolder.endsWith('/') ? workingFolder.slice(0, -1) : workingFolder;
	if (record !== undefined) return record.startsWith('/') ? record : `${folder}/${record}`;
	// A host name is somebody else's text: only what is safe in a file name is taken from it.
	const host = context.host.identity.hostname.replaceAll(/[^A-Za-z0-9.-]/g, '-');
	return `${folder}/sysbox-setup-record-${host}-${context.now.toISOString().slice(0, 10)}.md`;
}
