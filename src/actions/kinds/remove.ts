import { keepFile, noteRemoval, sayWrite } from '../file-change.ts';
import type { ActionKind } from '../kind.ts';

/** Removes a file. */
export const remove: ActionKind<'remove'> = {
	does: ({ path }) => `rm ${path}`,
	sides: ({ before }) => (before === undefined ? undefined : { before, after: undefined }),
	undo: ({ path }) => `put ${path} back`,
	essence: action => [remove.file?.(action), action.withoutBackup ?? false],
	file: ({ path, expect }) => ({ path, before: expect.kind === 'sha256' ? expect.sha256 : null, after: null }),
	preview: ({ path }, overlay) => overlay.remove(path),
	delegate: ({ path }, by) => ({
		title: `Have ${path} removed by ${by}`,
		text: `Take ${path} out where ${by} takes it from, and let it be removed here; this run does not remove it`,
	}),
	prepare: ({ path, expect, withoutBackup }, deps) =>
		withoutBackup === true ? noteRemoval(path, expect, deps) : keepFile(path, expect, null, deps),
	perform: async ({ path, expect }, { host }) => sayWrite(path, await host.removeFile(path, { expect })),
	now: ({ path }) => `${path} is as it was before this action`,
};
