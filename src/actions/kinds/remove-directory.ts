import { shellLine } from '../../text/shell-line.ts';
import { sayWrite } from '../file-change.ts';
import { type ActionKind, noUndo } from '../kind.ts';

/** Removes a directory of ours that is empty. */
export const removeDirectory: ActionKind<'remove-folder'> = {
	does: ({ path }) => shellLine(['rmdir', path]),
	undo: ({ path }) => `make ${path} again`,
	essence: ({ path }) => [path],
	prepare: () => noUndo('it was empty'),
	async perform({ path }, { host }) {
		const result = await host.removeDirectory(path);
		// What others put there keeps the directory: that is a leftover to name, not a failure of the way back.
		if (result.kind === 'failed' && result.errno === 'ENOTEMPTY')
			return { kind: 'done', evidence: 'stays, as it is not empty' };
		if (result.kind === 'failed' && result.errno === 'ENOENT') return { kind: 'done', evidence: 'was gone already' };
		return sayWrite(path, result);
	},
	now: ({ path }) => `${path} is as it was before this action`,
};
