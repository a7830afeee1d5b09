import { dirname } from 'node:path';
import { shellLine } from '../../text/shell-line.ts';
import { cannotLook, directoryOwner, sayWrite } from '../file-change.ts';
import { type ActionKind, noUndo } from '../kind.ts';

/** Makes a directory. */
export const makeDirectory: ActionKind<'make-folder'> = {
	does: ({ mode, path }) => shellLine(['mkdir', '-m', mode.toString(8), path]),
	undo: ({ path }) => `remove ${path} when it is empty`,
	essence: ({ path, mode, asDirectoryOwner }) => [path, mode, asDirectoryOwner ?? false],
	preview: ({ path }, overlay) => overlay.makeDirectory(path),
	async prepare({ path }, { host }) {
		const there = await host.stat(path);
		// One that was there before is not ours to remove.
		return there.kind === 'found'
			? noUndo(`${path} was there already`)
			: { kind: 'prepared', undo: { kind: 'folder', path } };
	},
	async perform({ path, mode, asDirectoryOwner }, { host }) {
		const owner = asDirectoryOwner === true ? await directoryOwner(host, dirname(path)) : undefined;
		if (owner === 'unknown') return cannotLook(path);
		return sayWrite(path, await host.makeDirectory(path, { mode, owner }));
	},
	now: ({ path }) => `${path} was not made`,
};
